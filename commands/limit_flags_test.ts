import assert from "node:assert/strict";
import { Command, CommanderError } from "commander";
import {
  addLimitFlags,
  type LimitFlags,
  limitsBehindProxies,
  limitSettings,
} from "./limit_flags.ts";

function parse(...args: string[]): LimitFlags {
  const command = addLimitFlags(new Command().exitOverride().configureOutput({ writeErr() {} }));
  return command.parse(args, { from: "user" }).opts();
}

const defaults = {
  rates: { unpaid: { count: 1000, perMs: 10_000 }, invalid: { count: 100, perMs: 10_000 } },
  load: { maxInFlight: 4096, maxLagMs: 500 },
};

Deno.test("limits by default", () => {
  assert.deepEqual(limitSettings(parse()), defaults);
});

Deno.test("limits as told", () => {
  const flags = parse(
    ...["--rate-limit-unpaid", "5/1m", "--rate-limit-invalid", "1/250ms"],
    ...["--max-in-flight", "7", "--max-lag", "2s"],
  );
  assert.deepEqual(limitSettings(flags), {
    rates: { unpaid: { count: 5, perMs: 60_000 }, invalid: { count: 1, perMs: 250 } },
    load: { maxInFlight: 7, maxLagMs: 2_000 },
  });
});

Deno.test("limits that are off", () => {
  const off = ["--rate-limit-unpaid", "off", "--rate-limit-invalid", "off", "--max-lag", "off"];
  const { rates, load } = limitSettings(parse(...off));
  assert.deepEqual([rates, load.maxLagMs], [{ unpaid: undefined, invalid: undefined }, Infinity]);
});

Deno.test("behind proxies that are not trusted only what is asked for is limited", () => {
  const none = { unpaid: undefined, invalid: undefined };
  assert.deepEqual(limitSettings(limitsBehindProxies(parse(), [])).rates, none);
  assert.deepEqual(limitSettings(limitsBehindProxies(parse(), ["10.0.0.0/8"])), defaults);
  const asked = limitsBehindProxies(parse("--rate-limit-unpaid", "1000/10s"), []);
  assert.deepEqual(limitSettings(asked).rates, { ...none, unpaid: defaults.rates.unpaid });
});

for (const text of ["5", "5/", "/1s", "0/1s", "5/1s/1s", "5/1d", "on", "-1/1s", ""]) {
  Deno.test(`--rate-limit-unpaid ${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => parse("--rate-limit-unpaid", text),
      (error) => error instanceof CommanderError && error.message.includes("1000/10s, or off"),
    );
  });
}
