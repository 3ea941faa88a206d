import assert from "node:assert/strict";
import type { HostRoutes, IngressRules } from "../../store/route_snapshot.ts";
import { SnapshotReceiver, SnapshotSender } from "./snapshot_parts.ts";

const ingress = (name: string): IngressRules => ({ namespace: "n", name, tlsHosts: [], rules: [] });
const host = (name: string): HostRoutes => ({ host: name, paths: [] });

Deno.test("snapshots arrive whole, and only what is new is sent", () => {
  const sender = new SnapshotSender();
  const receiver = new SnapshotReceiver();
  const [a, b, c] = [ingress("a"), ingress("b"), ingress("c")];
  const [h, i] = [host("h"), host("i")];
  const snapshots = [
    { ingresses: [a, b], hosts: [h] },
    { ingresses: [c, a], hosts: [i, h], fallback: { ingresses: [b], hosts: [] } },
    { ingresses: [], hosts: [] },
    { ingresses: [a], hosts: [h] },
  ];
  const fresh = snapshots.map((snapshot) => {
    const parts = sender.partsOf(snapshot);
    assert.deepEqual(receiver.snapshotOf(structuredClone(parts)), snapshot);
    return parts.fresh.length;
  });
  // What one snapshot did not name is forgotten, and sent again when it is back.
  assert.deepEqual(fresh, [3, 2, 0, 2]);
});

Deno.test("what has not changed is the very same object at the other end", () => {
  const sender = new SnapshotSender();
  const receiver = new SnapshotReceiver();
  const kept = ingress("kept");
  const get = (name: string) => {
    const parts = sender.partsOf({ ingresses: [kept, ingress(name)], hosts: [] });
    return receiver.snapshotOf(structuredClone(parts)).ingresses;
  };
  const [first, second] = [get("x"), get("y")];
  assert.equal(first[0], second[0]);
  assert.notEqual(first[1], second[1]);
});
