import { Failure } from "../failures.ts";

type FacilitatorCode =
  | "facilitator_busy"
  | "facilitator_invalid"
  | "facilitator_refused"
  | "facilitator_timeout"
  | "facilitator_unavailable"
  | "facilitator_unreachable";

/**
 * A call that brought no answer to rely on. `sent` is about money: `no` means that provably no byte
 * of the request reached the facilitator, `maybe` that it may have acted on it.
 */
export class FacilitatorFailure extends Failure {
  constructor(
    override readonly code: FacilitatorCode,
    detail: string,
    readonly sent: "no" | "maybe",
    options?: ConstructorParameters<typeof Failure>[2],
  ) {
    super(code, detail, options);
  }
}
