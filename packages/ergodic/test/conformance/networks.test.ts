/**
 * Networks keep the promises of the gradient family. A network of one dense layer is the linear model: every registered
 * loss gives its loss and gradient, and every technique reaches its least objective. Every registered rule trains a
 * network with a hidden layer.
 */
import { describe, expect, it } from "vitest";
import { type EquationRule, ruleRegistry } from "../../src/engine/optimise/index.ts";
import {
  adagrad,
  adam,
  Dataset,
  dense,
  type FitOptions,
  fit,
  inverseTimeDecay,
  type LossName,
  lbfgs,
  linear,
  lossFromJson,
  lossNames,
  mlp,
  momentum,
  type NetworkPredictor,
  network,
} from "../../src/entries/everything.ts";
import { chooseLoss } from "../../src/learning/models/choose-loss.ts";
import { plantedRows } from "../engine/loop/planted.ts";
import { BoundLinear } from "../learning/models/bound.ts";
import { BoundNetwork } from "../learning/models/bound-network.ts";
import { isSlow } from "../power.ts";
import { builtIn } from "../reference/built-in.ts";

const COLUMNS = 7;
const ROWS = 24;

/** Data that suit a loss by its task: several classes for losses that support one against the rest. */
function dataFor(name: string): Dataset[] {
  const { task } = lossFromJson(name);
  const of = (classes: number | "count"): Dataset => plantedRows({ rows: ROWS, columns: COLUMNS, classes, format: "dense" }).data;
  if (task === "count") return [of("count")];
  if (task === "regression") return [of(0)];
  return task === "multiclass" ? [of(3)] : [of(2), of(3)];
}

describe("loss and gradient of one dense layer, equal to the linear model", () => {
  it.each(builtIn(lossNames(), "Loss"))("%s", async (name) => {
    for (const data of dataFor(name)) {
      const { loss, outputs } = chooseLoss("test", name, data);
      const rows = Array.from({ length: ROWS }, (_, i) => (5 * i) % ROWS);
      using flat = await BoundLinear.open(data, { loss, outputs, intercept: true, mode: "batch", model: "f64" });
      using deep = await BoundNetwork.open(network([dense(outputs)], { loss: name as LossName, standardise: false }), data, {
        batch: ROWS,
      });
      const at = deep.irregular();
      const [weight, bias] = deep.problem.layout.parameters;
      const stride = flat.problem.parameterCount / outputs;
      /** Position in the linear model of the weight of column j, or of the intercept at j = COLUMNS, for output k. */
      const place = (j: number, k: number): number => k * stride + j;
      const values = new Float64Array(flat.problem.parameterCount);
      for (let k = 0; k < outputs; k++) {
        for (let j = 0; j < COLUMNS; j++) values[place(j, k)] = at[weight.offset + j * outputs + k];
        values[place(COLUMNS, k)] = at[bias.offset + k];
      }
      flat.setParameters(values);
      deep.setParameters(at);
      const wanted = flat.gradient(rows);
      const found = deep.gradient(rows);
      const size = Math.max(...wanted.gradient.map(Math.abs));
      expect(size).toBeGreaterThan(1e-3);
      expect(Math.abs(found.loss - wanted.loss)).toBeLessThan(1e-12 * Math.max(1, wanted.loss));
      for (let k = 0; k < outputs; k++) {
        for (let j = 0; j < COLUMNS; j++) {
          const off = Math.abs(found.gradient["0.weight"][j * outputs + k] - wanted.gradient[place(j, k)]);
          expect(off, `column ${j}, output ${k}`).toBeLessThan(1e-12 * size);
        }
        expect(Math.abs(found.gradient["0.bias"][k] - wanted.gradient[place(COLUMNS, k)])).toBeLessThan(1e-12 * size);
      }
      data.dispose();
    }
  });
});

describe("least objective of the linear model, by every technique", () => {
  const l2 = 0.01;
  const base: FitOptions = { epochs: 60, seed: 4, batch: 8 };
  const techniques: Record<string, { options: FitOptions; within: number }> = {
    "Adam on minibatches": {
      options: { ...base, rule: adam({ rate: inverseTimeDecay({ rate: 0.05, decay: 0.01 }) }) },
      within: 2e-3,
    },
    "single rows": { options: { ...base, batch: 1, rule: adagrad({ rate: 0.2 }) }, within: 1e-3 },
    float64: { options: { ...base, precision: "f64", rule: adagrad({ rate: 0.2 }) }, within: 1e-3 },
    deterministic: { options: { ...base, deterministic: true, rule: adagrad({ rate: 0.2 }) }, within: 1e-3 },
    "two racing workers": { options: { ...base, workers: 2, replicas: "shared", rule: adagrad({ rate: 0.2 }) }, within: 5e-3 },
    "four replicas, averaged": { options: { ...base, replicas: 4, workers: 2, rule: adagrad({ rate: 0.2 }) }, within: 1e-3 },
    "8-bit data": { options: { ...base, precision: "i8", rule: adagrad({ rate: 0.2 }) }, within: 5e-3 },
    "16-bit data": { options: { ...base, precision: "i16", rule: adagrad({ rate: 0.2 }) }, within: 1e-3 },
    "full gradients": { options: { ...base, batch: "all", epochs: 600, rule: momentum({ rate: 0.2 }) }, within: 1e-3 },
    "L-BFGS": { options: { rule: lbfgs({ gradientTolerance: 1e-8 }), seed: 4 }, within: 1e-5 },
  };
  const problems: Record<string, { classes: number; loss: LossName; of: (z: readonly number[], y: number) => number }> = {
    logistic: { classes: 2, loss: "logistic", of: ([z], y) => softplus(y > 0 ? -z : z) },
    multinomial: { classes: 3, loss: "multinomial", of: (z, y) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[y] },
    "one against the rest": {
      classes: 3,
      loss: "logistic",
      of: (z, y) => z.reduce((sum, v, k) => sum + softplus(k === y ? -v : v), 0),
    },
  };
  /** With several classes, every technique takes the path of several outputs. */
  const isTaken = (problem: string, technique: string): boolean =>
    isSlow || problem === "multinomial" || technique === "Adam on minibatches";
  const runs = Object.keys(problems).flatMap((problem) =>
    Object.keys(techniques)
      .filter((technique) => isTaken(problem, technique))
      .map((technique) => [problem, technique] as const),
  );
  const leasts = new Map<string, number>();

  it.each(runs)("%s: %s", async (problem, technique) => {
    const { classes, loss, of } = problems[problem];
    const { options, within } = techniques[technique];
    const { data, y } = plantedRows({ rows: 400, columns: COLUMNS, classes, format: "dense", type: "f32", noise: 3 });
    const penalised = (z: ArrayLike<number>, weights: ArrayLike<number>): number => {
      const outputs = z.length / y.length;
      const rows = y.map((target, i) => of(Array.from(z).slice(i * outputs, (i + 1) * outputs), target));
      return rows.reduce((a, b) => a + b, 0) / y.length + (l2 / 2) * Array.from(weights).reduce((sum, w) => sum + w * w, 0);
    };
    const found = async (): Promise<number> => {
      const exact = { rule: lbfgs({ gradientTolerance: 1e-10, changeTolerance: 1e-16 }), precision: "f64" } as const;
      const best = await fit(linear({ loss, l2, standardise: false }), data, exact);
      return penalised(best.outputs(data), best.weights);
    };
    const least = leasts.get(problem) ?? (await found());
    leasts.set(problem, least);
    const made: NetworkPredictor = await fit(
      network([dense(classes === 2 ? 1 : classes)], { loss, l2, standardise: false }),
      data,
      options,
    );
    const weights = (made as unknown as { tensors(): Record<string, { values: Float32Array }> }).tensors()["0.weight"].values;
    const reached = penalised(made.outputs(data), weights);
    expect(reached).toBeGreaterThan(least * (1 - 1e-6));
    expect(reached).toBeLessThan(least * (1 + within));
    data.dispose();
  });
});

describe("training of a network with a hidden layer, by every rule", () => {
  const start = Math.log(2);
  it.each(Object.keys(ruleRegistry))("%s", async (name) => {
    const { make, convex, inChain } = ruleRegistry[name];
    const made = make(convex);
    const rule = made.kind === "equation" ? (inChain?.(made as EquationRule) ?? made) : made;
    const x = Array.from({ length: 120 }, (_, i) => [Math.sin(1.7 * i), Math.cos(2.3 * i)]);
    using data = Dataset.fromArrays({ x, y: x.map(([a, b]) => (a * b > 0 ? "same" : "other")) });
    const options: FitOptions = made.kind === "host" ? { batch: "all", epochs: 200 } : { batch: 12, epochs: 60 };
    const model = await fit(network(mlp([12], { outputs: 1, activation: "tanh" })), data, { rule, seed: 2, ...options });
    expect(model.evaluate(data).logLoss).toBeLessThan(0.8 * start);
  });
});

function softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
}
