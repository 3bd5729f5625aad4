import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import type { HeldBytes } from "./held-bytes.ts";
import { RequestError } from "./request-error.ts";

export interface BodyLimits {
  /** Size of the largest body in bytes. */
  readonly maxBodyBytes: number;
  /** Size of the largest JSON in bytes. */
  readonly maxJsonBytes: number;
}

/**
 * Reads the bytes of a request's body. If the body arrives in one piece, as it does for single rows, it is returned
 * without a copy. A copy takes memory outside V8's heap, which makes V8 collect its whole heap sooner.
 *
 * @throws RequestError (by `done`) if the body is compressed, is larger than a limit, or has a length that differs from
 * its header; RefusedError if the bodies of all requests exceed their limit
 */
export const bodyReader =
  (limits: BodyLimits, held: HeldBytes) =>
  (request: FastifyRequest, payload: IncomingMessage, done: (error: Error | null, body?: Buffer) => void): void => {
    const length = Number(request.headers["content-length"]);
    const { maxBytes, tooLarge } = limitOf(request, limits);
    const pieces: Buffer[] = [];
    let received = 0;
    const onData = (piece: Buffer): void => {
      received += piece.length;
      pieces.push(piece);
      const full = held.take(request.raw, piece.length);
      if (full || received > maxBytes) finish(full ?? tooLarge());
    };
    const onEnd = (): void => finish(Number.isNaN(length) || received === length ? null : wrongLength());
    const onError = (error: Error): void => finish(Object.assign(error, { statusCode: 400 }));
    const finish = (error: Error | null): void => {
      payload.off("data", onData).off("end", onEnd).off("error", onError);
      // The rest of the body is read and discarded. Closing the connection while its client is still sending would
      // reset the connection and lose the answer.
      if (error) {
        pieces.length = 0;
        held.release(request.raw);
        payload.resume();
      }
      if (received > STEP && pieces.length > 1) joinedInSteps(pieces, received).then((body) => done(null, body), done);
      else done(error, error || pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, received));
    };
    const fault = encodingFault(request) ?? (length > maxBytes ? tooLarge() : undefined);
    if (fault) finish(fault);
    else payload.on("data", onData).on("end", onEnd).on("error", onError);
  };

/** Number of bytes that are copied in a turn of the event loop. A megabyte takes about a millisecond. */
const STEP = 2 ** 20;

/** Joins the pieces of a large body, so that other requests get their turns meanwhile. */
async function joinedInSteps(pieces: readonly Buffer[], size: number): Promise<Buffer> {
  const body = Buffer.allocUnsafe(size);
  let [at, copied] = [0, 0];
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
    copied += piece.length;
    if (copied < STEP) continue;
    copied = 0;
    await setImmediate();
  }
  return body;
}

interface Limit {
  readonly maxBytes: number;
  readonly tooLarge: () => RequestError;
}

/**
 * Returns the limit for a body. JSON is read on the server's thread, where a megabyte delays all other requests by
 * about 10 ms, so JSON has a smaller limit than binary tensors.
 */
function limitOf({ headers, routeOptions }: FastifyRequest, { maxBodyBytes, maxJsonBytes }: BodyLimits): Limit {
  const json = routeOptions.config.binary ? headers["inference-header-content-length"] : undefined;
  if (json !== undefined && Number(json) > maxJsonBytes) return { maxBytes: 0, tooLarge: () => tooMuchJson(maxJsonBytes) };
  if (json !== undefined || maxJsonBytes >= maxBodyBytes)
    return { maxBytes: maxBodyBytes, tooLarge: () => tooMuch(maxBodyBytes) };
  return { maxBytes: maxJsonBytes, tooLarge: () => tooMuchJson(maxJsonBytes) };
}

const tooMuch = (maxBytes: number): RequestError =>
  new RequestError("body", `has more than ${maxBytes} bytes, the limit; send fewer rows at a time`, "BODY_SIZE", 413);

const tooMuchJson = (maxBytes: number): RequestError =>
  new RequestError(
    "body",
    `has more than ${maxBytes} bytes of JSON, the limit (maxJsonBytes); send fewer rows at a time, or binary tensors to /infer`,
    "BODY_SIZE",
    413,
  );

const wrongLength = (): RequestError =>
  new RequestError("Content-Length", "is not the number of bytes received; send exactly that many", "BODY", 400);

function encodingFault({ headers }: FastifyRequest): RequestError | undefined {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding.toLowerCase() === "identity") return undefined;
  return new RequestError(
    "Content-Encoding",
    `is ${JSON.stringify(encoding)}, which is not supported; send the body uncompressed`,
    "BODY",
    415,
  );
}
