import type { Logger } from "../../store/log.ts";
import { CredentialsError } from "./credentials_error.ts";

/** Ms for which files are taken to be as they were. */
const recheckMs = 3_000;

/**
 * What files mounted from a Secret hold. Kubernetes swaps them while the gateway runs, so they are
 * read again every few seconds while somebody asks; one that has become unreadable is logged, and the
 * last good content stays in force.
 */
export class SecretFiles<T> {
  #texts: readonly string[] = [];
  #content!: T;
  #readAt = 0;
  #reading: Promise<void> | undefined;
  #complaint = "";

  private constructor(
    private readonly files: readonly string[],
    private readonly parse: (texts: readonly string[]) => T,
    private readonly log: Logger,
    private readonly now: () => number,
  ) {}

  /**
   * @param parse throws a `CredentialsError` that names no secret
   * @param now monotonic, in ms
   * @throws {CredentialsError} when the files cannot be used from the start
   */
  static async open<T>(
    files: readonly string[],
    parse: (texts: readonly string[]) => T,
    log: Logger,
    now: () => number = () => performance.now(),
  ): Promise<SecretFiles<T>> {
    const opened = new SecretFiles(files, parse, log, now);
    await opened.#read();
    return opened;
  }

  async current(): Promise<T> {
    if (this.now() - this.#readAt >= recheckMs) {
      this.#reading ??= this.#read().catch((error) => this.#complain(error))
        .finally(() => this.#reading = undefined);
    }
    // Requests at the same time share one reading.
    await this.#reading;
    return this.#content;
  }

  async #read(): Promise<void> {
    this.#readAt = this.now();
    const texts = await Promise.all(this.files.map(readText));
    if (texts.some((text, index) => text !== this.#texts[index])) {
      this.#content = this.parse(texts);
      if (this.#texts.length > 0) this.log.info("credentials read again", { files: this.files });
      this.#texts = texts;
    }
    this.#complaint = "";
  }

  /** Once per reason, not every few seconds. */
  #complain(error: unknown): void {
    const reason = error instanceof CredentialsError ? error.message : (error as Error).name;
    if (reason === this.#complaint) return;
    this.#complaint = reason;
    this.log.error("credentials cannot be read again, the last ones stay in use", { reason });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new CredentialsError(`${file} cannot be read (${(error as Error).name})`);
  }
}
