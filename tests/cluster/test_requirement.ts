/** The run's setting that no test may be left out. */
const requireAll = Deno.env.get("X402_TEST_REQUIRE_ALL") === "1";

/** What the run has said to be missing; all test files share the environment. */
const toldVariable = "X402_TEST_MISSING";

/**
 * A test that needs what may not be there. `missing` says what that is and how to get it: then the
 * test is ignored, and the run says so once; with X402_TEST_REQUIRE_ALL=1 it fails.
 */
export function testUnless(
  missing: string | undefined,
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
) {
  if (missing === undefined) return Deno.test(name, fn);
  if (requireAll) return Deno.test(name, () => Promise.reject(new Error(missing)));
  tellOnce(missing);
  Deno.test.ignore(name, fn);
}

function tellOnce(missing: string): void {
  const told = Deno.env.get(toldVariable) ?? "";
  if (told.includes(missing)) return;
  Deno.env.set(toldVariable, `${told}${missing}\n`);
  Deno.stderr.writeSync(new TextEncoder().encode(`Tests are left out: ${missing}\n`));
}
