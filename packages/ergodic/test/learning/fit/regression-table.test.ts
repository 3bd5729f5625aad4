/**
 * Standard errors, intervals and tests of coefficients, compared with R. They do not depend on standardisation, and
 * exist only at a maximum of a likelihood.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  adagrad,
  Dataset,
  fit,
  type LinearOptions,
  linear,
  newtonCholesky,
  products,
  regressionTable,
  type Table,
} from "../../../src/entries/everything.ts";

interface Golden {
  names: string[];
  estimate: number[];
  standardError: number[];
  statistic: number[];
  pValue: number[];
  low: number[];
  high: number[];
  deviance: number;
  dispersion: number;
  degreesOfFreedom: number;
}
const { data: columns, models } = JSON.parse(readFileSync(new URL("../../golden/regression.json", import.meta.url), "utf8")) as {
  data: Record<string, number[]> & { work: string[] };
  models: Record<string, Golden>;
};
const n = columns.age.length;
const levels = ["own", "public", "state"];
const numbers: Record<string, number[]> = { ...columns, logExposure: columns.exposure.map(Math.log) } as never;

function tableOf(names: readonly string[]): Table {
  return {
    rowCount: n,
    source: "people",
    columns: names.map((name) =>
      name === "work"
        ? { name, kind: "category", levels, codes: Int32Array.from(columns.work, (w) => levels.indexOf(w)) }
        : { name, kind: "number", values: Float64Array.from(numbers[name]) },
    ),
  };
}

interface Case {
  call: string;
  inputs: string[];
  target: string;
  model?: LinearOptions;
  options?: object;
  interactions?: string[][];
}
const cases: Case[] = [
  { call: "lm(pay ~ age + hours + work)", inputs: ["age", "hours", "work"], target: "pay" },
  { call: "lm(pay ~ age + work, weights = w)", inputs: ["age", "work", "w"], target: "pay", options: { weights: "w" } },
  { call: "lm(pay ~ 0 + age + hours)", inputs: ["age", "hours"], target: "pay", model: { intercept: false } },
  { call: "lm(pay ~ age * work)", inputs: ["age", "work"], target: "pay", interactions: [["age", "work"]] },
  {
    call: "glm(rich ~ age + hours + work, binomial)",
    inputs: ["age", "hours", "work"],
    target: "rich",
    options: { classes: true },
  },
  {
    call: "glm(visits ~ age + work + offset(log(exposure)), poisson)",
    inputs: ["age", "work", "logExposure"],
    target: "visits",
    model: { loss: "poisson" },
    options: { offset: "logExposure" },
  },
  {
    call: "glm(visits ~ hours, poisson, weights = w)",
    inputs: ["hours", "w"],
    target: "visits",
    model: { loss: "poisson" },
    options: { weights: "w" },
  },
];

const near = (given: number[], wanted: number[], share: number) => {
  for (const [k, value] of given.entries()) expect(Math.abs(value - wanted[k])).toBeLessThanOrEqual(share * Math.abs(wanted[k]));
};

describe.each(cases)("R: $call", ({ call, inputs, target, model = {}, options = {}, interactions }) => {
  const plain = () => Dataset.fromTable(tableOf([...inputs, target]), { target, type: "f64", ...options });
  const data = interactions ? plain().map(products({ interactions })) : plain();

  it.each([true, false])("agrees, standardise: %s", async (standardise) => {
    // Without an intercept, centred columns define another model.
    if (standardise && model.intercept === false) return expect(inputs).not.toContain("work");
    const fitted = await fit(linear({ ...model, standardise, l2: 0 }), data, { algorithm: newtonCholesky({ tolerance: 1e-16 }) });
    const golden = models[call];
    const table = regressionTable(fitted, data);
    const column = (key: keyof (typeof table.coefficients)[number]) => table.coefficients.map((one) => one[key] as number);
    expect(table.coefficients.map(({ name }) => name)).toEqual(
      golden.names.map((name) => name.replace("(Intercept)", "(intercept)").replace(/work(public|state)/, "work=$1")),
    );
    near(column("estimate"), golden.estimate, 1e-8);
    near(column("standardError"), golden.standardError, 1e-8);
    near(column("statistic"), golden.statistic, 1e-8);
    near(column("pValue"), golden.pValue, 1e-6);
    near(column("low"), golden.low, 1e-6);
    near(column("high"), golden.high, 1e-6);
    near([table.deviance, table.dispersion], [golden.deviance, golden.dispersion], 1e-9);
    expect(table).toMatchObject({
      degreesOfFreedom: golden.degreesOfFreedom,
      rows: n,
      level: 0.95,
      statistic: call.startsWith("lm") ? "t" : "z",
      aliased: inputs.includes("work") ? ["work=own", ...(interactions ? ["age:work=own"] : [])] : [],
    });
  });
});

const rows = (count: number, y: (i: number) => number | string, columnsOf: (i: number) => number[]) =>
  Dataset.fromArrays({
    x: Array.from({ length: count }, (_, i) => columnsOf(i)),
    y: Array.from({ length: count }, (_, i) => y(i)) as number[],
    type: "f64",
  });
const noisy = (i: number): number => ((i * 7919) % 101) / 50;
const wavy = rows(
  60,
  (i) => i / 10 + noisy(i),
  (i) => [i, (i * i) % 17],
);
const solve = { algorithm: newtonCholesky() };

it("widens intervals at a higher level, ignores rows of weight 0, and agrees for f32 and sparse rows", async () => {
  const model = await fit(linear({ l2: 0 }), wavy, solve);
  const width = (level: number) => {
    const [{ low, high }] = regressionTable(model, wavy, { level }).coefficients;
    return high - low;
  };
  // Student's t with 57 degrees of freedom: qt(c(.75, .995), 57) in R.
  expect(width(0.99) / width(0.5)).toBeCloseTo(2.664870482242 / 0.678818307862, 6);
  const x = [...Array.from({ length: 60 }, (_, i) => [...wavy.row(i)]), [1000, 5]];
  const y = [...wavy.target.values, -1e6];
  const weights = x.map((_, i) => (i < 60 ? 1 : 0));
  const heavier = Dataset.fromArrays({ x, y, weights, type: "f64" });
  const again = regressionTable(await fit(linear({ l2: 0 }), heavier, solve), heavier);
  const plain = regressionTable(model, wavy);
  expect(again.degreesOfFreedom).toBe(57);
  near(
    again.coefficients.map((c) => c.standardError),
    plain.coefficients.map((c) => c.standardError),
    1e-9,
  );
  const floats = wavy.as("f32");
  const coarse = regressionTable(await fit(linear({ l2: 0 }), floats, solve), floats);
  near(
    coarse.coefficients.map((c) => c.standardError),
    plain.coefficients.map((c) => c.standardError),
    1e-5,
  );
});

it.each([1e3, 1e6, 1.7e9])("estimates a column far from 0, by %d times its spread, as well as near 0", async (far) => {
  // Multiples of 1/4, which float64 stores exactly.
  const near = Array.from({ length: 80 }, (_, i) => [((i * 7) % 13) / 4, ((i * 5) % 11) / 4]);
  const y = near.map(([a, b], i) => 2 * a + b + Math.sin(i * 12.9));
  const of = async (shift: number) => {
    const data = Dataset.fromArrays({ x: near.map(([a, b]) => [a + shift, b]), y, type: "f64" });
    return regressionTable(await fit(linear({ l2: 0 }), data, { algorithm: newtonCholesky() }), data);
  };
  const [wanted, found] = [await of(0), await of(far)];
  expect(found.aliased).toEqual([]);
  const slopes = ({ coefficients }: typeof found) => coefficients.filter(({ name }) => /^x/.test(name));
  expect(slopes(found).map(({ name }) => name)).toEqual(slopes(wanted).map(({ name }) => name));
  for (const [k, one] of slopes(wanted).entries()) {
    expect(slopes(found)[k].estimate).toBeCloseTo(one.estimate, 6);
    expect(slopes(found)[k].standardError).toBeCloseTo(one.standardError, 7);
  }
});

it("names and omits linearly dependent and constant columns", async () => {
  const data = rows(
    60,
    (i) => i + noisy(i),
    (i) => [i, (i * i) % 17, 2 * i + ((i * i) % 17), 5],
  );
  const table = regressionTable(await fit(linear({ l2: 0 }), data, solve), data);
  expect(table.aliased).toEqual(["x2", "x3"]);
  const fewer = rows(
    60,
    (i) => i + noisy(i),
    (i) => [i, (i * i) % 17],
  );
  const plain = regressionTable(await fit(linear({ l2: 0 }), fewer, solve), fewer);
  near(
    table.coefficients.map((c) => c.estimate),
    plain.coefficients.map((c) => c.estimate),
    1e-6,
  );
  near(
    table.coefficients.map((c) => c.standardError),
    plain.coefficients.map((c) => c.standardError),
    1e-6,
  );
});

describe("refused input", () => {
  const separable = rows(
    40,
    (i) => (i < 20 ? "no" : "yes"),
    (i) => [i],
  );
  const classes = rows(
    60,
    (i) => ["a", "b", "c"][(i * 31) % 3],
    (i) => [i, (i * i) % 17],
  );
  const two = rows(
    60,
    (i) => (noisy(i) > 1 ? "yes" : "no"),
    (i) => [i, (i * i) % 17],
  );
  const adrift = { rule: adagrad({ rate: 0.1 }), epochs: 2, seed: 1 };
  it.each([
    ["a penalty", wavy, { l2: 0.1 }, solve, /l2 is 0\.1, but a penalty biases the coefficients; use l2: 0/],
    [
      "what is not at the maximum",
      wavy,
      { l2: 0 },
      adrift,
      /standard errors from the maximum of the likelihood; solve until convergence/,
    ],
    ["separable classes", separable, { l2: 0 }, solve, /if classes are separable, there is no maximum/],
    ["another loss", wavy, { loss: "huber", l2: 0 }, solve, /loss "huber" is not a likelihood/],
    ["several outputs", classes, { loss: "logistic", l2: 0 }, solve, /the model has 3 outputs/],
    ["class weights", two, { classWeights: "balanced", l2: 0 }, solve, /the model has classWeights: they change the likelihood/],
  ] as const)("refuses %s", async (_, data, model, options, message) => {
    const fitted = await fit(linear(model as LinearOptions), data, options);
    expect(() => regressionTable(fitted, data)).toThrow(message);
    expect(() => regressionTable(fitted, data)).toThrow(/REGRESSION_MEANING/);
  });

  it("refuses as many coefficients as rows, other data, and a level of 1", async () => {
    const few = rows(3, noisy, (i) => [i, (i * i) % 3]);
    const fitted = await fit(linear({ l2: 0 }), few, solve);
    expect(() => regressionTable(fitted, few)).toThrow("3 rows are too few to estimate the errors of 3 coefficients");
    expect(() => regressionTable(fitted, few, { level: 1 })).toThrow(/level is 1, but must be/);
    const model = await fit(linear({ l2: 0 }), wavy, solve);
    expect(() => regressionTable(model, few)).toThrow(/standard errors from the maximum|too few to estimate/);
    expect(() => regressionTable(model, few.map(products({ degree: 2 })))).toThrow(/DATASET_PIPELINE/);
  });
});
