/** The rows about what is sold, and what that depends on. */
import { at, inRange, quantile, quantiles, rate, type Row, sum } from "./panel.ts";

const ofRoutes = ['namespace=~"$namespace"', 'route_name=~"$route"'];
const paying = 'call=~"verify|settle"';

export const money: Row = {
  title: "Money",
  panels: [
    {
      title: "Settled, in whole tokens",
      unit: "short",
      type: "stat",
      about: "In the time shown. A float of Prometheus: for accounting use `payments sum`.",
      queries: [[inRange("network", "x402_payment_amount_total"), "{{network}}"]],
    },
    {
      title: "Charged, not delivered",
      unit: "short",
      type: "stat",
      bad: 1,
      about: "Payments in the time shown that were settled, and whose reply did not arrive.",
      queries: [[
        `sum(increase(${at("x402_payments_closed_total", 'state="undelivered"')}[$__range]))`,
        "payments",
      ]],
    },
    {
      title: "In doubt",
      unit: "short",
      type: "stat",
      bad: 1,
      about: "Payments whose outcome is open although no request works on them.",
      queries: [[`max(${at("x402_payments_in_doubt")})`, "payments"]],
    },
    {
      title: "Amounts settled per hour, in whole tokens",
      unit: "short",
      queries: [[`3600 * ${rate("network", "x402_payment_amount_total")}`, "{{network}}"]],
    },
    {
      title: "Settlements by outcome",
      unit: "ops",
      queries: [[rate("outcome", "x402_settlements_total"), "{{outcome}}"]],
    },
    {
      title: "Most earning paths, in whole tokens per hour",
      unit: "short",
      queries: [[
        `topk(10, 3600 * ${rate("path, network", "x402_payment_amount_total")})`,
        "{{path}} {{network}}",
      ]],
    },
    {
      title: "Payments that come to an end",
      unit: "ops",
      queries: [[rate("state", "x402_payments_closed_total"), "{{state}}"]],
    },
    {
      title: "Payments that are open",
      unit: "short",
      about: "In the ledger, by state: the same in all replicas.",
      queries: [[`max by (state) (${at("x402_ledger_open_payments")})`, "{{state}}"]],
    },
  ],
};

export const traffic: Row = {
  title: "Traffic",
  panels: [
    {
      title: "Requests by payment status",
      unit: "reqps",
      queries: [[rate("payment_status", "x402_requests_total", ...ofRoutes), "{{payment_status}}"]],
    },
    {
      title: "Requests by X402Route",
      unit: "reqps",
      queries: [[
        rate("namespace, route_name", "x402_requests_total", ...ofRoutes),
        "{{namespace}}/{{route_name}}",
      ]],
    },
    {
      title: "Refused by the gateway",
      unit: "reqps",
      about: "By the code of the reply; docs/errors.md says what to do about each.",
      queries: [[`${rate("code", "x402_refused_requests_total")} > 0`, "{{code}}"]],
    },
  ],
};

export const latency: Row = {
  title: "Latency",
  panels: [
    {
      title: "Backends, until the head of the reply",
      unit: "s",
      queries: quantiles("x402_proxy_request_duration_seconds"),
    },
    {
      title: "Verification",
      unit: "s",
      queries: quantiles("x402_payment_verification_duration_seconds"),
    },
    {
      title: "Calls to facilitators, p95",
      unit: "s",
      queries: [[
        quantile(0.95, "x402_facilitator_call_duration_seconds", "facilitator, call"),
        "{{facilitator}} {{call}}",
      ]],
    },
  ],
};

export const facilitators: Row = {
  title: "Facilitators",
  panels: [
    {
      title: "Calls without an answer",
      unit: "percentunit",
      about: "Of the calls to verify and settle, those without an answer to rely on.",
      queries: [[
        `${rate("facilitator", "x402_facilitator_calls_total", paying, 'outcome!="answered"')} / ` +
        rate("facilitator", "x402_facilitator_calls_total", paying),
        "{{facilitator}}",
      ]],
    },
    {
      title: "Calls by outcome",
      unit: "ops",
      queries: [[
        rate("facilitator, call, outcome", "x402_facilitator_calls_total"),
        "{{facilitator}} {{call}} {{outcome}}",
      ]],
    },
    {
      title: "Circuit breakers that are not closed",
      unit: "short",
      queries: [[
        `sum by (facilitator, state) (${at("x402_facilitator_breakers", 'state!="closed"')})`,
        "{{facilitator}} {{state}}",
      ]],
    },
    {
      title: "Calls in flight and waiting",
      unit: "short",
      queries: [
        [sum("facilitator", "x402_facilitator_calls_in_flight"), "{{facilitator}} in flight"],
        [sum("facilitator", "x402_facilitator_calls_waiting"), "{{facilitator}} waiting"],
      ],
    },
  ],
};
