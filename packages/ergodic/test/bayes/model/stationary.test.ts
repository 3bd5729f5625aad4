/**
 * Stationary chains with several stationary distributions are refused, and the error names the states that they never
 * leave. Chains with one stationary distribution are accepted.
 */
import { describe, expect, it } from "vitest";
import { closedSets, type InitialWord } from "../../../src/bayes/model/hidden-markov.ts";
import { at, stack, sub } from "../../../src/engine/compiler/index.ts";
import { hiddenMarkov, matrix, model, normal, prior, sample, uniform, vector } from "../../../src/entries/everything.ts";

const Y = [0.3, 2.1, 1.8];
type Rows = readonly (readonly number[])[];

const constant = (rows: Rows, initial: InitialWord = "stationary") =>
  model({ y: vector("T") }, ({ y, param, marginalise }) => {
    const mu = param("mu", normal(0, 1));
    marginalise(hiddenMarkov(initial, rows as never), (k) => normal(k === 0 ? mu : 2, 1), { value: y });
    return { mu };
  });

const identity = [[1, 0], [0, 1]]; // biome-ignore format: rows
const apart = [[0.5, 0.5, 0, 0], [0.1, 0.9, 0, 0], [0, 0.2, 0.3, 0.5], [0, 0, 0, 1]]; // biome-ignore format: rows
const absorbing = [[0.9, 0.1], [0, 1]]; // biome-ignore format: rows
const alternating = [[0, 1], [1, 0]]; // biome-ignore format: rows

describe("sets of states that a chain never leaves", () => {
  it.each<[string, Rows, number[][]]>([
    ["each alone", identity, [[0], [1]]],
    ["two, and a state that is left", apart, [[0, 1], [3]]],
    ["one that ends the chain", absorbing, [[1]]],
    ["all, in turn", alternating, [[0, 1]]],
    ["all, by a ring", [[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[0, 1, 2]]], // biome-ignore format: rows
  ])("%s", (_, rows, sets) => {
    expect(closedSets(rows.flat(), rows.length)).toEqual(sets);
  });
});

describe("a stationary chain with several closed sets is refused", () => {
  it("constant transitions are checked", async () => {
    await expect(constant(identity).condition({ y: Y })).rejects.toThrow(
      /hiddenMarkov: the chain never leaves the states \{0\} once it is there, nor \{1\}, so that it has several stationary distributions; give the probabilities of the first state, as in hiddenMarkov\(\[1\/2, 1\/2\], transition\), or "uniform".*\[COMPILE_OPERAND\]/,
    );
    await expect(sample(constant(apart), { y: Y }, { algorithm: prior() })).rejects.toThrow(
      /never leaves the states \{0, 1\} .*nor \{3\},.*hiddenMarkov\(\[p, p, p, …\], transition\)/,
    );
  });

  it("transitions in the data are checked", async () => {
    const given = model({ y: vector("T"), A: matrix(2, 2) }, ({ y, A, param, marginalise }) => {
      const mu = param("mu", normal(0, 1));
      marginalise(hiddenMarkov("stationary", A), () => normal(mu, 1), { value: y });
      return { mu };
    });
    await expect(given.condition({ y: Y, A: identity })).rejects.toThrow(
      /^data "A": the chain never leaves the states \{0\} .*\[DATA_RANGE\]/,
    );
    (await given.condition({ y: Y, A: alternating })).dispose();
  });
});

describe("a chain with one stationary distribution is accepted", () => {
  it.each<[string, Rows, InitialWord]>([
    ["a state that ends it", absorbing, "stationary"],
    ["states in turn", alternating, "stationary"],
    ["several, that begin alike", identity, "uniform"],
  ])("%s", async (_, rows, initial) => {
    using posterior = await constant(rows, initial).condition({ y: Y });
    // Direct sum over all paths.
    const logs = Array.from({ length: 8 }, (_, code) => {
      const path = [0, 1, 2].map((t) => (code >> t) & 1);
      const first = initial === "uniform" || rows === alternating ? 0.5 : path[0];
      const terms = path.map((k, t) => Math.exp(-0.5 * (Y[t] - (k === 0 ? 0.4 : 2)) ** 2) / Math.sqrt(2 * Math.PI));
      return terms.reduce((product, term, t) => product * term * (t === 0 ? first : rows[path[t - 1]][path[t]]), 1);
    });
    const pointwise = posterior.pointwise(posterior.unconstrain({ mu: 0.4 })).y;
    expect(pointwise.reduce((a, b) => a + b, 0)).toBeCloseTo(Math.log(logs.reduce((a, b) => a + b, 0)), 12);
  });

  it("a chain with several at some parameters is accepted, and samplers reject those proposals", async () => {
    const body = model({ y: vector("T") }, ({ y, param, marginalise }) => {
      const stay = param("stay", uniform(0, 1), { shape: 2 });
      const [a, b] = [at(stay, 0), at(stay, 1)];
      const rows = stack([stack([a, sub(1, a)]), stack([sub(1, b), b])]);
      marginalise(hiddenMarkov("stationary", rows), (k) => normal(2 * k, 1), { value: y });
      return { stay };
    });
    using posterior = await body.condition({ y: Y });
    expect(posterior.evaluate(Float64Array.of(60, 60)).value).toBeNaN();
    const draws = await sample(body, { y: Y }, { seed: 1, chains: 2, warmup: 200, draws: 100 });
    expect(draws.draws("stay").every((p) => p > 0 && p < 1)).toBe(true);
  });
});
