import type { Challenge, PreparedReply } from "./challenge.ts";

type RecentReply = PreparedReply & { readonly challenge: Challenge };

/** Replies that are kept at most, and the longest URL whose reply is kept: 4 MiB in all. */
const maxReplies = 1024;
const maxUrlLength = 512;

/**
 * The 402s of the URLs asked for last. Making the headers of a reply, base64 and the runtime's check
 * of every character included, is a third of what a 402 costs. The bound keeps requests to ever new
 * URLs from filling the memory; those only gain nothing.
 */
export class RecentReplies {
  readonly #replies = new Map<string, RecentReply>();

  get(url: string): RecentReply | undefined {
    return this.#replies.get(url);
  }

  set(url: string, reply: RecentReply): void {
    if (url.length > maxUrlLength) return;
    this.#replies.set(url, reply);
    if (this.#replies.size <= maxReplies) return;
    const [oldest] = this.#replies.keys();
    this.#replies.delete(oldest!);
  }
}
