/** Weights that diverge or end worse than they began. The run reports this for every algorithm. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  contrastiveDivergence,
  exactLikelihood,
  factorGraph,
  fit,
  type GraphFitOptions,
  momentum,
  pseudoLikelihood,
  sgd,
} from "../../../src/entries/everything.ts";

const graph = factorGraph();
for (const name of ["own", "pair"]) graph.weight(name, 0.3);
for (let i = 0; i < 8; i++) graph.variable();
for (let i = 0; i < 8; i++) {
  graph.isTrue(i, { weight: "own", feature: 1.5 });
  graph.equal([i, (i + 1) % 8], { weight: "pair" });
}
for (let i = 0; i < 8; i += 2) graph.observe(i, i % 4 === 0);

it.each([exactLikelihood, pseudoLikelihood, contrastiveDivergence])("reports weights that diverge: %o", async (algorithm) => {
  const run = (rate: number) => fit(graph, { algorithm: algorithm(), rule: sgd({ rate }), epochs: 20, seed: 1 });
  await expect(run(1e308)).rejects.toMatchObject({ code: "RUN_DIVERGED" });
  // At e^709 and beyond, weights are merely large.
  expect((await run(1e3)).weights.every(Number.isFinite)).toBe(true);
});

describe("weights worse than the initial ones", () => {
  /** Neighbours in a row, most of which are alike. */
  function town(hidden = 0, near = 0) {
    const graph = factorGraph();
    const [alike, base] = [graph.weight("alike", near), graph.weight("base")];
    const draws = stream(7, "town").at(0);
    let state = false;
    for (let i = 0; i < 200; i++) {
      graph.variable();
      if (draws.uniform() < 0.3) state = !state;
      graph.isTrue(i, { weight: base });
      if (i % 5 >= hidden) graph.observe(i, state);
      if (i > 0) graph.equal([i, i - 1], { weight: alike });
    }
    return graph;
  }
  const algorithm = contrastiveDivergence({ particles: 25 });
  const codes = async (graph: ReturnType<typeof town>, options: GraphFitOptions): Promise<string[]> =>
    (await fit(graph, { algorithm, seed: 1, epochs: 40, ...options })).findings.map(({ code }) => code);
  const wild = sgd({ rate: 10 });

  it("are a finding with both losses and the error of the difference, for every algorithm", async () => {
    const { findings, run } = await fit(town(), { algorithm, rule: wild, seed: 1, epochs: 40 });
    expect(findings).toMatchObject([{ code: "worse", serious: true, advice: expect.stringMatching(/smaller rate/) }]);
    expect(run.findings).toEqual(findings);
    const [, end, start, error] =
      /pseudo-likelihood per observed variable is ([\d.]+), but was ([\d.]+), and the difference has a standard error of ([\d.]+)/
        .exec(findings[0].text)!
        .map(Number);
    expect(start).toBeCloseTo(Math.LN2, 3);
    expect(end - start).toBeGreaterThan(4 * error);
    expect(await codes(town(), { rule: wild, replicas: 2 })).toEqual(["worse"]);
    expect(await codes(town(), { rule: wild, l2: 0.1 })).toEqual(["worse"]);
    expect(await codes(town(2), { rule: wild, algorithm: contrastiveDivergence() })).toEqual(["worse"]);
    expect(await codes(town(), { rule: wild, algorithm: pseudoLikelihood() })).toEqual(["worse"]);
    const { findings: exact } = await fit(town(), { rule: sgd({ rate: 300 }), algorithm: exactLikelihood(), epochs: 5 });
    expect(exact).toMatchObject([{ code: "worse", text: expect.stringMatching(/−ln of the likelihood.*but was 0\.6931$/) }]);
  });

  it("are not reported after successful learning, even from nearly correct weights", async () => {
    for (const options of [{}, { rule: momentum({ rate: 0.03 }) }, { algorithm: pseudoLikelihood() }, { replicas: 2 }]) {
      expect(await codes(town(), options)).toEqual([]);
      expect(await codes(town(0, 0.45), options)).toEqual([]);
    }
    expect(await codes(town(2), {})).toEqual([]);
    const first = await fit(town(), { algorithm, seed: 1, epochs: 100 });
    for (let seed = 0; seed < 3; seed++) expect(await codes(town(), { from: first, seed, epochs: 20 })).toEqual([]);
  });

  it("are compared with the start of the whole run after it is resumed", async () => {
    const run = fit(town(), { algorithm, rule: wild, seed: 1, epochs: 20 });
    await run;
    const kept = await run.checkpoint();
    const resumed = await fit.resume(kept, town(), { epochs: 30 });
    expect(resumed.findings).toMatchObject([{ code: "worse", text: expect.stringContaining("but was 0.6931") }]);
    // A checkpoint does not contain the weights of an earlier result.
    const from = fit(town(), { algorithm, from: await run, rule: wild, seed: 1, epochs: 20 });
    await from;
    expect((await fit.resume(await from.checkpoint(), town(), { epochs: 21 })).findings).toEqual([]);
  });
});

describe("pseudoLikelihood() with hidden variables", () => {
  it("warns that it learnt from its own draws, unlike other algorithms", async () => {
    const half = (hidden: boolean) => {
      const other = factorGraph();
      for (const name of ["own", "pair"]) other.weight(name);
      for (let i = 0; i < 12; i++) {
        other.variable();
        other.isTrue(i, { weight: "own" });
        if (i > 0) other.equal([i, i - 1], { weight: "pair" });
        if (!hidden || i % 3 > 0) other.observe(i, i % 4 < 2);
      }
      return other;
    };
    const { findings } = await fit(half(true), { algorithm: pseudoLikelihood(), epochs: 20 });
    expect(findings).toMatchObject([
      { code: "hidden", serious: true, text: expect.stringMatching(/^4 variables were not observed/) },
    ]);
    expect((await fit(half(false), { algorithm: pseudoLikelihood(), epochs: 20 })).findings).toEqual([]);
    expect((await fit(half(true), { epochs: 20 })).findings).toEqual([]);
  });
});
