/**
 * Predictions into the caller's array, and single rows without a dataset: the same numbers as `predict`, errors that
 * name the row, and no allocation.
 */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Dataset,
  dense,
  fit,
  linear,
  network,
  type OutputPredictor,
  type Prediction,
  predictor,
  relu,
  rff,
} from "../../src/entries/everything.ts";
import { isSlow } from "../power.ts";

const COUNT = 40;
const x = Array.from({ length: COUNT }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 5) - 2]);
const two = x.map(([a, b]) => (a + b > 0 ? "yes" : "no"));
const three = x.map(([a, b]) => (a + b > 0.5 ? "c" : a > 0 ? "b" : "a"));
const numbers = x.map(([a, b, c]) => 2 * a - b + c);
const category = (name: string, texts: readonly string[]) => {
  const levels = [...new Set(texts)];
  return { name, kind: "category" as const, levels, codes: Int32Array.from(texts, (text) => levels.indexOf(text)) };
};
const colours = x.map((_, i) => ["red", "green", "blue"][(i * 7) % 3]);
const table = (impute?: "mean") =>
  Dataset.fromTable(
    {
      source: "rows",
      rowCount: COUNT,
      columns: [
        category("colour", colours),
        { name: "size", kind: "number", values: Float64Array.from(x, ([a], i) => (impute && i === 3 ? Number.NaN : a)) },
        category("kind", three),
      ],
    },
    { target: "kind", ...(impute ? { impute } : {}) },
  );

const models: Record<string, () => PromiseLike<OutputPredictor>> = {
  "numbers, squared": () => fit(linear(), Dataset.fromArrays({ x, y: numbers }), { epochs: 2 }),
  "counts, poisson": () =>
    fit(linear({ loss: "poisson" }), Dataset.fromArrays({ x, y: numbers.map((y) => Math.round(Math.abs(y))) }), { epochs: 2 }),
  "two classes, logistic": () => fit(linear(), Dataset.fromArrays({ x, y: two }), { epochs: 2 }),
  "two classes, by sign": () => fit(linear({ loss: "hinge" }), Dataset.fromArrays({ x, y: two }), { epochs: 2 }),
  "three classes, softmax": () => fit(linear(), Dataset.fromArrays({ x, y: three }), { epochs: 2 }),
  "three classes, one against the rest": () =>
    fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x, y: three }), { epochs: 2 }),
  "three classes, by sign": () => fit(linear({ loss: "hinge" }), Dataset.fromArrays({ x, y: three }), { epochs: 2 }),
  "standardised, random features": () =>
    fit(linear({ features: rff({ count: 20 }), standardise: true }), Dataset.fromArrays({ x, y: numbers }), { epochs: 2 }),
  "a network": () => fit(network([dense(4), relu(), dense(3)]), Dataset.fromArrays({ x, y: three }), { epochs: 1 }),
  "a network from its file": async () =>
    predictor(
      (await fit(network([dense(4), relu(), dense(1)]), Dataset.fromArrays({ x, y: numbers }), { epochs: 1 })).toBytes(),
    ) as Promise<OutputPredictor>,
};

/** Converts results of `predict` to the output of `predictInto`. */
function asNumbers(model: OutputPredictor, predicted: Prediction | Prediction[]): number[] {
  return [predicted]
    .flat()
    .flatMap(({ value, probabilities }) =>
      probabilities ? model.classes!.map((name) => probabilities[name]) : [value as number],
    );
}

describe.each(Object.keys(models))("%s", (name) => {
  it("returns the values of predict for a matrix, a list, one row and many", async () => {
    const model = await models[name]();
    const signs = name.includes("by sign");
    const wanted = signs ? [...model.outputs(Dataset.fromArrays({ x, y: numbers }))] : asNumbers(model, model.predict(x));
    expect(wanted.length).toBe(COUNT * model.width);
    for (const rows of [Float64Array.from(x.flat()), x, x.map((row) => Float64Array.from(row))]) {
      const out = new Float64Array(COUNT * model.width + 1).fill(7);
      expect(model.predictInto(rows, out)).toBe(COUNT);
      // The summation order of a network can depend on the number of rows.
      for (const [k, value] of wanted.entries()) expect(out[k]).toBeCloseTo(value, 5);
      expect(out[COUNT * model.width]).toBe(7);
    }
    const one = new Float64Array(model.width);
    for (const [i, row] of x.entries()) {
      expect(model.predictInto(Float64Array.from(row), one)).toBe(1);
      if (!signs) expect([...one]).toEqual(asNumbers(model, model.predict(row)));
      expect(one[0]).toBeCloseTo(wanted[i * model.width], 5);
    }
    const many = Array.from({ length: 700 }, (_, i) => x[(i * 13) % COUNT]);
    const all = new Float64Array(700 * model.width);
    model.predictInto(Float64Array.from(many.flat()), all);
    for (const [i, value] of all.entries()) {
      const row = (Math.floor(i / model.width) * 13) % COUNT;
      expect(value).toBeCloseTo(wanted[row * model.width + (i % model.width)], 5);
    }
  });
});

it("reads named rows with unknown levels and filled gaps", async () => {
  const model = await fit(linear(), table("mean"), { epochs: 2 });
  const rows = [
    { colour: "red", size: 0.5 },
    { colour: "violet", size: 0.1 },
    { size: null, colour: "blue" },
    { colour: "green", size: "0.25", more: 3 },
  ] as const;
  const out = new Float64Array(12);
  expect(model.predictInto(rows as never, out)).toBe(4);
  expect([...out]).toEqual(asNumbers(model, model.predict(rows as never)));
  for (const [i, row] of rows.entries())
    expect(asNumbers(model, model.predict(row as never))).toEqual([...out.subarray(3 * i, 3 * i + 3)]);
});

it("single rows and lists agree in any order (property)", async () => {
  const model = await fit(linear(), table(), { epochs: 2 });
  const row = fc.record({
    colour: fc.constantFrom("red", "green", "blue", "none"),
    size: fc.double({ min: -5, max: 5, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 9 }), (rows) => {
      const wanted = asNumbers(model, model.predict(rows));
      const out = new Float64Array(3 * rows.length);
      model.predictInto(rows, out);
      expect([...out]).toEqual(wanted);
      expect(rows.flatMap((one) => asNumbers(model, model.predict(one)))).toEqual(wanted);
    }),
  );
});

it("errors name the overall row, the column and the value, and later good rows are predicted", async () => {
  const model = await fit(linear(), table(), { epochs: 1 });
  const good = { colour: "red", size: 1 };
  const wanted = model.predict(good);
  const out = new Float64Array(30);
  expect(() => model.predictInto([good, good, { colour: "red" }] as never, out)).toThrow(/row 3 has no column "size"/);
  expect(() => model.predict({ colour: "red" } as never)).toThrow(/row 1 has no column "size"/);
  expect(() => model.predictInto([good, { colour: "red", size: "large" }], out)).toThrow(/row 2: "large" is not a number/);
  expect(() => model.predictInto([good, [1, 2]] as never, out)).toThrow(/row 2/);
  expect(() => model.predict({ colour: "red", size: Number.POSITIVE_INFINITY })).toThrow(/size/);
  expect(() => model.predict(Float64Array.of(1, 2) as never)).toThrow(/named columns|holds text/);
  expect(model.predict(good)).toEqual(wanted);
  const listed = await fit(linear(), Dataset.fromArrays({ x, y: numbers }), { epochs: 1 });
  expect(() => listed.predictInto(Float64Array.of(1, 2, 3, 4, Number.NaN, 6), out)).toThrow(/row 2: column "x1" is NaN/);
  expect(() => listed.predict([1, 2])).toThrow(/row 1 has 2 values, but the data has 3 columns/);
  expect(() => listed.predictInto(Float64Array.of(1, 2), out)).toThrow(/2 numbers, which are not whole rows of 3/);
  expect(() => listed.predictInto(x, new Float64Array(3))).toThrow(/out has room for 3 numbers, but 40 rows have 40/);
  expect(() => listed.predictInto(x, [] as never)).toThrow(/out is .* but must be a Float64Array/);
  expect(() => listed.predictInto({ x0: 1 } as never, out)).toThrow(/rows is/);
  expect(listed.predictInto([], out)).toBe(0);
});

it("checks the weights of a single row like those of several", async () => {
  const columns = [
    { name: "a", kind: "number" as const, values: Float64Array.from(x, ([a]) => a) },
    { name: "w", kind: "number" as const, values: Float64Array.from(x, () => 1) },
    { name: "y", kind: "number" as const, values: Float64Array.from(numbers) },
  ];
  const model = await fit(
    linear(),
    Dataset.fromTable({ source: "rows", rowCount: COUNT, columns }, { target: "y", weights: "w" }),
    { epochs: 1 },
  );
  expect(model.predict({ a: 1 }).value).toBe(model.predict({ a: 1, w: 2 }).value);
  expect(() => model.predict({ a: 1, w: -1 })).toThrow(/weighs -1/);
});

/**
 * Measures the bytes per predictInto call that the garbage collector must free. It runs in a separate process, so that
 * other models do not affect the JavaScript compiler.
 */
const heapCount = `
const { convolution, Dataset, dense, fit, flatten, linear, network, predictor, relu } = await import(process.argv[1]);
const { rff } = await import(process.argv[1].replace("index.js", "data.js"));
const x = Array.from({ length: 12 }, (_, i) => Array.from({ length: 64 }, (_, j) => Math.sin(i + j)));
const classes = Dataset.fromArrays({ x, y: x.map((_, i) => "abc"[i % 3]), rowShape: [8, 8, 1] });
const made = {
  linear: () => fit(linear(), classes, { epochs: 1 }),
  features: () => fit(linear({ features: rff({ count: 20 }), standardise: true }), Dataset.fromArrays({ x, y: x.map(([a]) => a) }), { epochs: 1 }),
  mlp: async () => predictor((await fit(network([flatten(), dense(4), relu(), dense(3)]), classes, { epochs: 1 })).toBytes()),
  cnn: () => fit(network([convolution(2), relu(), flatten(), dense(3)]), classes, { epochs: 1 }),
};
const model = await made[process.argv[2]]();
const rows = Float64Array.from(x[0]);
const out = new Float64Array(model.width);
let least = Infinity;
// Code is compiled on a thread of its own, which on a busy machine takes its time.
for (let round = 0; least >= 80 && round < 400; round++) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 2000; i++) model.predictInto(rows, out);
  const grown = process.memoryUsage().heapUsed - before;
  if (grown >= 0) least = Math.min(least, grown / 2000);
}
console.log(least);`;

// A linear model with features takes the steps of one without, and an image network those of a plain one.
it.each(isSlow ? ["linear", "features", "mlp", "cnn"] : ["features", "cnn"])(
  "allocates nothing after the first call: %s",
  (name) => {
    const built = new URL("../../dist/entries/index.js", import.meta.url).href;
    // Inlining differs between processes, so several attempts are made.
    let least = Infinity;
    for (let attempt = 0; attempt < 5 && least >= 80; attempt++) {
      const said = execFileSync(process.execPath, ["--input-type=module", "-e", heapCount, built, name], { encoding: "utf8" });
      least = Math.min(least, Number(said));
    }
    // A view takes about 100 bytes, and a number passed between functions can be boxed in 16 bytes.
    expect(least).toBeLessThan(80);
  },
);
