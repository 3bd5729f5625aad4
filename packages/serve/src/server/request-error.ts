import { ErgodicError } from "ergodic";

/** What is wrong with a request. */
export type RequestFault =
  | "BODY"
  | "BODY_DEPTH"
  | "BODY_SIZE"
  | "CLOSING"
  | "DEGRADED"
  | "FORBIDDEN"
  | "INPUT"
  | "KEY_REUSED"
  | "LEVEL"
  | "MODEL"
  | "NOT_FOUND"
  | "OUTPUT"
  | "PARAMETER"
  | "REQUEST"
  | "TOKEN";

/** A request cannot be answered, by its own fault or since the server ends: `status` of HTTP. */
export class RequestError extends ErgodicError {
  override readonly name: string = "RequestError";
  /** Of HTTP: 400 unless another says more. */
  readonly status: number;

  constructor(where: string, message: string, code: RequestFault, status = 400) {
    super(where, message, code);
    this.status = status;
  }
}
