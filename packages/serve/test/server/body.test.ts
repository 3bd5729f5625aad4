/** src/server/body.ts: bodies from streams that the test writes chunk by chunk. */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import type { FastifyRequest } from "fastify";
import { describe, expect, test } from "vitest";
import { bodyReader } from "../../src/server/body.ts";
import { HeldBytes } from "../../src/server/held-bytes.ts";
import type { RequestError } from "../../src/server/request-error.ts";

type Ended = { error: Error | null; body: Buffer | undefined };

/** Reads what `write` puts into the stream, and also counts the calls of the reader's callback. */
async function read(
  headers: Record<string, string>,
  write: (payload: PassThrough) => void,
  { most = 8, json = 8, binary = false, held = new HeldBytes(100) } = {},
): Promise<Ended & { times: number; payload: PassThrough }> {
  const payload = new PassThrough();
  let times = 0;
  const ended = await new Promise<Ended>((resolve, reject) => {
    setTimeout(() => reject(new Error("the reader was never done")), 5000).unref();
    const request = { headers, raw: payload, routeOptions: { config: { binary } } } as unknown as FastifyRequest;
    bodyReader({ maxBodyBytes: most, maxJsonBytes: json }, held)(
      request,
      payload as unknown as IncomingMessage,
      (error, body) => {
        times++;
        resolve({ error, body });
      },
    );
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

  test("is joined in steps if it is large, with turns for other requests", async () => {
    const piece = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i));
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    const { body } = await read(
      {},
      (payload) => {
        for (let i = 0; i < 11; i++) payload.write(piece);
        payload.end(() => setImmediate(turn));
      },
      { most: 4e6, json: 4e6 },
    );
    isDone = true;
    expect(body?.equals(Buffer.concat(Array(11).fill(piece)))).toBe(true);
    expect(turns).toBeGreaterThan(1);
  });

  test("has a smaller limit for JSON than for binary tensors, which only some routes take", async () => {
    const before = { "inference-header-content-length": "3" };
    expect((await read(before, piecewise("12345678"), { json: 4, binary: true })).error).toBeNull();
    expect((await read({}, piecewise("1234"), { json: 4, binary: true })).error).toBeNull();
    for (const [headers, binary] of [
      [{}, true],
      [before, false],
      [{ "inference-header-content-length": "5" }, true],
    ] as const) {
      const { error, payload } = await read(headers, piecewise("12", "345"), { json: 4, binary });
      expect((error as RequestError).status).toBe(413);
      expect(error?.message).toBe(
        "body: has more than 4 bytes of JSON, the limit (maxJsonBytes); send fewer rows at a time, or binary tensors to /infer [BODY_SIZE]",
      );
      expect(payload.readableFlowing).toBe(true);
    }
  });

  test("is the client's fault if its stream breaks off", async () => {
    const { error, times } = await read({ "content-length": "8" }, (payload) => {
      payload.write("123");
      payload.destroy(new Error("aborted"));
    });
    expect([error?.message, (error as { statusCode?: number }).statusCode, times]).toEqual(["aborted", 400, 1]);
  });
});

describe("the bodies of all requests", () => {
  /** A request with a body of this declared size, and the end of its answer. */
  const asked = (held: HeldBytes, headers: Record<string, string>) => {
    const response = new EventEmitter();
    const request = { headers } as unknown as IncomingMessage;
    held.watch(request, response as unknown as ServerResponse);
    return { request, answered: () => response.emit("close") };
  };

  test("are counted until they are answered, and refused with 503 if they are too large together", () => {
    const held = new HeldBytes(100_000);
    const [first, second] = [asked(held, { "content-length": "70000" }), asked(held, { "transfer-encoding": "chunked" })];
    expect(held.take(first.request, 60_000)).toBeUndefined();
    expect(held.take(second.request, 40_000)).toBeUndefined();
    const refused = held.take(first.request, 1);
    expect([refused?.status, refused?.retryAfterMs, held.total]).toEqual([503, 1000, 100_000]);
    expect(refused?.message).toBe(
      "body: the bodies of all requests together would have more than 100000 bytes, the limit (maxHeldBytes); try again later, or send fewer rows at a time [BODIES_FULL]",
    );
    second.answered();
    expect(held.total).toBe(60_000);
    expect(held.take(first.request, 40_000)).toBeUndefined();
    held.release(first.request);
    first.answered();
    expect(held.total).toBe(0);
  });

  test("are not counted if they are small", () => {
    const held = new HeldBytes(100);
    const { request } = asked(held, { "content-length": "65536" });
    expect(held.take(request, 65_536)).toBeUndefined();
    expect(held.total).toBe(0);
  });
});
