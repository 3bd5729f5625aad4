/**
 * Line searches, L-BFGS and the textbook AdaGrad on objectives with known answers. The stochastic line search is tested
 * step by step.
 */
import { describe, expect, test } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { fullDescent } from "../../../src/engine/optimise/full.ts";
import * as g from "../../../src/engine/optimise/index.ts";
import { minimiseLine } from "../../../src/engine/optimise/line-minimum.ts";
import type { FullObjective } from "../../../src/engine/optimise/objective.ts";
import { along, made, strongWolfe } from "../../../src/engine/optimise/wolfe.ts";
import { fit, linear } from "../../../src/entries/everything.ts";
import { rosenbrock } from "../../golden/problems.ts";
import { isSlow, power } from "../../power.ts";
import { search } from "../../reference/search.ts";
import { plantedRows } from "../loop/planted.ts";

const engine = await openEngine();
const H = [1, 4, 25];
const quadratic: g.Objective = (x, gradient) => {
  H.forEach((h, i) => {
    if (gradient) gradient[i] = h * x[i];
  });
  return H.reduce((f, h, i) => f + 0.5 * h * x[i] * x[i], 0);
};
const curved: g.Objective = Object.assign((x: Float64Array, gradient: Float64Array | null) => quadratic(x, gradient), {
  curvature: (_: Float64Array, d: Float64Array) => H.reduce((s, h, i) => s + h * d[i] * d[i], 0),
});
const valley: g.Objective = (x, gradient) => {
  gradient?.set(rosenbrock.gradient(x, 0));
  return rosenbrock.value(x);
};

/** Reports the given gradient, whatever the value. */
const filled =
  (slope: number, value: (x: Float64Array) => number): g.Objective =>
  (x, gradient) => {
    gradient?.fill(slope);
    return value(x);
  };

describe("exactLineSearch", () => {
  test("the closed form and Brent's method find the same step, gᵀg/gᵀHg", () => {
    const start = [3, -2, 1];
    const gradient = start.map((v, i) => H[i] * v);
    const exact = gradient.reduce((s, v) => s + v * v, 0) / gradient.reduce((s, v, i) => s + H[i] * v * v, 0);
    for (const objective of [curved, quadratic]) {
      const x = Float64Array.from(start);
      const report = g.exactLineSearch({ tolerance: 1e-10 }).start(objective, 3).step(x);
      expect(report.stepSize).toBeCloseTo(exact, 7);
      expect(report.loss).toBeCloseTo(quadratic(x, null), 12);
      expect(report.loss).toBeCloseTo(
        quadratic(
          Float64Array.from(start, (v, i) => v - exact * gradient[i]),
          null,
        ),
        12,
      );
    }
  });

  test("costs as much as the ledger states", () => {
    const [, least, most] = /^a gradient and (\d+) to (\d+) values of the objective$/.exec(g.exactLineSearch().cost.perStep)!;
    const bowl: g.Objective = (x, gradient) => {
      x.forEach((v, j) => {
        if (gradient) gradient[j] = (3 ** j * v) / Math.hypot(1, v);
      });
      return x.reduce((f, v, j) => f + 3 ** j * Math.hypot(1, v), 0);
    };
    for (const [objective, count, steps] of [
      [bowl, 4, 100],
      [valley, 2, 100],
      [quadratic, 3, 20],
    ] as const) {
      const run = g.exactLineSearch().start(objective, count);
      const x = new Float64Array(count).fill(-1.3);
      const values = Array.from({ length: steps }, () => run.step(x).evaluations - 1);
      const mean = values.reduce((sum, n) => sum + n, 0) / steps;
      expect(mean).toBeGreaterThanOrEqual(Number(least));
      expect(mean).toBeLessThanOrEqual(Number(most));
    }
  });

  test.each([
    ["a parabola", (a: number) => (a - 3) ** 2, 3],
    ["far from the guess", (a: number) => (a / 1000 - 1) ** 2, 1000],
    ["near 0", (a: number) => (a - 1e-5) ** 2, 1e-5],
    ["not a parabola", (a: number) => Math.exp(a) - 5 * a, Math.log(5)],
    ["infinite beyond 2", (a: number) => (a < 2 ? -Math.sqrt(a) * (2 - a) : Number.NaN), 2 / 3],
  ])("Brent's method finds the lowest point: %s", (_, phi, at) => {
    const found = minimiseLine(phi, phi(0), 1, { tolerance: 1e-8, maxEvaluations: 100 });
    expect(Math.abs(found.stepSize - at)).toBeLessThan(1e-5 * at);
    expect(found.evaluations).toBeLessThan(60);
  });

  test("stays if no point of the line is lower", () => {
    const rising = minimiseLine((a) => a, 0, 1, { tolerance: 1e-8, maxEvaluations: 30 });
    expect(rising.stepSize).toBe(0);
  });
});

describe("backtracking", () => {
  test("accepts the first halving with sufficient decrease, and starts from twice the last step", () => {
    const run = g.backtracking({ initial: 1 }).start((x, gradient) => {
      if (gradient) gradient[0] = 10 * x[0];
      return 5 * x[0] * x[0];
    }, 1);
    const x = Float64Array.of(1);
    // f(1 − 10α) ≤ 5 − 1e-4 · 100α holds first at α = 1/8: |1 − 10/8| = 1/4
    const first = run.step(x);
    expect([first.stepSize, x[0], first.evaluations]).toEqual([0.125, -0.25, 5]);
    expect(run.step(x).stepSize).toBe(0.125);
  });

  test("reports its reason to stop", () => {
    const flat = g.backtracking().start(
      filled(0, () => 1),
      2,
    );
    expect(flat.step(Float64Array.of(1, 2)).stopped).toBe("the gradient is 0");
    const lying = g.backtracking().start(
      filled(1, (x) => -x[0]),
      1,
    );
    expect(lying.step(Float64Array.of(0)).stopped).toMatch(/no step along/);
  });
});

describe("strong Wolfe", () => {
  test("both conditions hold on Rosenbrock from many directions", () => {
    for (let k = 0; k < 40; k++) {
      const x = Float64Array.of(-1.5 + 0.1 * k, 1 - 0.07 * k);
      const gradient = new Float64Array(2);
      const loss = valley(x, gradient);
      const d = gradient.map((v) => -v * (1 + 0.3 * (k % 3)));
      const slope = gradient.reduce((s, v, i) => s + v * d[i], 0);
      if (slope === 0) continue;
      const search = strongWolfe({ stepSize: 0, loss, slope, gradient }, 10 ** ((k % 5) - 4), Math.hypot(...d));
      const { point } = made(along(x, d, search), valley);
      expect(point.loss).toBeLessThanOrEqual(loss + 1e-4 * point.stepSize * slope);
      expect(Math.abs(point.slope)).toBeLessThanOrEqual(-0.9 * slope);
    }
  });
});

describe("lbfgs", () => {
  test("solves Rosenbrock in a few dozen steps and then reports that it stopped", () => {
    const x = Float64Array.of(-1.2, 1);
    const run = g.lbfgs().start(valley, 2);
    let steps = 0;
    while (run.step(x).stopped === null) steps++;
    expect(steps).toBeLessThan(50);
    expect(Math.hypot(x[0] - 1, x[1] - 1)).toBeLessThan(1e-5);
  });

  test("stores at most 2m + 1 vectors", () => {
    const x = Float64Array.of(-1.2, 1);
    const run = g.lbfgs({ history: 3 }).start(valley, 2);
    for (let t = 0; t < 20; t++) run.step(x);
    expect(run.stateBytes).toBe((2 * 3 + 1) * 2 * 8);
  });
});

describe("stochasticLineSearch", () => {
  const rule = g.stochasticLineSearch({ c: 0.1, shrink: 0.5, initial: 1 });
  test("starts at its initial option, then at the last step times growth, and never accepts NaN", () => {
    const at = { loss: 1, squaredNorm: 1, epochUpdates: 10 };
    expect(search(rule, undefined, { ...at, epochUpdates: 1 }, () => 0).stepSize).toBe(2);
    expect(search(rule, 0.5, at, () => 0).stepSize).toBeCloseTo(0.5 * 2 ** 0.1, 15);
    expect(search(rule, undefined, at, () => Number.NaN).accepted).toBe(false);
  });

  test("halves until the loss of the same batch decreases enough, or falls back after maxTrials", () => {
    // f_i(w) = 5 w² at w = 1. Trial losses are 5 (1 − 10 α)², accepted when ≤ 5 − 10 α, first at α = 1/8.
    const loss = (stepSize: number) => 5 * (1 - 10 * stepSize) ** 2;
    const found = search(rule, 1, { loss: 5, squaredNorm: 100, epochUpdates: 1 }, loss);
    expect(found).toEqual({ stepSize: 0.125, trials: 5, accepted: true });
    const never = search(rule, 1, { loss: 5, squaredNorm: 100, epochUpdates: 1 }, () => 6);
    expect(never).toEqual({ stepSize: 1e-6, trials: 100, accepted: false });
  });
});

describe("passes over an objective", () => {
  /** A two-parameter valley that claims `rows` rows and records how it was evaluated. */
  function claimed(rows: number): { objective: FullObjective; asked: string[] } {
    const asked: string[] = [];
    const ask = (how: string, x: Float64Array, gradient: Float64Array | null): number => {
      asked.push(how);
      return valley(x, gradient);
    };
    const objective: FullObjective = {
      count: 2,
      rows,
      start: Float64Array.of(-1.2, 1),
      evaluate: (x, gradient) => ask("here", x, gradient),
      evaluateOnWorkers: async (x, gradient) => {
        const copied = x.slice();
        await new Promise((resolve) => setImmediate(resolve));
        expect([...x]).toEqual([...copied]);
        return ask("on workers", x, gradient);
      },
      dispose() {},
    };
    return { objective, asked };
  }
  const penalty = {
    l1: 0,
    l2: 0.01,
    nonNegative: false,
    weights: Float64Array.of(1, 2),
    group: 0,
    groups: [],
    outputs: 1,
    stride: 2,
  };
  const options = { penalty, precision: "f64" as const, workers: 2, deterministic: false };
  const LONG = 2 ** 19;

  test.each([
    ["lbfgs", g.lbfgs()],
    ["lbfgs without a search", g.lbfgs({ search: "none", rate: 0.05 })],
    ["strongWolfe", g.strongWolfe()],
  ] as const)("run on workers if they are long, by %s, with the same bits", async (_, rule) => {
    const [few, many] = [claimed(LONG), claimed(LONG + 1)];
    const [here, there] = [few, many].map(({ objective }) => fullDescent({ ...options, objective, rule }, engine));
    for (let k = 0; k < 12; k++) {
      await here.advance(1);
      await there.advance(1);
      expect([...there.parameters()]).toEqual([...here.parameters()]);
      expect(there.report()).toEqual(here.report());
    }
    expect(there.snapshot()).toEqual(here.snapshot());
    expect(new Set(few.asked)).toEqual(new Set(["here"]));
    expect(new Set(many.asked)).toEqual(new Set(["on workers"]));
    expect(many.asked.length).toBe(there.report().evaluations);
    if (rule.options.search === "none") expect(there.report()).toEqual({ stepSize: 0.05, evaluations: 13 });
  });

  test("run on this thread if the rule requests values alone", async () => {
    const { objective, asked } = claimed(LONG + 1);
    const descent = fullDescent({ ...options, objective, rule: g.backtracking() }, engine);
    await descent.advance(1);
    expect(new Set(asked)).toEqual(new Set(["here"]));
  });

  test("end the step with the reason if they fail on a worker", async () => {
    const { objective } = claimed(LONG + 1);
    const failing = { ...objective, evaluateOnWorkers: async () => Promise.reject(new Error("a worker died")) };
    await expect(fullDescent({ ...options, objective: failing, rule: g.lbfgs() }, engine).advance(1)).rejects.toThrow(
      "a worker died",
    );
  });

  test("give the same model on any number of workers", async () => {
    // Slightly more than 2^20 numbers.
    const { data } = plantedRows({ rows: 27_000, columns: 40, classes: 2, format: "dense" });
    const fits = (isSlow ? [1, 2, 3] : [1, 3]).map((workers) =>
      fit(linear({ loss: "logistic", l2: 1e-3 }), data, { rule: g.lbfgs(), epochs: power(2, 5), workers }),
    );
    const [one, ...others] = (await Promise.all(fits)).map(({ weights, intercept }) => [...weights, ...intercept]);
    for (const other of others) expect(other).toEqual(one);
    data.dispose();
  });
});
