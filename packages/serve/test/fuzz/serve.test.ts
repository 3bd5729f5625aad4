/**
 * Random requests, most of them invalid. Every request is answered with 200 or 4xx and one sentence, and leaves no
 * memory behind. `npm run fuzz` sends many more. Bytes are sent raw, so that lengths and headers can be false.
 */
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { reportMemory } from "../../../ergodic/test/fuzz/cost.ts";
import { power } from "../../../ergodic/test/power.ts";
import { type Serving, serve } from "../../src/index.ts";
import { classifier, ratings, regression, table } from "../server/models.ts";

const CASES = Number(process.env.ERGODIC_FUZZ_CASES ?? power(400, 2000));
const SEED = Number(process.env.ERGODIC_FUZZ_SEED ?? 1);
/** Number of simultaneous cases. */
const SIDE_BY_SIDE = 16;
/** Number of cases that are made together. Each block has the next seed. */
const BLOCK = 2000;
/** Garbage that the collector can leave, in MiB. The bodies of 100,000 cases together exceed a gigabyte. */
const MOST_GROWTH = 200;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let server: Serving;
beforeAll(async () => {
  const models = { line: await regression(), species: await classifier(), people: await table(), films: await ratings() };
  server = await serve({
    models,
    port: 0,
    log: "nothing",
    maxBodyBytes: 2 ** 20,
    requestMs: 60_000,
    maxQueueRows: 1e6,
  });
});
afterAll(() => server.close());

const odd = fc.oneof(
  fc.constantFrom(null, true, "", "a", -1, 0, 1, 2, 3, 0.5, 2 ** 31, 2 ** 53, 1e308, [], {}, [[]], { __proto__: null }, "NaN"),
  fc.jsonValue({ maxDepth: 3 }),
);
const size = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300, "3", null));
const maybe = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 5, arbitrary: usual as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: odd },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
const types = ["BOOL", "UINT8", "UINT64", "INT8", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"];
const tensor = fc.record({
  name: maybe(fc.constantFrom("input", "age", "city", "user", "item", "__proto__")),
  datatype: maybe(fc.constantFrom(...types)),
  shape: maybe(fc.oneof(fc.constantFrom([1, 3], [2, 3], [1], [2]), fc.array(size, { maxLength: 4 }))),
  data: maybe(
    fc.oneof(fc.array(fc.constantFrom<unknown>(0, 1, 2.5, -1, true, null, "Rome", "anna", [1, 2, 3]), { maxLength: 8 })),
  ),
  parameters: maybe(fc.record({ binary_data_size: maybe(fc.constantFrom(0, 1, 3, 8, 24, 48, 1e9)) })),
});
const infer = fc.record({
  id: maybe(fc.string()),
  parameters: maybe(
    fc.record({
      priority: maybe(fc.nat(12)),
      timeout: maybe(fc.constantFrom(0, 1, 1e6)),
      binary_data_output: maybe(fc.boolean()),
    }),
  ),
  inputs: maybe(fc.array(tensor, { maxLength: 3 })),
  outputs: maybe(
    fc.array(fc.record({ name: maybe(fc.constantFrom("value", "class", "probabilities")), parameters: odd }), { maxLength: 3 }),
  ),
});
const row = fc.oneof(
  fc.dictionary(fc.constantFrom("a", "b", "c", "age", "city", "user", "item", "__proto__", "constructor"), odd),
  fc.array(odd, { maxLength: 4 }),
  odd,
);
const rows = fc.record({
  id: maybe(fc.string()),
  rows: maybe(fc.array(row, { maxLength: 4 })),
  parameters: maybe(fc.record({ priority: odd })),
});

/** A body: valid or invalid JSON, truncated, followed by bytes, deeply nested, or random bytes. */
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.oneof(infer, rows), fc.uint8Array({ maxLength: 60 }))
      .map(([json, rest]) => ({ json: JSON.stringify(json), rest: Buffer.from(rest) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(infer, fc.nat(200))
      .map(([json, cut]) => ({ json: JSON.stringify(json).slice(0, cut), rest: Buffer.alloc(0) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 50_000 })
      .map((depth) => ({ json: '{"inputs":' + "[".repeat(depth), rest: Buffer.alloc(0) })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ json: "", rest: Buffer.from(bytes) })) },
);
const anything = fc.record({
  body,
  path: fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(
          fc.constantFrom("line", "species", "people", "films", "none", "__proto__", "%2e%2e"),
          fc.constantFrom("infer", "infer", "rows", "versions/1/infer", "versions/9/rows"),
        )
        .map(([model, end]) => `/v2/models/${model}/${end}`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "/v2/repository/index",
        "/v2/repository/models/line/unload",
        "/",
        "//",
        "/v2/models/%E0/infer",
        "/openapi.json",
        "*",
      ),
    },
  ),
  method: fc.oneof(
    { weight: 12, arbitrary: fc.constant("POST") },
    { weight: 1, arbitrary: fc.constantFrom("GET", "PUT", "BREW", "get") },
  ),
  jsonLength: fc.oneof(
    { weight: 4, arbitrary: fc.constant("right") },
    { weight: 1, arbitrary: fc.constantFrom("none", "0", "1", "-1", "99999999", "1e3", "0x10", "") },
  ),
  length: fc.oneof(
    { weight: 12, arbitrary: fc.constant("right") },
    { weight: 1, arbitrary: fc.constantFrom("short", "negative", "twice", "words", "huge", "chunks too", "chunked") },
  ),
  header: fc.oneof(
    { weight: 8, arbitrary: fc.constant("") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "Content-Type: a",
        "Content-Encoding: br",
        "X-Request-Id: é",
        "traceparent: 1",
        ": no name",
        "X\0: a",
        "Host : x",
        "Expect: 100-continue",
        "Upgrade: h2c",
      ),
    },
  ),
});
/** A valid request with perhaps one fault in its tensor, which is hardest to detect. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom("name", "datatype", "shape", "data", "parameters", "id"),
    maybe(fc.constant(undefined)),
    fc.constantFrom("FP32", "INT8", "FP64"),
  )
  .map(([part, value, datatype]) => {
    const tensor = {
      name: "input",
      datatype,
      shape: [2, 3],
      data: [1, 2, 3, 4, 5, 6],
      ...(value === undefined ? {} : { [part]: value }),
    };
    const usual = { method: "POST", path: "/v2/models/line/infer", jsonLength: "none", length: "right", header: "" };
    return { ...usual, body: { json: JSON.stringify({ inputs: [tensor] }), rest: Buffer.alloc(0) } };
  });
const request: fc.Arbitrary<Case> = fc.oneof(
  { weight: 4, arbitrary: anything as fc.Arbitrary<Case> },
  { weight: 1, arbitrary: nearlyRight },
);
/** A request before it is converted to bytes. */
interface Case {
  readonly body: { readonly json: string; readonly rest: Buffer };
  readonly path: string;
  readonly method: string;
  readonly jsonLength: string;
  readonly length: string;
  readonly header: string;
}

function bytesOf({ body: { json, rest }, path, method, jsonLength, length, header }: Case): Buffer {
  const content = Buffer.concat([Buffer.from(json), rest]);
  const own = jsonLength === "right" ? String(Buffer.byteLength(json)) : jsonLength;
  const lengths: Record<string, string[]> = {
    right: [`Content-Length: ${content.length}`],
    short: [`Content-Length: ${Math.floor(content.length / 2)}`],
    negative: ["Content-Length: -1"],
    twice: [`Content-Length: ${content.length}`, `Content-Length: ${content.length + 1}`],
    words: ["Content-Length: all"],
    huge: ["Content-Length: 99999999999"],
    "chunks too": [`Content-Length: ${content.length}`, "Transfer-Encoding: chunked"],
    chunked: ["Transfer-Encoding: chunked"],
  };
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: x",
    "Connection: close",
    ...lengths[length],
    ...(own === "none" ? [] : [`Inference-Header-Content-Length: ${own}`]),
    ...(header ? [header] : []),
  ];
  const framed =
    length === "chunked"
      ? Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from("\r\n0\r\n\r\n")])
      : content;
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), framed]);
}

/** Bytes received until the connection was closed. */
function exchange(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setTimeout(600_000, () => reject(new Error(`no answer for ${JSON.stringify(bytes.toString("latin1"))}`)));
    socket.on("data", (data) => void (text += data.toString("latin1")));
    socket.on("close", () => resolve(text.replace("HTTP/1.1 100 Continue\r\n\r\n", "")));
    // The server closed the connection before all bytes were sent, because it refused the request early.
    socket.on("error", () => {});
  });
}

/** Fault in an answer, or undefined. */
function fault(text: string): string | undefined {
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
  if (!(status === 200 || status === 503 || (status >= 400 && status < 500))) return `status ${status}`;
  const content = text.slice(text.indexOf("\r\n\r\n") + 4);
  if (status === 200) return undefined;
  try {
    const { error, ...rest } = JSON.parse(Buffer.from(content, "latin1").toString()) as { error?: unknown };
    const isSentence =
      typeof error === "string" && error.length > 20 && error.length < 2000 && !/internal|undefined|\[object/.test(error);
    return isSentence && Object.keys(rest).length === 0 ? undefined : `error ${JSON.stringify(error)}`;
  } catch {
    return `no JSON: ${content.slice(0, 200)}`;
  }
}

it("every request is answered with 200 or 4xx, and memory does not grow", async () => {
  const counts = { answered: 0, refused: 0, dropped: 0 };
  const dropped: Case[] = [];
  const run = async (cases: Iterator<Case>): Promise<void> => {
    for (let next = cases.next(); !next.done; next = cases.next()) {
      const given = next.value;
      const text = await exchange(bytesOf(given));
      if (text === "") {
        counts.dropped++;
        dropped.push(given);
      } else {
        expect(fault(text), JSON.stringify(given)).toBeUndefined();
        if (text.startsWith("HTTP/1.1 200")) counts.answered++;
        else counts.refused++;
      }
    }
  };
  const resident: number[] = [];
  for (let from = 0; from < CASES; from += BLOCK) {
    // The cases run in two halves, so that growth can be measured even for a single block.
    const cases = fc.sample(request, { numRuns: Math.min(BLOCK, CASES - from), seed: SEED + from });
    for (const half of [cases.slice(0, cases.length / 2), cases.slice(cases.length / 2)]) {
      const shared = half.values();
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => run(shared)));
      collect();
      resident.push(process.memoryUsage().rss / 2 ** 20);
    }
  }
  // Warm-up is complete after a tenth of the cases, or after the first half of a single block.
  const grown = resident.at(-1)! - resident[Math.floor(resident.length / 10)];
  reportMemory();
  console.log(`serve: ${JSON.stringify(counts)}; resident ${resident.map((mebibytes) => mebibytes.toFixed(0)).join(", ")} MiB`);
  expect(counts.answered).toBeGreaterThan(0.01 * CASES);
  expect(counts.refused).toBeGreaterThan(0.5 * CASES);
  // Bytes after a request that was refused early can reset the connection before its answer is read. The answer is read
  // if no other request is pending.
  for (const given of dropped) {
    let text = "";
    for (let k = 0; k < 5 && text === ""; k++) text = await exchange(bytesOf(given));
    const { body, ...rest } = given;
    const shown = JSON.stringify({ ...rest, bytes: bytesOf(given).length, json: body.json.slice(0, 200) });
    console.log(`serve: no answer at first: ${shown}`);
    expect(text, shown).not.toBe("");
    expect(fault(text), shown).toBeUndefined();
  }
  // With few cases, one can be dropped.
  expect(counts.dropped).toBeLessThan(Math.max(2, 0.001 * CASES));
  expect(grown).toBeLessThan(MOST_GROWTH);
  const answer = await fetch(`${server.url}/v2/models/line/rows`, { method: "POST", body: '{"rows":[[1,2,3]]}' });
  expect(answer.status).toBe(200);
});
