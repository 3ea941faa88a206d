/** What a condition of an X402Route can say, and what it means for its author. */
export const conditionReasons = {
  Accepted: {
    Accepted: "True: the spec is valid and in force as written.",
    Invalid:
      "False: the spec has mistakes, all named in the message. The last valid form stays in " +
      "force; where none is known, paths that lead to the gateway answer 503.",
    Conflicted: "False: another X402Route or Ingress, older than this one, has some of the paths.",
  },
  ResolvedRefs: {
    ResolvedRefs: "True: everything that the spec names exists and may be used.",
    IngressNotFound: "False: there is no Ingress of that name.",
    RefInvalid: "False: it cannot be read which Ingress is meant.",
    RefNotPermitted: "False: the Ingress is in another namespace and does not allow this one by " +
      "its annotation `x402.io/allowed-namespaces`.",
    BackendNotFound:
      "False: a Service or port is missing or refused; requests that would go there " +
      "are answered with 503.",
    NetworkNotSupported:
      "False: the facilitator says that it does not support the network. The rules stay in force, " +
      "and payments are refused for as long as it is so.",
  },
  IngressPatched: {
    Patched: "True: the paths that could cost something lead to the gateway.",
    NothingToPatch: "True: no path could cost anything.",
    Manual: "True: the Ingress names the gateway itself, for every path that could cost something.",
    NotApplied: "False: nothing can be patched for it, see the other conditions.",
    Pending: "False: it is about to be patched, or waits for what the message names.",
    NotPointed: "False: `ingressRef.mode` is Manual, and the Ingress does not name the gateway's " +
      "Service for all paths that could cost something.",
    UnsafeIngress:
      "False: leading its paths through the gateway would break them, so they are left " +
      "alone, and free.",
    OriginalUnknown: "False: a path leads to the gateway, and it is not known where it led before.",
    TooManyPaths: "False: the original backends do not fit into the annotations of the Ingress.",
    GatewayServiceConflict: "False: a Service in the namespace has the name of the gateway's.",
    PatchFailed: "False: the API server refused the patch; the message has its words.",
    IngressUnreadable: "False: the Ingress exists and cannot be read; it is not written to.",
    Restored: "False: `restore` has put the paths back; nothing is charged for.",
    Reverted: "False: something else puts the paths back again and again.",
  },
  Ready: {
    Ready: "True: all of the above are. Else False, with the reason of the first that is not.",
  },
} as const satisfies Record<string, Record<string, string>>;

export type ConditionType = keyof typeof conditionReasons;
export type ConditionReason<Type extends ConditionType = ConditionType> = Type extends ConditionType
  ? keyof (typeof conditionReasons)[Type] & string
  : never;
