import { join } from "node:path";

/** A path for an SQLite ledger in a folder of its own, which is removed afterwards. */
export async function withLedgerFile(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "x402-ledger-" });
  try {
    await use(join(folder, "payments.db"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
