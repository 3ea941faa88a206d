/** Replies that end where some do not expect it, each between others on the same connections. */
import { faultyKinds, type ReplyKind, soundKinds } from "./backend_replies.ts";
import { idHeader } from "./flight.ts";
import type { NamedCase } from "./named_cases.ts";

function request(id: string, method: string): string {
  const lines = [`${method} /docs/x?fz=${id} HTTP/1.1`, "Host: a.test", `${idHeader}: ${id}`];
  if (method === "POST") lines.push("Content-Length: 3");
  return [...lines, "", method === "POST" ? "abc" : ""].join("\r\n");
}

function between(kind: ReplyKind, method: string, arrive?: readonly number[]): NamedCase {
  return {
    name: `${method} is answered: ${kind}`,
    text: (id) => [1, 2, 3].map((n) => request(id(n), n === 2 ? method : "GET")).join(""),
    // The kind is chosen by the number of the request: 0, 1, 2.
    replies: ["sized", "sized", kind, "sized"],
    ...(arrive && { arrive }),
  };
}

export const replyCases: readonly NamedCase[] = ["GET", "HEAD", "POST"].flatMap((method) => [
  ...soundKinds.map((kind) => between(kind, method, [1, 2, 3])),
  ...faultyKinds.map((kind) => between(kind, method)),
]);
