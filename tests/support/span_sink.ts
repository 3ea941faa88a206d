/** Takes the spans that the program's exporter sends, as a collector does (OTLP over HTTP, JSON). */

/** A span as far as tests look at it. */
export interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly status: number;
}

interface OtlpSpan extends Omit<SentSpan, "attributes" | "status"> {
  readonly attributes?: readonly { key: string; value: Record<string, unknown> }[];
  readonly status?: { readonly code?: number };
}

export interface SpanSink extends AsyncDisposable {
  /** What turns tracing on in a program, and sends its spans here. */
  readonly env: Record<string, string>;
  /** The first span, sent or still to come, for which `where` holds. */
  sent(where: (span: SentSpan) => boolean): Promise<SentSpan>;
  /** All so far. */
  readonly spans: readonly SentSpan[];
}

/** Listens on a free port; `sent` waits for 20 s. */
export function startSpanSink(): SpanSink {
  const spans: SentSpan[] = [];
  const arrivals = new EventTarget();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, take);

  async function take(request: Request): Promise<Response> {
    const body = await request.json();
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const { spans: batch } of scopeSpans) spans.push(...batch.map(read));
    }
    arrivals.dispatchEvent(new Event("arrival"));
    return Response.json({});
  }

  return {
    env: {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "20",
    },
    spans,
    async sent(where) {
      const signal = AbortSignal.timeout(20_000);
      for (;;) {
        const found = spans.find(where);
        if (found !== undefined) return found;
        await new Promise((resolve, reject) => {
          arrivals.addEventListener("arrival", resolve, { once: true });
          signal.addEventListener("abort", () => reject(new Error(describe(spans))));
        });
      }
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function read(span: OtlpSpan): SentSpan {
  const attributes = (span.attributes ?? []).map(({ key, value }) => [
    key,
    Object.values(value)[0],
  ]);
  return {
    ...span,
    parentSpanId: span.parentSpanId ?? "",
    attributes: Object.fromEntries(attributes),
    status: span.status?.code ?? 0,
  };
}

function describe(spans: readonly SentSpan[]): string {
  return ["no such span; there were:", ...spans.map((span) => JSON.stringify(span))].join("\n  ");
}
