/** Levels in rising order; a logger writes its own level and those after it. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * One JSON object per line and event: `{"time","level","msg",...fields}`. Callers never pass
 * signatures, payment headers or keys; what identifies a payment is its payer and nonce.
 */
export class Logger {
  readonly #threshold: number;

  /**
   * @param write gets one line without the newline; the default is standard output
   * @param common fields of every line
   */
  constructor(
    level: LogLevel = "info",
    private readonly write: (line: string) => void = toStdout,
    private readonly common: LogFields = {},
  ) {
    this.#threshold = logLevels.indexOf(level);
  }

  debug(msg: string, fields: LogFields = {}): void {
    this.#log("debug", msg, fields);
  }

  info(msg: string, fields: LogFields = {}): void {
    this.#log("info", msg, fields);
  }

  warn(msg: string, fields: LogFields = {}): void {
    this.#log("warn", msg, fields);
  }

  error(msg: string, fields: LogFields = {}): void {
    this.#log("error", msg, fields);
  }

  #log(level: LogLevel, msg: string, fields: LogFields): void {
    if (logLevels.indexOf(level) < this.#threshold) return;
    this.write(
      JSON.stringify({ time: new Date().toISOString(), level, msg, ...this.common, ...fields }),
    );
  }
}

/** Lines that go out together at the end of this turn of the event loop. */
let waiting = "";

/**
 * Where log lines go. With `--access-log` each request has one: a write for each of them would cost as
 * much as half a request.
 */
export function toStdout(line: string): void {
  if (waiting === "") setTimeout(flush, 0);
  waiting += `${line}\n`;
}

function flush(): void {
  if (waiting === "") return;
  const lines = waiting.slice(0, -1);
  waiting = "";
  // deno-lint-ignore no-console -- the one place that prints log lines
  console.log(lines);
}

// Also what was said last before the process ends, by `Deno.exit` or by a fault.
for (const end of ["unload", "error"]) globalThis.addEventListener(end, flush);
