/**
 * Random lives of payments against the model in `model_world.ts`. `X402_TEST_MODEL_STEPS` sets how
 * many steps are made, `X402_TEST_MODEL_SEED` repeats a run.
 */
import fc from "fast-check";
import { postgresTest } from "../rig/test_postgres.ts";
import { type ModelDatabase, postgresModel, sqliteModel } from "./model_database.ts";
import type { DatabaseFault } from "./model_gateway.ts";
import type { BuyersPayment } from "./model_payment.ts";
import { checkBooks, World } from "./model_world.ts";

/** One step as data, so that a counterexample can be read. */
type Step =
  | readonly ["send", payment: number, gateway: number, purchase: BuyersPayment]
  | readonly ["answer", which: number, how: number]
  | readonly ["wait", ms: number]
  | readonly ["reconcile" | "crash", gateway: number]
  | readonly ["mine"]
  | readonly ["cancel", payment: number]
  | readonly ["fault", gateway: number, fault: DatabaseFault];

function make(world: World, step: Step): void {
  switch (step[0]) {
    case "send":
      return world.send(step[1], step[2], step[3]);
    case "answer":
      return world.answer(step[1], step[2]);
    case "wait":
      return world.wait(step[1]);
    case "reconcile":
      return world.gateways[step[1]]!.reconcile();
    case "crash":
      return world.crash(step[1]);
    case "mine":
      return world.mine();
    case "cancel":
      return world.cancel(step[1]);
    case "fault":
      world.gateways[step[1]]!.fault = step[2];
  }
}

const purchase: fc.Arbitrary<BuyersPayment> = fc.record({
  settle: fc.constantFrom<BuyersPayment["settle"]>("after-response", "before-request"),
  otherRequest: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
  identifier: fc.boolean(),
});
const gateway = fc.nat({ max: 1 });
const any = fc.nat({ max: 7 });
/** Mostly all goes well, else lives end early. */
const how = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat({ max: 4 }) },
);
const waits = fc.constantFrom(1_000, 12_000, 31_000, 70_000, 1_000_000);
const faults = fc.constantFrom<DatabaseFault>("refused", "lost answer");
const is = <Name extends string>(name: Name) => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(is("send"), any, gateway, purchase) },
  { weight: 14, arbitrary: fc.tuple(is("answer"), any, how) },
  { weight: 2, arbitrary: fc.tuple(is("wait"), waits) },
  { weight: 2, arbitrary: fc.tuple(is("reconcile"), gateway) },
  { weight: 1, arbitrary: fc.tuple(is("crash"), gateway) },
  { weight: 1, arbitrary: fc.tuple(is("mine")) },
  { weight: 1, arbitrary: fc.tuple(is("cancel"), any) },
  { weight: 1, arbitrary: fc.tuple(is("fault"), gateway, faults) },
);
const life = fc.array(step, { maxLength: 400, size: "max" });

const wantedSteps = Number(Deno.env.get("X402_TEST_MODEL_STEPS") ?? 100_000);
const seed = Number(Deno.env.get("X402_TEST_MODEL_SEED") ?? Math.floor(Math.random() * 2 ** 31));

for (const readsChain of [true, false]) {
  const suffix = readsChain ? "with the chain" : "with the facilitator's word alone";
  const name = `no life of a payment moves money or runs the backend twice, ${suffix}`;
  Deno.test(`${name}: SQLite in memory`, async () => {
    await live(wantedSteps / 2, readsChain, () => sqliteModel(":memory:"));
  });
  Deno.test(`${name}: SQLite in a file`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "x402-model-" });
    let files = 0;
    try {
      await live(wantedSteps / 20, readsChain, () => sqliteModel(`${folder}/${files++}.db`));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
  postgresTest(`${name}: PostgreSQL`, async (server) => {
    const open = async () => await postgresModel(await server.createDatabase());
    await live(wantedSteps / 50, readsChain, open);
  });
}

async function live(
  wanted: number,
  readsChain: boolean,
  open: () => Promise<ModelDatabase>,
): Promise<void> {
  let made = 0;
  const property = fc.asyncProperty(life, async (steps) => {
    made += steps.length;
    await using model = await open();
    const world = new World(model, readsChain, 6);
    try {
      for (const step of steps) {
        make(world, step);
        await model.settled();
      }
      await world.quiesce();
      for (const row of await model.database.query("SELECT * FROM payments")) {
        checkBooks(world.payments.find(({ nonce }) => nonce === row.nonce)!, row, readsChain);
      }
    } finally {
      for (const gateway of world.gateways) gateway.die();
    }
  });
  for (let round = 0; made < wanted; round++) {
    await fc.assert(property, { numRuns: 5, seed: seed + round });
  }
  // deno-lint-ignore no-console -- what it takes to repeat this run
  console.log(`${made} steps, seed ${seed}`);
}
