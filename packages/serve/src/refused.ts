import { ErgodicError } from "ergodic";

/**
 * Reason for refusing a request: the queue is full, the bodies of all requests are too large together, its deadline
 * cannot be met, its model is closed or still being loaded, or the model's process is restarting.
 */
export type Refusal = "BODIES_FULL" | "QUEUE_FULL" | "DEADLINE" | "CLOSED" | "LOADING" | "RESTARTING";

/** Error for a refused request. The request is valid and can be sent again after `retryAfterMs`. */
export class RefusedError extends ErgodicError {
  override readonly name: string = "RefusedError";
  /** HTTP status: 429 if the queue is full, otherwise 503. */
  readonly status: 429 | 503;
  /** Milliseconds after which another attempt is likely to be accepted, > 0. */
  readonly retryAfterMs: number;

  constructor(where: string, message: string, code: Refusal, retryAfterMs: number) {
    super(where, message, code);
    this.status = code === "QUEUE_FULL" ? 429 : 503;
    this.retryAfterMs = Math.max(1, retryAfterMs);
  }
}
