import assert from "node:assert/strict";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { usdcTerms } from "../../tests/support/test_gateway.ts";
import { paymentKey } from "../../store/ledger/payment_record.ts";
import { paymentIdentity, refuseExpired, refusePayment } from "./payment_checks.ts";
import { type Payment, readPaymentHeader, UnsupportedVersion } from "./payment_header.ts";

const now = 1_800_000_000n;
const payer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

const resource = {
  resourceUrl: "https://shop.example/api/a?x=1",
  isSoldHere: (path: string) => path.startsWith("/api/"),
};

/** As a request is checked: what it pays for first, then its time. */
function refusal(payment: Payment, terms: PaymentTerms): string | undefined {
  return refusePayment(payment, terms, resource) ?? refuseExpired(payment.authorization, now, 60);
}

const terms = usdcTerms("https://x402.org/facilitator");
const { asset, payTo } = terms;

const accepted = {
  scheme: "exact",
  network: "eip155:84532",
  amount: "1000",
  asset,
  payTo,
  maxTimeoutSeconds: 60,
  extra: { name: "USDC", version: "2" },
};
const authorization = {
  from: payer,
  to: payTo,
  value: "1000",
  validAfter: "0",
  validBefore: "1800000060",
  nonce: "0x" + "aB".repeat(32),
};
const signature = "0x" + "12".repeat(65);
const v2 = { x402Version: 2, accepted, payload: { signature, authorization } };
const v1 = {
  x402Version: 1,
  scheme: "exact",
  network: "base-sepolia",
  payload: { signature, authorization },
};
const permit2 = {
  signature,
  permit2Authorization: {
    permitted: { token: asset, amount: "1000" },
    from: payer,
    spender: "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
    nonce: "0007",
    deadline: "1800000060",
    witness: { to: payTo, validAfter: "0" },
  },
};
const permit2Terms: PaymentTerms = {
  ...terms,
  extra: { ...terms.extra, assetTransferMethod: "permit2" },
};
const permit2V2 = {
  x402Version: 2,
  accepted: { ...accepted, extra: permit2Terms.extra },
  payload: permit2,
};

function encode(value: unknown): string {
  return btoa(JSON.stringify(value));
}

function read(header: string, value: string): Payment {
  const payment = readPaymentHeader(new Headers([[header, value]]));
  assert.ok(payment !== undefined && !(payment instanceof UnsupportedVersion));
  return payment;
}

const accepts: [name: string, header: string, message: unknown, terms: PaymentTerms][] = [
  ["version 2", "payment-signature", v2, terms],
  ["version 1", "x-payment", v1, terms],
  ["Permit2", "payment-signature", permit2V2, permit2Terms],
  [
    "addresses in another case",
    "payment-signature",
    { ...v2, accepted: { ...accepted, asset: asset.toLowerCase(), payTo: payTo.toLowerCase() } },
    terms,
  ],
  [
    "more keys inside extra",
    "payment-signature",
    {
      ...v2,
      accepted: { ...accepted, extra: { ...accepted.extra, assetTransferMethod: "eip3009" } },
    },
    terms,
  ],
];

Deno.test("a payment of the offered terms passes the local checks", async (t) => {
  for (const [name, header, message, terms] of accepts) {
    await t.step(name, () => {
      assert.equal(refusal(read(header, encode(message)), terms), undefined);
    });
  }
});

const changedAccepted = (change: object) => ({ ...v2, accepted: { ...accepted, ...change } });
const signed = (change: object) => ({
  ...v2,
  payload: { signature, authorization: { ...authorization, ...change } },
});
const permitted = (change: object) => ({
  ...permit2V2,
  payload: { signature, permit2Authorization: { ...permit2.permit2Authorization, ...change } },
});
const other = "0x" + "11".repeat(20);

const refused: [name: string, message: unknown, reason: string, terms?: PaymentTerms][] = [
  ["another scheme", changedAccepted({ scheme: "upto" }), "unsupported_scheme"],
  ["another network", changedAccepted({ network: "eip155:8453" }), "invalid_network"],
  ["a lower amount accepted", changedAccepted({ amount: "1" }), "invalid_payment_requirements"],
  ["another asset accepted", changedAccepted({ asset: other }), "invalid_payment_requirements"],
  ["another recipient accepted", changedAccepted({ payTo: other }), "invalid_payment_requirements"],
  ["a longer timeout", changedAccepted({ maxTimeoutSeconds: 600 }), "invalid_payment_requirements"],
  [
    "another token domain",
    changedAccepted({ extra: { name: "USD Coin", version: "2" } }),
    "invalid_payment_requirements",
  ],
  ["no extra", changedAccepted({ extra: null }), "invalid_payment_requirements"],
  [
    "a lower value",
    signed({ value: "999" }),
    "invalid_exact_evm_payload_authorization_value_mismatch",
  ],
  [
    "a higher value",
    signed({ value: "1001" }),
    "invalid_exact_evm_payload_authorization_value_mismatch",
  ],
  ["another recipient", signed({ to: other }), "invalid_exact_evm_payload_recipient_mismatch"],
  [
    "not yet valid",
    signed({ validAfter: "1800000001" }),
    "invalid_exact_evm_payload_authorization_valid_after",
  ],
  [
    "under 6 s left",
    signed({ validBefore: "1800000005" }),
    "invalid_exact_evm_payload_authorization_valid_before",
  ],
  [
    "valid for more than a day beyond the offer",
    signed({ validBefore: "1800086461" }),
    "authorization_valid_for_too_long",
  ],
  ["the other transfer method", { ...v2, payload: permit2 }, "invalid_payload"],
  [
    "another token permitted",
    permitted({ permitted: { token: other, amount: "1000" } }),
    "invalid_payment_requirements",
    permit2Terms,
  ],
  [
    "another amount permitted",
    permitted({ permitted: { token: asset, amount: "1" } }),
    "invalid_exact_evm_payload_authorization_value_mismatch",
    permit2Terms,
  ],
  [
    "another witness",
    permitted({ witness: { to: other, validAfter: "0" } }),
    "invalid_exact_evm_payload_recipient_mismatch",
    permit2Terms,
  ],
];

Deno.test("a payment of other terms is refused without a facilitator", async (t) => {
  for (const [name, message, reason, otherTerms] of refused) {
    await t.step(name, () => {
      const payment = read("payment-signature", encode(message));
      assert.equal(refusal(payment, otherTerms ?? terms), reason);
    });
  }
  await t.step("version 1 for another network", () => {
    const payment = read("x-payment", encode({ ...v1, network: "base" }));
    assert.equal(refusal(payment, terms), "invalid_network");
  });
});

Deno.test("a payment for one path of a rule buys another, one of another rule or host does not", () => {
  const urls: [url: string, allowed: boolean][] = [
    ["https://shop.example/api/a?x=1", true],
    ["https://shop.example/api/other", true],
    ["http://SHOP.example:80/api/a", true],
    ["https://shop.example/admin", false],
    ["https://shop.example:8443/api/a", false],
    ["https://other.example/api/a", false],
    ["/api/a", false],
    ["", false],
  ];
  for (const [url, allowed] of urls) {
    const payment = read("payment-signature", encode({ ...v2, resource: { url } }));
    const expected = allowed ? undefined : "payment_for_another_resource";
    assert.equal(refusal(payment, terms), expected, url);
  }
});

const malformed: [name: string, value: string, detail: RegExp][] = [
  ["more than 8 KiB", "A".repeat(8193), /8193 bytes; at most 8192/],
  ["not base64", "%%%", /not base64$/],
  ["not JSON", btoa("{"), /not base64 of JSON/],
  ["not UTF-8", btoa("\xff\xfe"), /not base64 of JSON/],
  ["not an object", encode([v2]), /not an object/],
  ["two headers", `${encode(v2)}, ${encode(v2)}`, /not base64$/],
  ["no payload", encode({ ...v2, payload: {} }), /payload/],
  ["an amount as a number", encode(signed({ value: 1000 })), /payload\.authorization\.value/],
  ["an amount with a sign", encode(signed({ value: "-1" })), /payload\.authorization\.value/],
  ["a short nonce", encode(signed({ nonce: "0x12" })), /payload\.authorization\.nonce/],
];

Deno.test("a payment header that cannot be read is 400", async (t) => {
  for (const [name, value, detail] of malformed) {
    await t.step(name, () => {
      const headers = new Headers([["payment-signature", value]]);
      assert.throws(() => readPaymentHeader(headers), { code: "payment_malformed", detail });
    });
  }
});

Deno.test("a payment of another version is told apart from a malformed one", () => {
  for (const version of [3, "2", null, undefined]) {
    const value = encode({ ...v2, x402Version: version });
    const found = readPaymentHeader(new Headers([["payment-signature", value]]));
    assert.ok(found instanceof UnsupportedVersion, String(version));
  }
});

Deno.test("the identity of a payment does not depend on how it is written", () => {
  const id = (message: unknown) =>
    paymentKey(
      paymentIdentity(read("payment-signature", encode(message)).authorization, terms),
    );
  assert.equal(id(v2), id(signed({ nonce: "0x" + "Ab".repeat(32), from: payer.toLowerCase() })));
  assert.equal(id({ ...v2, resource: { url: "http://other" } }), id(v2), "not the header's bytes");
  assert.notEqual(id(v2), id(signed({ nonce: "0x" + "cd".repeat(32) })));
  assert.equal(id(permit2V2), id(permitted({ nonce: "7" })));
});
