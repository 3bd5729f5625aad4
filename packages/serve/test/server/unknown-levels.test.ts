/** Category levels, users and items that a model does not know are counted in all reports of the server, or refused. */
import { beforeAll, beforeEach, expect, test } from "vitest";
import { openLearner, type Serving } from "../../src/index.ts";
import { type Answer, get, post, ratings, regression, serving, table, temporary } from "./models.ts";

let people: Awaited<ReturnType<typeof table>>;
let films: Awaited<ReturnType<typeof ratings>>;
beforeAll(async () => {
  [people, films] = await Promise.all([table(), ratings()]);
});
let lines: { level: string; message: string }[];
beforeEach(() => void (lines = []));
const logTo = { write: (line: string) => lines.push(JSON.parse(line)) };
const log = "errors";
const counting = async () => serving({ models: { people, films, line: await regression() }, log, logTo });

const rows = ({ url }: Serving, model: string, given: object[]): Promise<Answer> =>
  post(`${url}/v2/models/${model}/rows`, { rows: given });
const unknownOf = ({ json }: Answer): unknown => json.parameters.unknown_levels;
const cities = (...values: unknown[]) => values.map((city) => ({ age: 40, city }));

test("are counted in answers per cell, and only if there are any", async () => {
  const server = await counting();
  expect(unknownOf(await rows(server, "people", cities("Rome", "Zürich")))).toBe(undefined);
  expect(unknownOf(await rows(server, "people", cities("Rome", "rome", true, 1, "Rome ")))).toBe(4);
  expect(unknownOf(await rows(server, "line", [[1, 2, 3]]))).toBe(undefined);
  expect(unknownOf(await rows(server, "films", [{ user: "anna", item: "emma" }]))).toBe(undefined);
  expect(
    unknownOf(
      await rows(server, "films", [
        { user: "zoe", item: "emma" },
        { user: "zoe", item: "zorro" },
      ]),
    ),
  ).toBe(3);
});

test("are counted in inference, in JSON and in binary", async () => {
  const server = await counting();
  const url = `${server.url}/v2/models/people/infer`;
  const inputs = [
    { name: "age", datatype: "FP64", shape: [3], data: [1, 2, 3] },
    { name: "city", datatype: "BYTES", shape: [3], data: ["Rome", "Oslo", "Bern"] },
  ];
  const json = await post(url, { inputs });
  expect([json.status, unknownOf(json)]).toEqual([200, 2]);
  const binary = await post(url, { inputs, parameters: { binary_data_output: true } });
  expect([binary.status, unknownOf(binary), binary.bytes.length > 0]).toEqual([200, 2, true]);
});

test("appear in the statistics, the metrics and the log, which grows logarithmically", async () => {
  const server = await counting();
  const statsOf = async (model: string) => (await get(`${server.url}/v2/models/${model}/stats`)).json.model_stats[0].ergodic;
  expect((await statsOf("people")).unknownLevels).toEqual({});
  for (let i = 0; i < 12; i++)
    await rows(server, "people", cities("Rome", `a level of its own, number ${i}, and a long one at that`));
  await rows(server, "films", [{ user: "zoe", item: "emma" }]);
  expect((await statsOf("people")).unknownLevels).toEqual({ city: 12 });
  expect((await statsOf("films")).unknownLevels).toEqual({ user: 1 });
  expect((await statsOf("people")).invalid).toBe(0);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('ergodic_unknown_levels_total{model="people",version="1",column="city"} 12');
  const message = "requests have levels that the model does not know";
  const told = { level: "warn", message, model: "people", version: "1", column: "city" };
  expect(lines.filter((line) => line.message === message)).toEqual([
    expect.objectContaining({ ...told, unknown: "a level of its own, number 0, and a long…", count: 1 }),
    expect.objectContaining({ ...told, unknown: "a level of its own, number 9, and a long…", count: 10 }),
    expect.objectContaining({ model: "films", column: "user", unknown: "zoe", count: 1 }),
  ]);
});

test("are counted for a model that learns", async () => {
  const learner = await openLearner({ model: people, folder: temporary()("learnt") });
  const server = await serving({ models: { people: learner } });
  expect(unknownOf(await rows(server, "people", cities("Oslo")))).toBe(1);
  await server.close();
  await learner.close();
});

test("are refused on request, with the column, the level and the known levels", async () => {
  const server = await serving({ models: { people, films }, unknown: "refuse", log: "nothing" });
  const refused = await rows(server, "people", cities("Rome", true));
  expect([refused.status, refused.json.error]).toEqual([
    400,
    'rows: row 2: "true" in column "city" is not known to the model; send one of "Rome", "Zürich" [LEVEL]',
  ]);
  const city = { name: "city", datatype: "BYTES", shape: [1], data: ["Oslo"] };
  const age = { name: "age", datatype: "FP64", shape: [1], data: [1] };
  const infer = await post(`${server.url}/v2/models/people/infer`, { inputs: [age, city] });
  expect([infer.status, infer.json.error]).toEqual([400, expect.stringContaining('row 1: "Oslo" in column "city"')]);
  const user = await rows(server, "films", [{ user: "zoe", item: "emma" }]);
  expect([user.status, user.json.error]).toEqual([
    400,
    'rows: row 1: "zoe" in column "user" is not known to the model; send one that the model was trained with [LEVEL]',
  ]);
  expect((await rows(server, "people", cities("Rome"))).status).toBe(200);
  const { ergodic } = (await get(`${server.url}/v2/models/people/stats`)).json.model_stats[0];
  expect([ergodic.invalid, ergodic.answered, ergodic.unknownLevels]).toEqual([2, 1, {}]);
});
