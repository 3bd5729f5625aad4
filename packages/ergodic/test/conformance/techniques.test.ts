/**
 * Every technique of the gradient family with every smooth loss, on dense and on sparse rows: minibatches, racing
 * workers, averaged replicas, variance reduction, 8- and 16-bit data, and a 16-bit model. Each comes within a stated
 * share of the least objective, which L-BFGS finds in float64. Low-precision numbers come within 0.2 % of float32. If a
 * rule changes nothing at g = 0, sparse and dense rows give the same results.
 */
import { describe, expect, it } from "vitest";
import {
  adagrad,
  adam,
  chain,
  clipValue,
  type FitOptions,
  type Fitted,
  fit,
  huberLoss as huber,
  inverseTimeDecay,
  type LinearOptions,
  lbfgs,
  linear,
  polyak,
  sag,
  saga,
  sgd,
  svrg,
} from "../../src/entries/everything.ts";
import { type Planted, plantedRows } from "../engine/loop/planted.ts";
import { isSlow } from "../power.ts";

const l2 = 0.01;
const ROWS = 400;
const COLUMNS = 12;

interface Problem {
  name: string;
  classes: number | "count";
  model: LinearOptions;
  /** ℓ of the outputs of a row. */
  loss: (z: number[], y: number) => number;
  /** A constant rate for variance reduction if the curvature is unbounded. */
  rate?: number;
}

const log1pExp = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
const binary =
  (margin: (m: number) => number) =>
  ([z]: number[], y: number) =>
    margin((y > 0 ? 1 : -1) * z);
const problems: Problem[] = [
  { name: "squared", classes: 0, model: { loss: "squared" }, loss: ([z], y) => (z - y) ** 2 / 2 },
  {
    name: "huber",
    classes: 0,
    model: { loss: huber({ delta: 0.5 }) },
    loss: ([z], y) => (Math.abs(z - y) <= 0.5 ? (z - y) ** 2 / 2 : 0.5 * (Math.abs(z - y) - 0.25)),
  },
  { name: "logistic", classes: 2, model: { loss: "logistic" }, loss: binary((m) => log1pExp(-m)) },
  { name: "squaredHinge", classes: 2, model: { loss: "squaredHinge" }, loss: binary((m) => Math.max(0, 1 - m) ** 2) },
  { name: "poisson", classes: "count", model: { loss: "poisson" }, loss: ([z], y) => Math.exp(z) - y * z, rate: 0.02 },
  {
    name: "multinomial",
    classes: 3,
    model: { loss: "multinomial" },
    loss: (z, y) => Math.max(...z) + Math.log(z.reduce((sum, v) => sum + Math.exp(v - Math.max(...z)), 0)) - z[y],
  },
  {
    name: "one against the rest",
    classes: 3,
    model: { loss: "logistic" },
    loss: (z, y) => z.reduce((sum, v, k) => sum + log1pExp(k === y ? -v : v), 0),
  },
];

/** Objective on the same rows, whatever format was used for training. */
function objective(
  { entries, y }: Planted,
  { loss }: Problem,
  { weights, intercept }: Pick<Fitted, "weights" | "intercept">,
): number {
  const outputs = intercept.length;
  const total = entries.reduce((sum, row, i) => {
    const z = Array.from(intercept, (b, k) => row.reduce((s, [j, x]) => s + x * weights[(k * weights.length) / outputs + j], b));
    return sum + loss(z, y[i]);
  }, 0);
  return total / y.length + (l2 / 2) * weights.reduce((sum, w) => sum + w * w, 0);
}

interface Technique {
  name: string;
  options: (problem: Problem) => FitOptions;
  /** Relative excess over the least objective. */
  within: number;
  /** Excess relative to the same run in float32. */
  coarse?: boolean;
}

const base = { epochs: 60, seed: 4 };
const reduced =
  (variance: ReturnType<typeof saga>) =>
  ({ rate }: Problem): FitOptions => ({ ...base, epochs: 100, variance, ...(rate ? { rule: sgd({ rate }) } : {}) });
const plain = { ...base, rule: adagrad({ rate: 0.2 }) };
const techniques: Technique[] = [
  { name: "plain", options: () => plain, within: 1e-3 },
  { name: "minibatches of 16, Adam", options: () => ({ ...base, rule: adam({ rate: 0.01 }), batch: 16 }), within: 2e-3 },
  { name: "two racing workers", options: () => ({ ...plain, workers: 2, replicas: "shared" }), within: 5e-3 },
  {
    name: "two racing workers, plain descent",
    options: () => ({
      ...base,
      rule: sgd({ rate: inverseTimeDecay({ rate: 0.05, decay: 1e-3 }) }),
      workers: 2,
      replicas: "shared",
    }),
    within: 5e-3,
  },
  { name: "four replicas, averaged", options: () => ({ ...plain, replicas: 4, workers: 2 }), within: 1e-3 },
  { name: "SVRG", options: reduced(svrg()), within: 1e-8 },
  { name: "SAGA", options: reduced(saga()), within: 1e-8 },
  { name: "SAG", options: reduced(sag()), within: 1e-8 },
  { name: "8-bit data", options: () => ({ ...plain, precision: "i8" }), within: 2e-3, coarse: true },
  { name: "16-bit data", options: () => ({ ...plain, precision: "i16" }), within: 2e-3, coarse: true },
  { name: "16-bit model", options: () => ({ ...plain, precision: { model: "i16" } }), within: 2e-3, coarse: true },
  {
    name: "8-bit data, 16-bit model",
    options: () => ({ ...plain, precision: { data: "i8", model: "i16" } }),
    within: 2e-3,
    coarse: true,
  },
];

describe.each(problems)("$name", (problem) => {
  const model = linear({ ...problem.model, l2, standardise: false });
  const make = (format: "dense" | "sparse"): Planted =>
    plantedRows({ rows: ROWS, columns: COLUMNS, classes: problem.classes, format, type: "f32", noise: 3 });
  const planted = { dense: make("dense"), sparse: make("sparse") };
  const train = async (format: "dense" | "sparse", options: FitOptions): Promise<number> =>
    objective(planted[format], problem, await fit(model, planted[format].data, options));
  const least = train("dense", { rule: lbfgs({ gradientTolerance: 1e-10, changeTolerance: 1e-16 }), precision: "f64" });
  const single = { dense: train("dense", plain), sparse: train("sparse", plain) };

  /** `npm test` runs every technique on dense and on sparse rows, alternating over the losses. */
  const isTaken = (technique: number, format: number): boolean =>
    isSlow || (problems.indexOf(problem) + technique + format) % 3 === 0;
  const runs = techniques.flatMap((technique, t) =>
    (["dense", "sparse"] as const).filter((_, f) => isTaken(t, f)).map((format) => ({ ...technique, format })),
  );

  it.each(runs)("$format, $name", async ({ options, within, coarse, format }) => {
    const found = await train(format, options(problem));
    const best = await least;
    expect(found).toBeGreaterThan(best * (1 - 1e-9));
    expect(found).toBeLessThan((coarse ? await single[format] : best) * (1 + within));
  });
});

describe("agreement of sparse and dense rows if untouched coordinates do not move", () => {
  const rules = [sgd({ rate: 0.1 }), adagrad({ rate: 0.1 }), polyak(), chain(clipValue({ value: 0.3 }), sgd({ rate: 0.1 }))];
  // Plain descent stores L2 as a scale of all parameters.
  const runs = [...rules.map((rule) => ({ rule, l2: 0 })), { rule: sgd({ rate: 0.1 }), l2: 0.1 }].flatMap(({ rule, l2 }) =>
    [{ batch: 1 }, { batch: 7 }, { batch: 1, replicas: 3 }].map((plan) => ({
      rule,
      plan,
      l2,
      name: `${rule.name}, l2 ${l2}, ${JSON.stringify(plan)}`,
    })),
  );

  it.each(runs)("$name", async ({ rule, plan, l2 }) => {
    for (const classes of [2, 3]) {
      const [dense, sparse] = await Promise.all(
        (["dense", "sparse"] as const).map(async (format) => {
          const { data } = plantedRows({ rows: 60, columns: 9, classes, format });
          return await fit(linear({ l2, standardise: false }), data, { rule, epochs: 3, precision: "f64", seed: 2, ...plan });
        }),
      );
      const largest = Math.max(...dense.weights.map(Math.abs));
      expect(largest).toBeGreaterThan(0.1);
      expect(Math.max(...dense.weights.map((w, j) => Math.abs(w - sparse.weights[j])))).toBeLessThanOrEqual(1e-12 * largest);
      expect(Math.max(...dense.intercept.map((b, k) => Math.abs(b - sparse.intercept[k])))).toBeLessThanOrEqual(1e-12 * largest);
    }
  });
});
