import { type FacilitatorHosts, isAllowedHost } from "../../store/facilitator_host.ts";

/**
 * What makes servers read another path than is written: encoded dots and separators, what is encoded
 * twice, and parameters of segments, which some drop (`..;`).
 */
const ambiguous = /%(?:25|2e|2f|3b|5c)|;/i;

/**
 * The URLs that credentials may go to: one origin, and one path or what is below it, by segments.
 * Authors of X402Routes choose the facilitator, so everything that is not clearly below is outside.
 */
export class UrlPrefix {
  private constructor(
    private readonly origin: string,
    /** Without a slash at its end. */
    private readonly path: string,
  ) {}

  /** @returns the prefix, or what is wrong with it, without quoting the text */
  static parse(text: string, hosts: FacilitatorHosts): UrlPrefix | { readonly refused: string } {
    const url = URL.parse(text);
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
      return { refused: "not a URL; write for example https://facilitator.example.com" };
    }
    if (url.username !== "" || url.password !== "" || /[?#]/.test(text)) {
      return { refused: "a URL here is a scheme, a host and perhaps a path, and nothing else" };
    }
    if (url.protocol === "http:" && !isAllowedHost(url, hosts)) {
      const allow = `--allow-facilitator-host ${url.host} allows it`;
      return {
        refused: `secrets do not go to ${url.origin}, which has no TLS; use https; ${allow}`,
      };
    }
    return new UrlPrefix(url.origin, url.pathname.replace(/\/+$/, ""));
  }

  get href(): string {
    return this.origin + this.path;
  }

  /** Whether a request URL is at the prefix or below it. */
  covers(text: string): boolean {
    const { origin, pathname } = new URL(text);
    return origin === this.origin && !ambiguous.test(pathname) &&
      (pathname === this.path || pathname.startsWith(`${this.path}/`));
  }

  /** Whether a request URL is one of the prefix's own endpoints. */
  isParentOf(text: string): boolean {
    return this.covers(text) && !new URL(text).pathname.slice(this.path.length + 1).includes("/");
  }
}
