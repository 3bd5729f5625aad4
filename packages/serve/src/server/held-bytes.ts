import type { IncomingMessage, ServerResponse } from "node:http";
import { RefusedError } from "../refused.ts";

/**
 * Largest body in bytes that is not counted. Node receives up to this many bytes of a connection at a time, so bounding
 * smaller bodies would not bound the memory. The number of connections bounds them.
 */
const SMALL = 65_536;
const RETRY_MS = 1000;

/** Bytes of the bodies of all requests that have not been answered. */
export class HeldBytes {
  readonly #most: number;
  readonly #held = new WeakMap<IncomingMessage, number>();
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get total(): number {
    return this.#total;
  }

  /** Prepares to count the body of a request, which is held until its answer has been sent or its client has left. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && !(Number(length) > SMALL)) return;
    this.#held.set(request, 0);
    response.once("close", () => this.release(request));
  }

  /** Counts bytes that have arrived. Returns an error if they exceed the limit. */
  take(request: IncomingMessage, bytes: number): RefusedError | undefined {
    const held = this.#held.get(request);
    if (held === undefined) return undefined;
    if (this.#total + bytes > this.#most) {
      const said = `the bodies of all requests together would have more than ${this.#most} bytes, the limit (maxHeldBytes); try again later, or send fewer rows at a time`;
      return new RefusedError("body", said, "BODIES_FULL", RETRY_MS);
    }
    this.#held.set(request, held + bytes);
    this.#total += bytes;
    return undefined;
  }

  /** Stops counting the body of a request. */
  release(request: IncomingMessage): void {
    this.#total -= this.#held.get(request) ?? 0;
    this.#held.delete(request);
  }
}
