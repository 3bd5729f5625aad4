/**
 * Statistical tests of the random streams and the shuffled orders.
 *
 * With correct code, one seed in 10,000 would fail this file. The level 1e-4 is split evenly over its CHECKS checks,
 * and more checks would fail the file. Each check must detect a planted mutant, a bias of the size that the check is
 * for, with a p-value below the same level. Each mutant is large enough to be detected for all but one seed in a
 * hundred. Mutants show that a check has enough draws. That depends on the tests alone, so only `npm run test:slow`
 * draws them, with more draws in each check. Seeds are fixed and were not selected.
 */
import { afterAll, describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";
import { chiSquare, kolmogorovSmirnov, normalDistribution, zScore } from "./p-values.ts";

const CHECKS = 28;
const LEVEL = 1e-4 / CHECKS;
let checks = 0;

function expectGood(pValue: number): void {
  checks++;
  expect(pValue).toBeGreaterThan(LEVEL);
}
/** Computes the p-value of a mutant only in `npm run test:slow`. */
function expectCaught(pValue: () => number): void {
  if (isSlow) expect(pValue()).toBeLessThan(LEVEL);
}
afterAll(() => expect(checks).toBeLessThanOrEqual(CHECKS));

const engine = await openEngine();
const COUNT = power(300_000, 1_000_000);

function filled(kind: number, name: string): Float64Array {
  using piece = engine.memory.allocate(8 * COUNT, "draws");
  engine.kernel("randomFill", true)(piece.pointer, COUNT, kind, ...stream(1, name).key, 0);
  return engine.memory.f64(piece.pointer, COUNT).slice();
}

function tally(cells: number, count: number, cell: (i: number) => number): Float64Array {
  const counts = new Float64Array(cells);
  for (let i = 0; i < count; i++) counts[cell(i)]++;
  return counts;
}

const mean = (values: ArrayLike<number>, f: (x: number) => number) => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += f(values[i]);
  return sum / values.length;
};
/** p-value of the mean of f(x), which should be `wanted` with variance `variance`. */
const moment = (values: ArrayLike<number>, f: (x: number) => number, wanted: number, variance: number) =>
  zScore((mean(values, f) - wanted) / Math.sqrt(variance / values.length));

describe("bits", () => {
  const evenBytes = (word: (i: number) => number, byte: number) =>
    chiSquare(
      tally(256, COUNT, (i) => (word(i) >>> (8 * byte)) & 255),
      () => COUNT / 256,
    );

  it.each([0, 1, 2, 3])("have evenly distributed values in byte %d of a word", (byte) => {
    const draws = stream(1, "bits", byte).at(0);
    expectGood(evenBytes(() => draws.bits(), byte));
    // Mutant: one value in fifty is forced even.
    const mutant = stream(1, "bits", byte).at(0);
    expectCaught(() => evenBytes((i) => mutant.bits() & (i % 50 === 0 ? 0xfefefefe : 0xffffffff), byte));
  });
});

describe("uniform", () => {
  const values = filled(0, "uniform");
  const biased = values.map((u) => u * 0.996);

  it("has the uniform distribution", () => {
    const test = (x: Float64Array) => kolmogorovSmirnov(x, (u) => u);
    expectGood(test(values));
    expectCaught(() => test(biased));
  });

  it("has mean 1/2 and variance 1/12", () => {
    expectGood(moment(values, (u) => u, 1 / 2, 1 / 12));
    expectCaught(() => moment(biased, (u) => u, 1 / 2, 1 / 12));
    expectGood(moment(values, (u) => (u - 0.5) ** 2, 1 / 12, 1 / 180));
    expectCaught(() => moment(biased, (u) => (u - 0.5) ** 2, 1 / 12, 1 / 180));
  });

  it("has random low bits", () => {
    const lowByte = (u: number) => (u * 2 ** 53) % 256;
    expectGood(
      chiSquare(
        tally(256, COUNT, (i) => lowByte(values[i])),
        () => COUNT / 256,
      ),
    );
    // Mutant: 48 bits instead of 53.
    expectCaught(() =>
      chiSquare(
        tally(256, COUNT, (i) => lowByte(Math.floor(values[i] * 2 ** 48) / 2 ** 48)),
        () => COUNT / 256,
      ),
    );
  });
});

describe("integer", () => {
  it.each([3, 10, 1000])("is evenly distributed below %d", (n) => {
    const draws = stream(1, "integer", n).at(0);
    expectGood(
      chiSquare(
        tally(n, COUNT / 4, () => draws.integer(n)),
        () => COUNT / 4 / n,
      ),
    );
    // Mutant: the lowest value has 0.05/√n more than its share.
    const mutant = stream(1, "integer", n).at(0);
    const skewed = () => tally(n, COUNT / 4, () => (mutant.uniform() < 0.05 / Math.sqrt(n) ? 0 : mutant.integer(n)));
    expectCaught(() => chiSquare(skewed(), () => COUNT / 4 / n));
  });

  it("has no bias if n does not divide 2^32", () => {
    const n = 3 * 2 ** 30;
    const third = (draw: (draws: Draws) => number) => {
      const draws = stream(1, "integer", n).at(0);
      return chiSquare(
        tally(3, COUNT / 4, () => Math.floor(draw(draws) / 2 ** 30)),
        () => COUNT / 12,
      );
    };
    expectGood(third((draws) => draws.integer(n)));
    // Mutants: the remainder, and the product without rejection, give one third twice its share.
    expectCaught(() => third((draws) => draws.bits() % n));
    const residue = (draw: (draws: Draws) => number) => {
      const draws = stream(1, "residue").at(0);
      return chiSquare(
        tally(3, COUNT / 4, () => draw(draws) % 3),
        () => COUNT / 12,
      );
    };
    expectGood(residue((draws) => draws.integer(n)));
    expectCaught(() => residue((draws) => Math.floor((draws.bits() * n) / 2 ** 32)));
  });
});

describe("normal", () => {
  const values = filled(1, "normal");
  const wide = values.map((z) => z * 1.006);
  const shifted = values.map((z) => z + 0.01);

  it("has the normal distribution", () => {
    expectGood(kolmogorovSmirnov(values, normalDistribution));
    expectCaught(() => kolmogorovSmirnov(shifted, normalDistribution));
  });

  it("has the moments of a standard normal variable", () => {
    expectGood(moment(values, (z) => z, 0, 1));
    expectCaught(() => moment(shifted, (z) => z, 0, 1));
    expectGood(moment(values, (z) => z ** 2, 1, 2));
    expectCaught(() => moment(wide, (z) => z ** 2, 1, 2));
    expectGood(moment(values, (z) => z ** 3, 0, 15));
    expectCaught(() =>
      moment(
        values.map((z) => z + 0.01 * (z * z - 1)),
        (z) => z ** 3,
        0,
        15,
      ),
    );
    expectGood(moment(values, (z) => z ** 4, 3, 96));
    expectCaught(() =>
      moment(
        wide.map((z) => z * 1.002),
        (z) => z ** 4,
        3,
        96,
      ),
    );
  });

  it("has the right share of draws beyond three in each tail", () => {
    const share = normalDistribution(-3);
    for (const sign of [-1, 1]) {
      expectGood(moment(values, (z) => Number(sign * z > 3), share, share * (1 - share)));
      // Mutant: draws are 4 % too small.
      expectCaught(() =>
        moment(
          values.map((z) => z * 0.96),
          (z) => Number(sign * z > 3),
          share,
          share * (1 - share),
        ),
      );
    }
  });
});

describe("exponential", () => {
  const values = filled(2, "exponential");
  const longer = values.map((x) => x * 1.012);

  it("has the exponential distribution of mean 1", () => {
    expectGood(kolmogorovSmirnov(values, (x) => 1 - Math.exp(-x)));
    expectCaught(() => kolmogorovSmirnov(longer, (x) => 1 - Math.exp(-x)));
    expectGood(moment(values, (x) => x, 1, 1));
    expectCaught(() => moment(longer, (x) => x, 1, 1));
  });
});

describe("independence", () => {
  const PAIRS = power(40_000, 100_000);
  const SIDE = 16;
  type Pair = (i: number) => readonly [number, number];

  /** Tests pairs of uniform numbers on a 16 × 16 grid. */
  const grid = (pair: Pair) =>
    chiSquare(
      tally(SIDE * SIDE, PAIRS, (i) => {
        const [u, v] = pair(i);
        return Math.floor(u * SIDE) * SIDE + Math.floor(v * SIDE);
      }),
      () => PAIRS / (SIDE * SIDE),
    );
  const first = (seed: number, name: string | number, counter: number) => stream(seed, name).at(counter).uniform();
  const chain = stream(1, "chain").at(0);
  const pairs: Record<string, Pair> = {
    "neighbouring seeds": (i) => [first(2 * i, "a", 0), first(2 * i + 1, "a", 0)],
    "neighbouring names": (i) => [first(1, 2 * i, 0), first(1, 2 * i + 1, 0)],
    "neighbouring counters": (i) => [first(1, "a", 2 * i), first(1, "a", 2 * i + 1)],
    "one draw and the next": () => [chain.uniform(), chain.uniform()],
  };

  it.each(Object.keys(pairs))("finds no dependence between %s", (name) => {
    expectGood(grid(pairs[name]));
    // Mutant: one pair in twenty repeats the same draw.
    expectCaught(() =>
      grid((i) => {
        const [u, v] = pairs[name](i);
        return [u, i % 20 === 0 ? u : v];
      }),
    );
  });
});

describe("shuffled orders", () => {
  const EPOCHS = 48_000;
  const { key } = stream(1, "order");
  const factorial = [1, 1, 2, 6, 24];

  /** Rank of a permutation of 0 … n − 1. */
  const rank = (order: ArrayLike<number>) => {
    let r = 0;
    for (let i = 0; i < order.length; i++) {
      let smaller = 0;
      for (let j = i + 1; j < order.length; j++) if (order[j] < order[i]) smaller++;
      r += smaller * factorial[order.length - 1 - i];
    }
    return r;
  };
  const evenOrders = (order: (epoch: number) => ArrayLike<number>) =>
    chiSquare(
      tally(24, EPOCHS, (epoch) => rank(order(epoch))),
      () => EPOCHS / 24,
    );

  it.each([
    { kind: "rows", code: 1, rows: 4, blockRows: 1 },
    { kind: "blocks", code: 2, rows: 11, blockRows: 3 },
  ])("are evenly distributed over all permutations: $kind", ({ code, rows, blockRows }) => {
    using piece = engine.memory.allocate(4 * rows, "order");
    const shuffle = engine.kernel("shuffle", true);
    expectGood(
      evenOrders((epoch) => {
        shuffle(piece.pointer, 0, rows, code, blockRows, ...key, epoch);
        const order = [...engine.memory.u32(piece.pointer, rows)];
        return order.filter((row) => row % blockRows === 0).map((row) => row / blockRows);
      }),
    );
  });

  it.runIf(isSlow)("would reveal a shuffle that picks from all places each time", () => {
    expectCaught(() =>
      evenOrders((epoch) => {
        const draws = stream(1, "order").at(epoch);
        const order = [0, 1, 2, 3];
        for (let i = 3; i > 0; i--) {
          const j = draws.integer(4);
          [order[i], order[j]] = [order[j], order[i]];
        }
        return order;
      }),
    );
  });
});
