/**
 * Chains that begin where an earlier answer ended: they start from its states, end sooner, and have errors as large as
 * claimed.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import { atOnce } from "../../../../src/engine/threads/steps.ts";
import { type Answer, elimination, factorGraph, graphGibbs, infer } from "../../../../src/entries/everything.ts";
import { certify, judge, settled } from "../../../../src/graphs/sampling/gibbs/chain-sums.ts";
import { firstState } from "../../../../src/graphs/sampling/gibbs/earlier.ts";
import type { Layout } from "../../../../src/graphs/sampling/gibbs/layout.ts";
import { variancesOf } from "../../../../src/graphs/sampling/gibbs/marginals.ts";
import { power } from "../../../power.ts";

const numbersOf = (answer: Answer): string => JSON.stringify(answer).replace(/"run":\{[^}]*\}/, "");
const sweepsOf = (answer: Answer): number => Number(/chains of (\d+) sweeps/.exec(answer.method)![1]);

/** A ring of Booleans with chords and votes. Its weights differ by `by` from those of the seed. */
function ring(seed: number, by = 0, size = 16) {
  const [draws, moves] = ["ring", "moves"].map((name) => stream(seed, name).at(0));
  const graph = factorGraph();
  for (let i = 0; i < size; i++) graph.variable();
  const weight = (scale: number): number => scale * draws.normal() + by * moves.normal();
  for (let i = 0; i < size; i++) graph.isTrue(i, { weight: weight(0.5) });
  for (let i = 0; i < size; i++) graph.equal([i, (i + 1) % size], { weight: weight(0.6) });
  for (let i = 0; i + 7 < size; i += 5) graph.ratio([i, i + 2, i + 4], i + 7, { weight: weight(1) });
  return graph;
}

it("a later run reuses exact results, and nothing without a certificate", () => {
  const marginals = [{ certificate: { exact: true } }, { certificate: { none: "its state never changed" } }] as const;
  expect([...atOnce(variancesOf({} as Layout, [], 100, 20, marginals))]).toEqual([0, Number.NaN]);
});

describe("judge", () => {
  const means = [0.5, 0.52, 0.48, 0.5];
  // The sum of squares 0.0008 over three, times 100 sweeps.
  const between = (100 * 0.0008) / 3;

  it("uses the known variance instead of a few means, unless batches show more", () => {
    expect(judge({ means, variances: [0.01, 0.01, 0.01, 0.01] }, 100).mcse).toBeCloseTo(Math.sqrt(between / 400), 12);
    const known = judge({ means, variances: [0.01, 0.01, 0.01, 0.01], known: 0.02 }, 100);
    expect(known.mcse).toBeCloseTo(Math.sqrt(0.02 / 400), 12);
    expect(known.ess).toBeCloseTo((400 * means.reduce((sum, m) => sum + m * (1 - m), 0)) / 4 / 0.02, 9);
    expect(known.agreed).toBe(true);
    expect(judge({ means, variances: [0.05, 0.05, 0.05, 0.05], known: 0.02 }, 100).mcse).toBeCloseTo(Math.sqrt(0.05 / 400), 12);
  });

  it("uses the means if they differ beyond chance: χ² with 3 degrees above 14.9 times its mean", () => {
    const at = (known: number) => judge({ means, variances: [0, 0, 0, 0], known }, 100);
    // Wilson and Hilferty: (1 − 2/27 + 5.6 √(2/27))³ = 14.7.
    expect(at(between / 14.6).agreed).toBe(true);
    const apart = at(between / 14.9);
    expect(apart.agreed).toBe(false);
    expect(apart.mcse).toBeCloseTo(Math.sqrt(between / 400), 12);
  });

  it("requires a smaller sample and no R-hat if the known variance agrees", () => {
    const short = { mcse: 0.01, rhat: 1.2, ess: 30 };
    expect(settled({ ...short, agreed: true }, 0.02)).toBe(true);
    expect(settled({ ...short, agreed: true }, 0.005)).toBe(false);
    expect(settled({ ...short, agreed: false }, 0.02)).toBe(false);
    expect(certify([{ ...short, agreed: true }])).toEqual({ mcse: [0.01], rhat: 1.2, ess: 30 });
    expect(certify([{ ...short, agreed: false }])).toEqual({ none: expect.stringMatching(/disagree/) });
    const few = { mcse: 0.01, rhat: 1, ess: 30, agreed: false };
    expect(certify([few])).toEqual({ none: expect.stringMatching(/too short/) });
    // Slower chains stay in their region, even if the graph changes.
    expect(settled({ ...short, ess: 20, agreed: true }, 0.02)).toBe(false);
    expect(certify([{ ...short, ess: 20, agreed: true }])).toEqual({ none: expect.stringMatching(/too short/) });
  });
});

it("additional chains reuse the final states in turn, and draw unknown ones", () => {
  const states = [Int16Array.of(0, 1, -1), Int16Array.of(1, 0, 5)];
  const earlier = { states, variances: new Float64Array(3), sweeps: 9, kept: 9 };
  const begun = [0, 1, 2, 3].map((c) => [0, 1, 2].map(firstState(earlier, c, Uint32Array.of(2, 2, 3), (count) => 10 + count)));
  expect(begun).toEqual([
    [0, 1, 13],
    [1, 0, 13],
    [0, 1, 13],
    [1, 0, 13],
  ]);
});

describe("infer from an earlier answer", () => {
  it("refuses an answer with other numbers of states", async () => {
    const made = (states: number): ReturnType<typeof factorGraph> => {
      const graph = factorGraph();
      for (const [i, count] of [2, states, 2].entries()) graph.variable(`v${i}`, count);
      graph.table(
        [0, 1],
        Array.from({ length: 2 * states }, (_, k) => 1 + (k % 3)),
      );
      graph.table(
        [1, 2],
        Array.from({ length: 2 * states }, (_, k) => 1 + (k % 2)),
      );
      return graph;
    };
    const short = graphGibbs({ sweeps: 100, warmup: 10 });
    const from = await infer(made(3), { algorithm: short });
    expect(Array.from(from.chains!.cardinalities!)).toEqual([2, 3, 2]);
    await infer(made(3), { algorithm: short, from });
    for (const states of [2, 4])
      await expect(infer(made(states), { algorithm: short, from })).rejects.toThrow(
        new RegExp(`from is an answer about 3 states of the variable v1, but the graph has ${states}.*\\[OPTION_RANGE\\]`),
      );
    const more = made(3);
    more.variable("v3");
    more.isTrue("v3", { weight: 1 });
    expect((await infer(more, { algorithm: short, from })).chains!.states[0]).toHaveLength(4);
  });

  it("has errors as large as claimed on graphs with changed weights, and ends sooner", async () => {
    let [beyond2, beyond4, count, before, after] = [0, 0, 0, 0, 0];
    const algorithm = graphGibbs({ mcse: 0.03 });
    const graphs = power(40, 120);
    for (let seed = 0; seed < graphs; seed++) {
      const first = await infer(ring(seed), { algorithm, seed });
      const graph = ring(seed, 0.1);
      const exact = await infer(graph, { algorithm: elimination() });
      const found = await infer(graph, { algorithm, seed, from: first });
      before += sweepsOf(first);
      after += sweepsOf(found);
      for (const variable of found.variables) {
        const { p, certificate } = found.marginal(variable);
        if (!("mcse" in certificate)) throw new Error(`seed ${seed}, ${variable}: ${JSON.stringify(certificate)}`);
        const off = Math.abs(p[0] - exact.marginal(variable).p[0]) / certificate.mcse[0];
        count++;
        if (off > 2) beyond2++;
        if (off > 4) beyond4++;
      }
    }
    console.log(
      `of ${count} probabilities ${beyond2} are off by more than 2 standard errors, ${beyond4} by more than 4; sweeps ${before / graphs} and ${after / graphs}`,
    );
    expect(count).toBe(16 * graphs);
    // 4.6 % of normal errors exceed 2, and errors within a graph are correlated. The limits are those for chains
    // without an earlier answer.
    expect(beyond2).toBeLessThan(power(0.1, 0.075) * count);
    expect(beyond4).toBeLessThan(power(3, 5));
    expect(after).toBeLessThan(before / 3);
  });

  it("starts chains at their final states, even in parts with evidence, and new variables anywhere", async () => {
    // So strong that no state changes. States therefore show where chains began.
    const strong = (size: number) => {
      const graph = factorGraph();
      for (let i = 0; i < size; i++) graph.variable(undefined, 3);
      for (let i = 0; i + 1 < size; i++)
        graph.table(
          [i, i + 1],
          Array.from({ length: 9 }, (_, k) => (k % 4 === 0 ? 0 : -60)),
          { logs: true },
        );
      return graph;
    };
    const algorithm = graphGibbs({ chains: 2, warmup: 0, sweeps: 100 });
    const chains = {
      states: [Int16Array.from([2, 2, 2, 2]), Int16Array.from([1, 1, 1, 1])],
      variances: Float64Array.from([0.1, 0.1, 0.1, 0.1]),
      ...{ sweeps: 1234, kept: 1000 },
    };
    const answer = await infer(strong(4), { algorithm, from: { chains } });
    for (let i = 0; i < 4; i++) expect(answer.marginal(i).p.map((p) => Math.round(1e6 * p) / 1e6)).toEqual([0, 0.5, 0.5]);
    expect(answer.chains!.states.map((chain) => [...chain])).toEqual([...chains.states.map((chain) => [...chain])]);
    expect(answer.chains!.sweeps).toBe(1334);
    expect(answer.chains!.kept).toBe(1000);
    // With tables, the observed x2 splits the graph into two parts, whose variables have new numbers.
    const tables = strong(6).withEvidence({ x2: 2 }).factorTables("marginals");
    const cut = { ...tables, factors: tables.factors.filter(({ scope }) => !Array.from(scope).includes(2)) };
    const begun = Int16Array.from([2, 2, 2, 1, 1, 1]);
    const apart = { ...chains, states: [begun, begun], variances: new Float64Array(6) };
    const seen = await infer(cut, { algorithm, from: { chains: apart } });
    expect(seen.chains!.states.map((chain) => [...chain])).toEqual([
      [2, 2, -1, 1, 1, 1],
      [2, 2, -1, 1, 1, 1],
    ]);
    // There are more variables than before. The old ones fix the new one.
    const grown = await infer(strong(5), { algorithm: graphGibbs({ chains: 2, warmup: 200, sweeps: 100 }), from: { chains } });
    expect([...grown.chains!.states[0].subarray(0, 4)]).toEqual([2, 2, 2, 2]);
    expect(Math.round(grown.marginal(4).p.reduce((a, b) => a + b))).toBe(1);
  });

  it("warms up fully with tempering, finds the powers again, and only then keeps draws", async () => {
    const algorithm = graphGibbs({ tempered: true, mcse: 0.03 });
    const first = await infer(ring(4, 0.5), { algorithm });
    const found = await infer(ring(4, 0.5), { algorithm, from: first });
    expect(found.chains!.sweeps - first.chains!.sweeps).toBe(200 + sweepsOf(found));
    expect(Number(/(\d+) round trips/.exec(found.method)![1])).toBeGreaterThan(0);
  });

  it("needs the usual number of sweeps for variables that are unknown", async () => {
    const algorithm = graphGibbs({ mcse: 0.05 });
    const first = await infer(ring(1), { algorithm });
    expect(sweepsOf(await infer(ring(1), { algorithm, from: first }))).toBeLessThan(400);
    const chains = { ...first.chains!, variances: first.chains!.variances.map((v, i) => (i === 3 ? NaN : v)) };
    expect(sweepsOf(await infer(ring(1), { algorithm, from: { chains } }))).toBeGreaterThanOrEqual(1000);
  });

  it("passes on its variances, does not lengthen after a short run, and repeats no draws", async () => {
    const algorithm = graphGibbs({ mcse: 0.03 });
    const first = await infer(ring(2), { algorithm });
    const second = await infer(ring(2), { algorithm, from: first });
    const third = await infer(ring(2), { algorithm, from: second });
    expect(third.chains!.kept).toBe(first.chains!.kept);
    expect(third.chains!.sweeps).toBeGreaterThan(second.chains!.sweeps);
    third.chains!.variances.forEach((v, i) => {
      expect(v).toBeGreaterThanOrEqual(second.chains!.variances[i] * (1 - 1e-9));
    });
    const again = { ...second.chains!, sweeps: 0 };
    const repeated = await infer(ring(2), { algorithm, from: { chains: again } });
    expect(repeated.marginal(0).p).not.toEqual(third.marginal(0).p);
  });

  it("resumes from any checkpoint, including the first, to the same bytes without the answer", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 1000; i++) graph.variable();
    for (let i = 0; i < 999; i++) graph.equal([i, i + 1], { weight: 0.3 });
    const first = await infer(graph, { algorithm: graphGibbs({ chains: 2, warmup: 10, sweeps: 100 }) });
    const options = { algorithm: graphGibbs({ chains: 2, warmup: 50, sweeps: 100 }), from: first };
    const wanted = await infer(graph, options);
    expect(wanted.method).toContain("of 100 sweeps");
    const run = infer(graph, options).pause();
    const kept = [await run.checkpoint()];
    run.proceed();
    for await (const _ of run) {
      if (kept.length < 3) kept.push(await run.pause().checkpoint());
      run.proceed();
    }
    expect(kept.length).toBeGreaterThan(1);
    for (const bytes of kept) {
      const resumed = await infer.resume(bytes, graph, { workers: 2 });
      expect(numbersOf(resumed) === numbersOf(wanted)).toBe(true);
      expect(resumed.chains!.sweeps).toBe(wanted.chains!.sweeps);
    }
  });

  it("refuses answers without chains, and answers of larger graphs", async () => {
    const exact = await infer(ring(1), { algorithm: elimination() });
    expect(exact.chains).toBeUndefined();
    expect(() => infer(ring(1), { from: exact })).toThrow(/from is .*must be an answer that chains computed.*\[OPTION_TYPE\]/);
    const large = await infer(ring(1, 0, 20), { algorithm: graphGibbs({ sweeps: 100 }) });
    await expect(infer(ring(1), { algorithm: graphGibbs(), from: large })).rejects.toThrow(
      /about 20 variables, but the graph has 16.*\[OPTION_RANGE\]/,
    );
    // Other algorithms ignore `from`.
    expect((await infer(ring(1, 0, 20), { algorithm: elimination(), from: large })).certificate).toEqual({ exact: true });
  });
});
