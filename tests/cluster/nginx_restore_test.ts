/** Paths that stop being paid, as clients see it: nobody meets a 404, 502 or 503. */
import assert from "node:assert/strict";
import { type Front, gatewayRequests, startFront } from "./nginx_front.ts";
import { keepLooking } from "./operator_look.ts";
import type { RouteParts } from "./operator_manifests.ts";
import { proxyTest } from "./test_proxy.ts";

const paths = { "/api": "api", "/docs": "site" };
const paid: RouteParts = { rules: [{ path: "/api/**" }] };

/** Clients that send one request after the other. */
const clients = 4;

interface Ending {
  readonly what: string;
  /** How `/api/x` is answered in the end, instead of the 402. */
  readonly after: string;
  act(front: Front): Promise<unknown>;
}

const endings: readonly Ending[] = [
  {
    what: "the X402Route is deleted",
    after: "200 api",
    act: ({ scenario }) => scenario.delete("X402Route", "prices"),
  },
  {
    what: "the rule is made free",
    after: "200 api",
    act: ({ scenario }) =>
      scenario.applyRoute("prices", { rules: [{ path: "/api/**", free: true }] }),
  },
  {
    what: "the path is removed from the Ingress",
    after: "200 site",
    act: ({ scenario }) => scenario.applyIngress("web", { "/docs": "site" }),
  },
];

for (const { what, after, act } of endings) {
  proxyTest(`${what}: no request fails, and the gateway is needed no more`, async (cluster) => {
    await using front = await startFront(cluster, ["--drain-routes", "1s"]);
    const { scenario } = front;
    // Another Ingress of the host has what `web` leaves.
    await scenario.applyIngress("rest", { "/": "site" });
    await scenario.applyIngress("web", paths);
    await scenario.applyRoute("prices", paid);
    await front.untilCharged();

    const looking = Array.from(
      { length: clients },
      () => keepLooking(() => front.ask("/api/x"), ["402", after]),
    );
    await act(front);
    await front.untilRestored();
    await scenario.untilGone("Service", "x402-gateway");
    await front.proxy.waitUntilRendered(({ services }) =>
      !services.some(({ metadata: { namespace, name } }) =>
        namespace === scenario.namespace && name === "x402-gateway"
      )
    );
    const before = await gatewayRequests(scenario.operator);
    const counts = await Promise.all(looking.map((it) => it.end()));
    assert.ok(counts.every((count) => count > 0));
    assert.equal(await front.ask("/api/x"), after);
    assert.equal(await gatewayRequests(scenario.operator), before);

    scenario.operator.kill("SIGKILL");
    assert.equal(await front.ask("/api/x"), after);
  });
}
