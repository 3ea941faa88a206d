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

/** Where log lines go. */
export function toStdout(line: string): void {
  // deno-lint-ignore no-console -- the one place that prints log lines
  console.log(line);
}
