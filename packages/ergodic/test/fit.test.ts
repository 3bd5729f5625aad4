/** fit as a promise, what the compiler knows of its model, and the columns that it standardises by itself. */
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type ClassMetrics,
  type CountMetrics,
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
