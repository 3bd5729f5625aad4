/**
 * Missing values by column, missing as a level, indicators, new levels, and dates, in training, files and prediction.
 */
import { describe, expect, it } from "vitest";
import {
  alternatingLeastSquares,
  Dataset,
  dateParts,
  factorisation,
  fit,
  type LinearPredictor,
  linear,
  newLevels,
  Pipeline,
  predictor,
  Ratings,
  type Table,
} from "../../../src/entries/everything.ts";

type Cell = number | string | null;

/** Makes a table of named rows. A column with any string is a category, with levels in order of appearance. */
function table(rows: readonly Readonly<Record<string, Cell>>[], source = "rows.csv"): Table {
  const columns = Object.keys(rows[0]).map((name) => {
    const cells = rows.map((row) => row[name]);
    const texts = cells.filter((cell) => typeof cell === "string");
    if (texts.length === 0)
      return { name, kind: "number" as const, values: Float64Array.from(cells, (cell) => (cell ?? NaN) as number) };
    const levels = [...new Set(texts)];
    return { name, kind: "category" as const, levels, codes: Int32Array.from(cells, (cell) => levels.indexOf(cell as string)) };
  });
  return { rowCount: rows.length, columns, source };
}

const rows = [
  { age: 20, pay: 1, city: "Oslo", sex: "f", y: 0 },
  { age: null, pay: 2, city: "Rome", sex: "m", y: 1 },
  { age: 40, pay: null, city: null, sex: "f", y: 2 },
  { age: 90, pay: 6, city: "Rome", sex: "m", y: 3 },
];
const made = (options: object, of = rows as Parameters<typeof table>[0]): Dataset =>
  Dataset.fromTable(table(of), { target: "y", ...options });
const row = (data: Dataset, i: number): Record<string, number> =>
  Object.fromEntries(data.names.map((name, j) => [name, data.row(i)[j]]).filter(([, value]) => value !== 0));

describe("impute by column", () => {
  it("fills each column with its requested method and reports the fills", () => {
    using data = made({ impute: { age: "median", pay: "mean", city: "level" } });
    expect(data.names).toEqual(["age", "pay", "city=Oslo", "city=Rome", "city=(missing)", "sex=f", "sex=m"]);
    expect(row(data, 1)).toEqual({ age: 40, pay: 2, "city=Rome": 1, "sex=m": 1 });
    expect(row(data, 2)).toEqual({ age: 40, pay: 3, "city=(missing)": 1, "sex=f": 1 });
    expect(data.pipeline.imputed).toEqual([
      { name: "age", missing: 1, method: "median", value: 40 },
      { name: "pay", missing: 1, method: "mean", value: 3 },
      { name: "city", missing: 1, method: "level", value: "(missing)" },
    ]);
  });

  it("refuses gaps in unnamed columns, in training and at prediction", () => {
    expect(() => made({ impute: { age: "median", city: "level" } })).toThrow(
      'rows.csv: 1 value is missing in column "pay" (1); fill them with impute: "mean", "median", "mode" or "level", or drop the columns [DATA_MISSING]',
    );
    using data = made({ impute: { age: "median", pay: "mean", city: "mode" } });
    expect(() => data.pipeline.apply([{ age: 1, pay: 1, city: "Oslo", sex: null }])).toThrow(
      /row 1 has no value in column "sex"/,
    );
  });

  it("applies * to all other columns", () => {
    using data = made({ impute: { "*": "mode", age: "mean" } });
    expect(row(data, 1)).toMatchObject({ age: 50 });
    expect(row(data, 2)).toMatchObject({ pay: 1, "city=Rome": 1 });
    using later = data.pipeline.apply([{ age: null, pay: null, city: null, sex: null }]);
    expect(row(later, 0)).toEqual({ age: 50, pay: 1, "city=Rome": 1, "sex=f": 1 });
  });

  it("applies one method to all columns", () => {
    using data = made({ impute: "mean" });
    expect(row(data, 1)).toMatchObject({ age: 50 });
    expect(row(data, 2)).toMatchObject({ pay: 3, "city=Rome": 1 });
    expect(data.names).not.toContain("city=(missing)");
    expect(data.pipeline.imputed.map(({ method }) => method)).toEqual(["mean", "mean", "mode"]);
  });

  it('does not mistake a column named "constructor" for a named column', () => {
    const odd = [
      { constructor: null, a: 1, y: 0 },
      { constructor: 2, a: null, y: 1 },
    ] as never as typeof rows;
    expect(() => made({ impute: { a: "mean" } }, odd)).toThrow(/1 value is missing in column "constructor"/);
  });

  it.each<[string, object, RegExp]>([
    [
      "a method unknown",
      { impute: { age: "zero" } },
      /impute is "zero", but must be "mean", "median", "mode" or "level", or one of these by column/,
    ],
    ["none at all", { impute: null }, /impute is null/],
    [
      "a column unknown",
      { impute: { town: "mode" } },
      /impute asks for a column "town" that does not exist, or is not an input; the inputs are "age"/,
    ],
    ["the target", { impute: { y: "mean" } }, /impute asks for a column "y"/],
    [
      "numbers without levels",
      { impute: { age: "level", "*": "mode" } },
      /impute is "level" for "age", which holds numbers; use "median"/,
    ],
    [
      "texts without a mean",
      { impute: { city: "mean", "*": "mode" } },
      /impute is "mean" for "city", which holds text; use "mode" or "level"/,
    ],
    ["an indicator without filling", { indicator: true }, /indicator needs impute/],
    ["an indicator that is no flag", { indicator: 1, impute: "mean" }, /indicator is 1/],
    ["an indicator of hashed columns", { indicator: true, impute: "mean", hash: 4 }, /both hash and indicator/],
  ])("refuses %s", (_, options, message) => expect(() => made(options)).toThrow(message));
});

describe("missing as a level", () => {
  it("adds the level to all columns with missing values and fills numbers with the median", () => {
    using data = made({ impute: "level" });
    expect(data.names).toEqual(["age", "pay", "city=Oslo", "city=Rome", "city=(missing)", "sex=f", "sex=m"]);
    expect(row(data, 2)).toMatchObject({ pay: 2, "city=(missing)": 1 });
    using later = data.pipeline.apply([{ age: null, pay: 1, city: null, sex: null }]);
    expect(row(later, 0)).toEqual({ age: 40, pay: 1, "city=(missing)": 1, "sex=f": 1 });
  });

  it("adds the level to a named column even without missing training values", () => {
    using data = made({ impute: { sex: "level", "*": "level" } });
    expect(data.names.slice(-3)).toEqual(["sex=f", "sex=m", "sex=(missing)"]);
    using later = data.pipeline.apply([{ age: 1, pay: 1, city: "Oslo", sex: "" }]);
    expect(row(later, 0)).toEqual({ age: 1, pay: 1, "city=Oslo": 1, "sex=(missing)": 1 });
  });

  it("treats a new level as zero, not as missing", () => {
    using data = made({ impute: "level" });
    using later = data.pipeline.apply([{ age: 1, pay: 1, city: "Bonn", sex: "f" }]);
    expect(row(later, 0)).toEqual({ age: 1, pay: 1, "sex=f": 1 });
    expect(newLevels(data.pipeline, [{ age: 1, pay: 1, city: "Bonn", sex: "f" }]).map(({ rows: count }) => count)).toEqual([1]);
  });

  it("reuses an existing level with the same name", () => {
    const told = rows.map((one, i) => (i === 0 ? { ...one, city: "(missing)" } : one));
    using data = made({ impute: "level" }, told);
    expect(data.names.filter((name) => name.startsWith("city"))).toEqual(["city=(missing)", "city=Rome"]);
    expect([row(data, 0)["city=(missing)"], row(data, 2)["city=(missing)"]]).toEqual([1, 1]);
  });

  it("trains, saves and predicts with rows, tables and numbers alike", async () => {
    const many = Array.from({ length: 40 }, (_, i) => {
      const city = [null, "Oslo", "Rome"][i % 3];
      return {
        city,
        pay: i % 4 === 0 ? null : (i * 7) % 5,
        y: (city === null ? 10 : city === "Oslo" ? 1 : 2) + (i % 4 === 0 ? 5 : 0),
      };
    });
    const data = made({ impute: "level", indicator: true, type: "f64" }, many);
    const model = await fit(linear({ loss: "squared", l2: 0 }), data, { algorithm: "auto" });
    const [gap, both] = model.predict([
      { city: null, pay: 3 },
      { city: null, pay: null },
    ]);
    expect([gap.value, both.value].map(Number)).toEqual([expect.closeTo(10, 2), expect.closeTo(15, 2)]);
    const again = await predictor<LinearPredictor>(model.toBytes());
    expect(again.predict({ city: null, pay: null })).toEqual(both);
    expect(again.predict(table(many))).toEqual(model.predict(data));
    const out = new Float64Array(1);
    again.predictInto([{ city: null, pay: null }], out);
    expect(out[0]).toBe(both.value);
    expect(again.evaluate(made({ impute: "level", indicator: true, type: "f64" }, many)).rmse).toBeLessThan(0.01);
  });
});

describe("indicator", () => {
  it("adds a column per numeric column with gaps, 1 at each gap", () => {
    using data = made({ impute: "median", indicator: true });
    expect(data.names).toEqual(["age", "pay", "city=Oslo", "city=Rome", "sex=f", "sex=m", "age=(missing)", "pay=(missing)"]);
    expect([0, 1, 2, 3].map((i) => [...data.row(i).slice(-2)])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    using later = data.pipeline.apply([
      { age: 1, pay: 1, city: "Oslo", sex: "f" },
      { age: null, pay: null, city: "Oslo", sex: "f" },
    ]);
    expect([0, 1].map((i) => [...later.row(i).slice(-2)])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(Pipeline.fromJson(JSON.parse(JSON.stringify(data.pipeline.toJSON()))).names).toEqual(data.names);
  });

  it("adds no column for numbers without gaps", () => {
    const some = rows.map((one, i) => ({ ...one, whole: i }));
    using data = made({ impute: "median", indicator: true }, some);
    expect(data.names.filter((name) => name.endsWith("=(missing)"))).toEqual(["age=(missing)", "pay=(missing)"]);
  });

  it("works in sparse rows", () => {
    using data = made({ impute: "median", indicator: true, format: "sparse" });
    expect([...data.row(1).slice(-2)]).toEqual([1, 0]);
  });

  it("is 0 in rows of a separate table without gaps", async () => {
    const data = made({ impute: "median", indicator: true });
    const model = await fit(linear({ loss: "squared", l2: 1 }), data, { algorithm: "auto" });
    const whole = rows.filter((one) => Object.values(one).every((cell) => cell !== null));
    const own = made({}, whole);
    expect(model.predict(own)).toEqual(model.predict(whole.map(({ y: _, ...rest }) => rest)));
    expect(() => model.predict(made({ impute: "median" }, rows.slice(0, 2)))).toThrow(
      /gaps in "age" were filled from its own values/,
    );
  });
});

describe("damaged steps", () => {
  const steps = () =>
    JSON.parse(JSON.stringify(made({ impute: "level", indicator: true }).pipeline.toJSON())) as Record<string, unknown>[];
  it.each<[string, (step: Record<string, unknown>) => void]>([
    ["a method unknown", (step) => void (step.method = ["mean", "x", "level", "mode"])],
    ["fills that are none", (step) => void (step.fills = "1234")],
    ["a fill that is no number", (step) => void (step.fills = ["1", 1, 1, 1])],
    ["a level that there is not", (step) => void (step.fills = [1, 1, 3, 0])],
    ["an indicator of texts", (step) => void (step.indicators = [2])],
    ["an indicator of nothing", (step) => void (step.indicators = [7])],
    ["indicators that are no list", (step) => void (step.indicators = "0")],
  ])("refuses %s", (_, damage) => {
    const json = steps();
    damage(json[1]);
    expect(() => Pipeline.fromJson(json)).toThrow(/PIPELINE_STEP/);
  });

  it("files of earlier versions with one method are still read", () => {
    const json = JSON.parse(JSON.stringify(made({ impute: "median" }).pipeline.toJSON())) as Record<string, unknown>[];
    json[1].method = "median";
    const { imputed } = Pipeline.fromJson(json);
    expect(imputed.map(({ method }) => method)).toEqual(["median", "median", "mode"]);
  });
});

describe("new levels", () => {
  using data = made({ impute: "level" });
  const later = [
    { age: 1, pay: 1, city: "Bonn", sex: "f", y: 0 },
    { age: 1, pay: 1, city: "Rome", sex: "x", y: 0 },
    { age: 1, pay: 1, city: "Kyiv", sex: "f", y: 0 },
    { age: 1, pay: 1, city: null, sex: "f", y: 0 },
    { age: 1, pay: 1, city: "Bonn", sex: "f", y: 0 },
  ];
  const remarks = [
    {
      kind: "new level",
      column: "city",
      rows: 3,
      of: 5,
      message: '3 of 5 rows had new levels in "city", which the model does not know ("Bonn", "Kyiv")',
    },
    {
      kind: "new level",
      column: "sex",
      rows: 1,
      of: 5,
      message: '1 of 5 rows had a new level in "sex", which the model does not know ("x")',
    },
  ];

  it("are counted per column in tables, in rows and by name", () => {
    const { pipeline } = data;
    expect(data.remarks).toEqual([]);
    expect(newLevels(pipeline, table(later))).toEqual(remarks);
    expect(newLevels(pipeline, later)).toEqual(remarks);
    expect(newLevels(pipeline, table(later.filter(({ city }) => city === "Rome")))).toEqual([
      { ...remarks[1], of: 1, message: remarks[1].message.replace("of 5", "of 1") },
    ]);
  });

  it("are counted in one row by name, whatever its columns are called", () => {
    const { pipeline } = data;
    const [city, sex] = [later[0], later[1]].map((row) => newLevels(pipeline, row));
    expect(city).toEqual([
      {
        kind: "new level",
        column: "city",
        rows: 1,
        of: 1,
        message: '1 of 1 rows had a new level in "city", which the model does not know ("Bonn")',
      },
    ]);
    expect(sex.map(({ column }) => column)).toEqual(["sex"]);
    expect(newLevels(pipeline, rows[0])).toEqual([]);
    expect(newLevels(pipeline, { ...later[0], columns: 1, rowStart: "a" } as never).length).toBe(1);
    expect(() => newLevels(pipeline, { age: 1 })).toThrow(/row 1 has no column "city".*DATA_COLUMN/);
  });

  it("are refused or accepted according to the option of predictor()", async () => {
    using own = made({ impute: "level" });
    const model = await fit(linear({ loss: "squared" }), own, { epochs: 1, seed: 1 });
    const bytes = model.toBytes();
    const [asTrained, refusing] = await Promise.all([predictor(bytes), predictor(bytes, { unknown: "refuse" })]);
    if (asTrained.kind !== "linear" || refusing.kind !== "linear") throw new Error("trained as a linear model");
    const row = { age: 1, pay: 1, city: "Bonn", sex: "f" };
    const asked =
      'rows: row 1: "Bonn" is not a level that column "city" was made with ("Oslo", "Rome", "(missing)") [DATA_LEVEL]';
    expect(asTrained.predict(row)).toEqual(model.predict(row));
    expect(() => refusing.predict(row)).toThrow(asked);
    expect(() => refusing.predict([row])).toThrow(asked);
    expect(() => refusing.predictInto([row], new Float64Array(1))).toThrow(asked);
    expect(refusing.predict({ ...row, city: "Rome" })).toEqual(model.predict({ ...row, city: "Rome" }));
    const zero = await predictor(refusing.toBytes(), { unknown: "zero" });
    if (zero.kind !== "linear") throw new Error("trained as a linear model");
    expect(zero.predict(row)).toEqual(model.predict(row));
    await expect(predictor(bytes, { unknown: "count" as never })).rejects.toThrow(/unknown is "count".*OPTION_RANGE/);
  });

  it("are not an option of a factorisation, and the error explains it", async () => {
    const data = Ratings.fromTriples({ users: ["a", "b"], items: ["x", "y"], values: [1, 2] });
    const model = await fit(factorisation({ rank: 1 }), data, { algorithm: alternatingLeastSquares(), epochs: 1, seed: 1 });
    await expect(predictor(model.toBytes(), { unknown: "refuse" })).rejects.toThrow(
      /leave it out, and use isKnown\(\).*MODEL_KIND/,
    );
  });

  it("do not include unused levels of a table, and numbers may be levels", () => {
    const listed = table(rows);
    const columns = listed.columns.map((column) =>
      column.kind === "category" ? { ...column, levels: [...column.levels, "never"] } : column,
    );
    expect(newLevels(data.pipeline, { ...listed, columns })).toEqual([]);
    using codes = made({}, [
      { zip: "1", y: 0 },
      { zip: "2", y: 1 },
    ] as never);
    const numbers: Table = {
      rowCount: 3,
      source: "n",
      columns: [{ name: "zip", kind: "number", values: Float64Array.of(1, NaN, 7) }],
    };
    expect(newLevels(codes.pipeline, numbers)).toMatchObject([{ column: "zip", rows: 1, of: 3 }]);
  });
});

describe("dates", () => {
  const dated = [
    { on: "2024-02-29", y: 0 },
    { on: "1999-12-31", y: 1 },
    { on: "2023-01-01", y: 2 },
  ];

  it("become year, month, day and weekday", () => {
    using data = made({ dates: dateParts("on") }, dated as never);
    const months = Array.from({ length: 12 }, (_, k) => `on.month=${k + 1}`);
    const weekdays = Array.from({ length: 7 }, (_, k) => `on.weekday=${k + 1}`);
    expect(data.names).toEqual(["on.year", ...months, "on.day", ...weekdays]);
    // python3 -c "from datetime import date; print([d.isoweekday() for d in (date(2024,2,29), date(1999,12,31), date(2023,1,1))])": [4, 5, 7]
    expect(row(data, 0)).toEqual({ "on.year": 2024, "on.month=2": 1, "on.day": 29, "on.weekday=4": 1 });
    expect(row(data, 1)).toEqual({ "on.year": 1999, "on.month=12": 1, "on.day": 31, "on.weekday=5": 1 });
    expect(row(data, 2)).toEqual({ "on.year": 2023, "on.month=1": 1, "on.day": 1, "on.weekday=7": 1 });
    expect(data.pipeline.inputs).toEqual([{ name: "on", kind: "category", levels: [] }]);
  });

  it("become a fractional hour if they include a time, with or without a time zone", () => {
    const timed = [
      "2024-03-05 14:30",
      "2024-03-05T06:00:36Z",
      "2024-03-05 23:59:00.25+05:30",
      "2024-03-05",
      "2024-03-05 07:15:00-08",
    ];
    using data = made({ dates: dateParts("on") }, timed.map((on, y) => ({ on, y })) as never);
    const at = data.names.indexOf("on.hour");
    expect([0, 1, 2, 3, 4].map((i) => data.row(i)[at])).toEqual([14.5, Math.fround(6.01), Math.fround(23 + 59 / 60), 0, 7.25]);
    using plain = made({ dates: dateParts("on") }, dated as never);
    expect(plain.names).not.toContain("on.hour");
  });

  it("keep years before 100", () => {
    // python3 -c "from datetime import date; print(date(33,4,3).isoweekday())": 7
    using data = made({ dates: dateParts("on") }, [{ on: "0033-04-03", y: 0 }] as never);
    expect(row(data, 0)).toMatchObject({ "on.year": 33, "on.weekday=7": 1 });
  });

  it.each([
    "2023-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-04-31",
    "05.03.2024",
    "2024-3-5",
    "2024-03-05 24:00",
    "2024-03-05 12:60",
    "soon",
    "x2024-03-05",
  ])("%s is not a date", (on) => {
    const message = `rows.csv: row 2: "${on}" in column "on" is not a date; write dates as 2024-03-05, or 2024-03-05 14:30 [DATA_VALUE]`;
    expect(() => made({ dates: dateParts("on") }, [dated[0], { on, y: 1 }] as never)).toThrow(message);
  });

  it("are saved with a model that accepts new dates but no other columns", async () => {
    const days = Array.from({ length: 60 }, (_, i) => ({
      on: new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
      y: i % 7,
    }));
    const data = made({ dates: dateParts("on") }, days as never);
    const model = await fit(linear({ loss: "squared", l2: 1e-3 }), data, { algorithm: "auto" });
    const again = await predictor<LinearPredictor>(model.toBytes());
    const value = again.predict({ on: "2024-03-05" }).value;
    expect(value).toBeCloseTo(1, 0);
    expect(model.predict({ on: "2024-03-05" }).value).toBe(value);
    expect(model.predict([{ on: "2024-03-05" }])[0].value).toBe(value);
    expect(again.predict(table([{ on: "2024-03-05" }]))[0].value).toBe(value);
    expect(newLevels(data.pipeline, [{ on: "2024-03-05" }])).toEqual([]);
    expect(() => again.predict({ on: "yesterday" })).toThrow(/"yesterday" in column "on" is not a date/);
    expect(() => again.predict([1])).toThrow(/holds text/);
  });

  it("are filled part by part or refused if they are missing", () => {
    const gap = [...dated, { on: null, y: 3 }] as never;
    expect(() => made({ dates: dateParts("on") }, gap)).toThrow(/1 value is missing in column "on"/);
    using filled = made({ dates: dateParts("on"), impute: { on: "mode" } }, gap);
    expect(row(filled, 3)).toEqual({ "on.year": 1999, "on.month=1": 1, "on.day": 1, "on.weekday=4": 1 });
    using level = made({ dates: dateParts("on"), impute: "level", indicator: true }, gap);
    expect(row(level, 3)).toEqual({
      "on.year": 2023,
      "on.month=(missing)": 1,
      "on.day": 29,
      "on.weekday=(missing)": 1,
      "on.year=(missing)": 1,
      "on.day=(missing)": 1,
    });
  });

  it.each<[string, object, object[], RegExp]>([
    ["a column unknown", { dates: dateParts("off") }, dated, /dates asks for a column "off"/],
    ["what is no list", { dates: ["on"] }, dated, /dates is .*, but must be parts of dates/],
    ["numbers", { dates: dateParts("y2") }, dated.map((one) => ({ ...one, y2: 1 })), /dates names "y2", which holds numbers/],
    ["hashed columns", { dates: dateParts("on"), hash: 3 }, dated, /both hash and dates/],
    [
      "a part whose name is taken",
      { dates: dateParts("on") },
      dated.map((one) => ({ ...one, "on.year": 1 })),
      /has two columns "on.year"/,
    ],
  ])("refuses %s", (_, options, of, message) => expect(() => made(options, of as never)).toThrow(message));
});
