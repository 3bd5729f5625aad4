/** Learning through the server: predictions follow what was learnt, refusals leave no trace, and versions can be returned to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { type OnlineLearner, openLearner, type Serving } from "../../src/index.ts";
import { classifier, get, post, regression, serving } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-serve-learn-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const open: OnlineLearner[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
let count = 0;

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

test("what was learnt is what is served, as the learner itself has it", async () => {
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
  // Tensors see the same state.
  const input = { name: "input", datatype: "FP64", shape: [1, 3], data: [1, 0, 0.5] };
  const { json } = await post(`${server.url}/v2/models/model/infer`, { inputs: [input] });
  expect(json.outputs[0].data).toEqual([after[0]]);
  const { json: stats } = await get(`${server.url}/v2/models/model/learn`);
  expect(stats).toMatchObject({ model_name: "model", version: 1, all: { rows: 2 }, requests: 1, refused: 0 });
  expect(stats.versions).toEqual(learner.versions());
  // How well it predicted before it learnt is in the statistics of the model, and in no other's.
  const { json: all } = await get(`${server.url}/v2/models/stats`);
  const told = new Map(all.model_stats.map(({ name, ergodic }: { name: string; ergodic: object }) => [name, ergodic]));
  expect(told.get("model")).toMatchObject({
    learning: { all: { rows: 2, loss: learnt.json.loss, metrics: learnt.json.metrics } },
  });
  expect(told.get("fixed")).not.toHaveProperty("learning");
});

test("metrics tell how learning goes, of models that learn alone", async () => {
  const { server, learner } = await learning(await regression());
  const told = async (): Promise<Record<string, number>> => {
    const lines = (await (await fetch(`${server.url}/metrics`)).text()).split("\n");
    const ours = lines.filter((line) => /^ergodic_(learn|progressive|journal)/.test(line)).map((line) => line.split(" "));
    return Object.fromEntries(ours.map(([name, value]) => [name, Number(value)]));
  };
  const labels = '{model="model",version="1"}';
  const names = ["learnt_rows_total", "learning_waiting_rows", "journal_bytes"].map((name) => `ergodic_${name}${labels}`);
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
  ["no targets", { rows }, 'body: "targets" is missing; GET /openapi.json says what it holds'],
  [
    "a target of null",
    { rows, targets: [1, null] },
    "body.targets.1: is null, but must be a text, a number or true or false; GET /openapi.json says what it holds",
  ],
  [
    "no list of targets",
    { rows, targets: "yes" },
    'body.targets: is "yes", but must be a list; GET /openapi.json says what it holds',
  ],
  [
    "a weight below 0",
    { rows, targets: [1, 2], weights: [1, -1] },
    "body.weights.1: is -1, but must be >= 0; GET /openapi.json says what it holds",
  ],
  [
    "a weight of null",
    { rows, targets: [1, 2], weights: [null, 1] },
    "body.weights.0: is null, but must be a number; GET /openapi.json says what it holds",
  ],
])("%s: 400, and nothing is learnt", async (_, body, said) => {
  const { server, learner } = await learning(await regression());
  const { status, json } = await post(`${server.url}/v2/models/model/learn`, body);
  expect([status, json.error]).toEqual([400, `${said} [BODY]`]);
  expect(learner.stats()).toMatchObject({ requests: 0, version: 0 });
});

test("a rollback to what is no version, or of another field, is 400", async () => {
  const { server } = await learning(await regression());
  const rollback = async (body: object) => (await post(`${server.url}/v2/models/model/rollback`, body)).json.error;
  expect(await rollback({ version: "0" })).toBe(
    'body.version: is "0", but must be a whole number; GET /openapi.json says what it holds [BODY]',
  );
  expect(await rollback({ version: 0, to: 1 })).toBe('body: unknown field "to" (known: version) [BODY]');
});

test("a poisoned row is 422 and leaves no trace; what is no request is 400", async () => {
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

test("returns to a version, and a learner that is opened again serves what was confirmed", async () => {
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

test("a client keeps a version to return to", async () => {
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

test("many clients at once: every confirmed request counts once", async () => {
  const { server, learner } = await learning(await regression());
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => post(`${server.url}/v2/models/model/learn`, { rows: [rows[i % 2]], targets: [i % 3] })),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ json }) => json.version)).size).toBe(60);
  expect(learner.stats()).toMatchObject({ requests: 60, version: 60 });
});
