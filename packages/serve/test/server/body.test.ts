/** src/server/body.ts: bodies from streams that the test writes chunk by chunk. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import type { FastifyRequest } from "fastify";
import { describe, expect, test } from "vitest";
import { bodyReader } from "../../src/server/body.ts";
import type { RequestError } from "../../src/server/request-error.ts";

type Ended = { error: Error | null; body: Buffer | undefined };

/** Reads what `write` puts into the stream, and also counts the calls of the reader's callback. */
async function read(
  headers: Record<string, string>,
  write: (payload: PassThrough) => void,
  most = 8,
): Promise<Ended & { times: number; payload: PassThrough }> {
  const payload = new PassThrough();
  let times = 0;
  const ended = await new Promise<Ended>((resolve, reject) => {
    setTimeout(() => reject(new Error("the reader was never done")), 5000).unref();
    bodyReader(most)({ headers } as unknown as FastifyRequest, payload as unknown as IncomingMessage, (error, body) => {
      times++;
      resolve({ error, body });
    });
    write(payload);
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { ...ended, times, payload };
}

const piecewise = (...pieces: string[]) => {
  return (payload: PassThrough): void => {
    for (const piece of pieces) payload.write(Buffer.from(piece));
    payload.end();
  };
};

describe("a body", () => {
  test("is passed on without a copy if it has one chunk", async () => {
    const piece = Buffer.from("12345678");
    const { error, body } = await read({ "content-length": "8" }, (payload) => payload.end(piece));
    expect(error).toBeNull();
    expect(body?.buffer).toBe(piece.buffer);
    expect(body?.byteOffset).toBe(piece.byteOffset);
    expect(String(body)).toBe("12345678");
  });

  test.each([
    ["two pieces", ["123", "45"], "12345"],
    ["many", ["1", "2", "3", "4", "5", "6", "7", "8"], "12345678"],
    ["none", [], ""],
  ])("is joined in order from %s", async (_, pieces, whole) => {
    for (const headers of [{}, { "content-length": String(whole.length) }]) {
      const { error, body, times, payload } = await read(headers as Record<string, string>, piecewise(...pieces));
      expect([error, String(body), times]).toEqual([null, whole, 1]);
      expect(["data", "error"].map((event) => payload.listenerCount(event))).toEqual([0, 0]);
    }
  });

  test("is refused before any byte is read if its declared size exceeds the limit", async () => {
    const { error, payload, times } = await read({ "content-length": "9" }, () => undefined);
    expect((error as RequestError).status).toBe(413);
    expect(error?.message).toBe("body: has more than 8 bytes, the limit; send fewer rows at a time [BODY_SIZE]");
    expect([payload.listenerCount("data"), times]).toEqual([0, 1]);
    expect(payload.readableFlowing, "what comes is dropped").toBe(true);
  });

  test("is refused once and not stored further if it exceeds the limit", async () => {
    const { error, times, payload } = await read({}, piecewise("12345", "6789", "0"));
    expect((error as RequestError).status).toBe(413);
    expect([payload.listenerCount("data"), times]).toEqual([0, 1]);
    expect([payload.readableFlowing, payload.readableLength]).toEqual([true, 0]);
  });

  test.each([
    ["shorter", "7"],
    ["longer", "3"],
  ])("is refused if it is %s than its header declares", async (_, length) => {
    const { error } = await read({ "content-length": length }, piecewise("12", "345"));
    expect((error as RequestError).status).toBe(400);
    expect(error?.message).toBe("Content-Length: is not the number of bytes received; send exactly that many [BODY]");
  });

  test("is refused if it is compressed, even if it is also too large", async () => {
    for (const length of ["5", "9"]) {
      const { error } = await read({ "content-encoding": "gzip", "content-length": length }, () => undefined);
      expect((error as RequestError).status).toBe(415);
      expect(error?.message).toMatch(/^Content-Encoding: is "gzip", which is not supported; /);
    }
    for (const none of ["identity", "Identity"])
      expect((await read({ "content-encoding": none }, piecewise("1"))).error).toBeNull();
  });

  test("is the client's fault if its stream breaks off", async () => {
    const { error, times } = await read({ "content-length": "8" }, (payload) => {
      payload.write("123");
      payload.destroy(new Error("aborted"));
    });
    expect([error?.message, (error as { statusCode?: number }).statusCode, times]).toEqual(["aborted", 400, 1]);
  });
});
