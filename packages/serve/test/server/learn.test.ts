/**
 * Learning through the server: predictions follow the learnt rows, refusals leave no trace, and versions can be
 * restored.
 */
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { type OnlineLearner, openLearner, type Serving } from "../../src/index.ts";
import { Journal } from "../../src/learn/journal.ts";
import { classifier, get, post, regression, serving } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-serve-learn-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const open: OnlineLearner[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
let count = 0;
/** A learner that only gets requests that it refuses, and its server. */
let unlearnt: OnlineLearner | undefined;
let unlearntServer: Serving | undefined;
afterAll(() => unlearnt?.close());

async function learning(
  model: Awaited<ReturnType<typeof regression>> | Awaited<ReturnType<typeof classifier>>,
): Promise<{ server: Serving; learner: OnlineLearner; at: string }> {
  const at = join(folder, String(count++));
  const learner = await openLearner({ model, folder: at });
  open.push(learner);
  return { server: await serving({ models: { model: learner, fixed: await classifier() } }), learner, at };
}

const rows = [
  { a: 1, b: 0, c: 0.5 },
  { a: -1, b: 2, c: 0 },
];
const predicted = async ({ url }: Serving): Promise<number[]> =>
  (await post(`${url}/v2/models/model/rows`, { rows })).json.predictions.map(({ value }: { value: number }) => value);

test("serves exactly the learner's current state", async () => {
  const { server, learner } = await learning(await regression());
  const before = await predicted(server);
  const learnt = await post(`${server.url}/v2/models/model/learn`, { rows, targets: [10, -10] });
  expect(learnt.status).toBe(200);
  expect(learnt.json).toMatchObject({ model_name: "model", rows: 2, version: 1, metrics: { rmse: expect.any(Number) } });
  const after = await predicted(server);
  expect(after).not.toEqual(before);
  expect(after).toEqual(
    rows.map((row) => (learner.current().predictor as Awaited<ReturnType<typeof regression>>).predict(row).value),
  );
  // Tensors use the same state.
  const input = { name: "input", datatype: "FP64", shape: [1, 3], data: [1, 0, 0.5] };
  const { json } = await post(`${server.url}/v2/models/model/infer`, { inputs: [input] });
  expect(json.outputs[0].data).toEqual([after[0]]);
  const { json: stats } = await get(`${server.url}/v2/models/model/learn`);
  expect(stats).toMatchObject({ model_name: "model", version: 1, all: { rows: 2 }, requests: 1, refused: 0 });
  expect(stats.versions).toEqual(learner.versions());
  // The statistics of this model, and of no other, contain its performance before learning.
  const { json: all } = await get(`${server.url}/v2/models/stats`);
  const told = new Map(all.model_stats.map(({ name, ergodic }: { name: string; ergodic: object }) => [name, ergodic]));
  expect(told.get("model")).toMatchObject({
    learning: { all: { rows: 2, loss: learnt.json.loss, metrics: learnt.json.metrics } },
  });
  expect(told.get("fixed")).not.toHaveProperty("learning");
});

test("reports metrics of learning only for models that learn", async () => {
  const { server, learner } = await learning(await regression());
  const told = async (): Promise<Record<string, number>> => {
    const lines = (await (await fetch(`${server.url}/metrics`)).text()).split("\n");
    const ours = lines.filter((line) => /^ergodic_(learn|progressive|journal)/.test(line)).map((line) => line.split(" "));
    return Object.fromEntries(ours.map(([name, value]) => [name, Number(value)]));
  };
  const labels = '{model="model",version="1"}';
  const names = ["learnt_rows_total", "learning_waiting_rows", "journal_bytes", "learner_degraded"].map(
    (name) => `ergodic_${name}${labels}`,
  );
  const before = await told();
  expect(Object.keys(before).sort()).toEqual(names.sort());
  expect(before[`ergodic_learnt_rows_total${labels}`]).toBe(0);
  await post(`${server.url}/v2/models/model/learn`, { rows, targets: [10, -10] });
  await post(`${server.url}/v2/models/model/learn`, { rows, targets: [9, -9] });
  const { all, recent, journalBytes } = learner.stats();
  expect(recent.loss).not.toBe(all.loss);
  expect(journalBytes).toBeGreaterThan(before[`ergodic_journal_bytes${labels}`]);
  expect(await told()).toEqual({
    [`ergodic_learnt_rows_total${labels}`]: 4,
    [`ergodic_progressive_loss${labels}`]: recent.loss,
    [`ergodic_learning_waiting_rows${labels}`]: 0,
    [`ergodic_learner_degraded${labels}`]: 0,
    [`ergodic_journal_bytes${labels}`]: journalBytes,
  });
});

test.each<[string, object | string, string]>([
  [
    "weights that are misspelt",
    { rows, targets: [1, 2], weight: [1, 2] },
    'body: unknown field "weight"; did you mean "weights"? (known: rows, targets, weights)',
  ],
  [
    "a field of /rows",
    { rows, targets: [1, 2], parameters: {} },
    'body: unknown field "parameters" (known: rows, targets, weights)',
  ],
  [
    "a target in place of targets",
    { rows, target: [1, 2] },
    'body: unknown field "target"; did you mean "targets"? (known: rows, targets, weights)',
  ],
  ["no targets", { rows }, 'body: "targets" is missing; GET /openapi.json describes it'],
  [
    "a target of null",
    { rows, targets: [1, null] },
    "body.targets.1: is null, but must be a text, a number or true or false; GET /openapi.json describes it",
  ],
  ["no list of targets", { rows, targets: "yes" }, 'body.targets: is "yes", but must be a list; GET /openapi.json describes it'],
  [
    "a weight below 0",
    { rows, targets: [1, 2], weights: [1, -1] },
    "body.weights.1: is -1, but must be >= 0; GET /openapi.json describes it",
  ],
  [
    "a weight of null",
    { rows, targets: [1, 2], weights: [null, 1] },
    "body.weights.0: is null, but must be a number; GET /openapi.json describes it",
  ],
])("%s: answers 400 and learns nothing", async (_, body, said) => {
  unlearnt ??= await openLearner({ model: await regression(), folder: join(folder, "unlearnt") });
  unlearntServer ??= await serving({ models: { model: unlearnt } });
  const [server, learner] = [unlearntServer, unlearnt];
  const { status, json } = await post(`${server.url}/v2/models/model/learn`, body);
  expect([status, json.error]).toEqual([400, `${said} [BODY]`]);
  expect(learner.stats()).toMatchObject({ requests: 0, version: 0 });
});

test("answers 400 for a rollback to an unknown version or with an unknown field", async () => {
  const { server } = await learning(await regression());
  const rollback = async (body: object) => (await post(`${server.url}/v2/models/model/rollback`, body)).json.error;
  expect(await rollback({ version: "0" })).toBe(
    'body.version: is "0", but must be a whole number; GET /openapi.json describes it [BODY]',
  );
  expect(await rollback({ version: 0, to: 1 })).toBe('body: unknown field "to" (known: version) [BODY]');
});

test("answers 422 without a trace for a poisoned row, and 400 for an invalid request", async () => {
  const { server, learner } = await learning(await classifier());
  await post(`${server.url}/v2/models/model/learn`, { rows, targets: ["high", "none"] });
  const bytes = Buffer.from(learner.current().toBytes());
  const ask = async (body: unknown): Promise<number> => {
    const { status, json } = await post(`${server.url}/v2/models/model/learn`, body as object);
    expect(json.error).toMatch(/\[[A-Z_]+\]$/);
    return status;
  };
  for (const body of [
    { rows, targets: ["high", "unheard of"] },
    { rows: [rows[0], { a: 1, b: 2 }], targets: ["high", "none"] },
    { rows: [rows[0], { a: 1, b: null, c: 1 }], targets: ["high", "none"] },
    { rows: [rows[0], { a: 1e300, b: 1e300, c: 1 }], targets: ["high", "none"] },
    { rows: [rows[0], { a: "x", b: 0, c: 1 }], targets: ["high", "none"] },
  ])
    expect(await ask(body)).toBe(422);
  for (const body of [
    { rows },
    { rows: [], targets: [] },
    { rows, targets: "high" },
    { targets: ["high"] },
    { rows, targets: ["high", "none"], weights: [-1, 1] },
  ])
    expect([400, 422]).toContain(await ask(body));
  expect(await ask({ rows, targets: ["high"] })).toBeLessThan(500);
  expect(Buffer.from(learner.current().toBytes()).equals(bytes)).toBe(true);
  expect(learner.stats().requests).toBe(1);
  const none = await post(`${server.url}/v2/models/fixed/learn`, { rows, targets: ["high", "none"] });
  expect([none.status, none.json.error]).toEqual([
    400,
    'model "fixed": does not learn; serve it with --learn, or give serve() its learner [MODEL]',
  ]);
  expect((await post(`${server.url}/v2/models/nobody/learn`, { rows, targets: [1, 2] })).status).toBe(404);
});

test("returns to a version, and serves confirmed requests after reopening", async () => {
  const { server, learner, at } = await learning(await regression());
  const first = await predicted(server);
  const kept = await learner.snapshot();
  await post(`${server.url}/v2/models/model/learn`, { rows, targets: [100, -100] });
  expect(await predicted(server)).not.toEqual(first);
  const back = await post(`${server.url}/v2/models/model/rollback`, { version: kept });
  expect([back.status, back.json.version > kept]).toEqual([200, true]);
  expect(await predicted(server)).toEqual(first);
  expect((await post(`${server.url}/v2/models/model/rollback`, { version: 999 })).status).toBe(400);
  expect((await post(`${server.url}/v2/models/model/rollback`, { version: -1 })).status).toBe(400);
  await post(`${server.url}/v2/models/model/learn`, { rows, targets: [7, 8] });
  const last = await predicted(server);
  await server.close();
  await open.pop()!.close();
  const again = await openLearner({ folder: at });
  open.push(again);
  const second = await serving({ models: { model: again } });
  expect(await predicted(second)).toEqual(last);
  await again.close();
  const closed = await post(`${second.url}/v2/models/model/learn`, { rows, targets: [1, 2] });
  expect(closed.status).toBe(503);
});

test("lets a client store a version to return to", async () => {
  const { server } = await learning(await regression());
  const at = `${server.url}/v2/models/model`;
  await post(`${at}/learn`, { rows, targets: [5, 6] });
  const good = await predicted(server);
  const kept = await post(`${at}/snapshot`, "");
  expect([kept.status, kept.json]).toEqual([200, { model_name: "model", version: 1 }]);
  expect((await get(`${at}/learn`)).json.versions.map(({ version }: { version: number }) => version)).toEqual([0, 1]);
  await post(`${at}/learn`, { rows, targets: [100, -100] });
  expect(await predicted(server)).not.toEqual(good);
  expect((await post(`${at}/rollback`, { version: 1 })).json).toEqual({ model_name: "model", version: 3 });
  expect(await predicted(server)).toEqual(good);
  const { status, json } = await post(`${server.url}/v2/models/fixed/snapshot`, "");
  expect([status, json.error]).toEqual([400, expect.stringMatching(/does not learn; serve it with --learn/)]);
  expect((await post(`${server.url}/v2/models/nobody/snapshot`, "")).status).toBe(404);
});

test("counts every confirmed request of many clients once", async () => {
  const { server, learner } = await learning(await regression());
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => post(`${server.url}/v2/models/model/learn`, { rows: [rows[i % 2]], targets: [i % 3] })),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ json }) => json.version)).size).toBe(60);
  expect(learner.stats()).toMatchObject({ requests: 60, version: 60 });
});

const tensor = { name: "input", datatype: "FP64", shape: [1, 3], data: [1, 0, 0.5] };

test("reports the version of each answer in all formats, which is the confirmed one during learning", async () => {
  const { server, learner } = await learning(await regression());
  const url = `${server.url}/v2/models/model`;
  const raw = new Uint8Array(Float64Array.from(tensor.data).buffer);
  const forms: [string, () => ReturnType<typeof post>][] = [
    ["rows", () => post(`${url}/rows`, { rows: [{ a: 1, b: 0, c: 0.5 }] })],
    ["tensors", () => post(`${url}/infer`, { inputs: [tensor] })],
    ["binary", () => post(`${url}/infer`, { parameters: { binary_data_output: true }, inputs: [tensor] })],
    ["bytes", () => post(`${url}/infer`, raw, { "inference-header-content-length": "0" })],
  ];
  /** Prediction of the model, and the version that made it. */
  const told = async (): Promise<Map<string, [number, number]>> =>
    new Map(
      await Promise.all(
        forms.map(async ([name, ask]): Promise<[string, [number, number]]> => {
          const { status, json, bytes } = await ask();
          expect([status, json.model_version]).toEqual([200, "1"]);
          const value = json.predictions?.[0].value ?? json.outputs[0].data?.[0] ?? bytes.readDoubleLE();
          return [name, [json.parameters.learnt_version, value]];
        }),
      ),
    );
  const values = new Map<number, number>();
  const value = (): number =>
    (learner.current().predictor as Awaited<ReturnType<typeof regression>>).predict({ a: 1, b: 0, c: 0.5 }).value;
  for (let version = 0; version < 4; version++) {
    // Nothing requests the versions in between.
    if (version % 3 === 0) {
      const answers = await told();
      values.set(version, value());
      for (const answer of answers.values()) expect(answer).toEqual([version, values.get(version)]);
    }
    await post(`${url}/learn`, { rows, targets: [10 + version, -10] });
  }
  const confirmed = value();
  const append = Journal.prototype.append;
  let write = (): void => {};
  const isHeld = new Promise<void>((resolve) => {
    vi.spyOn(Journal.prototype, "append").mockImplementationOnce(async function (this: Journal, ...given) {
      resolve();
      await new Promise<void>((go) => (write = go));
      return append.apply(this, given);
    });
  });
  const more = post(`${url}/learn`, { rows, targets: [-100, 100] });
  await isHeld;
  for (const answer of (await told()).values()) expect(answer).toEqual([4, confirmed]);
  write();
  expect((await more).json.version).toBe(5);
  for (const [version, answered] of (await told()).values()) expect([version, answered === confirmed]).toEqual([5, false]);
  expect((await post(`${server.url}/v2/models/fixed/infer`, { inputs: [tensor] })).json.parameters).not.toHaveProperty(
    "learnt_version",
  );
  vi.restoreAllMocks();
});

test("answers from a version confirmed at the time of the request or later, during continuous learning", async () => {
  const { server, learner } = await learning(await regression());
  const url = `${server.url}/v2/models/model`;
  const values = new Map<number, number>();
  let isOver = false;
  let confirmed = 0;
  const clients = [1, 2, 3].map(async (client) => {
    while (!isOver) {
      const { json } = await post(`${url}/learn`, { rows, targets: [client, -client] });
      confirmed = Math.max(confirmed, json.version);
    }
  });
  for (let i = 0; i < 12; i++) {
    const since = confirmed + 7;
    while (confirmed < since) await new Promise((resolve) => setTimeout(resolve, 1));
    const before = confirmed;
    const { json } = await post(`${url}/infer`, { inputs: [tensor] });
    const version = json.parameters.learnt_version;
    expect(version).toBeGreaterThanOrEqual(before);
    expect(values.get(version) ?? json.outputs[0].data[0]).toBe(json.outputs[0].data[0]);
    values.set(version, json.outputs[0].data[0]);
  }
  isOver = true;
  await Promise.all(clients);
  expect(learner.stats().version).toBe(confirmed);
  expect(values.size).toBeGreaterThan(6);
});

test("reports everywhere that a learner cannot write, and serves its confirmed version", async () => {
  const at = join(folder, String(count++));
  const learner = await openLearner({ model: await regression(), folder: at });
  open.push(learner);
  const lines: string[] = [];
  const server = await serving({
    models: { model: learner, fixed: await classifier() },
    log: "errors",
    logTo: { write: (line: string) => void lines.push(line) },
  });
  const url = `${server.url}/v2/models/model`;
  const ready = async (): Promise<number[]> =>
    Promise.all(
      ["health/ready", "models/model/ready", "models/fixed/ready", "health/live"].map(
        async (path) => (await get(`${server.url}/v2/${path}`)).status,
      ),
    );
  const degraded = async (): Promise<string | undefined> =>
    (await (await fetch(`${server.url}/metrics`)).text())
      .split("\n")
      .find((line) => line.startsWith("ergodic_learner_degraded{"));
  for (const target of [10, 20, 30]) await post(`${url}/learn`, { rows, targets: [target, -target] });
  const troubles = (): unknown[] => lines.map((line) => JSON.parse(line)).filter(({ level }) => level !== "info");
  expect([await ready(), troubles()]).toEqual([[200, 200, 200, 200], []]);
  expect(await degraded()).toMatch(/ 0$/);
  vi.spyOn(Journal.prototype, "append").mockRejectedValueOnce(new Error("ENOSPC: no space left on device, write"));
  const refused = await post(`${url}/learn`, { rows, targets: [1, 1] });
  vi.restoreAllMocks();
  const why = `${at}: could not be written (ENOSPC: no space left on device, write), and unconfirmed rows are not learnt; check the disk, close the learner and open it again [JOURNAL_WRITE]`;
  expect([refused.status, refused.json.error]).toEqual([503, why]);
  expect(await ready()).toEqual([503, 503, 200, 200]);
  expect((await get(`${url}/ready`)).json.error).toBe(`model "model": still answers, but no longer learns: ${why} [DEGRADED]`);
  expect(await degraded()).toMatch(/ 1$/);
  expect(troubles()).toEqual([
    expect.objectContaining({
      level: "error",
      model: "model",
      version: 3,
      reason: why,
      message: "no longer learns; the confirmed version is served",
    }),
  ]);
  expect(server.models().find(({ name }) => name === "model")).toMatchObject({ state: "READY", reason: why });
  const { json } = await get(`${url}/learn`);
  expect(json).toMatchObject({ version: 3, requests: 3, all: { rows: 6 }, failure: why });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^ergodic_learnt_rows_total\{.*\} 6$/m);
  const answer = await post(`${url}/infer`, { inputs: [tensor] });
  expect([answer.status, answer.json.parameters.learnt_version]).toEqual([200, 3]);
  await learner.close();
  const again = await openLearner({ folder: at });
  expect(again.stats().version).toBe(3);
  expect((again.current().predictor as Awaited<ReturnType<typeof regression>>).predict([1, 0, 0.5]).value).toBe(
    answer.json.outputs[0].data[0],
  );
  await again.close();
});

test("logs records dropped from the end of a journal", async () => {
  const { learner, at } = await learning(await regression());
  await learner.learn([[1, 2, 3]], [4]);
  await learner.close();
  const journal = join(at, readdirSync(at).find((name) => name.endsWith(".journal"))!);
  appendFileSync(journal, Buffer.alloc(100, 7));
  const again = await openLearner({ folder: at });
  open.push(again);
  expect(again.stats().recovered).toEqual({ requests: 1, droppedBytes: 100 });
  const lines: string[] = [];
  await serving({ models: { model: again }, log: "errors", logTo: { write: (line: string) => void lines.push(line) } });
  expect(lines.map((line) => JSON.parse(line)).filter(({ level }) => level !== "info")).toEqual([
    expect.objectContaining({
      level: "warn",
      model: "model",
      version: 1,
      droppedBytes: 100,
      message: expect.stringContaining("dropped an incomplete"),
    }),
  ]);
});

test("repeats the answer to a request with the same Idempotency-Key, and refuses other rows with that key", async () => {
  const { server, learner } = await learning(await regression());
  const url = `${server.url}/v2/models/model/learn`;
  const key = { "Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324" };
  const first = await post(url, { rows, targets: [1, 2] }, key);
  await post(url, { rows, targets: [3, 4] });
  expect(await post(url, { rows, targets: [1, 2] }, key)).toMatchObject({ status: 200, json: first.json });
  const other = await post(url, { rows, targets: [1, 3] }, key);
  expect([other.status, other.json.error]).toEqual([
    422,
    `learn: the idempotency key "${key["Idempotency-Key"]}" was used for other rows, targets or weights; give each request its own key [KEY_REUSED]`,
  ]);
  const none = await post(url, { rows, targets: [1, 2] }, { "Idempotency-Key": "" });
  expect([none.status, none.json.error]).toEqual([
    400,
    expect.stringMatching(/^learn: idempotencyKey is "", but must be 1 to 255/),
  ]);
  expect(learner.stats()).toMatchObject({ version: 2, requests: 2, repeated: 1, refused: 0 });
});

test("documents the key and the version of answers", async () => {
  const { server } = await learning(await regression());
  const { json } = await get(`${server.url}/openapi.json`);
  expect(json.paths["/v2/models/{model}/learn"].post.parameters).toContainEqual(
    expect.objectContaining({ in: "header", name: "idempotency-key", required: false }),
  );
  for (const route of ["infer", "rows"]) {
    const { schema } = json.paths[`/v2/models/{model}/${route}`].post.responses["200"].content["application/json"];
    expect(schema.properties.parameters.properties.learnt_version).toMatchObject({ type: "integer" });
    expect(schema.properties.parameters.required).toEqual(["batch_rows", "queue_us", "compute_us"]);
  }
});
