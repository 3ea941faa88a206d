/** What both implementations of `UpstreamTransport` promise, and where they differ. */
import { abortCases } from "./conformance/aborts.ts";
import { connectionCases } from "./conformance/connections.ts";
import { replyCases } from "./conformance/replies.ts";
import { openTransport } from "./conformance/rig.ts";
import { uploadCases } from "./conformance/uploads.ts";
import { wireCases } from "./conformance/wire.ts";

const cases = [...replyCases, ...connectionCases, ...abortCases, ...uploadCases, ...wireCases];

for (const name of ["http1", "fetch"] as const) {
  for (const { name: promise, run } of cases) {
    Deno.test(`${name}: ${promise}`, async () => {
      const transport = openTransport(name);
      try {
        await run(transport, name);
      } finally {
        transport.close();
      }
    });
  }
}
