/** `fit` as a promise, the inferred types of its model, and the columns that it standardises automatically. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { evaluateScalar, scalar } from "../../../src/engine/compiler/index.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import {
  adam,
  averaging,
  backtracking,
  type ClassMetrics,
  type CountMetrics,
  chain,
  clipNorm,
  Dataset,
  exactLineSearch,
  exponentialDecay,
  type Fitted,
  fit,
  gradientDescent,
  hostRule,
  huberLoss as huber,
  inverseTimeDecay,
  type LinearPredictor,
  type Loss,
  lbfgs,
  linear,
  OptionError,
  polyak,
  type Rule,
  rff,
  ruleRegistry,
  saga,
  sgd,
  stochasticLineSearch,
  stream,
  strongWolfe,
  weightDecay,
} from "../../../src/entries/everything.ts";

const x = Array.from({ length: 40 }, (_, i) => [(i % 8) / 4 - 1, (i % 5) / 2 - 1]);
const numbers = () => Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
const row = { x0: 0, x1: 0 };
const classes = () => Dataset.fromArrays({ x, y: x.map(([a, b]) => (a + b > 0 ? "10" : "9")) });

describe("line searches on minibatches", () => {
  const searches = [exactLineSearch(), backtracking(), strongWolfe()];

  it.each(searches)("are refused, with advice for both cases: $name", async (rule) => {
    using data = numbers();
    await expect(Promise.resolve(fit(linear(), data, { rule, batch: 4 }))).rejects.toThrow(
      `fit: ${rule.name} needs the full gradient, but batch is 4: a search over the whole objective costs 40 gradients, and a minibatch direction need not ` +
        "descend it; use stochasticLineSearch() or polyak() if the model can fit every row (interpolation); if it cannot, these never settle: use sgd() " +
        'with a decreasing rate, such as inverseTimeDecay() or optimalRate(), or batch: "all" [RULE_NEEDS_FULL_GRADIENT]',
    );
  });

  it("have good advice: a decreasing rate wins with noise, and the searches win without", async () => {
    const draws = stream(3, "rows").at(0);
    const columns = Array.from({ length: 400 }, () => [draws.normal(), draws.normal(), draws.normal()]);
    const errors = columns.map(() => draws.normal());
    const excess = async (noise: number, rule: Rule): Promise<number> => {
      const y = columns.map(([a, b, c], i) => a - 2 * b + 0.5 * c + noise * errors[i]);
      using data = Dataset.fromArrays({ x: columns, y, type: "f64" });
      const loss = (model: { evaluate(data: Dataset): { rmse: number } }) => model.evaluate(data).rmse ** 2 / 2;
      const options = { seed: 1, batch: 1, precision: "f64", deterministic: true } as const;
      const model = linear({ loss: "squared", standardise: false });
      const best = await fit(model, data, { rule: lbfgs(), batch: "all", seed: 1, precision: "f64" });
      return loss(await fit(model, data, { ...options, rule, epochs: 40 })) - loss(best);
    };
    const decreasing = sgd({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.01 }) });
    const searching = [stochasticLineSearch(), polyak()];
    const noisy = await excess(1, decreasing);
    for (const rule of searching) expect(await excess(1, rule)).toBeGreaterThan(20 * noisy);
    const clean = await excess(0, decreasing);
    for (const rule of searching) expect(await excess(0, rule)).toBeLessThan(clean / 20 + 1e-12);
  });
});

describe("a run as a promise", () => {
  it("passes errors to catch", async () => {
    using data = numbers();
    const failed = await fit(linear(), data, { rule: lbfgs(), batch: 4 }).catch((error: unknown) => (error as OptionError).code);
    expect(failed).toBe("RULE_NEEDS_FULL_GRADIENT");
    const model = await fit(linear(), data, { epochs: 1 }).catch(() => null);
    expect(model?.run.epochs).toBe(1);
  });

  it("calls finally at the end, without changing the result", async () => {
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

it("infers the types of predictions and metrics from the loss", async () => {
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

describe("automatic standardisation of columns", () => {
  /** Column j is 0 except in every `every[j]`-th row, which has a value up to `units[j]`. */
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
  ] as const)("decides correctly: %s", async (_, data, features, wanted) => {
    expect(await chosen(data, features)).toBe(wanted);
    data.dispose();
  });
});

describe("runs refused with an explanation", () => {
  const data = Dataset.fromArrays({ x: [[0], [1], [2], [3]], y: [0, 1, 0, 1] });
  const model = linear({ loss: "logistic" });
  // Called as from JavaScript, without types.
  const call = fit as unknown as (...args: unknown[]) => Promise<unknown>;

  it.each([
    ["a rule by name", [model, data, { rule: "adam" }], 'rule is "adam", but must be a rule: write adam()'],
    ["a rule of no name", [model, data, { rule: "adma" }], 'rule is "adma", but must be a rule: write adam({ rate: 0.001 })'],
    ["variance for a rule", [model, data, { rule: saga() }], "rule is an object of name, every, toJSON, but must be a rule"],
    [
      "a rule not called",
      [model, data, { rule: adam }],
      "rule is the function adam, not called, but must be a rule: write adam(), not adam",
    ],
    ["variance by name", [model, data, { variance: "saga" }], 'variance is "saga", but must be variance reduction: write saga()'],
    ["variance not called", [model, data, { variance: saga }], "variance is the function saga, not called, but must be"],
    [
      "a rule as algorithm",
      [model, data, { algorithm: "sgd" }],
      'algorithm is "sgd", but must be an algorithm of fit: write gradientDescent(',
    ],
    ["no model", [undefined, data], 'the model is undefined, but must be a model: write linear({ loss: "logistic" })'],
    ["model and data exchanged", [data, model], "the model is of type Dataset, but must be a model"],
    [
      "a model not called",
      [linear, data],
      "the model is the function linear, not called, but must be a model: write linear(), not linear",
    ],
    ["rows for data", [model, [[1], [2]]], "data is an array of 2, but must be a Dataset: write Dataset.fromArrays"],
    ["rows to validate", [model, data, { validate: [[1]] }], "validate is an array of 1, but must be a Dataset of held-out rows"],
    ["options that are none", [model, data, null], "options is null, but must be an object: write { epochs: 5 }"],
  ])("refuses %s", async (_, args, message) => {
    expect(() => call(...args)).toThrow(message);
    expect(() => call(...args)).toThrow("[OPTION_TYPE]");
  });

  it.each([
    [clipNorm(), "chain(clipNorm(), sgd())"],
    [averaging(), "chain(sgd(), averaging())"],
    [chain(clipNorm(), weightDecay()), "chain(clipNorm(), weightDecay(), sgd())"],
    [chain(clipNorm(), averaging()), "chain(clipNorm(), sgd(), averaging())"],
  ])("refuses a chain link alone", async (rule, advice) => {
    await expect(fit(model, data, { rule })).rejects.toThrow(advice);
  });

  it("explains why each full-objective rule refuses a minibatch", async () => {
    await expect(fit(model, data, { rule: strongWolfe(), batch: 1 })).rejects.toThrow(
      /costs 4 gradients.*need not descend it.*stochasticLineSearch/,
    );
    await expect(fit(model, data, { rule: lbfgs(), batch: 1 })).rejects.toThrow(
      /nothing about curvature.*adam\(\).*batch: "all"/,
    );
  });

  it("refuses an algorithm without a valid rule", () => {
    expect(() => gradientDescent({ rule: sgd as never })).toThrow(
      "gradientDescent: rule is the function sgd, not called, but must be a rule: write adam({ rate: 0.001 })",
    );
  });

  it("marks a rule as a link if the registry puts it into a chain", () => {
    for (const [name, { make, inChain }] of Object.entries(ruleRegistry)) {
      const made = make({});
      expect([name, made.kind === "equation" && made.link]).toEqual([name, inChain !== undefined]);
    }
  });

  it("refuses to resume on rows that are not a Dataset", () => {
    const resume = fit.resume as unknown as (...args: unknown[]) => unknown;
    expect(() => resume("kept", [[1]])).toThrow("fit.resume: data is an array of 1, but must be a Dataset");
  });

  it("refuses group and penaltyWeights together", async () => {
    const both = linear({ loss: "squared", group: { strength: 0.1, groups: [["x0"]] }, penaltyWeights: { x0: 0.5 } });
    await expect(fit(both, data, { epochs: 2 })).rejects.toThrow("[MODEL_PENALTY]");
  });
});

it("16-bit parameters end a run with an error when they saturate", async () => {
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
  // The rows of one copy lead to the limit, which the mean of both copies never shows.
  const halved = Dataset.fromArrays({ x, y: x.map(([v], i) => (i < 100 ? 0 : 40 * v)) });
  const two = { ...options, precision: { data: "f32", model: "i16" }, replicas: 2, schedule: "ordered" } as const;
  await expect(fit(model, halved, two)).rejects.toThrow(
    'fit: a parameter reached ±16, the end of the range of 16-bit parameters; standardise the columns (and scale the target), or keep the model in floats, precision: "f32" or "i8" [MODEL_SATURATED]',
  );
});

it("a full-objective rule reports the loss without the penalty, at the point of evaluation", async () => {
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => 3 * a - 2 * b), type: "f64" });
  const model = linear({ loss: "squared", l2: 0.5, standardise: false });
  const options = { batch: "all", epochs: 5, precision: "f64" } as const;
  const descent = hostRule(
    "plainDescent",
    { rate: 0.5 },
    ({ rate }, objective, count) => {
      const gradient = new Float64Array(count);
      return {
        stateBytes: 0,
        snapshot: () => ({ numbers: {}, arrays: {} }),
        restore: () => {},
        step(x) {
          const loss = objective(x, gradient);
          for (let i = 0; i < count; i++) x[i] -= (rate as number) * gradient[i];
          return { loss, lossBefore: true, stepSize: rate as number, evaluations: 1, stopped: null };
        },
      };
    },
    { summary: "descent", source: "own", needs: () => "whole", cost: () => ({ floatsPerParameter: 0, perStep: "one" }) },
  );
  const host = await fit(model, data, { ...options, rule: descent({ rate: 0.5 }) });
  const running = await fit(model, data, { ...options, rule: sgd({ rate: 0.5 }) });
  expect(host.run.loss).toBeCloseTo(running.run.loss, 10);
});

it("full gradients run 100 epochs by default or until convergence, and single rows run 5", async () => {
  const rows = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
  const data = Dataset.fromArrays({ x: rows, y: rows.map(([a, b]) => 3 * a - 2 * b + 1) });
  const model = linear({ loss: "squared" });
  expect((await fit(model, data, { rule: sgd(), batch: "all" })).run).toMatchObject({ epochs: 100, updates: 100 });
  expect((await fit(model, data, { rule: sgd() })).run.epochs).toBe(5);
  expect((await fit(model, data, { rule: lbfgs() })).run.reason).toBe("converged");
});

describe("the group penalty on full gradients", () => {
  const rows = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(2 * i), Math.sin(3 * i + 1)]);
  const data = Dataset.fromArrays({ x: rows, y: rows.map(([a, b, c]) => 3 * a - 2 * b + 0.01 * c), type: "f64" });
  const strength = 0.2;
  const rates = [0.4, exponentialDecay({ rate: 0.4, factor: 0.9 })];

  /** Proximal gradient descent, written explicitly. `rate` is a function of the update, from 1. */
  function twin(rate: (t: number) => number, updates: number): number[] {
    const p = [0, 0, 0];
    for (let t = 1; t <= updates; t++) {
      const errors = rows.map((row, i) => row.reduce((z, v, j) => z + v * p[j], 0) - data.target.values[i]);
      const g = p.map((_, j) => errors.reduce((sum, e, i) => sum + e * rows[i][j], 0) / rows.length);
      for (const j of [0, 1, 2]) p[j] -= rate(t) * g[j];
      for (const group of [[0, 1], [2]]) {
        const norm = Math.hypot(...group.map((j) => p[j]));
        const limit = rate(t) * strength * Math.sqrt(group.length);
        for (const j of group) p[j] *= norm <= limit ? 0 : 1 - limit / norm;
      }
    }
    return p;
  }

  it.each(rates)("shrinks after each step at that step's rate", async (rate) => {
    const model = linear({
      loss: "squared",
      group: { strength, groups: [["x0", "x1"]] },
      intercept: false,
      standardise: false,
    });
    const at = (t: number): number =>
      typeof rate === "number" ? rate : evaluateScalar(rate.value(scalar("t")), { scalars: { t } });
    for (const precision of ["f64", "f32"] as const) {
      const { weights } = await fit(model, data, { rule: sgd({ rate }), batch: "all", epochs: 12, precision });
      const wanted = twin(at, 12);
      wanted.forEach((p, j) => {
        expect(weights[j]).toBeCloseTo(p, precision === "f64" ? 12 : 5);
      });
      expect(weights[2]).toBe(0);
    }
  });
});

it("frees the engine's memory when a run has ended", async () => {
  const data = numbers();
  const plan = { epochs: 1, seed: 1 };
  await fit(linear(), data, plan);
  const before = engineMemory().usedBytes;
  await fit(linear(), data, plan);
  // Data of earlier tests can be collected meanwhile.
  expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
});
