/** Rows by column name, and the server's descriptions of its models and itself. */
import { readFileSync } from "node:fs";
import { type FactorPredictor, predictor } from "ergodic";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Serving } from "../../src/index.ts";
import { ModelVersion } from "../../src/repository/model-version.ts";
import { type Answer, classifier, get, margin, post, ratings, regression, serving, table } from "./models.ts";

type Models = Awaited<ReturnType<typeof all>>;
async function all() {
  const [line, species, sign, people, films] = await Promise.all([regression(), classifier(), margin(), table(), ratings()]);
  return { line, species, sign, people, films };
}
let models: Models;
let server: Serving;
beforeAll(async () => {
  models = await all();
  server = await serving({ models });
});
const rows = (model: string, body: object | string): Promise<Answer> => post(`${server.url}/v2/models/${model}/rows`, body);

describe("requests with rows", () => {
  test("pass on their parameters: priority, timeout in microseconds, and the server's default for 0", async () => {
    const asked = vi.spyOn(ModelVersion.prototype, "answer");
    for (const [parameters, scheduling] of [
      [
        { priority: 2, timeout: 2_500_000 },
        { priority: 2, deadlineMs: 2500 },
      ],
      [
        { priority: 0, timeout: 0 },
        { priority: undefined, deadlineMs: undefined },
      ],
      [undefined, { priority: undefined, deadlineMs: undefined }],
    ]) {
      expect((await rows("line", { rows: [[1, 2, 3]], parameters })).status).toBe(200);
      expect(asked.mock.lastCall![1]).toEqual(scheduling);
    }
    asked.mockRestore();
  });

  test("return classes by name with their probabilities", async () => {
    const given = [
      { age: 70, city: "Zürich" },
      { age: 25, city: "Rome" },
    ];
    const { status, json } = await rows("people", { id: "a", rows: given });
    expect(status).toBe(200);
    const { parameters, ...rest } = json;
    expect(rest).toEqual({
      model_name: "people",
      model_version: "1",
      id: "a",
      target: "rich",
      predictions: given.map((row) => models.people.predict(row)),
    });
    expect(parameters).toEqual({ batch_rows: 2, queue_us: expect.any(Number), compute_us: expect.any(Number) });
  });

  test("accept lists of numbers and return numbers for regression", async () => {
    const given = [
      [1, 2, 3],
      [0.5, 0.25, -1],
    ];
    const named = given.map(([a, b, c]) => ({ c, b, a }));
    const wanted = models.line.predict(given);
    expect((await rows("line", { rows: given })).json.predictions).toEqual(wanted);
    expect((await rows("line", { rows: named })).json.predictions).toEqual(wanted);
  });

  test("return no probabilities if the model has none", async () => {
    const { predictions } = (
      await rows("sign", {
        rows: [
          [1, 0, 0],
          [-1, 0, 0],
        ],
      })
    ).json;
    expect(predictions).toEqual(
      models.sign.predict([
        [1, 0, 0],
        [-1, 0, 0],
      ]),
    );
    expect(predictions[0]).not.toHaveProperty("probabilities");
  });

  test("accept pairs for a factorisation", async () => {
    const given = [
      { user: "anna", item: "ulysses" },
      { user: "x", item: "dune" },
    ];
    expect((await rows("films", { rows: given })).json.predictions).toEqual(models.films.predict(given));
    // Numeric names, as in files.
    const numbered = [{ user: 7, item: "dune" }];
    expect((await rows("films", { rows: numbered })).json.predictions).toEqual(models.films.predict(numbered));
  });

  test("ignore columns that the model does not take, as predict does, and refuse missing ones by name", async () => {
    const person = { age: 70, city: "Rome", rich: "no", id: 7 };
    expect((await rows("people", { rows: [person] })).json.predictions).toEqual([models.people.predict(person)]);
    const pair = { user: "anna", item: "dune", id: 7 };
    expect((await rows("films", { rows: [pair] })).json.predictions).toEqual([models.films.predict(pair)]);
    const { status, json } = await rows("people", { rows: [{ age: 70, citty: "Rome" }] });
    expect([status, json.error]).toEqual([400, expect.stringMatching(/row 1 has no column "city" \(it has "age", "citty"\)/)]);
  });

  test("use the training columns of a factorisation, and tensors of a user and an item", async () => {
    const named = await ratings();
    Object.assign(named.description, { columns: { user: "item", item: "film" } });
    const served = await serving({ models: { films: await predictor<FactorPredictor>(named.toBytes()) } });
    const at = `${served.url}/v2/models/films`;
    expect((await get(`${at}/rows`)).json.columns.map(({ name }: { name: string }) => name)).toEqual(["item", "film"]);
    const expected = models.films.predict({ user: "anna", item: "ulysses" });
    expect((await post(`${at}/rows`, { rows: [{ item: "anna", film: "ulysses" }] })).json.predictions).toEqual([expected]);
    const refused = await post(`${at}/rows`, { rows: [{ user: "anna", item: "ulysses" }] });
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatch(/no column "film"/);
    const tensor = (name: string, value: string) => ({ name, datatype: "BYTES", shape: [1], data: [value] });
    const answer = await post(`${at}/infer`, { inputs: [tensor("user", "anna"), tensor("item", "ulysses")] });
    expect(answer.json.outputs[0].data).toEqual([expected.value]);
  });

  test.each<[string, string, object | string, RegExp]>([
    ["no rows", "line", {}, /^body: "rows" is missing; GET \/openapi\.json describes it \[BODY\]$/],
    ["rows that are none", "line", { rows: 3 }, /^body\.rows: is 3, but must be a list; GET/],
    ["an empty list", "line", { rows: [] }, /^body\.rows: is empty, but must hold one or more; GET/],
    [
      "a field that there is not",
      "line",
      { rows: [[1, 2, 3]], parameter: { timeout: 1 } },
      /^body: unknown field "parameter"; did you mean "parameters"\? \(known: id, rows, parameters\) \[BODY\]$/,
    ],
    ["a field in place of another", "line", { row: [[1, 2, 3]] }, /^body: unknown field "row"; did you mean "rows"\?/],
    ["a field called __proto__", "line", '{"rows":[[1,2,3]],"__proto__":{}}', /^body: unknown field "__proto__" \(known/],
    [
      "a parameter that there is not",
      "line",
      { rows: [[1, 2, 3]], parameters: { timeOut: 5 } },
      /^body\.parameters: unknown field "timeOut"; did you mean "timeout"\? \(known: priority, timeout\) \[BODY\]$/,
    ],
    ["a number", "line", { rows: [3] }, /^rows\[0\]: is 3, but must be an object: values by column name/],
    ["null", "line", { rows: [[1, 2, 3], null] }, /^rows\[1\]: is null, but must be a list, as the first row/],
    ["forms mixed", "line", { rows: [{ a: 1, b: 2, c: 3 }, [1, 2, 3]] }, /^rows\[1\]: is a list of 3, but must be an object/],
    ["a column short", "people", { rows: [{ age: 30 }] }, /city/],
    ["a text for a number", "people", { rows: [{ age: "old", city: "Rome" }] }, /age/],
    [
      "the second of two rows",
      "people",
      {
        rows: [
          { age: 30, city: "Rome" },
          { age: "old", city: "Rome" },
        ],
      },
      /row 2/,
    ],
    ["a list too long", "line", { rows: [[1, 2, 3, 4]] }, /4/],
    ["no name", "films", { rows: [{ user: "anna" }] }, /^rows: row 1 has no column "item" \(it has "user"\); give the item/],
    ["an id that is none", "line", { id: 3, rows: [[1, 2, 3]] }, /^body\.id: is 3, but must be a text; GET/],
    [
      "a priority that is none",
      "line",
      { parameters: { priority: 11 }, rows: [[1, 2, 3]] },
      /^body\.parameters\.priority: is 11, but must be <= 9; GET/,
    ],
    ["deep JSON", "line", `{"rows":${"[".repeat(50)}${"]".repeat(50)}}`, /^rows: the JSON is nested more than 8 deep/],
    ["a prototype", "people", '{"rows":[{"age":30,"__proto__":{"city":"Rome"}}]}', /city/],
  ])("%s: is refused with 400", async (_, model, body, said) => {
    const { status, json } = await rows(model, body);
    expect(json).toEqual({ error: expect.stringMatching(said) });
    expect(status).toBe(400);
  });

  test("are quoted briefly in errors", async () => {
    const long = await rows("people", { rows: [{ ["x".repeat(100_000)]: 1 }] });
    expect(long.status).toBe(400);
    expect(long.json.error).toMatch(
      /^rows: row 1 has no column "age" \(it has "x+ … x+"\); give it, or null .* \[DATA_COLUMN\]$/,
    );
    expect(long.json.error).toHaveLength(1903);
    const number = await rows("people", { rows: [{ age: "a".repeat(100_000), city: "Rome" }] });
    expect(number.json.error).toMatch(/^rows: row 1: "a{37}…" is not a number, but column "age" holds numbers \[DATA_KIND\]$/);
    const names = Object.fromEntries(Array.from({ length: 8 }, (_, k) => [`${k}`.repeat(230), k]));
    const whole = await rows("people", { rows: [names] });
    expect([whole.json.error.includes("…"), whole.json.error.length > 1903]).toEqual([false, true]);
  });

  test("are described by columns and classes", async () => {
    expect((await get(`${server.url}/v2/models/people/rows`)).json).toEqual({
      target: "rich",
      classes: ["no", "yes"],
      column_count: 2,
      columns: [
        { name: "age", kind: "number" },
        { name: "city", kind: "category", levels: ["Rome", "Zürich"] },
      ],
    });
  });
});

describe("the server", () => {
  test("reports its name, health and readiness", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const { json } = await get(`${server.url}/v2`);
    expect(json).toEqual({ name: "ergodic", version, extensions: expect.arrayContaining(["binary_tensor_data", "statistics"]) });
    for (const path of ["/v2/health/live", "/v2/health/ready", "/v2/models/line/ready", "/v2/models/line/versions/1/ready"])
      expect((await get(server.url + path)).status, path).toBe(200);
    // KServe's client reads these members.
    expect((await get(`${server.url}/v2/health/live`)).json).toEqual({ live: true });
    expect((await get(`${server.url}/v2/health/ready`)).json).toEqual({ ready: true });
    expect((await get(`${server.url}/v2/models/line/ready`)).json).toEqual({ name: "line", ready: true });
    expect((await get(`${server.url}/v2/`)).json).toEqual(json);
    expect((await get(`${server.url}/v2/models/none/ready`)).status).toBe(404);
  });

  test("describes the inputs and outputs of models", async () => {
    const meta = async (path: string) => (await get(`${server.url}/v2/models/${path}`)).json;
    expect(await meta("species")).toEqual({
      name: "species",
      versions: ["1"],
      platform: "ergodic_linear",
      inputs: [{ name: "input", datatype: "FP64", shape: [-1, 3] }],
      outputs: [
        { name: "probabilities", datatype: "FP64", shape: [-1, 3] },
        { name: "class", datatype: "BYTES", shape: [-1] },
      ],
    });
    expect((await meta("people/versions/1")).inputs).toEqual([
      { name: "age", datatype: "FP64", shape: [-1] },
      { name: "city", datatype: "BYTES", shape: [-1] },
    ]);
    expect((await meta("films")).platform).toBe("ergodic_factorisation");
  });

  test("configures models as Triton's clients read it", async () => {
    const config = async (path: string) => (await get(`${server.url}/v2/models/${path}/config`)).json;
    expect(await config("people/versions/1")).toEqual({
      name: "people",
      platform: "ergodic_linear",
      version_policy: { latest: { num_versions: 1 } },
      max_batch_size: 0,
      input: [
        { name: "age", data_type: "TYPE_FP64", format: "FORMAT_NONE", dims: [-1] },
        { name: "city", data_type: "TYPE_STRING", format: "FORMAT_NONE", dims: [-1] },
      ],
      output: [
        { name: "probabilities", data_type: "TYPE_FP64", format: "FORMAT_NONE", dims: [-1, 2] },
        { name: "class", data_type: "TYPE_STRING", format: "FORMAT_NONE", dims: [-1] },
      ],
      instance_group: [{ kind: "KIND_CPU", count: 1 }],
      dynamic_batching: { priority_levels: 9, default_priority_level: 5 },
    });
    // Every model has an output with one entry per row, so all shapes include the axis of rows.
    for (const name of Object.keys(models)) {
      const { max_batch_size, output } = await config(name);
      expect([name, max_batch_size]).toEqual([name, 0]);
      for (const { dims } of output) expect(dims[0]).toBe(-1);
    }
    expect((await get(`${server.url}/v2/models/none/config`)).status).toBe(404);
  });

  test("counts answered and refused requests", async () => {
    const own = await serving({ models: { line: models.line } });
    const url = `${own.url}/v2/models/line`;
    const input = { name: "input", datatype: "FP64", shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };
    for (let i = 0; i < 3; i++) await post(`${url}/infer`, { inputs: [input] });
    await post(`${url}/rows`, { rows: [[1, 2, 3]] });
    await post(`${url}/infer`, { inputs: [] });
    await post(`${url}/rows`, { rows: [{ a: "text", b: 1, c: 2 }] });
    // Refused before it is queued.
    for (const body of [{ rows: [] }, { rows: 5 }, { rows: [[1, 2, 3], 5] }, "{", "[]"])
      expect((await post(`${url}/rows`, body)).status).toBe(400);
    const { model_stats } = (await get(`${url}/stats`)).json;
    expect(model_stats).toHaveLength(1);
    const [stats] = model_stats;
    expect(stats).toMatchObject({ name: "line", version: "1", inference_count: 8, execution_count: 5 });
    expect(stats.inference_stats.success.count).toBe(4);
    expect(stats.inference_stats.fail.count).toBe(7);
    // Batches whose requests were all refused are also computed, so either time can be the longer.
    for (const { ns } of [stats.inference_stats.success, stats.inference_stats.compute_infer]) expect(ns).toBeGreaterThan(0);
    // biome-ignore lint/plugin: the field is a time of day
    expect(Math.abs(stats.last_inference - Date.now())).toBeLessThan(600_000);
    expect(stats.ergodic).toMatchObject({ answered: 4, invalid: 7, failed: 0, rows: 8 });
    expect(stats.ergodic.buckets.batchRows.at(-1)[1]).toBe(5);
    expect((await get(`${own.url}/v2/models/stats`)).json).toEqual({ model_stats: [expect.objectContaining({ name: "line" })] });
  });

  test("returns or generates request ids, and passes on trace headers", async () => {
    const id = async (given?: string) =>
      (await get(`${server.url}/v2`, given ? { "x-request-id": given } : {})).headers.get("x-request-id");
    expect(await id("a.b:c-1")).toBe("a.b:c-1");
    const made = await id();
    expect(made).toMatch(/^[\w-]{8}-\w+$/);
    expect(await id()).not.toBe(made);
    expect(await id("a b")).toMatch(/^[\w-]{8}-\w+$/);
    expect(await id("x".repeat(129))).toMatch(/^[\w-]{8}-\w+$/);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const traced = await get(`${server.url}/v2`, { traceparent, tracestate: "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7" });
    expect(traced.headers.get("traceparent")).toBe(traceparent);
    expect(traced.headers.get("tracestate")).toBe("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    const [none, long] = [
      await get(`${server.url}/v2`),
      await get(`${server.url}/v2`, { traceparent, tracestate: "x".repeat(513) }),
    ];
    expect([none, long].map(({ headers }) => headers.get("tracestate"))).toEqual([null, null]);
    expect([none, long].map(({ headers }) => headers.get("traceparent"))).toEqual([null, traceparent]);
  });
});
