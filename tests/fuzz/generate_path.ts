/** Request targets that try to be read as others than they are. */
import type { Random } from "./random.ts";

const pricedPaths = [
  ...["/api/exact", "/api/x/one", "/api/deep/a/b", "/api/status", "/forms/a", "/news/today"],
  ...[
    "/papers/1",
    "/vault/key",
    "/broken/x",
    "/caf%C3%A9/x",
    "/forms/b",
    "/lists/a",
    "/caf\xc3\xa9/x",
    "/a:b/@c",
  ],
  ...["/q/secret", "/files/a/b/raw", "/app/pay/x", "/app/exact", "/shop/buy/1", "/secret"],
];
const freePaths = [
  ...["/api/free/x", "/vault/public", "/docs/a", "/health", "/public/x", "/", "/app/y", "/shop/x"],
  ...["/api/free", "/x", "/news/today", "/files/a", "/api/other", "/forms/c"],
];

const slashes = [
  ...["//", "///", "%2f", "%2F", "%252f", "%252F", "%25252F", "\\", "%5c", "%5C", "%255c", "/\\"],
  ...[
    "%c0%af",
    "%C0%2F",
    "%e0%80%af",
    "%ef%bc%8f",
    "%u002f",
    "%25c0%25af",
    "%25u002f",
    "/./",
    "/.//",
    "/%2e/",
    "/%2E%2F",
  ],
  ...[";/", "/;/", ";x=y/", "/.;/", "/;x/..;/", "/x/../", "/x/..;/", "/x/%2e%2e/", "/x/..%2f"],
  ...["/x%2f..%2f", "/x/%252e%252e/", "/x/..\\", "/x/..%5c", "%00/", "/%00/", "/%20/", "%09/"],
  ...["/%c0%ae%c0%ae/", "/x/.%2e/", "/x/%2e./", "/x//../", "/x;/../", ".//", "%3b/", "/%3b/"],
];
const ends = [
  ...["/", "//", ".", "..", "%2e", "%20", "%20%20", "%09", "%0a", "%0d%0a", "%00", "%00.html", ";"],
  ...[";x", ";x=y;z", "%3b", "%3Bx", "?", "?x", "%3f", "%3Fx=y", "#", "#x", "%23", "%23x", "/."],
  ...["/..", "/%2e", "/%2e%2e", "\\", "%5c", "/;", "/;x", "..;/", ".json", "~", "%", "%4", "%zz"],
  ...["%ff", "%c3", "%ed%a0%80", "%e2%80%a5", "\x7f", "\t", "\xa0", "\x85", "%c2%a0", "+", "%2f"],
  ...["/x/..", "/x/%2e%2e", "/x/..;", "/x%2f..", "/x%2f%2e%2e%2f", "/%3f", "/%23", "&", "=", "|"],
];
const starts = [
  ...["//x", "//open.test", "/x/..", "/x/..;", "/%2e%2e", "/", "/\\", "/.", "/;", "/;x", "/%2f"],
  ...["/x%2f..", "/api/free/..", "/api/free/..;", "/api/free/..%2f..", "/public/..%2f", "/%20"],
  ...["/vault/public/..;", "/%2e", "/x/%252e%252e", "/.%00", "/%5c", "/http://a.test", "/%09"],
  ...["http:/", "http://", "\\", "/..%5c", "/docs/..\\..", "/x//..", "/a/b/..;/..;", "%2f", ""],
];

/** A path, now and then as it should be. */
export function fuzzPath(random: Random): string {
  let path = random.pick(random.chance(0.5) ? pricedPaths : freePaths);
  if (random.chance(0.2)) return path;
  if (random.chance(0.08)) path = random.pick(freePaths) + climb(random) + path;
  for (let count = random.pick([1, 1, 1, 2, 2, 3]); count > 0; count--) path = bend(random, path);
  return path;
}

function bend(random: Random, path: string): string {
  switch (random.below(6)) {
    case 0:
      return path + random.pick(ends);
    case 1:
      return random.pick(starts) + path;
    case 2:
    case 3:
      return replaceSlash(random, path);
    default:
      return encodeOne(random, path);
  }
}

function climb(random: Random): string {
  const up = ["/..", "/..;", "/%2e%2e", "/..%2f", "%2f..", "/.%2e", "\\..", "%5c..", "/%252e%252e"];
  return random.some(up, 1 + random.below(3)).join("");
}

function replaceSlash(random: Random, path: string): string {
  const places = [...path.matchAll(/\//g)].map(({ index }) => index);
  if (places.length === 0) return path;
  const at = random.pick(places);
  return path.slice(0, at) + random.pick(slashes) + path.slice(at + 1);
}

function encodeOne(random: Random, path: string): string {
  const at = random.below(path.length);
  let hex = path.charCodeAt(at).toString(16).padStart(2, "0");
  if (random.chance(0.5)) hex = hex.toUpperCase();
  const encoded = "%" + "25".repeat(random.pick([0, 0, 0, 1, 1, 2])) + hex;
  return path.slice(0, at) + encoded + path.slice(at + 1);
}

/** The whole request target with the request's id in its query. */
export function fuzzTarget(random: Random, host: string, id: string): string {
  const path = fuzzPath(random);
  const [beforeFragment, ...fragment] = path.split("#");
  const query = (beforeFragment!.includes("?") ? "&" : "?") + `fz=${id}`;
  const target = [beforeFragment + query, ...fragment].join("#");
  return random.chance(0.93) ? target : otherForm(random, host, target, id);
}

function otherForm(random: Random, host: string, target: string, id: string): string {
  const forms = [
    `http://${host}${target}`,
    `http://${host}${target}`,
    `HTTP://${host.toUpperCase()}${target}`,
    `https://${host}${target}`,
    `http://open.test${target}`,
    `http://open.test@${host}${target}`,
    `http://${host}:80@open.test${target}`,
    `http://${host}\\@open.test${target}`,
    `http://${host}?fz=${id}`,
    `http:${target}`,
    `http:///${target}`,
    `file://${target}`,
    `//${host}${target}`,
    target.slice(1),
    `*${target}`,
    "*",
    `${host}:80`,
    `${host}/${target}`,
    `@${host}${target}`,
    `:80${target}`,
  ];
  return random.pick(forms);
}
