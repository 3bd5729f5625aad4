/**
 * The change of variables in which L-BFGS fits linear models: the same objective and minimum as without it, in few
 * steps, however the columns are scaled. Only this file compares the two.
 */
import { expect, test } from "vitest";
import type { Problem } from "../../../src/engine/contract/index.ts";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { RowObjective } from "../../../src/engine/optimise/objective.ts";
import {
  adam,
  Dataset,
  fit,
  gradientDescent,
  type LinearOptions,
  dense as layer,
  lbfgs,
  linear,
  network,
} from "../../../src/entries/everything.ts";
import { linearModel } from "../../../src/learning/models/linear/linear.ts";
import { compressed, numbers } from "../newton/made.ts";

const ROWS = 300;
/** Scales and centres of the columns differ a millionfold. The last two columns are nearly the same. */
const SCALES = [1e3, 1, 1e-3, 30, 30];
const CENTRES = [5e3, 0, 2e-3, 0, 0];
const next = numbers(11);
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
const latent = Array.from({ length: ROWS }, () => SCALES.map(normal));
for (const row of latent) row[4] = row[3] + 0.05 * row[4];
const x = latent.map((row) => row.map((v, j) => CENTRES[j] + SCALES[j] * v));
const classOf = ([a, b, c]: number[]): string => (a + 0.7 * next() > 0.8 ? "high" : b - c + next() > 0.4 ? "mid" : "low");
const y = latent.map(classOf);
const weights = Float64Array.from(latent, () => 0.5 + next());
/** The same without centres, and with zeros that sparse rows leave out. */
const gappy = latent.map((row) => row.map((v, j) => (j < 3 && v < 0 ? 0 : SCALES[j] * v)));

const dense = (rows = x): Dataset => Dataset.fromArrays({ x: rows, y, weights, type: "f64" });
function sparse(): Dataset {
  const levels = ["high", "low", "mid"];
  const target = Float64Array.from(y, (level) => levels.indexOf(level));
  return Dataset.fromSparse({ ...compressed(gappy), target, weights }).asClasses();
}

/** Stops when a step gains nothing but rounding errors. */
const exact = lbfgs({ gradientTolerance: 1e-11, changeTolerance: 1e-16, history: 30 });
const common = { precision: "f64", epochs: 20_000 } as const;

/**
 * Largest gradient at a minimum, in units of the column. The last step gains less than 1e-16, so that the gradient is
 * near √1e-16.
 */
const SLOPE = 1e-7;

async function minimised(options: LinearOptions, data: Dataset, preconditioned: boolean) {
  const model = await fit(linear({ standardise: false, ...options }), data, {
    algorithm: gradientDescent({ rule: exact, preconditioned }),
    ...common,
  });
  return { model, weights: model.weights, intercept: model.intercept };
}

const cases: [string, LinearOptions, () => Dataset][] = [
  ["dense rows", { l2: 1e-2 }, dense],
  ["dense rows without an intercept", { l2: 1e-2, intercept: false }, () => dense(gappy)],
  ["sparse rows", { l2: 1e-2 }, sparse],
  ["penalty weights", { l2: 1e-2, penaltyWeights: { x0: 0, x1: 100 } }, () => dense(latent)],
  ["class weights", { l2: 1e-2, classWeights: "balanced" }, () => dense(latent)],
  ["one against the rest", { loss: "logistic", l2: 1e-2 }, () => dense(latent)],
  ["a weak penalty", { l2: 1e-7 }, () => dense(latent)],
];

test.each(cases)("%s: the minimum does not depend on the variables", async (_, options, data) => {
  const given = data();
  const changed = await minimised(options, given, true);
  const gradient = gradientAt(options, given, changed);
  for (const slopes of await gradient) for (const slope of slopes) expect(Math.abs(slope)).toBeLessThan(SLOPE);
  given.dispose();
});

/** Gradient of the objective by column, divided by √mean(x²), at the given weights. The last entry is the intercept. */
async function gradientAt(
  options: LinearOptions,
  data: Dataset,
  { weights: w, intercept }: { weights: Float64Array; intercept: Float64Array },
): Promise<number[][]> {
  const engine = await openEngine();
  const plan = resolvePlan("test", { precision: "f64" }, engine.describe(), { batch: "all" });
  const start = Float64Array.of(...w, ...(options.intercept === false ? [] : intercept));
  const problem = linearModel({ standardise: false, ...options }, { numbers: { vector: start }, reset: [] }).bind(
    data.as("f64"),
    plan,
    engine,
  );
  const objective = new RowObjective(problem, problem.rowGradient, plan, engine);
  const at = problem.start!;
  const gradient = new Float64Array(at.length);
  objective.evaluate(at, gradient);
  const { l2, weights: pulls, stride } = problem.penalty as { l2: number; weights: Float64Array; stride: number };
  for (let i = 0; i < at.length; i++) gradient[i] += l2 * pulls[i] * at[i];
  const size = data.columnMoments().rootMeanSquare;
  const columns = Array.from({ length: data.columnCount + (options.intercept === false ? 0 : 1) }, (_, j) =>
    Array.from({ length: at.length / stride }, (_, k) => gradient[k * stride + j] / (size[j] ?? 1)),
  );
  objective.dispose();
  problem.dispose();
  return columns;
}

test("parameters agree with those of plain L-BFGS on columns that it can handle", async () => {
  const data = dense(latent);
  const plain = await minimised({ l2: 1e-2 }, data, false);
  const changed = await minimised({ l2: 1e-2 }, data, true);
  for (const [i, w] of plain.weights.entries()) expect(changed.weights[i]).toBeCloseTo(w, 6);
  for (const [k, b] of plain.intercept.entries()) expect(changed.intercept[k]).toBeCloseTo(b, 6);
});

test("the default fit converges in few steps, however columns are scaled, dense or sparse", async () => {
  for (const data of [dense(), dense(latent), sparse()]) {
    for (const l2 of [1e-2, 1e-5]) {
      const { run } = await fit(linear({ standardise: false, l2 }), data);
      expect(run.reason).toBe("converged");
      // Without the change of variables: 1000 steps for x, and more than 100 for the others at l2 = 1e-5.
      expect(run.updates).toBeLessThan(60);
    }
  }
});

/** Wide rows get variables that are only scaled, because second moments would take too long. */
test("columns that are only scaled: the same objective, in fewer steps", async () => {
  const columnCount = 200;
  const scales = Float64Array.from({ length: columnCount }, () => 10 ** (4 * next() - 2));
  const rows = latent.map(() => Array.from(scales, (s) => s * (normal() + 1)));
  const target = rows.map((row) =>
    row[0] / scales[0] - row[1] / scales[1] + normal() > 0 ? (row[2] > scales[2] ? "a" : "b") : "c",
  );
  const data = Dataset.fromArrays({ x: rows, y: target, type: "f64" });
  const options = { l2: 1e-3 };
  const changed = await minimised(options, data, true);
  for (const slopes of await gradientAt(options, data, changed))
    for (const slope of slopes) expect(Math.abs(slope)).toBeLessThan(SLOPE);
  const steps = async (preconditioned: boolean): Promise<number> =>
    (
      await fit(linear({ standardise: false, ...options }), data, {
        algorithm: gradientDescent({ rule: lbfgs(), preconditioned }),
        epochs: 1000,
      })
    ).run.updates;
  expect(await steps(true)).toBeLessThan(0.5 * (await steps(false)));
});

test("outputs of a joint loss sum to 0 without a penalty, as they do with one", async () => {
  const { weights: w, intercept } = await minimised({ l2: 0 }, dense(latent), true);
  for (let j = 0; j < SCALES.length; j++) expect(w[j] + w[SCALES.length + j] + w[2 * SCALES.length + j]).toBeCloseTo(0, 9);
  expect(intercept[0] + intercept[1] + intercept[2]).toBeCloseTo(0, 9);
});

/** Binds a model of three classes. */
async function bound(data: Dataset): Promise<Problem> {
  const engine = await openEngine({ families: ["training", "hessian"] });
  const plan = resolvePlan("test", { precision: "f64" }, engine.describe(), { batch: "all" });
  return linearModel({ l2: 1e-3, standardise: false }).bind(data.as("f64"), plan, engine);
}

test("toGradient is the adjoint of toParameters, and fromParameters its inverse", async () => {
  for (const data of [dense(), sparse()]) {
    const problem = await bound(data);
    const variables = await problem.preconditioner!.bind();
    const count = problem.parameterCount;
    const vector = (): Float64Array => {
      const v = Float64Array.from({ length: count }, normal);
      // Padding.
      for (let i = 0; i < count; i++) if (i % 8 > 5) v[i] = 0;
      return v;
    };
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
    const [u, g, p] = [vector(), vector(), new Float64Array(count)];
    variables.toParameters(u, p);
    const direct = dot(g, p);
    variables.toGradient(g);
    expect(dot(g, u) / direct).toBeCloseTo(1, 9);
    const again = new Float64Array(count);
    variables.toParameters(variables.fromParameters(p), again);
    const largest = Math.max(...p.map(Math.abs));
    for (const [i, v] of again.entries()) expect(Math.abs(v - p[i]) / largest).toBeLessThan(1e-9);
    problem.dispose();
  }
});

test("a run continues bit for bit from its checkpoint", async () => {
  const data = dense();
  const options = { deterministic: true, seed: 3 } as const;
  const whole = await fit(linear({ standardise: false, l2: 1e-4 }), data, options);
  const run = fit(linear({ standardise: false, l2: 1e-4 }), data, options);
  for await (const tick of run) if (Number(tick.updates) >= 5) break;
  const resumed = await fit.resume(await run.checkpoint(), data);
  expect(resumed.weights).toEqual(whole.weights);
  expect(resumed.run.updates).toBe(whole.run.updates);
});

test("preconditioned is refused for other models and rules", async () => {
  const data = dense();
  const stepwise = fit(linear(), data, { algorithm: gradientDescent({ rule: adam(), preconditioned: true }), batch: "all" });
  await expect(stepwise).rejects.toThrow(/preconditioned is true, but the rule is adam/);
  const layers = fit(network([layer(3)]), data, { algorithm: gradientDescent({ rule: lbfgs(), preconditioned: true }) });
  await expect(layers).rejects.toThrow(/preconditioned is true, but the model is a network/);
});
