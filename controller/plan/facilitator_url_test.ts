import assert from "node:assert/strict";
import { parseFacilitatorUrl } from "./facilitator_url.ts";

const options = {
  allowExternalName: false,
  allowedFacilitatorHosts: ["localhost:9402", "[::1]", "Facilitator.lan"],
  clusterDomain: "cluster.local",
};

const accepted: readonly [text: string, url: string][] = [
  ["https://x402.org/facilitator", "https://x402.org/facilitator"],
  ["https://x402.org/", "https://x402.org"],
  ["https://8.8.8.8", "https://8.8.8.8"],
  ["https://[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443"],
  ["https://notlocalhost", "https://notlocalhost"],
  ["http://facilitator:80/x//", "http://facilitator/x"],
  ["http://facilitator.pay.svc", "http://facilitator.pay.svc"],
  ["http://facilitator.pay.svc.cluster.local", "http://facilitator.pay.svc.cluster.local"],
  ["http://localhost:9402", "http://localhost:9402"],
  ["http://[0::1]:5", "http://[::1]:5"],
  ["http://FACILITATOR.LAN:8080", "http://facilitator.lan:8080"],
];
for (const [text, url] of accepted) {
  Deno.test(`facilitator ${text} is accepted`, () => {
    assert.deepEqual(parseFacilitatorUrl(text, options), { url });
  });
}

const refused: readonly [reason: RegExp, ...texts: string[]][] = [
  [/not a URL/, "", "x402.org", "https://", "https://a b"],
  [/a (ftp|file|data|javascript): URL/, "ftp://x402.org", "file:///etc", "data:,x", "javascript:1"],
  [/user name or password/, "https://u@x402.org", "https://:p@x402.org", "http://u@localhost:9402"],
  [
    /query or fragment/,
    "https://x402.org?a",
    "https://x402.org?",
    "https://x402.org/#",
    "https://x402.org#a",
  ],
  [/a local name/, "https://localhost", "https://LOCALHOST..", "http://localhost:9403"],
  [/a local name/, "http://metadata", "https://instance-data", "http://ip6-localhost"],
  [/a local name/, "https://localhost.localdomain", "https://printer.local", "https://a.lan"],
  [/a local name/, "https://router.home.arpa", "https://a.pod.cluster.local", "https://lan"],
  [/a local name/, "https://a.localhost", "https://metadata.google.internal", "http://x.internal."],
  [/private, local or reserved/, "https://127.0.0.1", "https://0x7f.1", "https://2130706433"],
  [/private, local or reserved/, "https://017700000001", "https://127.1", "https://１２７.0.0.1"],
  [/private, local or reserved/, "https://0.0.0.0", "https://10.0.0.1", "https://172.31.255.255"],
  [
    /private, local or reserved/,
    "https://192.168.1.1",
    "https://169.254.169.254",
    "http://10.0.0.1",
  ],
  [
    /private, local or reserved/,
    "https://100.127.0.1",
    "https://224.0.0.1",
    "https://255.255.255.255",
  ],
  [
    /private, local or reserved/,
    "https://[::]",
    "https://[fe80::1]",
    "https://[fec0::1]",
    "https://[fdff::]",
  ],
  [
    /private, local or reserved/,
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:a00:1]",
    "https://[::7f00:1]",
  ],
  [
    /private, local or reserved/,
    "https://[64:ff9b::10.0.0.1]",
    "https://[2002:a00:1::]",
    "https://[ff02::1]",
  ],
  [/public address; use https/, "http://8.8.8.8", "http://172.32.0.1", "http://[2606:4700::1111]"],
  [
    /outside the cluster; use https/,
    "http://x402.org",
    "http://a.svc.other.example",
    "http://asvc.org",
  ],
];
for (const [reason, ...texts] of refused) {
  Deno.test(`facilitators refused (${reason.source}): ${texts.join(" ")}`, () => {
    for (const text of texts) {
      const result = parseFacilitatorUrl(text, options);
      assert.match("refused" in result ? result.refused : `accepted ${result.url}`, reason, text);
    }
  });
}
