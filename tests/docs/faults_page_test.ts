/** Every row of docs/faults.md names its proof, and every proof is a test that exists. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const page = Deno.readTextFileSync(new URL("docs/faults.md", root));
const [tables = "", proofs = ""] = page.split("## Proofs");
const proof = /^- \*\*([A-Z]\d+)\*\* \[([\w.]+)\]\(\.\.\/([\w./]+)\): `(.+)`$/;

interface Proof {
  readonly id: string;
  readonly path: string;
  readonly name: string;
}

function listed(): Proof[] {
  return proofs.trim().split("\n").map((line) => {
    const [, id, file, path, name] = proof.exec(line) ?? [];
    assert.ok(id && path && name, `this is no proof: ${line}`);
    assert.equal(path.split("/").at(-1), file);
    return { id, path, name };
  });
}

Deno.test("docs/faults.md: every row has a proof, and every proof a row", () => {
  const rows = tables.split("\n\n").filter((part) => part.startsWith("|")).flatMap((table) => {
    const [head = "", , ...rows] = table.split("\n").filter((line) => line.startsWith("|"));
    // The table of kill -9 has one proof for all of its rows, named above it.
    return head.includes("Proof") ? rows : [];
  });
  assert.ok(rows.length >= 40, `${rows.length}`);
  const used = rows.map((row) => {
    const last = row.split("|").at(-2)!.trim();
    assert.match(last, /^[A-Z]\d+(, [A-Z]\d+)*$/, row);
    return last.split(", ");
  });
  const inText = [...tables.matchAll(/\(proof: ([A-Z]\d+)/g)].map(([, id]) => id!);
  const ids = listed().map(({ id }) => id);
  assert.deepEqual(new Set([...used.flat(), ...inText]), new Set(ids));
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("docs/faults.md: every proof is a test of that name in that file", () => {
  const missing = listed().filter(({ path, name }) =>
    !namesIn(Deno.readTextFileSync(new URL(path, root))).some((pattern) => pattern.test(name))
  );
  assert.deepEqual(missing.map(({ id, path, name }) => `${id}: ${path}: ${name}`), []);
});

/** Strings and templates that could be names of tests; what a template fills in can be anything. */
function namesIn(source: string): RegExp[] {
  const literals = source.match(/"(?:[^"\\\n]|\\.)+"|`(?:[^`\\]|\\.)+`/g) ?? [];
  return literals.flatMap((literal) => {
    const parts = literal.slice(1, -1).split(/\$\{[^}]*\}/);
    // A template of nothing but values would prove everything.
    if (parts.join("").length < 10) return [];
    return [new RegExp(`^${parts.map((part) => RegExp.escape(part)).join(".+")}$`)];
  });
}
