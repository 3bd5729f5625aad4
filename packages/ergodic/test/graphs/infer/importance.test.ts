/**
 * Importance sampling from weighted mini-buckets: the proposal q covers all states of the target, weights stay below
 * their bound, and intervals hold.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { automatic, factorGraph, importanceSampling, infer } from "../../../src/entries/everything.ts";
import { judged, type Weighed } from "../../../src/graphs/bounds/judge.ts";
import { Proposal } from "../../../src/graphs/bounds/proposal.ts";
import { WeightSums } from "../../../src/graphs/bounds/weight-sums.ts";
import { Inference } from "../../../src/graphs/infer/inference.ts";
import { LogTables } from "../../../src/graphs/parts/log-tables.ts";
import { reduce } from "../../../src/graphs/parts/reduction.ts";
import { power } from "../../power.ts";
import { enumerateGraph } from "../../reference/enumerate-graph.ts";
import { graphOf, gridEdges, pairwiseGraph, randomGraphs } from "../../reference/random-graph.ts";

function proposalOf(tables: LogTables, limit: number): Proposal {
  const making = Proposal.make(tables, [...tables.cardinalities.keys()], limit);
  for (;;) {
    const { done, value } = making.next();
    if (done) return value;
  }
}

const valueAt = (tables: LogTables, states: ArrayLike<number>): number =>
  tables.tables.reduce((sum, { scope, shape, values }) => {
    let at = 0;
    scope.forEach((variable, k) => {
      at = at * shape[k] + states[variable];
    });
    return sum + values[at];
  }, 0);

/** A random grid of Booleans. */
function grid(side: number, strength: number, seed: number) {
  const draws = stream(seed, "grid").at(side);
  const factors: { scope: number[]; values: number[] }[] = [];
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++)
      for (const [to, there] of [
        [i * side + j + 1, j + 1 < side],
        [i * side + j + side, i + 1 < side],
      ] as const)
        if (there)
          factors.push({
            scope: [i * side + j, to],
            values: Array.from({ length: 4 }, () => Math.exp(strength * draws.normal())),
          });
  return graphOf(new Array(side * side).fill(2), factors);
}

describe("the proposal", () => {
  it("gives each possible state at least its weight over the bound, with probabilities that sum to 1", () => {
    fc.assert(
      fc.property(randomGraphs, fc.integer({ min: 1, max: 4 }), (graph, limit) => {
        for (const part of reduce(graph).components) {
          const tables = LogTables.of(part);
          const proposal = proposalOf(tables, limit);
          // Many draws reveal q for each drawn state. The next test shows that q is the probability of that state.
          const draws = stream(1, "proposal").at(limit);
          const states = new Int32Array(part.cardinalities.length);
          for (let n = 0; n < 40; n++) {
            const logQ = proposal.draw(draws, states);
            if (logQ === -Infinity) continue;
            const logWeight = valueAt(tables, states) - logQ;
            expect(logWeight).toBeLessThanOrEqual(proposal.logBound + 1e-9 * (1 + Math.abs(proposal.logBound)));
          }
        }
      }),
      { numRuns: power(50, 300), seed: 5 },
    );
  });

  it("draws each state with its stated probability: chi-squared at 1e-6", () => {
    const [part] = reduce(grid(3, 1, 3)).components;
    const tables = LogTables.of(part);
    const proposal = proposalOf(tables, 2);
    expect(proposal.exact).toBe(false);
    const states = new Int32Array(9);
    const counts = new Float64Array(512);
    const q = new Float64Array(512);
    const count = power(50_000, 200_000);
    for (let n = 0; n < count; n++) {
      const logQ = proposal.draw(stream(2, "chances").at(n), states);
      const at = states.reduce((sum, state) => 2 * sum + state, 0);
      counts[at]++;
      q[at] = Math.exp(logQ);
    }
    expect(q.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(0.999);
    let chi = 0;
    let cells = 0;
    for (const [at, expected] of q.entries()) {
      if (expected * count < 5) continue;
      chi += (counts[at] - expected * count) ** 2 / (expected * count);
      cells++;
    }
    // Wilson and Hilferty's normal approximation of the quantile at 1 − 1e-6.
    const limit = cells * (1 - 2 / (9 * cells) + 4.75 * Math.sqrt(2 / (9 * cells))) ** 3;
    expect(chi).toBeLessThan(limit);
  });
});

describe("intervals", () => {
  it("hold for weights in [0, 1] of many shapes: 2,000 times at 95 %, and a bound that is too low is detected", () => {
    let missed = 0;
    let missedNarrow = 0;
    for (let round = 0; round < 2000; round++) {
      const draws = stream(9, "weights").at(round);
      const rare = 10 ** -(1 + 2 * draws.uniform());
      const sums = new WeightSums([2], 0, false);
      for (let n = 0; n < 300; n++) sums.add(draws.uniform() < rare ? 0 : Math.log(0.01), new Int32Array(1));
      const truth = Math.log(rare + 0.01 * (1 - rare));
      const { low, high, value } = sums.total(0.05);
      if (truth < low || truth > high) missed++;
      const half = 0.1 * (high - low);
      if (truth < value - half || truth > value + half) missedNarrow++;
    }
    expect(missed).toBeLessThan(2000 * 0.05);
    expect(missedNarrow).toBeGreaterThan(2000 * 0.05);
  });

  it("contain the exact ln Z and marginals on random grids", async () => {
    let [outside, widest] = [0, 0];
    for (let seed = 0; seed < power(6, 30); seed++) {
      const graph = grid(6, 1.5, seed);
      const exact = await infer(graph);
      const { logZ, logZCertificate, ...answer } = await infer(graph, {
        algorithm: importanceSampling({ samples: 2000, width: 1e-9 }),
        seed,
      }).then((found) => ({ logZ: found.logZ, logZCertificate: found.logZCertificate, found }));
      expect(Math.abs(logZ - exact.logZ)).toBeLessThan(0.5);
      if (!("interval" in logZCertificate)) throw new Error(`no interval: ${JSON.stringify(logZCertificate)}`);
      const [low, high] = logZCertificate.interval as readonly [number, number];
      if (exact.logZ < low || exact.logZ > high) outside++;
      widest = Math.max(widest, high - low);
      for (const variable of graph.cardinalities.keys()) {
        const { certificate } = answer.found.marginal(variable);
        if (!("interval" in certificate)) throw new Error("no interval");
        const [from, to] = (certificate.interval as readonly (readonly [number, number])[])[1];
        const truth = exact.marginal(variable).p[1];
        if (truth < from || truth > to) outside++;
      }
    }
    expect(outside).toBe(0);
    expect(widest).toBeLessThan(1);
  });

  it("equal enumeration if nothing is split", async () => {
    const graph = grid(3, 1, 1);
    const { logZ, logZCertificate } = await infer(graph, { task: "partition", algorithm: importanceSampling() });
    const truth = enumerateGraph(graph).logZ;
    expect(logZ).toBeCloseTo(truth, 9);
    expect(logZCertificate).toHaveProperty("interval");
  });
});

describe("k-hat instead of an interval", () => {
  /** Weights with a Pareto tail of shape k, multiplied by e^shift. */
  const weighed = (k: number, { count = 4000, shift = 0, seed = 0 } = {}): Weighed => {
    const draws = stream(seed, "tails").at(0);
    const logWeights = Array.from({ length: count }, () => shift - k * Math.log(1 - draws.uniform()));
    const sums = new WeightSums([2], 20, false);
    for (const logWeight of logWeights) sums.add(logWeight, new Int32Array(1));
    return { sums, logWeights };
  };

  it("is reported for the chosen proposal if both proposals are good and agree", () => {
    const arms = [weighed(0.1), weighed(0.2, { seed: 1, shift: Math.log(0.8 / 0.9) })];
    const certificates = [judged(arms, 0), judged(arms, 1)] as { khat: number; ess: number }[];
    certificates.forEach(({ khat, ess }, chosen) => {
      expect(khat).toBeLessThan(0.5);
      expect(ess).toBe(arms[chosen].sums.effectiveSize);
    });
    expect(certificates[0].khat).not.toBe(certificates[1].khat);
  });

  it("is not reported for heavy tails, few effective weights or proposals that disagree", () => {
    const good = weighed(0.1);
    const heavy = weighed(1.5, { seed: 3 });
    expect(judged([good, { sums: good.sums, logWeights: heavy.logWeights }], 0)).toBeUndefined();
    expect(judged([{ sums: good.sums, logWeights: heavy.logWeights }, good], 1)).toBeUndefined();
    expect(judged([good, weighed(0.1, { count: 150, seed: 4 })], 0)).toBeUndefined();
    expect(judged([good, weighed(0.1, { seed: 5, shift: 0.1 })], 0)).toBeUndefined();
    expect(judged([good, weighed(0.1, { seed: 5 })], 0)).toBeDefined();
  });
});

it("a higher level widens the intervals, and the certificate reports it", async () => {
  const graph = grid(6, 1.5, 0);
  const widths: number[] = [];
  for (const level of [0.6, 0.999, 0.999999]) {
    const algorithm = importanceSampling({ samples: 2000, width: 1e-9, level });
    const { logZCertificate: certificate } = await infer(graph, { task: "partition", algorithm });
    if (!("interval" in certificate)) throw new Error("no interval");
    expect(certificate.level).toBe(level);
    const [low, high] = certificate.interval as readonly [number, number];
    widths.push(high - low);
  }
  expect(widths[0]).toBeLessThan(widths[1]);
  expect(widths[1]).toBeLessThan(widths[2]);
});

describe("checkpoints", () => {
  it("keep the best answer of earlier proposals", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const draws = stream(16).at(0);
    const graph = pairwiseGraph(144, gridEdges(12, 12), 1.5, () => draws.normal());
    const plan = { task: "marginals", seed: 3, workers: 1, memory: 2 ** 28 } as const;
    const begin = () => Inference.open(graph, importanceSampling({ samples: 1000, width: 1e-6 }), plan, engine);
    const whole = await begin();
    let kept = whole.snapshot();
    while (!whole.converged) {
      kept = whole.snapshot();
      await whole.advance(1);
    }
    const wanted = whole.found();
    // These intervals are narrower than those of 1000 draws from the second and the last proposal.
    expect(wanted[0].answer!.method).toContain("4000 draws from mini-buckets of at most 2^8 states");
    // Just before the last step.
    const resumed = await begin();
    resumed.restore(kept);
    expect(resumed.found()).toEqual(wanted);
    while (!resumed.converged) await resumed.advance(1);
    expect(resumed.found()).toEqual(wanted);
  });
});

describe("automatic algorithm", () => {
  it("restores its checkpoint exactly before it chooses again", async () => {
    const engine = await openEngine({ families: ["graphs"] });
    const plan = { task: "marginals", seed: 0, workers: 1, memory: 8000 } as const;
    const begin = () => Inference.open(grid(9, 1, 0), automatic(), plan, engine);
    const first = await begin();
    while (!first.converged && !(first.report().slice > 3)) await first.advance(1);
    expect(first.converged).toBe(false);
    const snapshot = first.snapshot();
    const second = await begin();
    second.restore(snapshot);
    expect(second.snapshot()).toEqual(snapshot);
    first.dispose();
  });

  it("reports its choice and the reason", async () => {
    const narrow = await infer(grid(5, 1, 0));
    expect(narrow.method).toMatch(/^elimination/);
    expect(narrow.certificate).toEqual({ exact: true });
    // 2^32 joint states are too many for two seconds.
    const wide = grid(30, 0.3, 0);
    const found = async (task: "partition" | "map", until: (report: Record<string, number>) => boolean) => {
      const plan = { task, seed: 0, workers: 1, memory: 2 ** 30, seconds: 2 };
      const inference = await Inference.open(wide, automatic(), plan, await openEngine({ families: ["graphs"] }));
      while (!until(inference.report())) await inference.advance(1);
      const [{ answer }] = inference.found();
      inference.dispose();
      return answer;
    };
    const sum = await found("partition", ({ draws }) => draws >= 400);
    expect(sum.method).toMatch(/too much for elimination; importance sampling: \d+ draws from mini-buckets/);
    expect(sum.logZ!.certificate).not.toHaveProperty("exact");
    const best = await found("map", ({ sweeps }) => sweeps >= 20);
    expect(best.method).toMatch(/too much for elimination; annealing, \d+ sweeps/);
    const gap = best.map!.bound! - best.map!.value;
    expect(gap).toBeGreaterThan(0);
    expect(gap).toBeLessThan(Infinity);
  });
});

describe("a variable of 100,000 states", () => {
  const wide = () => {
    const graph = factorGraph();
    graph.variable("wide", 100_000);
    graph.variable("bit", 2);
    const table = Float64Array.from({ length: 200_000 }, (_, k) => (k % 2 === 0 ? 3 : 1));
    graph.table(["wide", "bit"], table);
    return graph;
  };

  it("has an answer with an interval for every state", async () => {
    const answer = await infer(wide(), { algorithm: importanceSampling({ samples: 1000 }), seed: 1 });
    const { p, certificate } = answer.marginal("bit");
    expect(p[0]).toBeCloseTo(0.75, 1);
    expect("interval" in certificate || "exact" in certificate).toBe(true);
  });

  it("pauses between draws, so that a signal ends the run", async () => {
    const stop = new AbortController();
    const run = infer(wide(), { algorithm: importanceSampling({ samples: 1e6 }), seed: 1, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 1);
    await expect(run).rejects.toThrow("enough");
  });
});
