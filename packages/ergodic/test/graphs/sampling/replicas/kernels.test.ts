/**
 * Bit replicas compared with a plain twin of one replica, their random bits, and their stationary distribution by
 * enumeration.
 *
 * False alarms: with correct code, one choice of the seeds in 10,000 would fail this file, split evenly over its CHECKS
 * statistical checks. Each check detects a planted mutant.
 */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { type FactorGraph, factorGraph, not } from "../../../../src/entries/everything.ts";
import { chiSquare, zScore } from "../../../bayes/statistical/p-values.ts";
import { power } from "../../../power.ts";
import { between } from "../../../reference/between.ts";
import { logValueAt } from "../../../reference/conditionals.ts";
import { gridEdges } from "../../../reference/random-graph.ts";
import { sweepOfReplica, uniformOf } from "../../../reference/replica-gibbs.ts";
import { bitsLaidOut } from "./laid-out.ts";

const CHECKS = 18;
const LEVEL = 1e-4 / CHECKS;
let checks = 0;
const expectGood = (pValue: number): void => {
  checks++;
  expect(pValue).toBeGreaterThan(LEVEL);
};
const expectCaught = (pValue: number) => expect(pValue).toBeLessThan(LEVEL);
afterAll(() => expect(checks).toBeLessThanOrEqual(CHECKS));

const engine = await openEngine({ families: ["graphs"] });

/**
 * Pairs of all kinds among a few Booleans, each with at most four neighbours, so that no variable has more than 16
 * conditional probabilities. Some variables are observed.
 */
const suitable = fc.record({
  count: fc.integer({ min: 1, max: 9 }),
  pairs: fc.array(
    fc.record({
      ends: fc.tuple(fc.nat(8), fc.nat(8)),
      form: fc.constantFrom("equal", "imply", "all", "table", "observed"),
      weight: fc.constantFrom(0.4, -0.4, 0.4, 1.3, 0),
    }),
    { maxLength: 14 },
  ),
  fields: fc.array(fc.tuple(fc.nat(8), fc.constantFrom(0.25, -1, 3)), { maxLength: 5 }),
});

function graphOf({ count, pairs, fields }: typeof suitable extends fc.Arbitrary<infer T> ? T : never): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < count; i++) graph.variable();
  graph.variable("seen");
  graph.observe("seen", true);
  const degrees = new Array<number>(count).fill(0);
  for (const { ends, form, weight } of pairs) {
    const [a, b] = ends.map((end) => end % count);
    if (a === b || degrees[a] === 4 || degrees[b] === 4) continue;
    degrees[a]++;
    degrees[b]++;
    if (form === "equal") graph.equal([a, not(b)], { weight });
    else if (form === "imply") graph.imply([a], b, { weight });
    else if (form === "all") graph.all([a, b], { weight });
    else if (form === "table") graph.table([a, b], [1, 0.3 + weight ** 2, 2, 0.7]);
    else graph.ratio([a, "seen"], b, { weight });
  }
  for (const [i, weight] of fields) graph.isTrue(i % count, { weight });
  return graph;
}

/** A torus of equal factors with random weights ±w. */
function torus(rows: number, columns: number, weight: number, seed: number, field = 0): FactorGraph {
  const draws = stream(seed, "signs").at(0);
  const graph = factorGraph();
  for (let i = 0; i < rows * columns; i++) graph.variable();
  for (const [a, b] of gridEdges(rows, columns, true)) graph.equal([a, b], { weight: draws.bits() & 1 ? weight : -weight });
  if (field !== 0) for (let i = 0; i < rows * columns; i += 3) graph.isTrue(i, { weight: field });
  return graph;
}

/**
 * One variable has equal weights to seven others, which makes eight levels in one group. Another has groups of two, one
 * and one.
 */
function star(): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < 12; i++) graph.variable();
  for (let i = 1; i < 8; i++) graph.equal([0, i], { weight: i % 2 ? 0.3 : -0.3 });
  for (const [i, weight] of [
    [8, 0.5],
    [9, 0.5],
    [10, -0.2],
    [1, 0.1],
  ])
    graph.equal([11, i], { weight });
  return graph;
}

describe("graphReplicas", () => {
  function compare(graph: FactorGraph, seed: number, cutAt?: number): number {
    const laid = bitsLaidOut(graph.conditionals(), engine, seed);
    const { columns, layout, key } = laid;
    const wanted = Array.from({ length: 64 }, (_, replica) => laid.states(replica));
    const first = 2 ** 32 - 1 + seed;
    const cuts = cutAt === undefined ? undefined : [0, 2 * Math.floor((cutAt * layout.positions) / 2), layout.positions];
    for (let n = 0; n < 2; n++) {
      laid.sweep(first + n, 1, false, cuts);
      wanted.forEach((states, replica) => {
        sweepOfReplica(columns, layout.variables, states, { replica, sweep: first + n, key });
        expect(laid.states(replica)).toEqual(states);
      });
    }
    const drawn = layout.variables.filter((variable) => variable >= 0).length;
    laid.dispose();
    return drawn;
  }

  it("draws the same as the twin in each of 64 replicas", () => {
    let drawn = 0;
    fc.assert(
      fc.property(suitable, fc.nat(1000), between(0, 1), (plan, seed, cutAt) => {
        drawn += compare(graphOf(plan), seed, cutAt);
      }),
      { numRuns: power(50, 150), seed: 3 },
    );
    expect(drawn).toBeGreaterThan(power(160, 500));
    compare(star(), 1);
    compare(torus(4, 6, 0.44, 2, 0.3), 2);
    compare(torus(3, 5, 0.44, 2), 3, 0.4);
  });

  it("compares all 32 bits, and a number equal to its threshold is not below it", () => {
    let seen = 0;
    for (let replica = 0; replica < 64; replica += 7)
      for (const more of [0, 1]) {
        const key = stream(5, "replica gibbs", 0).key;
        const graph = factorGraph();
        // Two variables of a kind, both drawn at sweep 9. The threshold is the number of the first, or one more.
        const p = (uniformOf(0, replica, 9, key) + more) / 2 ** 32;
        for (let i = 0; i < 2; i++) {
          graph.variable();
          graph.table([i], [1 - p, p]);
        }
        const laid = bitsLaidOut(graph.conditionals(), engine, 5);
        laid.sweep(9);
        expect(laid.bit(0, replica)).toBe(more);
        seen += laid.bit(0, replica);
        laid.dispose();
      }
    expect(seen).toBe(10);
  });

  it("counts the ones of every eight replicas and their squares, over batches of any length", () => {
    const laid = bitsLaidOut(torus(3, 3, 0.4, 4, 0.5).conditionals(), engine, 6);
    const { layout, replicas } = laid;
    const totals = new Float64Array(8 * layout.positions);
    const squares = new Float64Array(layout.positions);
    let number = 0;
    for (const length of [1, 3, 31, 32, 100]) {
      const batch = new Float64Array(8 * layout.positions);
      for (let k = 0; k < length; k++) {
        laid.sweep(number++, 1, true);
        replicas.counted(1);
        for (let position = 0; position < layout.positions; position++)
          for (let replica = 0; replica < 64; replica++)
            batch[8 * position + (replica >> 3)] += (replicas.words[2 * position + (replica >> 5)] >>> (replica & 31)) & 1;
      }
      replicas.settle(length);
      batch.forEach((ones, i) => {
        totals[i] += ones;
        squares[i >> 3] += ones ** 2 / length;
      });
    }
    expect(Array.from(replicas.sums.totals)).toEqual(Array.from(totals));
    replicas.sums.squares.forEach((sum, i) => {
      expect(Math.abs(sum - squares[i])).toBeLessThan(1e-9 * squares[i]);
    });
    laid.dispose();
  });
});

/** `count` isolated variables, each 1 with probability p. `visit` receives the words of every sweep. */
function bernoulli(p: number, count: number, sweeps: number, visit: (words: Uint32Array, sweep: number) => void): void {
  const graph = factorGraph();
  for (let i = 0; i < count; i++) {
    graph.variable();
    graph.table([i], [1 - p, p]);
  }
  const laid = bitsLaidOut(graph.conditionals(), engine, 7);
  for (let n = 0; n < sweeps; n++) {
    laid.sweep(n);
    visit(laid.replicas.words.slice(), n);
  }
  laid.dispose();
}

/** Number of ones among the 32 bits of a word. */
function onesIn(word: number): number {
  let left = word;
  left -= (left >>> 1) & 0x55555555;
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333);
  return Math.imul((left + (left >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const ofReplica = (words: Uint32Array, position: number, replica: number): number =>
  (words[2 * position + (replica >> 5)] >>> (replica & 31)) & 1;

describe("Bernoulli words", () => {
  const count = 2048;
  const sweeps = 16;

  it.each([0.5, 0.3, 1 - 2 ** -10, 2 ** -10])(
    "are 1 with probability %f in every replica alike, and wrong odds are detected",
    (p) => {
      const ones = new Float64Array(64);
      bernoulli(p, count, sweeps, (words) => {
        for (let position = 0; position < count; position++)
          for (let replica = 0; replica < 64; replica++) ones[replica] += ofReplica(words, position, replica);
      });
      const n = count * sweeps;
      const total = ones.reduce((sum, one) => sum + one, 0);
      const score = (q: number) => zScore((total - 64 * n * q) / Math.sqrt(64 * n * q * (1 - q)));
      expectGood(score(p));
      const odds = p / (1 - p);
      // There are 2,048 rare ones, so a standard error is 2 % of their number. Elsewhere it is at most 0.11 % of the
      // odds.
      const change = Math.min(p, 1 - p) < 0.01 ? 0.2 : 0.03;
      for (const factor of [1 + change, 1 - change]) expectCaught(score((odds * factor) / (1 + odds * factor)));
      const spread = (counts: Float64Array) => {
        let sum = 0;
        for (const one of counts) sum += (one - n * p) ** 2 / (n * p * (1 - p));
        return zScore((sum - 64) / Math.sqrt(128));
      };
      expectGood(spread(ones));
      // Mutant: in replica 9 every tenth value is the rarer one, whatever was drawn.
      const shift = p > 0.5 ? -0.1 * n * p : 0.1 * n * (1 - p);
      expectCaught(spread(ones.map((one, replica) => (replica === 9 ? one + shift : one))));
    },
  );

  it.each([0.5, 0.1])("with probability %f are uncorrelated between replicas, neighbours and sweeps", (p) => {
    const both = new Float64Array(64 * 64);
    const copied = new Float64Array(64 * 64);
    let [beside, later] = [0, 0];
    let before: Uint32Array | undefined;
    const draws = stream(11, "copies").at(0);
    /** Adds Σ (x_a − p)(x_b − p) over positions for each pair of replicas. */
    const addPairs = (sums: Float64Array, bits: readonly Uint32Array[]): void => {
      const totals = bits.map((own) => own.reduce((sum, word) => sum + onesIn(word), 0));
      for (let a = 0; a < 64; a++)
        for (let b = 0; b < a; b++) {
          let shared = 0;
          for (let i = 0; i < bits[a].length; i++) shared += onesIn(bits[a][i] & bits[b][i]);
          sums[64 * a + b] += shared - p * (totals[a] + totals[b]) + p * p * count;
        }
    };
    bernoulli(p, count, sweeps, (words) => {
      // 32 positions per word, by replica.
      const bits = Array.from({ length: 64 }, () => new Uint32Array(count / 32));
      const wrong = new Uint32Array(count / 32);
      for (let position = 0; position < count; position++) {
        for (let a = 0; a < 64; a++) {
          const bit = ofReplica(words, position, a);
          bits[a][position >> 5] |= bit << (position & 31);
          if (position % 2 === 1) beside += (bit - p) * (ofReplica(words, position - 1, a) - p);
          if (before) later += (bit - p) * (ofReplica(before, position, a) - p);
        }
        // Mutant: a replica copies another one in a tenth of its draws.
        const from = draws.uniform() < 0.1 ? 8 : 40;
        wrong[position >> 5] |= ofReplica(words, position, from) << (position & 31);
      }
      addPairs(both, bits);
      addPairs(copied, bits.with(40, wrong));
      before = words;
    });
    const variance = (p * (1 - p)) ** 2;
    const n = count * sweeps;
    const pairs = (64 * 63) / 2;
    const scores = (sums: Float64Array) => sums.reduce((sum, one) => sum + one ** 2 / (n * variance), 0);
    expectGood(zScore((scores(both) - pairs) / Math.sqrt(2 * pairs)));
    const largest = (sums: Float64Array) =>
      Math.min(1, pairs * zScore(Math.max(...sums.map(Math.abs)) / Math.sqrt(n * variance)));
    expectGood(largest(both));
    expectCaught(largest(copied));
    expectGood(zScore(beside / Math.sqrt(32 * n * variance)));
    expectGood(zScore(later / Math.sqrt(64 * (n - count) * variance)));
  });
});

describe("stationary distributions", () => {
  it.each([
    ["a torus of ±J with a field", () => torus(3, 3, 0.5, 8, 0.4)],
    ["a star of groups", star],
  ])("π is stationary for a sweep: %s, and another start is detected", (_, make) => {
    const laid = bitsLaidOut(make().conditionals(), engine, 9);
    const { columns } = laid;
    const count = columns.cardinalities.length;
    const stateOf = (index: number) => Int32Array.from({ length: count }, (_, i) => (index >> i) & 1);
    const logs = Array.from({ length: 2 ** count }, (_, index) => logValueAt(columns, stateOf(index)));
    const total = logs.reduce((sum, value) => sum + Math.exp(value), 0);
    const ends: number[] = [];
    for (const value of logs) ends.push((ends.at(-1) ?? 0) + Math.exp(value) / total);
    /** Advances 64 replicas at a time, each with its own start and random bits. */
    const after = (start: (u: number) => number): number => {
      const seen = new Float64Array(2 ** count);
      const draws = stream(10, "starts").at(0);
      const rounds = power(600, 3000);
      for (let n = 0; n < rounds; n++) {
        for (let replica = 0; replica < 64; replica++) {
          const index = start(draws.uniform());
          for (let i = 0; i < count; i++) laid.setBit(i, replica, (index >> i) & 1);
        }
        laid.sweep(n);
        for (let replica = 0; replica < 64; replica++) {
          let index = 0;
          for (let i = 0; i < count; i++) index += laid.bit(i, replica) << i;
          seen[index]++;
        }
      }
      // States with an expected count below ten are merged into one cell.
      const expected = logs.map((value) => (64 * rounds * Math.exp(value)) / total);
      const cells = [0];
      const wanted = [0];
      expected.forEach((value, index) => {
        if (value >= 10) {
          cells.push(seen[index]);
          wanted.push(value);
        } else {
          cells[0] += seen[index];
          wanted[0] += value;
        }
      });
      if (wanted[0] === 0) {
        cells.shift();
        wanted.shift();
      }
      return chiSquare(cells, (i) => wanted[i]);
    };
    const find = (u: number): number => {
      let [low, high] = [0, ends.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle] > u) high = middle;
        else low = middle + 1;
      }
      return low;
    };
    expectGood(after(find));
    expectCaught(after((u) => find(0.8 * u)));
    laid.dispose();
  });
});
