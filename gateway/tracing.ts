/**
 * Spans of OpenTelemetry, sent by the runtime's own exporter. The runtime registers its tracer in
 * this process when tracing is on (`OTEL_DENO=true`), and nothing otherwise: then `tracing` is
 * undefined, the library is not even loaded, and a request pays for one comparison.
 */
import type { AttributeValue, Span } from "@opentelemetry/api";
import type { HeaderLine, ReadableFields } from "./http1/header_fields.ts";

/** What a span is told as soon as it is known: names of the semantic conventions, or `x402.*`. */
export type SpanFields = Readonly<Record<string, AttributeValue | undefined>>;

type Api = typeof import("@opentelemetry/api");

/** Of W3C Trace Context, 3.2. */
const parentHeader = "traceparent";

/** The spans of requests. */
export class Tracing {
  readonly #tracer;

  constructor(private readonly api: Api) {
    this.#tracer = api.trace.getTracer("x402-k8s-operator");
  }

  /**
   * The span of a request that came in, in the trace that it names. It ends, as those of calls do,
   * with the head of the reply; what `describe` makes of the result is told to it.
   */
  async served<T>(
    name: string,
    headers: ReadableFields,
    serve: () => Promise<T>,
    describe: (result: T) => SpanFields,
  ): Promise<T> {
    const { propagation, ROOT_CONTEXT, SpanKind } = this.api;
    const parent = propagation.extract(ROOT_CONTEXT, headers, {
      get: (from, key) => from.get(key) ?? undefined,
      keys: () => [parentHeader],
    });
    return await this.#within(name, SpanKind.SERVER, parent, serve, describe);
  }

  /** The span of a call that is made for a request, below the span that it is made in. */
  async called<T>(
    name: string,
    call: () => Promise<T>,
    describe: (result: T) => SpanFields,
  ): Promise<T> {
    const { context, SpanKind } = this.api;
    return await this.#within(name, SpanKind.CLIENT, context.active(), call, describe);
  }

  /** Adds to the span that is being worked in. */
  note(fields: SpanFields, name?: string): void {
    const span = this.api.trace.getActiveSpan();
    if (span === undefined) return;
    if (name !== undefined) span.updateName(name);
    setFields(span, fields);
  }

  /**
   * `headers` for a call that belongs to the span that is being worked in. Only the parent is a new
   * one: the client's `tracestate`, which the runtime would drop, and its baggage pass as they came.
   */
  passOn(headers: readonly HeaderLine[]): HeaderLine[] {
    const lines = headers.filter(([name]) => name !== parentHeader);
    this.api.propagation.inject(this.api.context.active(), lines, {
      set: (to, key, value) => void (key === parentHeader && to.push([key, value])),
    });
    return lines;
  }

  async #within<T>(
    name: string,
    kind: number,
    parent: ReturnType<Api["context"]["active"]>,
    work: () => Promise<T>,
    describe: (result: T) => SpanFields,
  ): Promise<T> {
    const { trace, context, SpanStatusCode } = this.api;
    const span = this.#tracer.startSpan(name, { kind }, parent);
    try {
      const result = await context.with(trace.setSpan(parent, span), work);
      const fields = describe(result);
      setFields(span, fields);
      if (fields["error.type"] !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      return result;
    } catch (error) {
      const { code = "internal_error" } = error as { code?: string };
      setFields(span, { "error.type": code });
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

function setFields(span: Span, fields: SpanFields): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) span.setAttribute(name, value);
  }
}

const isOn = Symbol.for("opentelemetry.js.api.1") in globalThis;

/** Undefined when tracing is off. */
export const tracing = isOn ? new Tracing(await import("@opentelemetry/api")) : undefined;

/** What `call` makes, as a span of its own when tracing is on. */
export function traced<T>(
  name: string,
  call: () => Promise<T>,
  describe: (result: T) => SpanFields,
): Promise<T> {
  return tracing === undefined ? call() : tracing.called(name, call, describe);
}
