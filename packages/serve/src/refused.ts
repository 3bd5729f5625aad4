import { ErgodicError } from "ergodic";

/** Why a request was refused: the queue is full, its deadline cannot be met, what would answer it is closed, or its process is started anew. */
export type Refusal = "QUEUE_FULL" | "DEADLINE" | "CLOSED" | "RESTARTING";

/** A request was refused: nothing is wrong with it, and it may be sent again after `retryAfterMs`. */
export class RefusedError extends ErgodicError {
  override readonly name: string = "RefusedError";
  /** Of HTTP: 429 where the queue is full, else 503. */
  readonly status: 429 | 503;
  /** Milliseconds after which another attempt is likely to be accepted, > 0. */
  readonly retryAfterMs: number;

  constructor(where: string, message: string, code: Refusal, retryAfterMs: number) {
    super(where, message, code);
    this.status = code === "QUEUE_FULL" ? 429 : 503;
    this.retryAfterMs = Math.max(1, retryAfterMs);
  }
}
