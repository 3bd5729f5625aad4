/** fit as a promise, what the compiler knows of its model, and the columns that it standardises by itself. */
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  adagrad,
  adagradHistory,
  adam,
  averaging,
  type ClassMetrics,
  type CountMetrics,
  chain,
  clipNorm,
  Dataset,
  type Fitted,
  fit,
  huber,
  type LinearPredictor,
  type Loss,
  lbfgs,
  linear,
  OptionError,
  rff,
  sgd,
  strongWolfe,
  weightDecay,
} from "../src/index.ts";

const x = Array.from({ length: 40 }, (_, i) => [(i % 8) / 4 - 1, (i % 5) / 2 - 1]);
const numbers = () => Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
const row = { x0: 0, x1: 0 };
const classes = () => Dataset.fromArrays({ x, y: x.map(([a, b]) => (a + b > 0 ? "10" : "9")) });

describe("a run is as a promise", () => {
  it("catch takes what went wrong", async () => {
    using data = numbers();
    const failed = await fit(linear(), data, { rule: lbfgs(), batch: 4 }).catch((error: unknown) => (error as OptionError).code);
    expect(failed).toBe("RULE_NEEDS_FULL_GRADIENT");
    const model = await fit(linear(), data, { epochs: 1 }).catch(() => null);
    expect(model?.run.epochs).toBe(1);
  });

  it("finally is called at the end, and changes nothing", async () => {
    using data = numbers();
    let ends = 0;
    const count = (): void => void ends++;
    expect((await fit(linear(), data, { epochs: 2 }).finally(count)).run.epochs).toBe(2);
    await expect(
      fit(linear(), data, { signal: AbortSignal.abort(new OptionError("test", "stop", "STOP")) }).finally(count),
    ).rejects.toThrow(/STOP/);
    expect(ends).toBe(2);
  });
});

it("the loss, by name or made, tells the compiler what is predicted and measured", async () => {
  using two = classes();
  using line = numbers();
  const options = { epochs: 1 };
  const named = await fit(linear({ loss: "logistic" }), two, options);
  const { value, probabilities } = named.predict(row);
  expectTypeOf(value).toEqualTypeOf<string>();
  expectTypeOf(named.evaluate(two)).toEqualTypeOf<ClassMetrics>();
  expect(named.classes).toContain(value);
  expect(Object.keys(probabilities!).sort()).toEqual([...named.classes!].sort());

  const made = await fit(linear({ loss: huber({ delta: 2 }) }), line, options);
  expectTypeOf(made.predict(row).value).toEqualTypeOf<number>();
  expect(made.predict(row).value.toFixed(1)).toMatch(/\d/);
  const unknown = await fit(linear({ loss: huber() as Loss }), line, options);
  expectTypeOf(unknown.predict(row).value).toEqualTypeOf<string | number>();
  expectTypeOf((await fit(linear(), line, options)).predict(x)[0].value).toEqualTypeOf<string | number>();
  const any: (Fitted | LinearPredictor)[] = [named, made];
  expect(any.map(({ task }) => task)).toEqual(["binary", "regression"]);
  expectTypeOf<ReturnType<Fitted<"count">["evaluate"]>>().toEqualTypeOf<CountMetrics>();
});

describe("columns are standardised by themselves", () => {
  /** Column j: 0 but for every `every[j]`-th row, else up to `units[j]`. */
  const of = (units: number[], every: number[] = units.map(() => 1)): Dataset =>
    Dataset.fromArrays({
      x: Array.from({ length: 100 }, (_, i) => units.map((unit, j) => (i % every[j] === 0 ? (unit * (1 + (i % 10))) / 10 : 0))),
      y: Array.from({ length: 100 }, (_, i) => i % 3),
    });
  const chosen = async (data: Dataset, features?: ReturnType<typeof rff>): Promise<boolean> => {
    const { description } = await fit(linear({ loss: "squared", ...(features ? { features } : {}) }), data, { epochs: 0.01 });
    return (description.pipeline as { kind: string }[]).some(({ kind }) => kind === "standardise");
  };
  const map = rff({ count: 4 });
  const pixels = [...Array(18).fill(16), 1, 2];
  const blank = [...Array(18).fill(1), 100, 50];

  it.each([
    ["one unit of any size, before a map", of([50, 50, 20]), map, false],
    ["one unit of a size that steps are not made for", of([50, 50, 20]), undefined, true],
    ["other units", of([90, 100_000]), map, true],
    ["a column that outweighs many", of([...Array(30).fill(1), 100]), map, true],
    ["pixels that are nearly always blank, before a map", of(pixels, blank), map, false],
    ["the same without one", of(pixels, blank), undefined, true],
    ["features of a map", of([90, 100_000]).map(map), undefined, false],
    ["none but zeros", of([0, 0]), map, false],
  ] as const)("%s", async (_, data, features, wanted) => {
    expect(await chosen(data, features)).toBe(wanted);
    data.dispose();
  });
});

describe("what cannot be a run is refused in words", () => {
  const data = Dataset.fromArrays({ x: [[0], [1], [2], [3]], y: [0, 1, 0, 1] });
  const model = linear({ loss: "logistic" });
  // As JavaScript would call it.
  const call = fit as unknown as (...args: unknown[]) => Promise<unknown>;

  it.each([
    ["a rule by name", [model, data, { rule: "adam" }], 'rule is "adam", but must be a rule: write adam({ rate: 0.001 })'],
    ["a rule not called", [model, data, { rule: adam }], "rule is the function make, not called, but must be a rule"],
    ["variance by name", [model, data, { variance: "saga" }], 'variance is "saga", but must be variance reduction: write saga()'],
    ["a model not called", [linear, data], "the model is the function linear, not called, but must be a model"],
    ["rows for data", [model, [[1], [2]]], "data is [[1],[2]], but must be a Dataset: write Dataset.fromArrays"],
    ["rows to validate", [model, data, { validate: [[1]] }], "validate is [[1]], but must be a Dataset of held-out rows"],
  ])("%s", async (_, args, message) => {
    expect(() => call(...args)).toThrow(message);
    expect(() => call(...args)).toThrow("[OPTION_TYPE]");
  });

  it.each([
    [clipNorm(), "chain(clipNorm(), sgd())"],
    [averaging(), "chain(sgd(), averaging())"],
    [chain(clipNorm(), weightDecay()), "is a link of chains"],
  ])("a link of chains by itself", async (rule, advice) => {
    await expect(fit(model, data, { rule })).rejects.toThrow(advice);
  });

  it("each rule on the full objective has its own reason against a minibatch", async () => {
    await expect(fit(model, data, { rule: strongWolfe(), batch: 1 })).rejects.toThrow(
      /costs 4 gradients.*need not descend it.*stochasticLineSearch/,
    );
    await expect(fit(model, data, { rule: lbfgs(), batch: 1 })).rejects.toThrow(
      /nothing about curvature.*adam\(\).*batch: "all"/,
    );
  });

  it("group and penaltyWeights together", async () => {
    const both = linear({ loss: "squared", group: { strength: 0.1, groups: [["x0"]] }, penaltyWeights: { x0: 0.5 } });
    await expect(fit(both, data)).rejects.toThrow("[MODEL_PENALTY]");
  });
});

it("16-bit parameters end a run with an error where they end, instead of staying there", async () => {
  const x = Array.from({ length: 200 }, (_, i) => [(i % 20) / 10 - 1]);
  const data = Dataset.fromArrays({ x, y: x.map(([v]) => 40 * v) });
  const options = { rule: sgd({ rate: 0.1 }), epochs: 20, seed: 1 };
  const model = linear({ loss: "squared", standardise: false });
  for (const precision of [
    { data: "i8", model: "i16" },
    { data: "f32", model: "i16" },
  ] as const) {
    await expect(fit(model, data, { ...options, precision })).rejects.toThrow("[MODEL_SATURATED]");
  }
  expect((await fit(model, data, options)).weights[0]).toBeCloseTo(40, 1);
});

it("the loss that a rule on the full objective reports is without the penalty, at the point where it was taken", async () => {
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => 3 * a - 2 * b), type: "f64" });
  const model = linear({ loss: "squared", l2: 0.5, standardise: false });
  const options = { batch: "all", epochs: 5, precision: "f64" } as const;
  const textbook = await fit(model, data, { ...options, rule: adagradHistory({ rate: 0.5 }) });
  const running = await fit(model, data, { ...options, rule: adagrad({ rate: 0.5 }) });
  expect(textbook.run.loss).toBeCloseTo(running.run.loss, 10);
});
