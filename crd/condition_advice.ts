import type { ConditionReason, ConditionType } from "./condition_reasons.ts";

const nothing = "Nothing.";

/**
 * What to do about each reason; `docs/errors.md` is made of it. A reason without an entry does not
 * compile: whoever adds one says what to do about it.
 */
export const conditionAdvice: Readonly<
  { [Type in ConditionType]: Readonly<Record<ConditionReason<Type>, string>> }
> = {
  Accepted: {
    Accepted: nothing,
    Invalid: "Correct what the message names; `validate -f` says the same before it is applied.",
    Conflicted: "Take the path out of one of the two, or delete the older one.",
  },
  ResolvedRefs: {
    ResolvedRefs: nothing,
    IngressNotFound: "Create the Ingress, or correct `ingressRef`; it is picked up at once.",
    RefInvalid: "Correct `ingressRef`.",
    RefNotPermitted: "Its owner adds the annotation, or move the X402Route beside the Ingress.",
    BackendNotFound:
      "Create the Service or port that the message names; ExternalName needs `--allow-external-name`.",
    NetworkNotSupported: "Take another facilitator or network; the message says what there is.",
  },
  IngressPatched: {
    Patched: nothing,
    NothingToPatch: "Nothing, unless a path should cost something: see `plan`.",
    Manual: nothing,
    NotApplied: "See the other conditions.",
    Pending: "Wait; if it stays, the message names what is waited for.",
    NotPointed: "Name the gateway's Service in the Ingress for the paths of the message.",
    UnsafeIngress:
      "The message says what would break: speak plain HTTP to the backend, do not rewrite paths. Until " +
      "then the paths are free.",
    OriginalUnknown: "Write the backend of the path into the Ingress again.",
    TooManyPaths: "Split the Ingress in two.",
    GatewayServiceConflict: "Rename that Service, or run with another `--gateway-service-name`.",
    PatchFailed: "Give back the permission, or ask the admission webhook that the message quotes.",
    IngressUnreadable: "Correct the Ingress: the message says what cannot be read.",
    Restored: "Start the operator to charge again, or delete the X402Route.",
    Reverted: "Tell your GitOps tool to leave the backends alone: docs/gitops.md.",
  },
  Ready: { Ready: nothing },
};
