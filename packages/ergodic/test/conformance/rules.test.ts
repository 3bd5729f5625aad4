/**
 * Every registered rule keeps the family's promises: it converges on a convex and (equations only in test:slow) on a
 * badly scaled problem, resumes exactly, has the costs in its ledger, gives the same updates on dense and sparse rows,
 * is rebuilt from its JSON, and never hides a NaN.
 */
import { describe, expect, test } from "vitest";
import { openEngine } from "../../src/engine/memory/engine.ts";
import * as g from "../../src/engine/optimise/index.ts";
import { type RuleEntry, ruleRegistry } from "../../src/engine/optimise/index.ts";
import { isSlow } from "../power.ts";
import { search } from "../reference/search.ts";

interface Problem {
  start: number[];
  objective: g.Objective;
}

/** f = ½ mean (aᵀx − b)² with an exact solution: least value 0, largest curvature 1. */
const ROWS = [
  [1, 0.5, -0.2],
  [0.3, -1, 0.4],
  [-0.7, 0.2, 1],
  [0.4, 0.6, 0.8],
  [-0.5, 0.9, -0.6],
];
const SOLUTION = [1, -2, 0.5];
const convex: Problem = {
  start: [0, 0, 0],
  objective(x, gradient) {
    gradient?.fill(0);
    let f = 0;
    for (const a of ROWS) {
      const r = a.reduce((s, v, j) => s + v * (x[j] - SOLUTION[j]), 0);
      f += (0.5 * r * r) / ROWS.length;
      if (gradient) for (let j = 0; j < 3; j++) gradient[j] += (r * a[j]) / ROWS.length;
    }
    return f;
  },
};

/** Four coordinates with curvatures from 1 to 1e-3. Each contributes equally to the first value. */
const CURVATURE = [1, 0.1, 0.01, 0.001];
const CENTRE = [1, -3, 10, -31];
const scaled: Problem = {
  start: [0, 0, 0, 0],
  objective(x, gradient) {
    let f = 0;
    for (let i = 0; i < 4; i++) {
      const d = x[i] - CENTRE[i];
      f += 0.5 * CURVATURE[i] * d * d;
      if (gradient) gradient[i] = CURVATURE[i] * d;
    }
    return f;
  },
};

const kindOf = ([, entry]: [string, RuleEntry]) => entry.make(entry.convex).kind;
const entries = Object.entries(ruleRegistry);
const equations = entries.filter((e) => kindOf(e) === "equation");
const hosts = entries.filter((e) => kindOf(e) === "host");

function equationOf(entry: RuleEntry, preset: "convex" | "scaled" = "convex"): g.EquationRule {
  const rule = entry.make(entry[preset]) as g.EquationRule;
  return entry.inChain?.(rule) ?? rule;
}

async function descend(rule: g.EquationRule, { start, objective }: Problem, updates: number): Promise<number> {
  using runner = await g.RuleRunner.open(rule, { count: start.length, start });
  const gradient = new Float64Array(start.length);
  for (let t = 0; t < updates; t++) {
    const loss = objective(Float64Array.from(runner.parameters()), gradient);
    runner.gradient().set(gradient);
    runner.step(loss);
  }
  return objective(Float64Array.from(runner.evaluationPoint()), null);
}

const initialValue = ({ start, objective }: Problem): number => objective(Float64Array.from(start), null);

describe("convergence", () => {
  test.each(equations)("%s by its equation", async (_, entry) => {
    expect(await descend(equationOf(entry), convex, 3000)).toBeLessThan(1e-3 * initialValue(convex));
    // Only the rate differs from the first problem, and golden/torch.test.ts follows the equations step by step.
    if (isSlow) expect(await descend(equationOf(entry, "scaled"), scaled, 10_000)).toBeLessThan(1e-3 * initialValue(scaled));
  });

  test.each(hosts)("%s on the host", (_, entry) => {
    for (const [problem, updates] of [
      [convex, 3000],
      [scaled, 10_000],
    ] as const) {
      const rule = entry.make(problem === convex ? entry.convex : entry.scaled) as g.HostRule;
      const x = Float64Array.from(problem.start);
      const run = rule.start(problem.objective, x.length);
      for (let t = 0; t < updates && run.step(x).stopped === null; t++);
      expect(problem.objective(x, null)).toBeLessThan(1e-3 * initialValue(problem));
    }
  });

  test("stochasticLineSearch converges", () => {
    const rule = g.stochasticLineSearch();
    for (const { start, objective } of [convex, scaled]) {
      const x = Float64Array.from(start);
      const gradient = new Float64Array(x.length);
      let last: number | undefined;
      for (let t = 0; t < 10_000; t++) {
        const loss = objective(x, gradient);
        const squaredNorm = gradient.reduce((s, v) => s + v * v, 0);
        const at = (stepSize: number) => x.map((v, i) => v - stepSize * gradient[i]);
        const found = search(rule, last, { loss, squaredNorm, epochUpdates: 100 }, (stepSize) => objective(at(stepSize), null));
        last = found.stepSize;
        x.set(at(found.stepSize));
      }
      expect(objective(x, null)).toBeLessThan(1e-3 * initialValue({ start, objective }));
    }
  });
});

/** A deterministic stream of gradients that depends only on its arguments. */
const pseudo = (t: number, i: number): number => (((7919 * t + 104729 * i + 13 * t * i) % 1009) / 1009 - 0.4) * (1 + (i % 3));
const lossAt = (t: number): number => 2 + ((t * 37) % 11) / 10;

function feed(runner: g.RuleRunner, updates: number): void {
  for (let k = 0; k < updates; k++) {
    const t = runner.t + 1;
    runner.gradient().set(Array.from({ length: runner.count }, (_, i) => pseudo(t, i)));
    runner.step(lossAt(t), { epochUpdates: 5 });
  }
}

const START = Array.from({ length: 37 }, (_, i) => ((i * 5) % 7) - 3);

describe("resumption", () => {
  for (const precision of ["f32", "f64"] as const) {
    test.each(equations)(`%s in ${precision}, rebuilt from its JSON`, async (_, entry) => {
      const rule = equationOf(entry);
      const options = { count: START.length, start: START, precision };
      using whole = await g.RuleRunner.open(rule, options);
      feed(whole, 12);
      using first = await g.RuleRunner.open(rule, options);
      feed(first, 5);
      const rebuilt = g.ruleFromJson(JSON.parse(JSON.stringify(rule))) as g.EquationRule;
      expect(JSON.stringify(rebuilt)).toBe(JSON.stringify(rule));
      using second = await g.RuleRunner.open(rebuilt, { ...options, start: undefined });
      second.restore(structuredClone(first.snapshot()));
      feed(second, 7);
      expect(second.snapshot()).toEqual(whole.snapshot());
      expect(second.evaluationPoint()).toEqual(whole.evaluationPoint());
      feed(whole, 1);
      expect(second.snapshot()).not.toEqual(whole.snapshot());
    });
  }

  test.each(hosts)("%s", (_, entry) => {
    const rule = entry.make(entry.scaled) as g.HostRule;
    const x = Float64Array.from(scaled.start);
    const run = rule.start(scaled.objective, 4);
    for (let t = 0; t < 4; t++) run.step(x);
    const again = g.ruleFromJson(JSON.parse(JSON.stringify(rule))) as g.HostRule;
    const resumed = again.start(scaled.objective, 4);
    resumed.restore(structuredClone(run.snapshot()));
    const y = x.slice();
    for (let t = 0; t < 4; t++) {
      run.step(x);
      resumed.step(y);
    }
    expect(y).toEqual(x);
    expect(resumed.snapshot()).toEqual(run.snapshot());
  });
});

describe("costs in the ledger", async () => {
  const { memory } = await openEngine();
  const count = 64 * 1024;
  test.each(equations)("%s: allocates the stated bytes", async (_, entry) => {
    const rule = equationOf(entry);
    const cost = g.ruleCost(rule);
    for (const precision of ["f32", "f64"] as const) {
      const used = async (r: g.EquationRule): Promise<number> => {
        const before = memory.usedBytes;
        using runner = await g.RuleRunner.open(r, { count, precision, interpret: true });
        expect(runner.stateBytes).toBe(count * g.ruleCost(r).stateBytesPerParameter(precision));
        return memory.usedBytes - before;
      };
      expect((await used(rule)) - (await used(g.sgd()))).toBe(count * cost.stateBytesPerParameter(precision));
    }
  });

  /** Counted by hand from the papers' formulas. Counts are relative to p − ηg, which takes 2. */
  test.each([
    ["sgd", g.sgd(), 0, 0, 0],
    ["momentum: μv + g", g.momentum(), 1, 2, 0],
    ["nesterov: μv' + g as well", g.nesterov(), 1, 4, 0],
    ["adagrad: r + g², √, + ε, ÷", g.adagrad(), 1, 5, 0],
    ["rmsprop: ρr + (1 − ρ)g², √, + ε, ÷", g.rmsprop(), 1, 7, 0],
    ["adam: m 3, v 4, √, · c, + ε, ÷", g.adam(), 2, 11, 0],
    ["polyak: g², Σ", g.polyak(), 0, 2, 1],
    ["clipNorm: g², Σ, · c", g.chain(g.clipNorm(), g.sgd()), 0, 3, 1],
    ["prodigy waits for no sum", g.prodigy(), 4, g.ruleCost(g.prodigy()).operationsPerParameter, 0],
  ] as const)("%s", (_, rule, floats, operations, passes) => {
    const cost = g.ruleCost(rule);
    expect([cost.floatsPerParameter, cost.operationsPerParameter, cost.extraPasses]).toEqual([floats, operations, passes]);
  });
});

/** Coordinates that update t touches: about a third, never the same set twice. */
const touchedBy = (t: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => i).filter((i) => (i * 7 + t * 11) % 3 === 0);

function close(a: ArrayLike<number>, b: ArrayLike<number>, within = 1e-12): void {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  expect(worst).toBeLessThanOrEqual(within);
}

describe("agreement of dense and sparse updates", () => {
  const options = { count: START.length, start: START, precision: "f64" as const };
  const compare = (a: g.RuleRunner, b: g.RuleRunner): void => {
    for (const name of ["parameter", ...a.program.states.map((s) => s.name)]) close(a.vector(name), b.vector(name));
  };

  test.each(equations)("%s agrees if every coordinate is touched in another order", async (_, entry) => {
    const rule = equationOf(entry);
    using dense = await g.RuleRunner.open(rule, options);
    using sparse = await g.RuleRunner.open(rule, { ...options, indexed: true });
    feed(dense, 8);
    const order = START.map((_, i) => (i * 10) % START.length);
    for (let t = 1; t <= 8; t++) {
      sparse.indices().set(order);
      sparse.gradient().set(order.map((i) => pseudo(t, i)));
      sparse.step(lossAt(t), { epochUpdates: 5 });
    }
    compare(sparse, dense);
  });

  test.each(equations)("%s agrees on a sparse stream", async (_, entry) => {
    const rule = equationOf(entry);
    const behaviour = g.sparseBehaviour(rule);
    using sparse = await g.RuleRunner.open(rule, { ...options, indexed: true });
    using dense = await g.RuleRunner.open(rule, options);
    for (let t = 1; t <= 8; t++) {
      const touched = touchedBy(t, START.length);
      const before = sparse.parameters().slice();
      sparse.indices().set(touched);
      sparse.gradient().set(touched.map((i) => pseudo(t, i)));
      sparse.step(lossAt(t), { epochUpdates: 5, touched: touched.length });
      const after = sparse.parameters();
      expect(after.filter((_, i) => !touched.includes(i))).toEqual(before.filter((_, i) => !touched.includes(i)));
      dense.gradient().set(START.map((_, i) => (touched.includes(i) ? pseudo(t, i) : 0)));
      dense.step(lossAt(t), { epochUpdates: 5 });
    }
    if (behaviour === "exact") compare(sparse, dense);
    else expect(() => compare(sparse, dense), "a rule that is not exact must differ somewhere").toThrow();
  });

  test("sparse behaviours are derived from the equations", () => {
    const of = (rule: g.EquationRule) => g.sparseBehaviour(rule);
    expect([g.sgd(), g.adagrad(), g.polyak(), g.chain(g.clipNorm(), g.adagrad())].map(of)).toEqual(Array(4).fill("exact"));
    expect([g.momentum(), g.adam(), g.adamw(), g.rmsprop(), g.lion()].map(of)).toEqual(Array(5).fill("lazy"));
    expect([g.prodigy(), g.chain(g.weightDecay(), g.clipNorm(), g.sgd())].map(of)).toEqual(["dense", "dense"]);
    expect([g.scheduleFreeSgd(), g.scheduleFreeAdam(), g.chain(g.sgd(), g.averaging())].map(of)).toEqual(Array(3).fill("dense"));
  });
});

describe("visibility of NaN gradients", () => {
  test.each(equations)("%s by its equation", async (_, entry) => {
    using runner = await g.RuleRunner.open(equationOf(entry), { count: 37, start: START });
    feed(runner, 2);
    runner.gradient().set(START.map((_, i) => pseudo(3, i)));
    runner.gradient()[5] = Number.NaN;
    runner.step(lossAt(3));
    expect(runner.parameters()[5]).toBeNaN();
    feed(runner, 3);
    expect(runner.parameters()[5]).toBeNaN();
  });

  test.each(hosts)("%s on the host", (_, entry) => {
    const run = (entry.make(entry.convex) as g.HostRule).start((_, gradient) => {
      gradient?.fill(Number.NaN);
      return Number.NaN;
    }, 2);
    const x = Float64Array.of(1, 2);
    const { stopped } = run.step(x);
    expect(stopped !== null || Number.isNaN(x[0])).toBe(true);
  });
});

describe("closeness of float32 to float64", () => {
  test.each(equations)("%s", async (_, entry) => {
    const rule = equationOf(entry);
    using single = await g.RuleRunner.open(rule, { count: 37, start: START, precision: "f32" });
    using double = await g.RuleRunner.open(rule, { count: 37, start: START });
    feed(single, 20);
    feed(double, 20);
    close(single.parameters(), double.parameters(), 1e-4);
  });
});
