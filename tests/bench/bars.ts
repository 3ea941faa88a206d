import { ledgerName } from "./ledger_rows.ts";
import { type Kind, nameOf } from "./load_measures.ts";
import type { MeasureResult, Quantity } from "./measure_result.ts";
import { startOfAllCores, startOfOne } from "./start_up.ts";
import { download, upload } from "./transfers.ts";

/** A figure made of medians, and what the project asks of it. */
export interface Bar {
  readonly bar: string;
  readonly figure: number;
  readonly unit: Unit;
  /** Undefined where nothing is asked for. */
  readonly atMost: number | undefined;
  readonly met: boolean | undefined;
}

type Unit = "x" | "ms" | "s" | "MiB";

/** A bar whose figure is undefined where a measure is missing. */
type Row = readonly [
  bar: string,
  unit: Unit,
  atMost: number | undefined,
  figure: number | undefined,
];

/** The bars for which there are measures. */
export function barsOf(results: readonly MeasureResult[]): Bar[] {
  const figures = new Figures(results);
  const rows = [
    ...costRows(figures),
    ...workerRows(figures),
    ...snapshotRows(figures),
    ...streamRows(figures),
    ...processRows(figures),
    ...ledgerRows(figures),
  ];
  return rows.flatMap(([bar, unit, atMost, figure]) => {
    if (figure === undefined) return [];
    return [{
      bar,
      figure,
      unit,
      atMost,
      met: atMost === undefined ? undefined : figure <= atMost,
    }];
  });
}

/** Medians and what is made of two of them, by the names of the measures. */
class Figures {
  readonly #results: ReadonlyMap<string, MeasureResult>;

  constructor(results: readonly MeasureResult[]) {
    this.#results = new Map(results.map((result) => [result.name, result]));
  }

  of(name: string, quantity: Quantity): number | undefined {
    return this.#results.get(name)?.values[quantity]?.median;
  }

  quotient(a: string, b: string, quantity: Quantity = "cpuPer1k"): number | undefined {
    const [first, second] = [this.of(a, quantity), this.of(b, quantity)];
    return first === undefined || second === undefined ? undefined : first / second;
  }

  difference(a: string, b: string, quantity: Quantity): number | undefined {
    const [first, second] = [this.of(a, quantity), this.of(b, quantity)];
    return first === undefined || second === undefined ? undefined : first - second;
  }
}

const kinds = ["402", "free", "paid"] as const;

function costRows(figures: Figures): Row[] {
  const challenge = nameOf("gateway", "402");
  const ofNginx = (kind: Kind) =>
    figures.quotient(nameOf("gateway", kind), nameOf("nginx", "free"));
  return [
    [
      "402: CPU / bare handler with the same bytes",
      "x",
      1.2,
      figures.quotient(challenge, nameOf("bytes of the 402", "402")),
    ],
    ["402: CPU / nginx proxying 1 KB", "x", 1.8, ofNginx("402")],
    ["free proxying: CPU / nginx proxying 1 KB", "x", 3, ofNginx("free")],
    ["paid request: CPU / nginx proxying 1 KB", "x", 14, ofNginx("paid")],
  ];
}

function workerRows(figures: Figures): Row[] {
  return kinds.flatMap((kind): Row[] => {
    const names = [nameOf("gateway, 2 workers", kind), nameOf("gateway", kind)] as const;
    return [
      [`${kind}: CPU of two workers / one`, "x", 1.15, figures.quotient(...names)],
      [
        `${kind}: requests/s of two workers / one`,
        "x",
        undefined,
        figures.quotient(...names, "requestsPerSecond"),
      ],
    ];
  });
}

function snapshotRows(figures: Figures): Row[] {
  return kinds.flatMap((kind) =>
    (["all", "one"] as const).map((asked): Row => {
      const large = nameOf(`gateway, 10,000 hosts, ${asked} asked`, kind);
      const cost = figures.quotient(large, nameOf("gateway", kind));
      return [`${kind}: CPU with 10,000 hosts, ${asked} asked / with 1`, "x", 1.1, cost];
    })
  );
}

function streamRows(figures: Figures): Row[] {
  const [through, direct] = [nameOf("gateway", "SSE", 1), nameOf("SSE backend", "SSE", 1)];
  return [
    ["SSE: first byte later by", "ms", 1, figures.difference(through, direct, "p50")],
    ["1 GiB down: RSS rises by", "MiB", 24, figures.of(download, "addedRssMiB")],
    ["1 GiB up: RSS rises by", "MiB", 24, figures.of(upload, "addedRssMiB")],
  ];
}

function processRows(figures: Figures): Row[] {
  return [startOfOne, startOfAllCores].flatMap((name): Row[] => [
    [`${name}: to readyz`, "s", 0.5, figures.of(name, "seconds")],
    [`${name}: RSS at rest`, "MiB", 75, figures.of(name, "rssMiB")],
  ]);
}

function ledgerRows(figures: Figures): Row[] {
  const [file, none] = [nameOf("SQLite file", "paid", 1), nameOf("no ledger", "paid", 1)];
  const [full, empty] = [ledgerName(1_000_000), ledgerName(1)];
  return [
    ["ledger: p50 of a paid request later by", "ms", 0.15, figures.difference(file, none, "p50")],
    ["ledger: CPU of a paid request / without it", "x", 1.4, figures.quotient(file, none)],
    [
      "ledger: reservation with 1,000,000 rows / with none",
      "x",
      undefined,
      figures.quotient(full, empty, "reserveP50"),
    ],
  ];
}
