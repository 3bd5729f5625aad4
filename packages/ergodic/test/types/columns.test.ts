/**
 * The compiler's knowledge of a dataset's columns: rows without a column do not compile. `npm run check:types` checks
 * the refusals and fails if a line marked `@ts-expect-error` compiles. Running the tests checks the values.
 */
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  Dataset,
  dense,
  type Fitted,
  fit,
  type LinearPath,
  type LinearPredictor,
  linear,
  type NetworkPredictor,
  network,
  type OutputPredictor,
  type Prediction,
  type PredictionKind,
  type Row,
  type RowOf,
  type Table,
} from "../../src/entries/everything.ts";

const age = Float64Array.of(30, 40, 50, 60);
const table = { rowCount: 4, source: "people.csv" };
/** A literal, whose names are known to the compiler. */
const people = Dataset.fromTable(
  {
    ...table,
    columns: [
      { name: "age", kind: "number", values: age },
      { name: "city", kind: "category", codes: Int32Array.of(0, 1, 0, 1), levels: ["Oslo", "Rome"] },
      { name: "pay", kind: "number", values: Float64Array.of(1, 2, 3, 4) },
      { name: "weight", kind: "number", values: Float64Array.of(1, 2, 1, 1) },
      { name: "id", kind: "number", values: age },
    ],
  },
  { target: "pay", weights: "weight", drop: ["id"] },
);
/** A table from a reader, whose names are known only at run time. */
const read: Table = {
  ...table,
  columns: [
    { name: "age", kind: "number", values: age },
    { name: "pay", kind: "number", values: age },
  ],
};
const x = [
  [1, 2],
  [3, 4],
  [5, 7],
];
const y = [3, 7, 12];
const options = { epochs: 1, seed: 1 };
const squared = linear({ loss: "squared" });

describe("a dataset", () => {
  it("has the table's columns except the target, the weights and dropped columns", () => {
    expectTypeOf(people).toEqualTypeOf<Dataset<"age" | "city">>();
    expect(people.pipeline.steps[0]).toMatchObject({ columns: [{ name: "age" }, { name: "city" }] });
  });

  it("has the names of arrays if they are literals", () => {
    expectTypeOf(Dataset.fromArrays({ x, y, names: ["age", "hours"] })).toEqualTypeOf<Dataset<"age" | "hours">>();
    expectTypeOf(Dataset.fromArrays({ x, y })).toEqualTypeOf<Dataset>();
    const names: string[] = ["age", "hours"];
    expectTypeOf(Dataset.fromArrays({ x, y, names })).toEqualTypeOf<Dataset>();
  });

  it("has the columns of a constant table, whatever their names", () => {
    const odd = {
      ...table,
      columns: [
        { name: "1", kind: "number", values: age },
        { name: "constructor", kind: "category", codes: Int32Array.of(0, 1, 0, 1), levels: ["no", "yes"] },
        { name: "floor area", kind: "number", values: age },
        { name: "id", kind: "number", values: age },
        { name: "", kind: "number", values: age },
      ],
    } as const;
    const drop = ["id"] as const;
    const data = Dataset.fromTable(odd, { target: "", drop });
    expectTypeOf(data).toEqualTypeOf<Dataset<"1" | "constructor" | "floor area">>();
    expect(data.names).toEqual(["1", "constructor=no", "constructor=yes", "floor area"]);
    const names = ["age", "hours"] as const;
    expectTypeOf(Dataset.fromArrays({ x, y, names })).toEqualTypeOf<Dataset<"age" | "hours">>();
  });

  it("does not offer members that exist only for types", () => {
    const has = Object.getOwnPropertyNames(people).concat(Object.getOwnPropertyNames(Dataset.prototype));
    const offered = (name: Extract<keyof Dataset, string>): boolean => has.includes(name);
    // @ts-expect-error: the member does not exist
    expect(offered("named")).toBe(false);
    expect(offered("names")).toBe(true);
  });

  it("accepts any columns if they are not known", () => {
    expectTypeOf(Dataset.fromTable(read, { target: "pay" })).toEqualTypeOf<Dataset>();
    const asked: { target: string } = { target: "pay" };
    expectTypeOf(
      Dataset.fromTable({ ...table, columns: [...read.columns, { name: "id", kind: "number", values: age }] }, asked),
    ).toEqualTypeOf<Dataset>();
    expectTypeOf<RowOf<string>>().toEqualTypeOf<Row>();
  });

  it("keeps its columns through every derived dataset", () => {
    const { train, test } = people.split(0.5, { seed: 1 });
    const made = [
      train,
      test,
      people.select([0]),
      people.subsample(2, { seed: 1 }),
      people.standardise(),
      people.hash(4),
      people.as("f64"),
      people.asClasses(),
      people.original,
    ];
    expectTypeOf(made).toEqualTypeOf<Dataset<"age" | "city">[]>();
    expect(made.map(({ pipeline }) => pipeline.steps[0].kind)).toEqual(Array(made.length).fill("columns"));
  });

  it("has the columns of both if it is one of two datasets", async () => {
    const ages = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2], names: ["age"] });
    const hours = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2], names: ["hours"] });
    const either: typeof ages | typeof hours = age[0] > 0 ? ages : hours;
    const fitted = await fit(squared, either, options);
    expectTypeOf(fitted).toEqualTypeOf<Fitted<"number", "age" | "hours">>();
    expect(fitted.predict({ age: 1, hours: 1 }).value).toBeTypeOf("number");
    // @ts-expect-error: it could be either of the two
    expect(fitted.predict({ age: 1 }).value).toBeTypeOf("number");
  });

  it("can be used as a dataset of any columns, but not the reverse", () => {
    const any: Dataset = people;
    const more: Dataset<"age" | "city" | "pay"> = people;
    expect(any).toBe(more);
    // @ts-expect-error: it might not have these columns
    const known: Dataset<"age" | "city"> = any;
    expect(known).toBe(people);
  });
});

describe("a fitted model", () => {
  it("predicts rows with its named columns, in every form of rows", async () => {
    const fitted = await fit(squared, people, { ...options, validate: people });
    expectTypeOf(fitted).toEqualTypeOf<Fitted<"number", "age" | "city">>();
    const one = fitted.predict({ age: 40, city: "Rome" });
    expectTypeOf(one).toEqualTypeOf<Prediction<"number">>();
    const person: { age: number; city: string; pay: number } = { age: 40, city: "Rome", pay: 2 };
    expectTypeOf(fitted.predict([person])).toEqualTypeOf<Prediction<"number">[]>();
    expect(fitted.predict([person])).toEqual([one]);
    expect(fitted.predict(people)[1]).toEqual(one);
    interface Person {
      age: number;
      city: "Oslo" | "Rome";
    }
    const typed: Person = { age: 40, city: "Rome" };
    expect(fitted.predict(typed)).toEqual(one);
  });

  it("predicts rows whose columns have the same names as properties of tables", async () => {
    for (const names of [
      ["rowCount", "source"],
      ["columns", "rowStart"],
      ["length", "0"],
    ] as const) {
      const fitted = await fit(squared, Dataset.fromArrays({ x, y, names }), options);
      const row = Object.fromEntries(names.map((name, i) => [name, i + 1]));
      expect(fitted.predict(row as RowOf<(typeof names)[number]>)).toEqual(fitted.predict([1, 2]));
    }
  });

  it("predicts named rows in functions that accept any dataset", async () => {
    const trainedOn = async <Names extends string>(data: Dataset<Names>, row: RowOf<Names>): Promise<number[]> => {
      const fitted = await fit(squared, data, options);
      const numbers = new Float64Array(1);
      fitted.predictInto([row], numbers);
      return [fitted.predict(row).value, fitted.predict([row])[0].value, numbers[0]];
    };
    const named = Dataset.fromArrays({ x, y, names: ["age", "hours"] });
    const unnamed = Dataset.fromArrays({ x, y });
    const values = [await trainedOn(named, { age: 1, hours: 2 }), await trainedOn(unnamed, { x0: 1, x1: 2 })].flat();
    expect(new Set(values).size).toBe(1);
    // @ts-expect-error: a slip in a name
    await expect(trainedOn(named, { aeg: 1, hours: 2 })).rejects.toThrow(/no column "age"/);
  });

  it("refuses rows that lack a column", async () => {
    const fitted = await fit(squared, people, options);
    // @ts-expect-error: a slip in a name
    expect(() => fitted.predict({ aeg: 40, city: "Rome" })).toThrow(/no column "age"/);
    // @ts-expect-error: a slip in a name
    expect(() => fitted.predict([{ aeg: 40, city: "Rome" }])).toThrow(/no column "age"/);
    // @ts-expect-error: a column is missing
    expect(() => fitted.predict({ age: 40 })).toThrow(/no column "city"/);
    const out = new Float64Array(1);
    // @ts-expect-error: a slip in a name
    expect(() => fitted.predictInto([{ aeg: 40, city: "Rome" }], out)).toThrow(/no column "age"/);
    expect(fitted.predictInto([{ age: 40, city: "Rome" }], out)).toBe(1);
    const partly: { age: number; city?: string } = { age: 40 };
    // @ts-expect-error: a column may be missing
    expect(() => fitted.predict(partly)).toThrow(/no column "city"/);
    const nobody: Row = { age: 40 };
    // @ts-expect-error: it might not have the columns
    expect(() => fitted.predict(nobody)).toThrow(/no column "city"/);
    // @ts-expect-error: a column of a row is a number, a text or a flag
    expect(() => fitted.predict({ age: {}, city: "Rome" })).toThrow();
  });

  it("behaves the same for networks and paths", async () => {
    const net = await fit(network([dense(1)], { loss: "squared" }), people, options);
    expectTypeOf(net.predict).toEqualTypeOf<NetworkPredictor<"number", "age" | "city">["predict"]>();
    // @ts-expect-error: a slip in a name
    expect(() => net.predict({ age: 40, citty: "Rome" })).toThrow(/no column "city"/);
    const path = await fit.path(squared, people, { lambdas: 3 });
    expectTypeOf(path).toEqualTypeOf<LinearPath<"number", "age" | "city">>();
    const chosen = path.predictor();
    expect(chosen.predict({ age: 40, city: "Rome" }).value).toBeTypeOf("number");
    // @ts-expect-error: a slip in a name
    expect(() => chosen.predict({ age: 40, citty: "Rome" })).toThrow(/no column "city"/);
    const again = await fit.path.resume(await fit.path(squared, people, { lambdas: 3 }).checkpoint(), people);
    expectTypeOf(again).toEqualTypeOf<LinearPath<PredictionKind, "age" | "city">>();
  });

  it("predicts numbers without names, and any names if none are known", async () => {
    const named = await fit(squared, Dataset.fromArrays({ x, y, names: ["age", "hours"] }), options);
    const one = named.predict({ age: 1, hours: 2 });
    expect(named.predict([1, 2])).toEqual(one);
    expect(
      named.predict([
        [1, 2],
        [3, 4],
      ])[0],
    ).toEqual(one);
    expect(named.predict(Float64Array.of(1, 2))).toEqual(one);
    const unnamed = await fit(squared, Dataset.fromArrays({ x, y }), options);
    expectTypeOf(unnamed).toEqualTypeOf<Fitted<"number">>();
    expect(unnamed.predict({ x0: 1, x1: 2 }).value).toBe(one.value);
    const whoKnows: Row = { x0: 1, x1: 2 };
    expect(unnamed.predict(whoKnows).value).toBe(one.value);
    const loose = await fit(squared, Dataset.fromTable(read, { target: "pay" }), options);
    expect(loose.predict({ age: 40 }).value).toBeTypeOf("number");
    expect(() => loose.predict({ aeg: 40 })).toThrow(/no column "age"/);
  });

  it("can be used as any predictor", async () => {
    const fitted = await fit(squared, people, options);
    const predictors: OutputPredictor[] = [fitted];
    const linears: LinearPredictor<"number">[] = [fitted];
    expect(predictors).toEqual(linears);
    const told = fitted as LinearPredictor as LinearPredictor<"number", "age" | "city">;
    // @ts-expect-error: a slip in a name
    expect(() => told.predict({ aeg: 40, city: "Rome" })).toThrow(/no column "age"/);
  });
});
