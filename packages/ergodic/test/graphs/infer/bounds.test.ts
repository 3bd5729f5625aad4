/** Proved bounds compared with enumeration, and with each other on wide graphs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FactorTables } from "../../../src/engine/contract/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  type Answer,
  elimination,
  infer,
  loopyBeliefPropagation,
  miniBuckets,
  naiveMeanField,
} from "../../../src/entries/everything.ts";
import { logZBetween, StateBounds } from "../../../src/graphs/bounds/state-bounds.ts";
import { boundOf } from "../../../src/graphs/parts/quick-bound.ts";
import { power } from "../../power.ts";
import { enumerateGraph } from "../../reference/enumerate-graph.ts";
import { heldTo } from "../../reference/held-to-certificate.ts";
import { denseGraphs, gridEdges, pairwiseGraph, randomGraphs } from "../../reference/random-graph.ts";

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Width of the bounds of ln Z. */
function widthOf({ logZCertificate }: Answer): number {
  if ("exact" in logZCertificate) return 0;
  return "lower" in logZCertificate ? (logZCertificate.upper as number) - (logZCertificate.lower as number) : Number.NaN;
}

describe("mini-buckets", () => {
  it("bounds ln Z on random graphs", async () => {
    let bounded = 0;
    const check = async (graph: FactorTables, iBound: number): Promise<void> => {
      const truth = enumerateGraph(graph);
      const algorithm = miniBuckets({ iBound });
      const { logZ, logZCertificate } = await infer(graph, { task: "partition", algorithm });
      if ("lower" in logZCertificate) bounded++;
      expect(heldTo(logZCertificate, logZ, truth.logZ)).toBe("holds");
      if (truth.logZ === -Infinity) return;
      const { best } = await infer(graph, { task: "map", algorithm });
      expect(best.value).toBeLessThanOrEqual(truth.logLargest + 1e-10 * Math.max(1, Math.abs(truth.logLargest)));
      expect(best.bound).toBeGreaterThanOrEqual(truth.logLargest - 1e-13 * Math.max(1, Math.abs(truth.logLargest)));
      const answer = await infer(graph, { algorithm });
      truth.marginals.forEach((p, variable) => {
        const { certificate, p: found } = answer.marginal(variable);
        p.forEach((value, state) => {
          expect(heldTo(certificate, found[state], value, state)).toBe("holds");
        });
      });
    };
    for (const graph of fc.sample(randomGraphs, { numRuns: power(15, 500), seed: 21 })) await check(graph, 1);
    for (const graph of fc.sample(denseGraphs, { numRuns: power(20, 750), seed: 22 })) await check(graph, 2);
    for (const graph of fc.sample(denseGraphs, { numRuns: power(20, 750), seed: 23 })) await check(graph, 3);
    console.log(`mini-buckets: ln Z between bounds that are not equal on ${bounded} graphs`);
    expect(bounded).toBeGreaterThan(0.45 * power(55, 2000));
  });

  it("rejects a bound that is slightly too tight", () => {
    expect(heldTo({ lower: 0, upper: 2 - 1e-9 }, 1, 2)).toBe("wrong");
    expect(heldTo({ lower: 2 + 1e-9, upper: 3 }, 2.5, 2)).toBe("wrong");
  });

  it("more than halves the width of two entries with 2^10 entries", async () => {
    const widths: Record<number, number[]> = { 1: [], 4: [], 10: [] };
    for (let seed = 0; seed < power(8, 20); seed++) {
      const draws = stream(seed, "wide").at(0);
      const edges = seed % 2 === 0 ? gridEdges(8, 8) : complete(14);
      const graph = pairwiseGraph(seed % 2 === 0 ? 64 : 14, edges, 0.4 + 0.1 * seed, () => draws.normal());
      const { logZ } = await infer(graph, { task: "partition", algorithm: elimination() });
      for (const iBound of [1, 4, 10]) {
        const answer = await infer(graph, { task: "partition", algorithm: miniBuckets({ iBound }) });
        expect(heldTo(answer.logZCertificate, answer.logZ, logZ)).toBe("holds");
        widths[iBound].push(widthOf(answer));
      }
    }
    const medians = Object.entries(widths).map(([iBound, of]) => `iBound ${iBound}: ${median(of).toFixed(4)}`);
    console.log(`mini-buckets: median widths of ln Z, ${medians.join(", ")}`);
    expect(median(widths[4])).toBeLessThan(median(widths[1]));
    expect(median(widths[10])).toBeLessThanOrEqual(median(widths[1]) / 2);
  });

  it("ends when nothing is split, because the result is then exact", async () => {
    const draws = stream(3, "narrow").at(0);
    const graph = pairwiseGraph(40, gridEdges(4, 10), 1, () => draws.normal());
    const [exact, found] = [await infer(graph), await infer(graph, { algorithm: miniBuckets({ iBound: 28 }) })];
    expect(found.certificate).toEqual({ exact: true });
    for (const variable of exact.variables)
      found.marginal(variable).p.forEach((value, state) => {
        expect(Math.abs(value - exact.marginal(variable).p[state])).toBeLessThan(1e-12);
      });
  });
});

it("mean field stays below ln Z, and is exact for independent variables", async () => {
  for (const graph of fc.sample(denseGraphs, { numRuns: power(40, 100), seed: 24 })) {
    const truth = enumerateGraph(graph);
    const { logZ, logZCertificate } = await infer(graph, { task: "partition", algorithm: naiveMeanField() });
    expect(heldTo(logZCertificate, logZ, truth.logZ)).toBe("holds");
    if ("lower" in logZCertificate) expect(logZ - (logZCertificate.lower as number)).toBeLessThan(1e-9);
  }
  const uniform = pairwiseGraph(9, gridEdges(3, 3), 0, () => 0);
  const { logZ } = await infer(uniform, { task: "partition", algorithm: naiveMeanField() });
  expect(Math.abs(logZ - 9 * Math.LN2)).toBeLessThan(1e-9);
});

it("mean field keeps the best bound of several starts, and rounding never lifts it to ln Z", async () => {
  let better = 0;
  for (let seed = 0; seed < 10; seed++) {
    const draws = stream(seed, "mean field starts").at(0);
    const graph = pairwiseGraph(25, gridEdges(5, 5), 1.5, () => draws.normal());
    const ask = async (restarts: number) =>
      (await infer(graph, { task: "partition", algorithm: naiveMeanField({ restarts }) })).logZ;
    const [one, few, many] = [await ask(1), await ask(2), await ask(20)];
    expect(few).toBeGreaterThanOrEqual(one);
    expect(many).toBeGreaterThanOrEqual(few);
    if (many > few + 1e-6) better++;
    const free = pairwiseGraph(9, [], 0, () => draws.normal());
    const exact = await infer(free, { task: "partition" });
    const bound = (await infer(free, { task: "partition", algorithm: naiveMeanField() })).logZ;
    expect(bound).toBeLessThan(exact.logZ);
    expect(exact.logZ - bound).toBeLessThan(1e-9);
  }
  expect(better).toBeGreaterThan(0);
});

describe("belief propagation on a tree", () => {
  const chain = pairwiseGraph(
    6,
    Array.from({ length: 5 }, (_, i): [number, number] => [i, i + 1]),
    1,
    (() => {
      const draws = stream(8, "chain").at(0);
      return () => draws.normal();
    })(),
  );

  it("is exact after a second round that changes nothing, with any damping", async () => {
    const exact = await infer(chain);
    const found = await infer(chain, { algorithm: loopyBeliefPropagation({ rounds: 2, damping: 0.9 }) });
    expect(found.certificate).toEqual({ exact: true });
    for (const variable of exact.variables) expect(found.marginal(variable).p[0]).toBeCloseTo(exact.marginal(variable).p[0], 12);
  });

  it("claims nothing if the round limit ends it before convergence", async () => {
    const { certificate } = await infer(chain, { algorithm: loopyBeliefPropagation({ rounds: 1 }) });
    expect(certificate).toEqual({ none: expect.stringMatching(/did not converge in 1 round, .* changed a message by/) });
  });
});

describe("allowances for rounding", () => {
  it("widen sums of bounds by state", () => {
    const bounds = new StateBounds(3);
    bounds.raise(new Float64Array(3));
    bounds.reduce(new Float64Array(3));
    expect(bounds.total.lower).toBeLessThan(Math.log(3));
    expect(bounds.total.upper).toBeGreaterThan(Math.log(3));
    expect(bounds.total.upper - bounds.total.lower).toBeLessThan(1e-13);
  });

  it("keep the upper bound of probabilities below the range of float64 above 0", () => {
    const bounds = new StateBounds(2);
    bounds.raise(Float64Array.of(-721, 0));
    bounds.reduce(Float64Array.of(-720, 0.5));
    const { p, certificate } = bounds.marginal;
    expect(p[0]).toBeGreaterThan(0);
    expect((certificate as unknown as { upper: number[] }).upper[0]).toBeGreaterThan(p[0]);
  });

  it("treat a value as equal to its bound only within the rounding error", () => {
    expect(boundOf(1, { value: 1 + 1e-12, rounding: 1e-12 })).toBe(1);
    expect(boundOf(1, { value: 1 + 3e-12, rounding: 1e-12 })).toBe(1 + 3e-12);
  });

  it("claims no guarantee without a lower bound", () => {
    expect(logZBetween(-Infinity, 2)).toEqual({ value: 2, certificate: { none: expect.stringContaining("at most 2") } });
    expect(logZBetween(1, 2)).toEqual({ value: 1.5, certificate: { lower: 1, upper: 2 } });
  });
});

function complete(count: number): [number, number][] {
  return Array.from({ length: count }, (_, a) => Array.from({ length: a }, (_, b): [number, number] => [a, b])).flat();
}
