/**
 * Latent Dirichlet allocation is exact with one topic and bounds the evidence with two. Sweeps and minibatches both
 * recover planted topics.
 */
import { describe, expect, it } from "vitest";
import { topics } from "../../../src/bayes/approximate/topics.ts";
import { lgamma } from "../../../src/engine/numbers/gamma.ts";
import { logSumExp } from "../../../src/engine/numbers/log-sum-exp.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { power } from "../../power.ts";

/** Log Dirichlet–multinomial probability of a sequence with these counts. */
function logDirichlet(counts: number[], prior: number): number {
  const total = counts.reduce((sum, n) => sum + n, 0);
  return counts.reduce(
    (sum, n) => sum + lgamma(prior + n) - lgamma(prior),
    lgamma(prior * counts.length) - lgamma(prior * counts.length + total),
  );
}

/** log p(words), summed over the topics of all words. */
function logEvidence(rows: number[][], count: number, alpha: number, eta: number): number {
  const words = rows.flatMap((row, d) => row.flatMap((n, w) => Array.from({ length: n }, () => ({ d, w }))));
  const terms: number[] = [];
  for (let code = 0; code < count ** words.length; code++) {
    const of = words.map((_, i) => Math.floor(code / count ** i) % count);
    const byDocument = rows.map(() => Array.from({ length: count }, () => 0));
    const byTopic = Array.from({ length: count }, () => rows[0].map(() => 0));
    words.forEach(({ d, w }, i) => {
      byDocument[d][of[i]]++;
      byTopic[of[i]][w]++;
    });
    const documents = byDocument.reduce((sum, counts) => sum + logDirichlet(counts, alpha), 0);
    terms.push(byTopic.reduce((sum, counts) => sum + logDirichlet(counts, eta), documents));
  }
  return logSumExp(terms);
}

/** Three topics on four of twelve words each. Most documents contain one or two topics. */
function planted(size: number, length: number, seed: number) {
  const draws = stream(seed, "planted").at(0);
  const shares: number[][] = [];
  const rows = Array.from({ length: size }, (_, d) => {
    const main = d % 3;
    const share = 0.55 + 0.4 * draws.uniform();
    shares.push([0, 1, 2].map((k) => (k === main ? share : k === (main + 1) % 3 ? 1 - share : 0)));
    const row = Array.from({ length: 12 }, () => 0);
    for (let i = 0; i < length; i++) {
      const topic = draws.uniform() < share ? main : (main + 1) % 3;
      row[4 * topic + Math.floor(4 * draws.uniform() ** 1.5)]++;
    }
    return row;
  });
  return { rows, shares };
}

/** Finds the topic with the most mass on each planted topic's words, with that mass. */
function matched(found: Float64Array): { topic: number; mass: number }[] {
  const mass = (k: number, planted: number): number =>
    found.subarray(12 * k + 4 * planted, 12 * k + 4 * planted + 4).reduce((sum, v) => sum + v, 0);
  return [0, 1, 2].map((p) =>
    [0, 1, 2].map((topic) => ({ topic, mass: mass(topic, p) })).reduce((best, one) => (one.mass > best.mass ? one : best)),
  );
}

const rising = (elbo: Float64Array): boolean => elbo.every((v, i) => i === 0 || v >= elbo[i - 1] - 1e-9 * Math.abs(v));

describe("topics", () => {
  it("equals the log evidence with one topic, and returns the word counts", () => {
    const rows = [
      [3, 0, 1],
      [0, 2, 2],
    ];
    const { elbo, iterations, topics: found, documents } = topics(rows, { topics: 1, wordConcentration: 0.7 });
    expect(elbo[iterations]).toBeCloseTo(logDirichlet([3, 2, 3], 0.7), 10);
    [3, 2, 3].forEach((n, w) => {
      expect(found[w]).toBeCloseTo((n + 0.7) / (8 + 2.1), 12);
    });
    expect([...documents]).toEqual([1, 1]);
  });

  it("never exceeds the enumerated evidence with two topics, and each update raises the ELBO", () => {
    const rows = [
      [2, 1, 0],
      [0, 1, 2],
      [1, 1, 1],
    ];
    for (const [alpha, eta] of [
      [0.5, 0.5],
      [2, 0.3],
      [0.2, 3],
    ]) {
      const evidence = logEvidence(rows, 2, alpha, eta);
      for (let seed = 0; seed < 5; seed++) {
        const options = { topics: 2, documentConcentration: alpha, wordConcentration: eta, seed };
        const { elbo, iterations, converged } = topics(rows, { ...options, tolerance: 1e-10 });
        expect(converged).toBe(true);
        expect(rising(elbo)).toBe(true);
        expect(elbo[iterations]).toBeLessThan(evidence);
        expect(elbo[iterations]).toBeGreaterThan(evidence - 4);
      }
    }
    // The bound is tight if documents have no choice: for α → ∞ and η → ∞, every topic gives all words equal
    // probability.
    const flat = { topics: 2, documentConcentration: 1e7, wordConcentration: 1e7 };
    const { elbo, iterations } = topics(rows, flat);
    expect(Math.abs(elbo[iterations] - 9 * Math.log(1 / 3))).toBeLessThan(1e-4);
  });

  it.each([0, 1, 2])("finds planted topics and their documents: seed %d", (seed) => {
    const { rows, shares } = planted(60, 80, seed);
    const { elbo, topics: found, documents, converged } = topics(rows, { topics: 3, seed });
    expect(converged).toBe(true);
    expect(rising(elbo)).toBe(true);
    const match = matched(found);
    expect(new Set(match.map(({ topic }) => topic)).size).toBe(3);
    for (const { mass } of match) expect(mass).toBeGreaterThan(0.95);
    // Shares of 80 words have a standard error of at most 0.056, and the mean distance is below it.
    const distance = shares.map((share, d) =>
      match.reduce((sum, { topic }, k) => sum + Math.abs(documents[3 * d + topic] - share[k]) / 3, 0),
    );
    expect(distance.reduce((sum, v) => sum + v, 0) / 60).toBeLessThan(0.056);
  });

  it("converges by minibatches, most of the way in 60 epochs of six steps", () => {
    const { rows } = planted(power(90, 120), 80, 5);
    const sweeps = topics(rows, { topics: 3 });
    const options = { topics: 3, batch: power(15, 20), epochs: 60, delay: 16, forgetting: 0.55 };
    const { elbo, topics: found, iterations, converged } = topics(rows, options);
    expect([iterations, converged, elbo.length]).toEqual([360, false, 60]);
    for (const { mass } of matched(found)) expect(mass).toBeGreaterThan(0.95);
    const best = sweeps.elbo[sweeps.iterations];
    const left = (epoch: number): number => (best - elbo[epoch - 1]) / (best - sweeps.elbo[0]);
    expect(left(60)).toBeLessThan(0.02);
    expect(left(60)).toBeLessThan(left(20) / 2);
    expect(topics(rows, { ...options, epochs: 2 }).topics).toEqual(topics(rows, { ...options, epochs: 2 }).topics);
  });

  it("forgets the start after one full batch at rate 1, and gives each word one topic", () => {
    const { rows } = planted(12, 30, 7);
    const { parameters } = topics(rows, { topics: 2, batch: 12, epochs: 1, delay: 0 });
    expect(parameters.topics.reduce((sum, v) => sum + v - 0.5, 0)).toBeCloseTo(360, 8);
    expect(parameters.documents.reduce((sum, v) => sum + v - 0.5, 0)).toBeCloseTo(360, 8);
    // Batches of 5, 5 and 2 documents are each weighted as twelve.
    const parts = topics(rows, { topics: 2, batch: 5, epochs: 1, delay: 0, forgetting: 1 }).parameters.topics;
    expect(parts.reduce((sum, v) => sum + v - 0.5, 0)).toBeCloseTo(360, 8);
  });

  it("refuses invalid documents and options", () => {
    expect(() => topics([], { topics: 2 })).toThrow("DATA_EMPTY");
    expect(() => topics([[1], [1, 2]], { topics: 2 })).toThrow(/document 1 must have 1 counts.*DATA_SHAPE/);
    expect(() => topics([[-1]], { topics: 2 })).toThrow("DATA_SHAPE");
    expect(() => topics([[1]], { topics: 2, forgetting: 0.5 })).toThrow("OPTION_RANGE");
    expect(() => topics([[1]], { topics: 2, batches: 3 } as never)).toThrow("OPTION_UNKNOWN");
    expect(() => topics([[0, 0]], { topics: 2 })).not.toThrow();
  });
});
