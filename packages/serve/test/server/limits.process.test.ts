/** Limits of a server: tokens, sizes, slow and malformed requests, many connections, and closing. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Agent, get as httpsGet } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type ModelAtHand, type ServeOptions, type Serving, serve } from "../../src/index.ts";
import { closeUnread } from "../../src/server/unread.ts";
import { type Answer, get, post, regression, serving, temporary } from "./models.ts";

let line: Awaited<ReturnType<typeof regression>>;
/** A server with default options. */
let plain: Serving;
beforeAll(async () => {
  line = await regression();
  plain = await start();
});
const start = (options: Partial<ServeOptions> = {}): Promise<Serving> => serving({ models: { line }, ...options });
const body = JSON.stringify({ inputs: [{ name: "input", datatype: "FP64", shape: [1, 3], data: [1, 2, 3] }] });

/** A model of one number that answers 7: one run after `answer`, and all runs from `release` on. */
function held(): { model: ModelAtHand; answer(): void; release(): void; runs(): number } {
  const tensor = { type: "float64", shape: ["batch", 1], name: "x" } as const;
  const waiting: (() => void)[] = [];
  let [runs, isHeld] = [0, true];
  const run = () =>
    new Promise((resolve) => {
      runs++;
      waiting.push(() => resolve({ y: { ...tensor, shape: [1, 1], data: Float64Array.of(7) } }));
      if (!isHeld) waiting.pop()!();
    });
  return {
    model: { kind: "onnx", inputs: [tensor], outputs: [{ ...tensor, name: "y" }], run } as unknown as ModelAtHand,
    answer: () => waiting.shift()!(),
    release: () => {
      isHeld = false;
      for (const one of waiting.splice(0)) one();
    },
    runs: () => runs,
  };
}
const one = JSON.stringify({ inputs: [{ name: "x", datatype: "FP64", shape: [1, 1], data: [1] }] });

/** Response to raw bytes until the server closes the connection or `until` holds. */
function raw(url: string, bytes: string | Buffer, until: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (until(text)) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(text) : reject(error),
    );
  });
}
const request = (headers: string[], content = ""): string =>
  `${["POST /v2/models/line/infer HTTP/1.1", "Host: x", ...headers].join("\r\n")}\r\n\r\n${content}`;
const statuses = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? [];
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

describe("access tokens", () => {
  const tokens = ["0123456789abcdef", "fedcba9876543210"];
  test("are required everywhere except on the page and for health", async () => {
    const { url } = await start({ tokens });
    for (const path of ["/v2", "/v2/models/line", "/v2/models/line/stats", "/metrics", "/openapi.json", "/nothing"]) {
      const { status, json, headers } = await get(url + path);
      expect([path, status]).toEqual([path, 401]);
      expect(json.error).toMatch(/^Authorization: a token is required; send Authorization: Bearer TOKEN/);
      expect(headers.get("www-authenticate")).toBe("Bearer");
    }
    expect((await post(`${url}/v2/models/line/infer`, body)).status).toBe(401);
    for (const path of ["/v2/health/live", "/v2/health/ready", "/", "/page.js"])
      expect((await fetch(url + path)).status).toBe(200);
  });

  test("admit requests with a complete token", async () => {
    const { url } = await start({ tokens });
    const status = async (authorization: string): Promise<number> =>
      (await post(`${url}/v2/models/line/infer`, body, { authorization })).status;
    for (const token of tokens) expect(await status(`Bearer ${token}`)).toBe(200);
    expect(await status(`bearer ${tokens[0]}`)).toBe(200);
    for (const wrong of [
      `Bearer ${tokens[0]}x`,
      `Bearer ${tokens[0]} x`,
      `Bearer ${tokens[0].slice(1)}`,
      "Bearer",
      `Basic ${tokens[0]}`,
      tokens[0],
      `Bearer ${tokens[0].toUpperCase()}`,
    ])
      expect([wrong, await status(wrong)]).toEqual([wrong, 401]);
  });
});

describe("pages of other origins", () => {
  test("are refused unless their origin is listed", async () => {
    const origin = { origin: "https://example.org" };
    expect((await get(`${plain.url}/v2`, origin)).headers.get("access-control-allow-origin")).toBeNull();
    const open = await start({ cors: ["https://example.org"], tokens: ["0123456789abcdef"] });
    const preflight = await fetch(`${open.url}/v2/models/line/infer`, {
      method: "OPTIONS",
      headers: { ...origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://example.org");
    expect((await get(`${open.url}/v2`, origin)).status).toBe(401);
    const other = await get(`${open.url}/v2`, { origin: "https://example.com", authorization: "Bearer 0123456789abcdef" });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("serves HTTPS", async () => {
  const path = temporary();
  const [key, cert] = [path("key.pem"), path("cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
      "-keyout",
      key,
      "-out",
      cert,
      ...subject,
    ],
    { stdio: "ignore" },
  );
  const ca = readFileSync(cert, "utf8");
  const server = await start({ host: "localhost", tls: { cert: ca, key: readFileSync(key, "utf8") } });
  expect(server.url).toMatch(/^https:\/\/localhost:\d+$/);
  const status = await new Promise((resolve, reject) =>
    httpsGet(`${server.url}/v2`, { agent: new Agent({ ca }) }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject),
  );
  expect(status).toBe(200);
  await expect(start({ tls: { cert: "no certificate", key: "no key" } })).rejects.toThrow(
    /^serve: tls: .*; give a certificate and its key in PEM \[OPTION_TYPE\]$/,
  );
});

describe("bodies", () => {
  test("are refused before they are read if they exceed the size limit", async () => {
    const { url } = await start({ maxBodyBytes: 1000 });
    const isTold = (text: string): boolean => text.includes("[BODY_SIZE]");
    const declared = await raw(url, request(["Content-Length: 1000000000"], "{"), isTold);
    expect(statusOf(declared)).toBe(413);
    expect(declared).toMatch(/has more than 1000 bytes, the limit; send fewer rows at a time/);
    const chunked = await raw(url, request(["Transfer-Encoding: chunked"], `7d0\r\n${" ".repeat(2000)}\r\n0\r\n\r\n`), isTold);
    expect(statusOf(chunked)).toBe(413);
    expect((await post(`${url}/v2/models/line/infer`, body)).status).toBe(200);
  });

  test("are refused with 503 while those of other requests take all memory allowed for bodies", async () => {
    const { url } = await start({ maxBodyBytes: 150_000, maxHeldBytes: 150_000 });
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
      socket.write(request(["Content-Length: 100000"], "x".repeat(90_000))),
    );
    const ask = () => post(`${url}/v2/models/line/infer`, " ".repeat(70_000) + body);
    let answer = await ask();
    // The bytes of the first connection may arrive later.
    while (answer.status === 200) answer = await ask();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(answer.json.error).toMatch(/more than 150000 bytes, the limit \(maxHeldBytes\); try again later, .* \[BODIES_FULL\]$/);
    expect((await post(`${url}/v2/models/line/infer`, body)).status).toBe(200);
    socket.destroy();
    while (answer.status === 503) answer = await ask();
    expect(answer.status).toBe(200);
  });

  // If the connection closes while the client sends, the client sees only that error.
  test.each<[string, number, string[], string, string]>([
    ["too large by their length", 413, ["Content-Length: 100000"], "x".repeat(10), "x".repeat(99_990)],
    ["too large in chunks", 413, ["Transfer-Encoding: chunked"], `7d0\r\n${"x".repeat(2000)}`, "\r\n5\r\nabcde\r\n0\r\n\r\n"],
    ["compressed", 415, ["Content-Length: 20", "Content-Encoding: gzip"], "x", "x".repeat(19)],
  ])(
    "are refused immediately if %s, the rest is dropped, and the next request is answered",
    async (_, status, head, begin, rest) => {
      const { url } = await start({ maxBodyBytes: 1000 });
      const text = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request(head, begin)));
        let all = "";
        socket.on("data", (data) => {
          const isFirst = all === "";
          all += data;
          if (isFirst) socket.write(rest + request([`Content-Length: ${body.length}`, "Connection: close"], body));
        });
        socket.on("close", () => resolve(all));
        socket.on("error", reject);
      });
      expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, found]) => Number(found))).toEqual([status, 200]);
      expect(text).toMatch(/"outputs":\[\{"name":"value"/);
    },
  );

  test("are abandoned after a time limit if they were refused and do not end", async () => {
    const { url } = await start({ maxBodyBytes: 1000, requestMs: 300 });
    const text = await raw(url, request(["Content-Length: 2000"], "x"));
    expect(statusOf(text)).toBe(413);
  });

  test("are not read if they are compressed", async () => {
    const { url } = plain;
    const { status, json } = await post(`${url}/v2/models/line/infer`, body, { "content-encoding": "gzip" });
    expect(status).toBe(415);
    expect(json.error).toMatch(/^Content-Encoding: is "gzip", which is not supported/);
    // A request with another fault keeps the connection open.
    const wrong = await post(`${url}/v2/models/line/infer`, "{}");
    expect([wrong.status, wrong.headers.get("connection")]).toEqual([400, "keep-alive"]);
  });

  test("are read with any content type or without one", async () => {
    const { url } = plain;
    for (const type of ["application/json", "application/octet-stream", "text/plain; charset=x", "nonsense", ""]) {
      const head = [`Content-Length: ${body.length}`, "Connection: close", ...(type === "" ? [] : [`Content-Type: ${type}`])];
      const status = statusOf(await raw(url, request(head, body)));
      expect([type, status]).toEqual([type, type === "nonsense" ? 415 : 200]);
    }
  });
});

describe("malformed and smuggled requests", () => {
  test.each<[string, string]>([
    ["two lengths", request(["Content-Length: 5", "Content-Length: 6"], "12345")],
    ["a length and chunks", request(["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n")],
    ["chunks by another name", request(["Transfer-Encoding: xchunked"], "0\r\n\r\n")],
    ["a negative length", request(["Content-Length: -5"], "12345")],
    ["a length in words", request(["Content-Length: five"], "12345")],
    ["a header without a name", request([": x"])],
    ["a space before the colon", request(["Content-Length : 5"], "12345")],
    ["a folded header", request(["X: a\r\n b", "Content-Length: 0"])],
    ["a bare line feed", "GET /v2 HTTP/1.1\nHost: x\nContent-Length: 5\n\n12345"],
    ["a null byte", request(["X: a\0b"])],
    ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00"],
    ["no host", "GET /v2 HTTP/1.1\r\n\r\n"],
    ["headers of 64 KiB", request([`X: ${"a".repeat(65_536)}`])],
    ["a chunk of no size", request(["Transfer-Encoding: chunked"], "x\r\n")],
    ["a URL that cannot be decoded", "GET /v2/models/%E0%A4%A/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["a name of a kilobyte", `GET /v2/models/${"m".repeat(1000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
  ])("%s: answers 4xx and ignores the hidden request", async (_, bytes) => {
    const { url } = plain;
    const text = await raw(url, bytes, (all) => all.includes("\r\n\r\n{") && all.endsWith("}"));
    expect(statusOf(text)).toBeGreaterThanOrEqual(400);
    expect(statusOf(text)).toBeLessThan(500);
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect((await get(`${url}/v2/health/live`)).status).toBe(200);
  });
});

describe("malformed input on a connection with earlier output", () => {
  test("is answered after 100 Continue", async () => {
    const { url } = plain;
    const text = await raw(url, request(["Transfer-Encoding: chunked", "Expect: 100-continue"], "x\r\n"));
    expect(statuses(text)).toEqual(["HTTP/1.1 100", "HTTP/1.1 400"]);
    expect(text).toMatch(/\{"error":"the request is not HTTP\/1\.1 \(HPE_\w+\) \[REQUEST\]"\}$/);
    // The request ends at its declared length and closes the connection, so the remaining bytes are ignored.
    const lying = [`Content-Length: ${body.length >> 1}`, "Expect: 100-continue", "Connection: close"];
    const half = await raw(url, request(lying, body));
    expect(statuses(half)).toEqual(["HTTP/1.1 100", "HTTP/1.1 400"]);
    expect(half).toMatch(/\{"error":"infer: the body is not JSON .*\[BODY\]"\}$/);
  });

  const values = (text: string): number[] =>
    [...text.matchAll(/"data":\[([^\]]+)\]/g)].map(([, value]) => Math.round(Number(value)));
  const infer = (a: number): string => {
    const content = JSON.stringify({ inputs: [{ name: "input", datatype: "FP64", shape: [1, 3], data: [a, 0, 0] }] });
    return request([`Content-Length: ${content.length}`], content);
  };

  test.each([
    ["one", [1], "rubbish\r\n\r\n"],
    ["several, in their order", [1, 5, 9], "rubbish\r\n\r\n"],
    ["one, before another whose body is at fault", [1], request(["Transfer-Encoding: chunked"], "x\r\n")],
  ])("is answered after the pending requests of the same packet: %s", async (_, slopes, wrong) => {
    const { url } = plain;
    const text = await raw(url, slopes.map(infer).join("") + wrong);
    expect(statuses(text)).toEqual([...slopes.map(() => "HTTP/1.1 200"), "HTTP/1.1 400"]);
    expect(values(text)).toEqual(slopes.map((a) => 2 * a + 1));
    expect(text).toMatch(/\[REQUEST\]"\}$/);
  });

  test("is answered once, after the pending request, however often it is sent and even if too late", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    const { model, answer } = held();
    const { url } = await serving({ models: { line: model }, join: { line: false }, requestMs: 100 });
    const asked = request([`Content-Length: ${one.length}`], one);
    for (const [packets, status] of [
      [["rubbish\r\n\r\n", ...Array<string>(12).fill("and more\r\n")], "400"],
      [["POST /v2/models/line/infer HTTP/1.1\r\nHost:"], "408"],
    ] as const) {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      let text = "";
      socket.on("data", (data) => void (text += data.toString("latin1")));
      const closed = new Promise((resolve) => socket.on("close", resolve));
      for (const packet of [asked, ...packets]) {
        socket.write(packet);
        await sleep(10);
      }
      // Until the request's head has exceeded its time limit.
      await sleep(400);
      expect(text).toBe("");
      answer();
      await closed;
      expect(statuses(text)).toEqual(["HTTP/1.1 200", `HTTP/1.1 ${status}`]);
      expect(values(text)).toEqual([7]);
      expect(text).toMatch(/\[REQUEST\]"\}$/);
    }
    // A warning about as many listeners as there were packets.
    expect(warned).not.toHaveBeenCalled();
    process.off("warning", warned);
  });

  test("is answered on a connection with earlier answers", async () => {
    const { url } = await start({ requestMs: 400 });
    for (const [second, status] of [
      ["rubbish\r\n\r\n", "400"],
      [request(["Content-Length: 1000"], "{"), "408"],
    ]) {
      const text = await new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
          socket.write(request([`Content-Length: ${body.length}`], body)),
        );
        let all = "";
        socket.on("data", (data) => {
          if (all === "") setImmediate(() => socket.write(second));
          all += data.toString("latin1");
        });
        socket.on("close", () => resolve(all));
      });
      expect(statuses(text)).toEqual(["HTTP/1.1 200", `HTTP/1.1 ${status}`]);
      expect(text).toMatch(/\[REQUEST\]"\}$/);
    }
  });
});

test("is not answered after an answer that closes the connection", async () => {
  const { url } = plain;
  const closing = (path: string, head = "Connection: close\r\n"): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${head}\r\n`;
  for (const [bytes, status] of [
    [`${request(["Content-Length: 0", "Connection: close"])}\x1d`, 400],
    [`${closing("/v2/health/live")}rubbish\r\n\r\n`, 200],
    [`${closing("/v2/health/live")}${closing("/v2/health/live")}`, 200],
    ["GET /v2/health/live HTTP/1.0\r\n\r\nrubbish\r\n\r\n", 200],
  ] as const) {
    const text = await raw(url, bytes);
    expect([bytes, statusOf(text), text.match(/HTTP\/1\.1 /g)]).toEqual([bytes, status, ["HTTP/1.1 "]]);
  }
});

describe.concurrent("time limits", () => {
  test("apply to slow bodies, slow headers and silent connections", async () => {
    const { url } = await start({ requestMs: 200 });
    const slowBody = raw(url, request(["Content-Length: 1000"], "{"));
    const slowHead = raw(url, "POST /v2/models/line/infer HTTP/1.1\r\nHost:");
    const silent = raw(url, "");
    const said = await slowBody;
    expect(statusOf(said)).toBe(408);
    expect(said).toMatch(/did not arrive completely within 200 ms/);
    expect(statusOf(await slowHead)).toBe(408);
    await silent;
  });

  test("apply after an early answer, which remains the only one", async () => {
    // Long enough for all these requests to arrive on a busy machine.
    const requestMs = 800;
    const [{ url }, guarded] = await Promise.all([start({ requestMs }), start({ requestMs, tokens: ["0123456789abcdef"] })]);
    const unread = request(["Content-Length: 99"], "{");
    const early: Record<string, [string, number]> = {
      "too large a body": [request(["Content-Length: 99999999"], "{"), 413],
      "a body that is packed": [request(["Content-Length: 99", "Content-Encoding: gzip"], "{"), 415],
      "a URL that cannot be read": [unread.replace("/line/", "/%E0/"), 400],
      "what takes no body": [unread.replace("POST /v2/models/line/infer", "GET /v2"), 200],
      "a body in wrong chunks": [request(["Transfer-Encoding: chunked", "Content-Encoding: gzip"], "5\r\nab"), 415],
      "no token": [unread, 401],
    };
    const answers = Object.entries(early).map(async ([what, [bytes]]) => {
      const text = await raw(what === "no token" ? guarded.url : url, bytes);
      return [what, statuses(text)];
    });
    expect(await Promise.all(answers)).toEqual(Object.entries(early).map(([what, [, status]]) => [what, [`HTTP/1.1 ${status}`]]));
    const counted = /^ergodic_http_answers_total\{route="\(none\)",status="408"\}/m;
    expect(await (await fetch(`${url}/metrics`)).text()).not.toMatch(counted);
  });

  test("allow a separate answer to the request after an early answer", async () => {
    const { url } = await start({ requestMs: 800, maxBodyBytes: 10 });
    const text = await raw(url, request(["Content-Length: 20"], "x".repeat(20)) + request(["Content-Length: 10"], "{"));
    expect(statuses(text)).toEqual(["HTTP/1.1 413", "HTTP/1.1 408"]);
  });

  test("keep a connection open for the next request for the given time", async () => {
    const { url } = await start({ keepAliveMs: 100 });
    // biome-ignore lint/plugin: a lower bound, which a busy machine cannot violate
    const begun = performance.now();
    expect(statusOf(await raw(url, "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"))).toBe(200);
    // biome-ignore lint/plugin: a lower bound
    expect(performance.now() - begun).toBeGreaterThan(90);
  });

  test("stop computing for a client that has left", async ({ expect }) => {
    const { url } = plain;
    await new Promise<void>((resolve) => {
      const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
        socket.write(request([`Content-Length: ${body.length}`], body));
        socket.resetAndDestroy();
        resolve();
      });
    });
    await expect
      .poll(async () => {
        const { ergodic } = (await get(`${url}/v2/models/line/stats`)).json.model_stats[0];
        return ergodic.waiting.requests + ergodic.waiting.running;
      })
      .toBe(0);
    expect((await post(`${url}/v2/models/line/infer`, body)).status).toBe(200);
  });

  test("refuse an unreachable timeout with 503 and a time to retry", async () => {
    const { url } = await start({ models: { line }, maxBatch: 1 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(`${url}/v2/models/line/infer`, { ...JSON.parse(body), parameters: { timeout: 1 } })),
    );
    const refused = answers.filter(({ status }) => status === 503);
    for (const { json, headers } of refused) {
      expect(json.error).toMatch(/the answer was required within 0\.001 ms/);
      expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    expect(new Set(answers.map(({ status }) => status)).size).toBeLessThanOrEqual(2);
    expect(refused.length).toBeGreaterThan(0);
  });
});

describe("closing of the server", () => {
  test("answers accepted requests, reports 503 for readiness first and leaves no connection", async () => {
    // Long enough for four requests on a busy machine.
    const server = await serve({ models: { line }, port: 0, log: "nothing", drainMs: 2000 });
    const { url } = server;
    await get(`${url}/v2/health/ready`);
    const half = body.slice(0, 20);
    const port = Number(new URL(url).port);
    const socket = connect(port, "127.0.0.1", () => socket.write(request([`Content-Length: ${body.length}`], half)));
    let text = "";
    socket.on("data", (data) => void (text += data.toString()));
    const gone = new Promise((resolve) => socket.on("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = server.close();
    const { status, headers } = await get(`${url}/v2/health/ready`);
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await get(`${url}/v2/models/line/ready`)).status).toBe(503);
    const during = await post(`${url}/v2/models/line/infer`, body);
    expect([during.status, during.headers.get("connection")]).toEqual([200, "close"]);
    const refused = await post(`${url}/v2/models/line/infer`, body, { "content-encoding": "gzip" });
    expect([refused.status, refused.headers.get("connection")]).toEqual([415, "close"]);
    const isRefused = () =>
      fetch(`${url}/v2`).then(
        () => false,
        () => true,
      );
    await expect.poll(isRefused, { timeout: 20_000, interval: 100 }).toBe(true);
    // The rest of the request is sent now.
    socket.write(body.slice(20));
    await Promise.all([closing, gone]);
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(server.close()).toBe(server.close());
  });

  test("is immediate if idle, even with open connections", async () => {
    const server = await serve({ models: { line }, port: 0, log: "nothing" });
    await get(`${server.url}/v2/health/ready`);
    await server.close();
    // The caller's own model is not closed.
    expect(line.predict([[1, 2, 3]])).toHaveLength(1);
  });
});

test("a full queue answers 429", async () => {
  const { model, release, runs } = held();
  const { url } = await serving({ models: { line: model }, join: { line: false }, maxBatch: 1, maxQueueRows: 1 });
  const ask = (): Promise<Answer> => post(`${url}/v2/models/line/infer`, one);
  const first = ask();
  await expect.poll(runs).toBe(1);
  // One of two waits, and the other is refused.
  const others = [ask(), ask()];
  const arrived = async (): Promise<number> => {
    const { waiting, refused } = (await get(`${url}/v2/models/line/stats`)).json.model_stats[0].ergodic;
    return waiting.requests + refused.full;
  };
  await expect.poll(arrived).toBe(2);
  release();
  expect((await first).status).toBe(200);
  const answers = await Promise.all(others);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429]);
  const { headers, json } = answers.find(({ status }) => status === 429)!;
  expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(json.error).toMatch(/maxQueueRows = 1/);
});

describe("connections", () => {
  /**
   * Opens connections that send nothing. Returns the number of those closed so far, and a promise that all are closed.
   */
  const silent = (url: string, count: number): { closed: () => number; all: Promise<unknown> } => {
    let closed = 0;
    const all = Array.from({ length: count }, () => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      return new Promise<void>((resolve) => socket.on("close", () => resolve(void closed++)));
    });
    return { closed: () => closed, all: Promise.all(all) };
  };

  test("are closed immediately beyond maxConnections", async () => {
    const { url } = await start({ maxConnections: 30 });
    const { closed } = silent(url, 40);
    await expect.poll(closed).toBe(10);
    await sleep(100);
    expect(closed()).toBe(10);
  });

  test("are closed after requestMs if they send nothing", async () => {
    const { url } = await start({ maxConnections: 30, requestMs: 200 });
    await silent(url, 40).all;
    expect((await get(`${url}/v2/health/live`)).status).toBe(200);
  });
});

test("accepts the longest times without limits by Node's own defaults", async () => {
  const server = await serve({ models: { line }, port: 0, log: "nothing", requestMs: 2 ** 31 - 1, keepAliveMs: 2 ** 31 - 1001 });
  const warned: Error[] = [];
  const onWarning = (warning: Error): void => void warned.push(warning);
  process.on("warning", onWarning);
  expect((await get(`${server.url}/v2/health/live`)).status).toBe(200);
  await server.close();
  process.off("warning", onWarning);
  expect(warned).toEqual([]);
});

describe("options", () => {
  test.each<[object, RegExp]>([
    [{ maxBatches: 1 }, /unknown option "maxBatches"; did you mean "maxBatch"\?/],
    [{ port: 70_000 }, /port is 70000/],
    [{ host: 3 }, /host must be a name or an address/],
    [{ maxBatch: 0 }, /maxBatch is 0/],
    [{ targetP99Ms: 0 }, /targetP99Ms is 0/],
    [{ deadlineMs: -1 }, /deadlineMs is -1/],
    [{ workers: 1.5 }, /workers is 1.5/],
    [{ maxWork: 0 }, /maxWork is 0, but must be a number > 0/],
    [{ maxMemory: "1G" as never }, /maxMemory is "1G"/],
    [{ versions: 0 }, /versions is 0/],
    [{ pollMs: 1 }, /pollMs is 1/],
    [
      { tokens: [] },
      /^serve: tokens is empty, so every request would be refused; give a token of 16 or more .* to serve everyone \[/,
    ],
    [{ tokens: "" }, /tokens must be a list/],
    [{ tokens: [""] }, /tokens must be a list of tokens of 16 or more/],
    [{ tokens: ["0123456789abcdef", ""] }, /tokens must be a list of tokens of 16 or more/],
    [{ requestMs: 2 ** 31 }, /requestMs is 2147483648, but must be an integer >= 1 and <= 2147483647/],
    [{ keepAliveMs: 1.5 }, /keepAliveMs is 1.5, but must be an integer/],
    [{ tokens: ["short"] }, /tokens must be a list of tokens of 16 or more/],
    [{ tokens: "0123456789abcdef" }, /tokens must be a list/],
    [{ control: "yes" }, /control must be true or false/],
    [{ tls: { cert: "a" } }, /tls must be \{ cert, key \}/],
    [{ cors: ["example.org"] }, /cors must be a list of origins/],
    [{ cors: ["https://example.org/"] }, /cors must be a list of origins/],
    [{ maxBodyBytes: 1.5 }, /maxBodyBytes is 1.5/],
    [{ maxHeldBytes: 1000 }, /maxHeldBytes is 1000, but must be at least maxBodyBytes, 16777216; increase it, or lower/],
    [{ log: "all" }, /log must be "nothing", "errors" or "requests"/],
    [{ logTo: {} }, /logTo must be a stream/],
    [{ drainMs: null }, /drainMs is null/],
  ])("refuses %j", async (options, said) => {
    await expect(serve({ models: { line }, ...options } as never)).rejects.toThrow(said);
  });
});

describe("clients that do not read", () => {
  /** Waits without the clock, which vi.waitUntil would advance. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  /** A server whose answers are too long for the buffers of a connection. `checks`: makes as many checks of clients. */
  async function unread(): Promise<{ socket: Socket; left(): number; checks(count: number): void; isOpen(): boolean }> {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    let accepted: (Socket & { _handle?: { writeQueueSize: number } | null }) | undefined;
    const http = createServer((_, response) => response.end(Buffer.alloc(4e7))).on("connection", (one) => (accepted = one));
    closeUnread(http, false, 400);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const socket = connect((http.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.pause();
    open.push(socket, http);
    const left = (): number => accepted?._handle?.writeQueueSize ?? 0;
    await until(() => left() > 0);
    return { socket, left, checks: (count) => void vi.advanceTimersByTime(100 * count), isOpen: () => !accepted!.destroyed };
  }
  const open: { destroy?(): void; close?(): void }[] = [];
  afterEach(() => {
    vi.useRealTimers();
    for (const one of open.splice(0)) {
      one.destroy?.();
      one.close?.();
    }
  });

  test("are disconnected", async () => {
    const { checks, isOpen } = await unread();
    checks(4);
    expect(isOpen()).toBe(true);
    checks(1);
    expect(isOpen()).toBe(false);
  });

  test("are not disconnected if they read a part of a long answer", async () => {
    const { socket, left, checks, isOpen } = await unread();
    checks(4);
    const before = left();
    let count = 0;
    socket.on("data", (data) => {
      count += data.length;
      if (count > 1.5e7) socket.pause();
    });
    socket.resume();
    await until(() => left() < before && socket.isPaused());
    const after = left();
    checks(4);
    expect([isOpen(), left()]).toEqual([true, after]);
    checks(1);
    expect(isOpen()).toBe(false);
  });

  test("lose the connection to a server after its time limit for requests", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const server = await start({ requestMs: 100_000, maxBodyBytes: 2 ** 25 });
    const values = Float64Array.from({ length: 3e6 }, (_, i) => Math.sin(i));
    const head = JSON.stringify({
      inputs: [{ name: "input", datatype: "FP64", shape: [1e6, 3], parameters: { binary_data_size: values.byteLength } }],
    });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      request([`Content-Length: ${head.length + values.byteLength}`, `Inference-Header-Content-Length: ${head.length}`], head),
    );
    socket.write(new Uint8Array(values.buffer));
    const [first] = (await once(socket, "data")) as [Buffer];
    socket.pause();
    const length = Number(/content-length: (\d+)/i.exec(first.toString("latin1"))![1]);
    vi.advanceTimersByTime(200_000);
    let received = first.length;
    socket.on("data", (data) => void (received += data.length)).resume();
    await once(socket, "close");
    expect(received).toBeLessThan(length);
  });
});
