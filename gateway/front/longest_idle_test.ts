import assert from "node:assert/strict";
import { LongestIdle } from "./longest_idle.ts";

interface Connection {
  readonly name: number;
  idleSince: number | undefined;
}

/** Connections that have been idle since these times. */
function connectionsOf(times: (number | undefined)[]): Set<Connection> {
  return new Set(times.map((idleSince, name) => ({ name, idleSince })));
}

/** Takes all, each of which is closed then. */
function takeAll(longest: LongestIdle<Connection>): number[] {
  const names = [];
  for (let taken; (taken = longest.take()) !== undefined;) {
    taken.idleSince = undefined;
    names.push(taken.name);
  }
  return names;
}

Deno.test("the longest idle comes first, busy ones never, and of equals the first", () => {
  const longest = new LongestIdle(connectionsOf([5, undefined, 3, 4, 3, undefined]));
  assert.deepEqual(takeAll(longest), [2, 4, 3, 0]);
});

Deno.test("one that has been used since it was found keeps its connection", () => {
  const connections = connectionsOf([1, 2, 3]);
  const longest = new LongestIdle(connections);
  const [first, second] = connections;
  assert.equal(longest.take(), first);
  first!.idleSince = undefined;
  second!.idleSince = 9;
  assert.deepEqual(takeAll(longest), [2, 1]);
});

Deno.test("new ones are found when those that were found are used up", () => {
  const connections = connectionsOf([1]);
  const longest = new LongestIdle(connections);
  assert.deepEqual(takeAll(longest), [0]);
  connections.add({ name: 7, idleSince: 2 });
  assert.deepEqual(takeAll(longest), [7]);
});

Deno.test("many finds take few looks", () => {
  const connections = connectionsOf(Array.from({ length: 8_000 }, (_, i) => i));
  let looks = 0;
  const counted = Object.assign(connections, {
    [Symbol.iterator]: () => (looks++, Set.prototype.values.call(connections)),
  });
  const names = takeAll(new LongestIdle(counted as Set<Connection>));
  assert.deepEqual(names, Array.from({ length: 8_000 }, (_, i) => i));
  assert.ok(looks < 20, `${looks} looks`);
});
