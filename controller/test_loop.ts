import { join } from "node:path";
import { FacilitatorSupport } from "../store/facilitator_support.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import type { ManifestEvent } from "./manifest_event.ts";
import { startManifestLoop } from "./reconcile_loop.ts";

/** An Ingress `api` on every host, and its Service. */
export const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: api }
spec:
  rules:
    - http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: api, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec: { type: ExternalName, externalName: localhost }
`;

/** An X402Route of that Ingress with the one path `/<name>`. */
export function route(price: string, name = "paid"): string {
  return `apiVersion: x402.io/v1alpha1
kind: X402Route
metadata: { name: ${name} }
spec:
  ingressRef: { name: api }
  payment:
    wallet: "0x1f6004907Adc7d313768b85917e069e011150390"
    network: base-sepolia
  routes:
    - path: /${name}
      price: "${price}"
`;
}

/** Amounts of the rules in force, in atomic units. */
export function amounts({ ingresses }: RouteSnapshot): string[] {
  return ingresses.flatMap(({ rules }) =>
    rules.map(({ access }) => access.kind === "paid" ? access.terms.amount : access.kind)
  );
}

/** Runs the loop on a temporary folder; events and snapshots can be awaited, each once. */
export async function startLoop(files: Readonly<Record<string, string>>) {
  const path = Deno.makeTempDirSync();
  const write = (name: string, text: string) => Deno.writeTextFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const stop = new AbortController();
  const facilitators = new FacilitatorSupport();
  const reported: ManifestEvent[] = [];
  const news = new EventTarget();
  let latest: RouteSnapshot | undefined;
  let read = 0;
  const test = {
    path,
    facilitators,
    write,
    reported,
    refuse: false,
    async event<T extends ManifestEvent["type"]>(type: T) {
      while (true) {
        for (; read < reported.length; read++) {
          const event = reported[read]!;
          if (event.type !== type) continue;
          read++;
          return event as Extract<ManifestEvent, { type: T }>;
        }
        await new Promise((resolve, reject) => {
          const tooLate = setTimeout(reject, 2000, new Error(`no event ${type}`));
          news.addEventListener("news", resolve, { once: true });
          news.addEventListener("news", () => clearTimeout(tooLate), { once: true });
        });
      }
    },
    async snapshot(): Promise<RouteSnapshot> {
      await test.event("snapshot-published");
      return latest!;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
      await Deno.remove(path, { recursive: true });
    },
  };
  const loop = startManifestLoop({
    folder: path,
    facilitators,
    options: {
      allowExternalName: true,
      allowedFacilitatorHosts: [],
      clusterDomain: "cluster.local",
    },
    publish(snapshot) {
      if (test.refuse) throw new Error("refused by the test");
      latest = snapshot;
    },
    report(event) {
      reported.push(event);
      news.dispatchEvent(new Event("news"));
    },
    signal: stop.signal,
  });
  return await Promise.resolve(test);
}
