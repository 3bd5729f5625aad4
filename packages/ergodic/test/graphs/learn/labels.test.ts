/**
 * Labels with probabilities: gradients equal those of E_q ln P(evidence, y) by enumeration. Also runs of fit that begin
 * at the end of others.
 */
import { describe, expect, it } from "vitest";
import type { Conditionals } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  type GraphLearner,
  is,
  lbfgs,
  pseudoLikelihood,
  sgd,
} from "../../../src/entries/everything.ts";
import { equalParts } from "../../../src/graphs/learn/equal-parts.ts";
import { power } from "../../power.ts";
import { conditionalAt, logValueAt } from "../../reference/conditionals.ts";

const engine = await openEngine({ families: ["graphs", "training"] });
const plan = { seed: 3, workers: 1, memory: 2 ** 28 };
const W = Float64Array.of(0.4, -0.6, 0.8, 0.5);

/**
 * Seven variables with at most three states: two are labelled, one of them with three states, one is observed, and
 * those in `hidden` are neither.
 */
function labelled(hidden: readonly number[], seed = 1): { graph: FactorGraph; columns: Conditionals } {
  const graph = factorGraph();
  const weights = Array.from(W, (_, i) => graph.weight(`w${i}`));
  const draws = stream(seed, "labels").at(0);
  for (let i = 0; i < 7; i++) {
    const q = i === 4 ? [0.2, 0.5, 0.3] : [0.7, 0.1];
    const soft = !hidden.includes(i) && i !== 0 && i % 2 === 0;
    graph.variable(undefined, i === 4 ? 3 : undefined, soft ? { truthiness: q } : {});
    if (!hidden.includes(i) && !soft) graph.observe(i, draws.integer(2) === 1);
  }
  const literal = (i: number) => (i === 4 ? is(4, 1) : i);
  for (let i = 0; i < 7; i++) graph.isTrue(literal(i), { weight: weights[0] });
  for (let i = 0; i < 7; i++)
    graph.equal([literal(i), literal((i + 1) % 7)], { weight: weights[1 + (i % 2)], feature: 1 + i / 7 });
  graph.ratio([0, 2, 3], literal(4), { weight: weights[3], feature: 1.5 });
  graph.imply([5, literal(4)], 6, { weight: weights[3] });
  return { graph, columns: graph.conditionals() };
}

/** All states, each with Σ feature g by weight. */
function enumerated(columns: Conditionals) {
  const { cardinalities } = columns;
  let all: number[][] = [[]];
  for (const count of cardinalities) all = all.flatMap((x) => Array.from({ length: count }, (_, s) => [...x, s]));
  const zero = { ...columns, weightValues: new Float64Array(4) };
  return all.map((x) => {
    const states = Int32Array.from(x);
    const at = (i: number) => logValueAt({ ...zero, weightValues: zero.weightValues.with(i, 1) }, states);
    const base = logValueAt(zero, states);
    return { states, statistics: Array.from({ length: 4 }, (_, i) => at(i) - base) };
  });
}

/** Labellings with their probabilities by definition: the product over labelled variables. */
function labellings({ cardinalities, labels }: Conditionals): { seen: Map<number, number>; p: number }[] {
  let all = [{ seen: new Map<number, number>(), p: 1 }];
  for (const [variable, q] of labels ?? [])
    all = all.flatMap(({ seen, p }) =>
      Array.from({ length: cardinalities[variable] }, (_, s) => ({ seen: new Map([...seen, [variable, s]]), p: p * q[s] })),
    );
  return all;
}

/** −E_q ln P(evidence, y) and its gradient, per variable with evidence or a label. */
function lossOf(columns: Conditionals, w: Float64Array) {
  const all = enumerated(columns).map((one) => ({
    ...one,
    weight: Math.exp(one.statistics.reduce((sum, g, i) => sum + w[i] * g, 0)),
  }));
  const moments = (fits: (states: Int32Array) => boolean) => {
    const own = all.filter(({ states }) => fits(states));
    const z = own.reduce((sum, { weight }) => sum + weight, 0);
    return {
      logZ: Math.log(z),
      mean: w.map((_, i) => own.reduce((sum, { weight, statistics }) => sum + weight * statistics[i], 0) / z),
    };
  };
  const free = moments(() => true);
  const count = columns.observed.filter((state) => state >= 0).length + columns.labels!.size;
  let value = free.logZ;
  const gradient = Float64Array.from(free.mean);
  for (const { seen, p } of labellings(columns)) {
    const clamped = moments((states) =>
      columns.observed.every((state, v) => (seen.get(v) ?? (state < 0 ? states[v] : state)) === states[v]),
    );
    value -= p * clamped.logZ;
    clamped.mean.forEach((mean, i) => {
      gradient[i] -= p * mean;
    });
  }
  return { value: value / count, gradient: gradient.map((g) => g / count), count };
}

describe("labels with probabilities", () => {
  it("are normalised truthiness of unobserved variables", () => {
    const { graph, columns } = labelled([]);
    expect([...columns.labels!.keys()]).toEqual([2, 4, 6]);
    [7 / 8, 1 / 8].forEach((p, state) => {
      expect(columns.labels!.get(2)![state]).toBeCloseTo(p, 12);
    });
    graph.observe(2, true);
    expect([...graph.conditionals().labels!.keys()]).toEqual([4, 6]);
    const none = factorGraph();
    none.variable("a", 2, { truthiness: [0, 0] });
    expect(none.conditionals().labels).toBeUndefined();
  });

  it.each([[[]], [[3]], [[1, 3]], [[3, 5]], [[1, 2, 3, 5]]])(
    "exactLikelihood computes the loss and gradient of enumeration, %j hidden",
    async (hidden) => {
      const { columns } = labelled(hidden);
      const objective = exactLikelihood().objective(columns, plan, engine);
      for (const w of [new Float64Array(4), W]) {
        const gradient = new Float64Array(4);
        const value = await objective.evaluateOnWorkers(w, gradient);
        const wanted = lossOf(columns, w);
        expect(Math.abs(value - wanted.value)).toBeLessThan(1e-10);
        gradient.forEach((g, i) => {
          expect(Math.abs(g - wanted.gradient[i])).toBeLessThan(1e-10);
        });
      }
    },
  );

  it("exactLikelihood evaluates equal rows once, with the loss and gradient of their mean", async () => {
    const rows = Array.from({ length: 40 }, (_, row) => [row % 2 === 0, row % 5 < 2, undefined]);
    /** One copy of a chain per row. */
    const copies = (list: typeof rows): Conditionals => {
      const graph = factorGraph();
      const weights = [0, 1].map((i) => graph.weight(`w${i}`));
      for (const row of list) {
        const [a, b, c] = row.map(() => graph.variable());
        graph.isTrue(a, { weight: weights[0] });
        graph.equal([a, b], { weight: weights[1] });
        graph.imply([b], c, { weight: weights[1], feature: 0.5 });
        for (const [i, variable] of [a, b, c].entries()) if (row[i] !== undefined) graph.observe(variable, row[i]);
      }
      return graph.conditionals();
    };
    const all = copies(rows);
    expect(equalParts({ ...all, observed: all.observed.map(() => -1) }).map(({ count }) => count)).toEqual([40]);
    const grouped = equalParts(all).map(({ columns, count }) => [count, columns.variableCount / 3]);
    expect(grouped.sort(([p], [q]) => p - q)).toEqual([
      [8, 2],
      [12, 2],
    ]);
    const lossAt = async (columns: Conditionals): Promise<number[]> => {
      const gradient = new Float64Array(2);
      const loss = await exactLikelihood().objective(columns, plan, engine).evaluateOnWorkers(W.slice(0, 2), gradient);
      return [loss, ...gradient];
    };
    const each = await Promise.all(rows.map((row) => lossAt(copies([row]))));
    const found = await lossAt(all);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(
        each.reduce((sum, own) => sum + own[i] / rows.length, 0),
        12,
      );
    });
  });

  /** Mean gradient over updates, and its standard error by batches of updates. */
  function averaged(algorithm: GraphLearner, columns: Conditionals, updates: number) {
    const objective = algorithm.objective(columns, plan, engine);
    const gradient = new Float64Array(4);
    const batches = Array.from({ length: 40 }, () => new Float64Array(4));
    for (let update = 0; update < 40 + 40 * updates; update++) {
      objective.evaluate(W, gradient, update);
      if (update < 40) continue;
      const batch = batches[Math.floor((update - 40) / updates)];
      gradient.forEach((g, i) => {
        batch[i] += g / updates;
      });
    }
    objective.dispose();
    return Array.from(W, (_, i) => {
      const mean = batches.reduce((sum, batch) => sum + batch[i] / 40, 0);
      const variance = batches.reduce((sum, batch) => sum + (batch[i] - mean) ** 2, 0) / 39;
      return { mean, error: Math.sqrt(variance / 40) };
    });
  }

  // Student's t with 39 degrees of freedom exceeds 4.9 with a probability of 1.7e-5: 1e-4 for the eight checks here,
  // and at most 2e-4 together with the four of the next test.
  it.each([[[]], [[3]]])("contrastiveDivergence has the same expected gradient, %j hidden", (hidden) => {
    const { columns } = labelled(hidden);
    const wanted = lossOf(columns, W).gradient;
    const updates = power(10, 25);
    averaged(contrastiveDivergence({ particles: 200, steps: 2 }), columns, updates).forEach(({ mean, error }, i) => {
      expect(error).toBeLessThan(0.02 / Math.sqrt(updates));
      expect(Math.abs(mean - wanted[i])).toBeLessThan(4.9 * error);
    });
  });

  it("contrastiveDivergence comes within a twentieth of the label effect if hidden variables are dependent", () => {
    const { columns } = labelled([1, 2, 3, 5]);
    const wanted = lossOf(columns, W).gradient;
    const flat = new Map(Array.from(columns.labels!, ([v, q]) => [v, q.map(() => 1 / q.length)]));
    const other = lossOf({ ...columns, labels: flat }, W).gradient;
    const apart = Math.hypot(...wanted.map((g, i) => g - other[i]));
    const found = averaged(contrastiveDivergence({ particles: 200, steps: 2 }), columns, power(10, 25));
    expect(apart).toBeGreaterThan(0.5);
    // The error of the mean is at most 0.008. If each update drew all labels again, hidden variables would lag by
    // 0.055, while a twentieth is 0.03.
    expect(Math.hypot(...wanted.map((g, i) => g - found[i].mean))).toBeLessThan(apart / 20);
  });

  it("pseudoLikelihood has the expected gradient of E_q of the pseudo-likelihood", () => {
    const { columns } = labelled([]);
    const wanted = new Float64Array(4);
    const count = lossOf(columns, W).count;
    for (const { seen, p } of labellings(columns)) {
      const states = Int32Array.from(columns.observed, (state, v) => seen.get(v) ?? state);
      const value = (w: Float64Array): number =>
        states.reduce((sum, state, v) => sum + Math.log(conditionalAt({ ...columns, weightValues: w }, states, v)[state]), 0);
      wanted.forEach((_, i) => {
        const [up, down] = [1e-5, -1e-5].map((by) => value(W.with(i, W[i] + by)));
        wanted[i] -= (p * (up - down)) / 2e-5 / count;
      });
    }
    const updates = power(600, 1600);
    averaged(pseudoLikelihood(), columns, updates).forEach(({ mean, error }, i) => {
      expect(error).toBeLessThan(0.16 / Math.sqrt(updates));
      expect(Math.abs(mean - wanted[i])).toBeLessThan(4.9 * error);
    });
  });

  it("teach a single Boolean its log odds", async () => {
    const graph = factorGraph();
    const weight = graph.weight("w");
    graph.variable("a", undefined, { truthiness: [0.2, 0.8] });
    graph.all(["a"], { weight });
    const learned = await fit(graph, { algorithm: exactLikelihood(), rule: sgd({ rate: 4 }), epochs: 30 });
    expect(learned.weight("w")).toBeCloseTo(Math.log(4), 3);
  });

  it("are refused if the rule compares losses or too many labels are joined", async () => {
    const { graph } = labelled([]);
    await expect(fit(graph, { algorithm: pseudoLikelihood(), rule: lbfgs() })).rejects.toThrow(
      /lbfgs\(\) compares losses, but labels with probabilities are drawn.*\[RULE_CAPABILITY\]/,
    );
    const star = factorGraph();
    const weight = star.weight("w");
    star.variable("centre");
    for (let i = 0; i < 13; i++) {
      star.variable(`leaf ${i}`, undefined, { truthiness: [0.5, 0.5] });
      star.equal(["centre", `leaf ${i}`], { weight });
    }
    await expect(fit(star, { algorithm: exactLikelihood(), epochs: 1 })).rejects.toThrow(
      /hidden variables join 13 labels with probabilities, which have 8192 joint states.*\[GRAPH_WIDTH\]/,
    );
  });

  it("produce the same run on 2 workers and after resuming, and identify the graph", async () => {
    const { graph } = labelled([3]);
    for (const algorithm of [contrastiveDivergence({ particles: 5 }), pseudoLikelihood()]) {
      const options = { algorithm, rule: adam({ rate: 0.05 }), epochs: 40, seed: 2 };
      const wanted = [...(await fit(graph, options)).weights];
      expect([...(await fit(graph, { ...options, workers: 2 })).weights]).toEqual(wanted);
      const run = fit(graph, { ...options, epochs: 17 });
      await run;
      const bytes = await run.checkpoint();
      expect([...(await fit.resume(bytes, graph, { epochs: 40 })).weights]).toEqual(wanted);
      const json = JSON.parse(JSON.stringify(graph).replace("[0.7,0.1]", "[0.6,0.1]"));
      const { factorGraphFromJson } = await import("../../../src/entries/everything.ts");
      await expect(fit.resume(bytes, factorGraphFromJson(json))).rejects.toThrow(/another graph/);
    }
  });
});

describe("fit from an earlier run", () => {
  const chain = (size: number, weight: number, fixedValue = 0.25) => {
    const graph = factorGraph();
    const strong = graph.weight("strong", weight);
    const fixed = graph.weight("fixed", fixedValue, { fixed: true });
    for (let i = 0; i < size; i++) graph.variable();
    for (let i = 0; i + 1 < size; i++) graph.equal([i, i + 1], { weight: strong });
    graph.isTrue(0, { weight: fixed });
    return graph;
  };
  const still = { rule: sgd({ rate: 1e-12 }), epochs: 1 };

  it("begins with the earlier weights and chains, except for fixed weights", async () => {
    const graph = chain(6, 0);
    graph.observe(5, true);
    const states = [0, 1].map((state) => Uint8Array.from([state, state, state, state, state, state]));
    const from = {
      weights: Float64Array.of(60, 7),
      // Observed variables keep their states, whatever a chain contains.
      particles: { clamped: [Uint8Array.from([1, 1, 1, 1, 1, 0])], free: states, updates: 100 },
    };
    const learned = await fit(graph, { ...still, algorithm: contrastiveDivergence({ particles: 2 }), from });
    expect(learned.weight("strong")).toBeCloseTo(60, 6);
    expect(learned.weight("fixed")).toBe(0.25);
    // No state changes at such weights.
    expect(learned.particles!.free.map((chain) => [...chain])).toEqual([
      [0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1, 1],
    ]);
    expect(learned.particles!.clamped.map((chain) => [...chain])).toEqual([
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 1],
    ]);
    expect(learned.particles!.updates).toBe(101);
    // This graph has more variables and weights than before.
    const grown = chain(8, 0);
    grown.isTrue(7, { weight: grown.weight("new", 0.5) });
    grown.observe(5, true);
    const more = await fit(grown, { ...still, algorithm: contrastiveDivergence({ particles: 2 }), from });
    expect(more.weight("new")).toBeCloseTo(0.5, 6);
    expect([...more.particles!.free[1]].slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
    // A fixed weight keeps the value of the graph, even if its name matches.
    const other = await fit(chain(6, 0, 0.75).observe(5, true), { ...still, from: learned });
    expect(other.weight("fixed")).toBe(0.75);
    expect(other.weight("strong")).toBeCloseTo(60, 6);
  });

  it("draws new random numbers, and resumes to the same bytes without the earlier run", async () => {
    const graph = chain(30, 0.3);
    for (let i = 0; i < 30; i += 3) graph.observe(i, i % 2 === 0);
    for (const algorithm of [contrastiveDivergence({ particles: 3 }), pseudoLikelihood()]) {
      const first = await fit(graph, { algorithm, epochs: 30 });
      const options = { algorithm, rule: adam({ rate: 0.02 }), from: first };
      const run = fit(graph, { ...options, epochs: 11 });
      await run;
      const bytes = await run.checkpoint();
      const wanted = await fit(graph, { ...options, epochs: 25 });
      expect(wanted.particles!.updates).toBe(55);
      const resumed = await fit.resume(bytes, graph, { epochs: 25 });
      expect([...resumed.weights]).toEqual([...wanted.weights]);
      expect(resumed.particles!.updates).toBe(55);
      const repeated = await fit(graph, {
        ...options,
        epochs: 25,
        from: { ...first, particles: { ...first.particles!, updates: 0 } },
      });
      expect([...repeated.weights]).not.toEqual([...wanted.weights]);
    }
    const exact = await fit(graph, { algorithm: exactLikelihood(), epochs: 2 });
    expect(exact.particles).toBeUndefined();
    expect((await fit(graph, { ...still, from: exact })).weight("strong")).toBeCloseTo(exact.weight("strong"), 9);
  });

  it("refuses anything but an earlier run, and runs on larger graphs", async () => {
    const graph = chain(6, 0);
    graph.observe(5, true);
    await expect(fit(graph, { from: {} as never })).rejects.toThrow(/from.*a result of fit\(\)/);
    await expect(fit(graph, { from: { weights: new Float64Array(5) } })).rejects.toThrow(
      /from has 5 weights, but the graph has 2/,
    );
    const before = await fit(graph, { epochs: 2 });
    const wider = chain(5, 0);
    wider.variable(undefined, 3);
    await expect(fit(wider.observe(1, true), { from: before })).rejects.toThrow(
      /from has 2 states of the variable x5, but the graph has 3/,
    );
    const large = await fit(chain(9, 0).observe(1, true), { epochs: 2 });
    await expect(fit(graph, { from: large })).rejects.toThrow(/chains over 9 variables, but the graph has 6/);
  });
});
