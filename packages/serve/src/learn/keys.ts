import { createHash } from "node:crypto";
import { DataError, OptionError } from "ergodic";
import type { Learnt } from "./types.ts";

/** Maximum number of requests whose keys are remembered. The oldest keys are forgotten. */
const MOST_KEYS = 10_000;
const LONGEST = 255;

/** A key, the digest of its request, and the answer to the request, as stored in a snapshot. */
export type KeyJson = readonly [key: string, digest: string, learnt: Learnt];

interface Known {
  readonly digest: string;
  readonly learnt: Learnt;
}

/** Checks an idempotency key. @throws OptionError if it is not valid */
export function checkKey(key: unknown): asserts key is string {
  const isKey = typeof key === "string" && key.length <= LONGEST && /^[\x21-\x7e]+$/.test(key);
  if (isKey) return;
  const given = typeof key === "string" ? JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key) : typeof key;
  throw new OptionError(
    "learn",
    `idempotencyKey is ${given}, but must be 1 to ${LONGEST} printable ASCII characters without spaces; give each request its own key, e.g. crypto.randomUUID()`,
    "OPTION_TYPE",
  );
}

/** Keys of learnt requests. If a request is sent again, it is answered again, but its rows are not learnt again. */
export class LearntKeys {
  /** Learnt requests, in the order of their versions. */
  readonly #known = new Map<string, Known>();
  /** Requests that are waiting or are being written. */
  readonly #waiting = new Map<string, { readonly digest: string; readonly learnt: Promise<Learnt> }>();

  /**
   * Returns the answer to the request with this key. Returns undefined if the key is new. @throws DataError
   * [KEY_REUSED] if the key belongs to a different request
   */
  find(key: string, bytes: Uint8Array): Promise<Learnt> | undefined {
    // The waiting requests are searched first, because a learnt request might not be confirmed yet.
    const found = this.#waiting.get(key) ?? this.#known.get(key);
    if (!found) return undefined;
    if (found.digest === digestOf(bytes)) return Promise.resolve(found.learnt);
    throw new DataError(
      "learn",
      `the idempotency key ${JSON.stringify(key)} was used for other rows, targets or weights; give each request its own key`,
      "KEY_REUSED",
    );
  }

  /** Remembers a request until it is learnt or refused. */
  wait(key: string, bytes: Uint8Array, learnt: Promise<Learnt>): void {
    this.#waiting.set(key, { digest: digestOf(bytes), learnt });
    const end = (): void => void this.#waiting.delete(key);
    learnt.then(end, end);
  }

  /** Remembers a learnt request. If there are too many, forgets the oldest one. */
  add(key: string, bytes: Uint8Array, learnt: Learnt): void {
    this.#known.set(key, { digest: digestOf(bytes), learnt });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_KEYS) break;
      this.#known.delete(oldest);
    }
  }

  toJSON(): KeyJson[] {
    return Array.from(this.#known, ([key, { digest, learnt }]): KeyJson => [key, digest, learnt]);
  }

  restore(keys: readonly KeyJson[]): void {
    this.#known.clear();
    for (const [key, digest, learnt] of keys) this.#known.set(key, { digest, learnt });
  }
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");
