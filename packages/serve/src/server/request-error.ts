import { ErgodicError } from "ergodic";

/** Kind of fault in a request. */
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

/** Error for a request that cannot be answered, because it is faulty or because the server is closing. */
export class RequestError extends ErgodicError {
  override readonly name: string = "RequestError";
  /** HTTP status. Default 400. */
  readonly status: number;

  constructor(where: string, message: string, code: RequestFault, status = 400) {
    super(where, message, code);
    this.status = status;
  }
}
