/** Whether the tests run at full length (`deno task test:hardening`) or as a part of all tests. */
export const full = Deno.env.get("X402_TEST_HARDENING") === "full";

/** One number for the run with all other tests, one for the full run. */
export function sized(short: number, long: number): number {
  return full ? long : short;
}

/** One line that tells what a test has measured. */
export function figures(name: string, values: Readonly<Record<string, string | number>>): void {
  const text = Object.entries(values).map(([key, value]) => `${key} ${value}`).join(", ");
  // deno-lint-ignore no-console -- figures are the point of these tests
  console.log(`${name}: ${text}`);
}

/** A test that looks at the gateway's process from outside, as only Linux lets it. */
export function hardeningTest(name: string, run: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os !== "linux", fn: run });
}
