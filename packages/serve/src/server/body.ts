import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { RequestError } from "./request-error.ts";

/**
 * Reads the bytes of a request's body. If the body arrives in one piece, as it does for single rows, it is returned
 * without a copy. A copy takes memory outside V8's heap, which makes V8 collect its whole heap sooner.
 *
 * @throws RequestError (by `done`) if the body is compressed, has more than `maxBytes`, or has a length that differs
 * from its header
 */
export const bodyReader =
  (maxBytes: number) =>
  (request: FastifyRequest, payload: IncomingMessage, done: (error: Error | null, body?: Buffer) => void): void => {
    const length = Number(request.headers["content-length"]);
    const pieces: Buffer[] = [];
    let received = 0;
    const onData = (piece: Buffer): void => {
      received += piece.length;
      pieces.push(piece);
      if (received > maxBytes) finish(tooLarge(maxBytes));
    };
    const onEnd = (): void => finish(Number.isNaN(length) || received === length ? null : wrongLength());
    const onError = (error: Error): void => finish(Object.assign(error, { statusCode: 400 }));
    const finish = (error: Error | null): void => {
      payload.off("data", onData).off("end", onEnd).off("error", onError);
      // The rest of the body is read and discarded. Closing the connection while its client is still sending would
      // reset the connection and lose the answer.
      if (error) payload.resume();
      done(error, error || pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, received));
    };
    const fault = encodingFault(request) ?? (length > maxBytes ? tooLarge(maxBytes) : undefined);
    if (fault) finish(fault);
    else payload.on("data", onData).on("end", onEnd).on("error", onError);
  };

const tooLarge = (maxBytes: number): RequestError =>
  new RequestError("body", `has more than ${maxBytes} bytes, the limit; send fewer rows at a time`, "BODY_SIZE", 413);

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
