import {
  type Answer,
  type FacilitatorCall,
  startScriptedFacilitator,
} from "./scripted_facilitator.ts";

/** What goes wrong with a `/settle`, and whether the real facilitator was asked before. */
export type SettleFault =
  | "none"
  | `${"reset" | "no answer" | "500" | "429"} before settling`
  | `${
    | "reset"
    | "no answer"
    | "500"
    | "truncated"
    | "10 MB"
    | "another payer"
    | "another network"
    | "no transaction"
    | "pending"} after settling`;

/** A real facilitator behind a connection that fails as told. */
export interface FaultyFacilitator extends AsyncDisposable {
  readonly url: string;
  /** Of settlements from now on. */
  fault: SettleFault;
  /** Settlements that the real one has made. */
  settled: number;
}

export function startFaultyFacilitator(realUrl: string): FaultyFacilitator {
  const scripted = startScriptedFacilitator();
  const ask = async (endpoint: string, call: FacilitatorCall) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(call);
    return await (await fetch(realUrl + endpoint, { method: "POST", headers, body })).json();
  };
  const facilitator: FaultyFacilitator = {
    url: scripted.url,
    fault: "none",
    settled: 0,
    [Symbol.asyncDispose]: () => scripted[Symbol.asyncDispose](),
  };
  scripted.answers["/verify"] = {
    ask: async (call) => ({ json: await ask("/verify", call) }),
  };
  scripted.answers["/settle"] = {
    async ask(call) {
      const { fault } = facilitator;
      if (fault.endsWith("before settling")) return spoil(fault, {});
      const answer = await ask("/settle", call);
      if (answer.success === true) facilitator.settled++;
      return spoil(fault, answer);
    },
  };
  return facilitator;
}

function spoil(fault: SettleFault, answer: Record<string, unknown>): Answer {
  switch (fault.replace(/ (?:before|after) settling$/, "")) {
    case "reset":
      return "close-after-request";
    case "no answer":
      return "hang";
    case "500":
    case "429":
      return { json: {}, status: Number(fault.slice(0, 3)) };
    case "truncated":
      return { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"success' };
    case "10 MB":
      return { json: { ...answer, padding: "x".repeat(10_000_000) } };
    case "another payer":
      return { json: { ...answer, payer: `0x${"1".repeat(40)}` } };
    case "another network":
      return { json: { ...answer, network: "eip155:1" } };
    case "no transaction":
      return { json: { ...answer, transaction: "" } };
    case "pending":
      return { json: { ...answer, success: false, errorReason: "settlement_pending" } };
    default:
      return { json: answer };
  }
}
