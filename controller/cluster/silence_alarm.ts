/** Rings once when nothing has been heard for a while. */
export class SilenceAlarm {
  rang = false;
  /** Whether anything has been heard at all. */
  heard = false;
  #lastHeard = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly silenceMs: number, private readonly ring: () => void) {
    this.#arm(silenceMs);
  }

  hear(): void {
    // The timer stays as it is: setting it anew costs more than reading the event.
    this.heard = true;
    this.#lastHeard = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#lastHeard + this.silenceMs - performance.now();
      if (left > 0) return this.#arm(left);
      this.rang = true;
      this.ring();
    }, ms);
  }
}
