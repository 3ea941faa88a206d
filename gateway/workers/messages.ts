import type { SqlDialect, SqlRow, SqlValue } from "../../store/ledger/sql_database.ts";
import type { ListenAddress } from "../server.ts";
import type { SnapshotParts } from "./snapshot_parts.ts";

/** A statement for the ledger's database; the text goes over once and is named by its number then. */
export interface StatementCall {
  readonly call: number;
  readonly statement: number;
  readonly sql?: string;
  readonly values: readonly SqlValue[];
}

/** What became of it. */
export type StatementAnswer =
  & { readonly call: number }
  & (
    | { readonly rows: readonly SqlRow[] }
    /** As the database fails: whether nothing was done is what matters. */
    | { readonly refused: string }
    | { readonly unavailable: string }
  );

/** From the isolate that owns the ledger and the routes. */
export type ToWorker =
  /** `parameters` are the starter's own. */
  | {
    readonly kind: "start";
    /** 1 for the first besides the isolate that starts them. */
    readonly worker: number;
    readonly parameters: unknown;
    readonly listen: ListenAddress;
    readonly dialect: SqlDialect;
  }
  | { readonly kind: "snapshot"; readonly parts: SnapshotParts }
  | { readonly kind: "answers"; readonly answers: readonly StatementAnswer[] }
  | { readonly kind: "metrics"; readonly call: number }
  | { readonly kind: "elsewhere" }
  | { readonly kind: "drain"; readonly timeoutMs: number };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "statements"; readonly calls: readonly StatementCall[] }
  | { readonly kind: "doubt" }
  /** What prom-client says of its registry as JSON. */
  | { readonly kind: "metrics"; readonly call: number; readonly metrics: object[] }
  | { readonly kind: "drained"; readonly clean: boolean };
