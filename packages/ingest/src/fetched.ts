/** Reads from a server, by an address or from the response of an earlier `fetch`. */
import { DataError } from "ergodic/data";
import type { ByteSource } from "./byte-source.ts";

/**
 * Returns a source that fetches the file again for each reading. A file of any length can therefore be read twice
 * without being stored.
 */
export function fetched(address: string | URL, signal: AbortSignal | undefined): ByteSource {
  const name = String(address);
  return {
    name,
    rereadable: true,
    async *chunks() {
      const response = await fetch(address, signal ? { signal } : {}).catch((cause: unknown) => {
        signal?.throwIfAborted();
        const message = `it cannot be fetched (${because(cause)}); check the address, the network, and whether the server lets this page read it`;
        throw new DataError(name, message, "DATA_FILE", { cause });
      });
      yield* bodyOf(response, name, signal);
    },
  };
}

/** Source from a response. The body of a response can be read only once. */
export function responded(response: Response, signal: AbortSignal | undefined): ByteSource {
  const name = response.url || "response";
  return {
    name,
    rereadable: false,
    async *chunks() {
      if (response.bodyUsed)
        throw new DataError(name, "the body of this response was read already; fetch it again, or pass its URL", "DATA_FILE");
      yield* bodyOf(response, name, signal);
    },
  };
}

async function* bodyOf(response: Response, name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (!response.ok) {
    await response.body?.cancel();
    const gone = response.status === 404 || response.status === 410;
    throw new DataError(
      name,
      `the server answered ${`${response.status} ${response.statusText}`.trim()}; check the address${gone ? "" : ", and what the server asks for"}`,
      gone ? "DATA_FILE_MISSING" : "DATA_FILE",
    );
  }
  const reader = response.body?.getReader();
  // If the response was fetched without the signal, aborting the signal does not end the response.
  const abort = (): void => void reader?.cancel().catch(() => {});
  signal?.addEventListener("abort", abort, { once: true });
  let count = 0;
  try {
    signal?.throwIfAborted();
    for (;;) {
      const part = await reader?.read().catch((cause: unknown) => {
        signal?.throwIfAborted();
        const message = `the transfer broke off after ${count} bytes (${because(cause)}); fetch it again`;
        throw new DataError(name, message, "DATA_FILE", { cause });
      });
      signal?.throwIfAborted();
      if (!part || part.done) return;
      if (count === 0 && isPage(part.value)) {
        const message =
          "the server answered with an HTML page; check the address: many sites answer this way if the file does not exist";
        throw new DataError(name, message, "DATA_FILE_MISSING");
      }
      count += part.value.length;
      yield part.value;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    await reader?.cancel().catch(() => {}); // a broken transfer has nothing left to cancel
  }
}

/**
 * Whether the answer is a web page. If a file does not exist, single-page sites answer with their page and status 200.
 */
const isPage = (start: Uint8Array): boolean =>
  /^\s*<(!doctype\s+html|html[\s>])/i.test(new TextDecoder().decode(start.subarray(0, 100)));

/** Reason of a failed `fetch`. Node puts it in the error's cause. */
function because(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  return cause.message || (cause as NodeJS.ErrnoException).code || message;
}
