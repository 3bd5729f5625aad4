import { describe, expect, it } from "vitest";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { fastfoodStep } from "../../../src/engine/data/features/fastfood.ts";
import { mapKinds } from "../../../src/engine/data/features/feature-map.ts";
import { hadamard, paddedSize } from "../../../src/engine/data/features/hadamard.ts";
import { fastfood, featureMaps, orthogonal, randomFeaturesFromJson, rff, sorf } from "../../../src/engine/data/features/index.ts";
import { sorfStep } from "../../../src/engine/data/features/sorf.ts";
import { OptionError } from "../../../src/engine/errors/errors.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";
import { power } from "../../power.ts";
import { bytes, matrix, sparseOf } from "./rows-of.ts";

const kinds = ["rff", "orthogonal", "sorf", "fastfood"] as const;
const dimension = 64;

const gaussians = (count: number, size: number, draws: Draws): number[][] =>
  Array.from({ length: count }, () => Array.from({ length: size }, () => draws.normal()));

const seeds = Array.from({ length: 40 }, (_, seed) => seed);
const points = gaussians(24, dimension, stream(1, "points").at(0));
const gamma = 1 / (2 * dimension);

/** Root mean square error of z(x)·z(y) against the kernel, over all pairs and seeds. Several tests need the same. */
function kernelError(kind: (typeof kinds)[number], count: number): number {
  const key = `${kind} ${count}`;
  const known = errors.get(key) ?? computedError(kind, count);
  errors.set(key, known);
  return known;
}
const errors = new Map<string, number>();

function computedError(kind: (typeof kinds)[number], count: number): number {
  using data = Dataset.fromArrays({ x: points, y: points.map(() => 0), type: "f64" });
  let squares = 0;
  let pairs = 0;
  for (const seed of seeds) {
    using mapped = data.map(featureMaps[kind]({ count, gamma, seed }));
    const z = matrix(mapped);
    for (let a = 0; a < points.length; a++) {
      for (let b = 0; b < a; b++) {
        const distance = points[a].reduce((sum, value, j) => sum + (value - points[b][j]) ** 2, 0);
        const estimate = z[a].reduce((sum, value, k) => sum + value * z[b][k], 0);
        squares += (estimate - Math.exp(-gamma * distance)) ** 2;
        pairs++;
      }
    }
  }
  return Math.sqrt(squares / pairs);
}

describe.each(kinds)("%s", (kind) => {
  it("estimates the kernel with an error of at most 1/√count that shrinks with count", () => {
    // A mean of count/2 cosines, each of variance (1 − k²)²/2 ≤ ½, has an error ≤ √(½ / (count/2)) = 1/√count for
    // independent frequencies, and less for orthogonal ones. Frequencies of a fastfood block share G, for which twice
    // the variance is allowed. Four times the features halve the error. The range [1.7, 2.4] contains 2 with its error
    // over 40 seeds (below 10 %), but not the 1.41 or 4 of another power.
    const [few, many] = [128, 512].map((count) => kernelError(kind, count));
    const bound = kind === "fastfood" ? Math.SQRT2 : 1;
    expect(few).toBeLessThan(bound / Math.sqrt(128));
    expect(many).toBeLessThan(bound / Math.sqrt(512));
    expect(few / many).toBeGreaterThan(1.7);
    expect(few / many).toBeLessThan(2.4);
  });

  it("is unbiased", () => {
    // Compares the mean estimate of one pair over many seeds with the kernel, at 5 standard errors (false alarm 6e-7,
    // times 4 maps). SORF is biased by O(1/√n) (Yu et al. 2016, theorem 3). Its bias at n = 64 may be 0.01.
    using data = Dataset.fromArrays({ x: points.slice(0, 2), y: [0, 0], type: "f64" });
    const repeats = power(100, 400);
    const estimates = Array.from({ length: repeats }, (_, seed) => {
      using mapped = data.map(featureMaps[kind]({ count: 128, gamma, seed }));
      const [a, b] = matrix(mapped);
      return a.reduce((sum, value, k) => sum + value * b[k], 0);
    });
    const distance = points[0].reduce((sum, value, j) => sum + (value - points[1][j]) ** 2, 0);
    const mean = estimates.reduce((sum, value) => sum + value, 0) / repeats;
    const deviation = Math.sqrt(estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (repeats - 1));
    expect(Math.abs(mean - Math.exp(-gamma * distance))).toBeLessThan(
      5 * (deviation / Math.sqrt(repeats)) + (kind === "sorf" ? 0.01 : 0),
    );
  });

  it("returns unit rows that are the same for equal seeds, differ for others, and agree for sparse rows", () => {
    const x = points.map((row) => row.map((value, j) => (j % 3 === 0 ? 0 : value)));
    using dense = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
    using sparse = Dataset.fromSparse(sparseOf(x), { type: "f64" });
    const map = featureMaps[kind]({ count: 40, gamma, seed: 5 });
    using mapped = dense.map(map);
    expect([mapped.columnCount, mapped.format, mapped.names[3]]).toEqual([40, "dense", `${kind}:sin:1`]);
    for (const row of matrix(mapped)) expect(Math.abs(row.reduce((sum, z) => sum + z * z, 0) - 1)).toBeLessThan(1e-12);
    expect(bytes(dense.map(randomFeaturesFromJson(JSON.parse(JSON.stringify(map.toJSON())))))).toEqual(bytes(mapped));
    expect(bytes(dense.map(featureMaps[kind]({ count: 40, gamma, seed: 6 }))).values).not.toEqual(bytes(mapped).values);
    matrix(sparse.map(map)).forEach((row, i) => {
      row.forEach((value, k) => {
        expect(Math.abs(value - mapped.row(i)[k])).toBeLessThan(1e-12);
      });
    });
  });

  it("the first features do not depend on their number, except for scale", () => {
    using data = Dataset.fromArrays({ x: points, y: points.map(() => 0), type: "f64" });
    using few = data.map(featureMaps[kind]({ count: 16, gamma, seed: 2 }));
    using many = data.map(featureMaps[kind]({ count: 64, gamma, seed: 2 }));
    const [a, b] = [few.row(0), many.row(0)];
    if (kind === "orthogonal") return void expect(a.length).toBe(16); // lengths are drawn after the block's directions
    a.forEach((value, k) => {
      expect(Math.abs(value - 2 * b[k])).toBeLessThan(1e-12);
    });
  });

  it('gamma "scale" is 1/(d·variance of all cells), and 1/d for constant data', () => {
    const x = [
      [1, 0, 3],
      [0, 5, 0],
    ];
    for (const data of [Dataset.fromArrays({ x, y: [0, 0] }), Dataset.fromSparse(sparseOf(x))]) {
      const step = data.map(featureMaps[kind]({ count: 2 })).pipeline.steps.at(-1) as unknown as {
        gamma: number;
        inputs: number;
      };
      const variance = [1, 0, 3, 0, 5, 0].reduce((sum, value) => sum + (value - 1.5) ** 2, 0) / 6;
      expect(Math.abs(step.gamma * 3 * variance - 1)).toBeLessThan(1e-12);
    }
    using constant = Dataset.fromArrays({
      x: [
        [2, 2],
        [2, 2],
      ],
      y: [0, 0],
    });
    expect(constant.map(featureMaps[kind]({ count: 2 })).pipeline.steps.at(-1)).toMatchObject({ gamma: 0.5 });
  });
});

describe("differences between the maps", () => {
  it("orthogonal and sorf have a smaller error than rff", () => {
    // The expected ratio is near 0.56 (one full block of 64). Its standard error over 40 seeds is below 10 %.
    const error = Object.fromEntries(kinds.map((kind) => [kind, kernelError(kind, 128)]));
    expect(error.orthogonal).toBeLessThan(0.8 * error.rff);
    expect(error.sorf).toBeLessThan(0.8 * error.rff);
  });

  it("frequencies of an orthogonal block are orthogonal; those of sorf also have length √(2γn)", () => {
    const size = 8;
    // The phases of unit vectors are too small to wrap, so they are the coordinates of the frequencies.
    const step = 1e-4;
    const x = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? step : 0)));
    for (const map of [orthogonal({ count: 2 * size, gamma: 0.5 }), sorf({ count: 2 * size, gamma: 0.5 })]) {
      using data = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
      const z = matrix(data.map(map));
      const w = Array.from({ length: size }, (_, k) => z.map((row) => Math.atan2(row[2 * k + 1], row[2 * k]) / step));
      for (let a = 0; a < size; a++) {
        for (let b = 0; b < a; b++) expect(Math.abs(w[a].reduce((sum, value, j) => sum + value * w[b][j], 0))).toBeLessThan(1e-6);
        const length = Math.hypot(...w[a]);
        if (map.kind === "sorf") expect(Math.abs(length - Math.sqrt(size))).toBeLessThan(1e-6);
      }
    }
  });

  it("the frequencies of rff and fastfood have the lengths of N(0, 2γI) vectors on average", () => {
    // Mean of 64 blocks × 8 squared lengths, 2γ·χ²₈ with mean 8 and sd 4. The 512 lengths (fastfood lengths share only
    // ‖G‖, which is divided out) give 5 × 4/√512 = 0.88.
    const size = 8;
    const step = 1e-4;
    const x = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? step : 0)));
    for (const map of [rff({ count: 1024, gamma: 0.5, seed: 3 }), fastfood({ count: 1024, gamma: 0.5, seed: 3 })]) {
      using data = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
      const z = matrix(data.map(map));
      let squares = 0;
      for (let k = 0; k < 512; k++) for (const row of z) squares += (Math.atan2(row[2 * k + 1], row[2 * k]) / step) ** 2;
      expect(Math.abs(squares / 512 - 8)).toBeLessThan(0.88);
    }
  });
});

describe("matrices of structured maps", () => {
  const product = (a: number[][], b: number[][]): number[][] =>
    a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
  const diagonal = (values: number[]): number[][] => values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
  const h = (n: number): number[][] =>
    Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => ((i & j).toString(2).replaceAll("0", "").length % 2 ? -1 : 1)),
    );
  const signs = (draws: Draws, n: number): number[] => Array.from({ length: n }, () => (draws.bits() >>> 31 ? -1 : 1));
  const length = (draws: Draws, n: number): number => Math.hypot(...Array.from({ length: n }, () => draws.normal()));

  /** Draws of a block in their order, and the product of its matrices. */
  const blocks = {
    // √(2γ) n^{1/2} (H D₁)(H D₂)(H D₃) / n^{3/2}, whose rightmost factor is drawn first.
    sorf(draws: Draws, n: number, gamma: number) {
      const [d3, d2, d1] = Array.from({ length: 3 }, () => product(h(n), diagonal(signs(draws, n))));
      return product(d1, product(d2, d3)).map((row) => row.map((value) => (Math.sqrt(2 * gamma) * value) / n));
    },
    // √(2γ/n) S H G Π H B.
    fastfood(draws: Draws, n: number, gamma: number) {
      const b = signs(draws, n);
      const places = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = draws.integer(i + 1);
        [places[i], places[j]] = [places[j], places[i]];
      }
      const g = Array.from({ length: n }, () => draws.normal());
      const s = Array.from({ length: n }, () => length(draws, n) / Math.hypot(...g));
      const permutation = places.map((place) => g.map((_, j) => (j === place ? 1 : 0)));
      const all = [diagonal(s), h(n), diagonal(g), permutation, h(n), diagonal(b)].reduce(product);
      return all.map((row) => row.map((value) => Math.sqrt((2 * gamma) / n) * value));
    },
  };

  it.each(["sorf", "fastfood"] as const)(
    "%s equals its formula for five columns padded to eight, two and a half blocks, dense and sparse",
    (kind) => {
      const [n, columns, frequencies] = [8, 5, 19];
      const rows = gaussians(6, columns, stream(2, "rows").at(0)).map((row) => row.map((value, j) => (j === 2 ? 0 : value)));
      const w = Array.from({ length: 3 }, (_, b) => blocks[kind](stream(7, "features", kind).at(b), n, 0.3)).flat();
      const wanted = rows.map((row) =>
        w.slice(0, frequencies).flatMap((frequency) => {
          const phase = row.reduce((sum, value, j) => sum + value * frequency[j], 0);
          return [Math.cos(phase), Math.sin(phase)].map((value) => Math.sqrt(1 / frequencies) * value);
        }),
      );
      using dense = Dataset.fromArrays({ x: rows, y: rows.map(() => 0), type: "f64" });
      using sparse = Dataset.fromSparse(sparseOf(rows), { type: "f64" });
      for (const data of [dense, sparse]) {
        using mapped = data.map(featureMaps[kind]({ count: 2 * frequencies, gamma: 0.3, seed: 7 }));
        for (const [i, row] of matrix(mapped).entries())
          for (const [k, value] of row.entries()) expect(Math.abs(value - wanted[i][k])).toBeLessThan(1e-12);
      }
    },
  );
});

describe("fastfood", () => {
  it("divides each block by the length of its own G, so that only the drawn lengths remain", () => {
    // Rows are S/(‖G‖√size) · H G Π H B. All rows of one block have length s_i, so lengths over the block's own draws
    // of s follow χ. A remaining ‖G‖ would scale each block by √(χ²₈/8), whose relative sd is 1/4. Block means would
    // then differ by that much beyond their own 0.25/√8.
    const size = 8;
    const step = 1e-4;
    const x = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? step : 0)));
    using data = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
    const z = matrix(data.map(fastfood({ count: 2 * 8 * 400, gamma: 0.5, seed: 5 })));
    const means = Array.from({ length: 400 }, (_, block) => {
      let squares = 0;
      for (let k = 8 * block; k < 8 * block + 8; k++)
        for (const row of z) squares += (Math.atan2(row[2 * k + 1], row[2 * k]) / step) ** 2;
      return squares / 8;
    });
    const mean = means.reduce((sum, v) => sum + v, 0) / 400;
    const variance = means.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 399;
    // Means of eight χ²₈ have variance 16/8 = 2. The estimate from 400 of them has standard error 2 · √(2/399 +
    // 1.5/8/400) = 0.15, and five of these are 0.74 (false alarm 1e-6). With ‖G‖² /8 as a factor, the variance is about
    // 2 + 64 · (1/4)² · 4 = 18.
    expect(Math.abs(variance - 2)).toBeLessThan(0.74);
  });
});

describe("Hadamard transform", () => {
  it.each([1, 2, 4, 32])("n = %i: multiplies by the matrix of (−1)^popcount(i & j)", (n) => {
    for (let j = 0; j < n; j++) {
      const x = new Float64Array(n);
      x[j] = 1;
      hadamard(x, n);
      const wanted = Array.from({ length: n }, (_, i) => ((i & j).toString(2).replaceAll("0", "").length % 2 ? -1 : 1));
      expect([...x]).toEqual(wanted);
    }
  });

  it.each([1, 2, 4, 8, 16, 32, 64, 128, 512, 1024])("n = %i: has the bits of sums and differences taken level by level", (n) => {
    const x = Float64Array.from({ length: n + 1 }, (_, i) => Math.sin(i * i) * 10 ** (i % 40));
    const wanted = x.slice();
    for (let half = 1; half < n; half *= 2)
      for (let i = 0; i < n; i++)
        if ((i & half) === 0) [wanted[i], wanted[i + half]] = [wanted[i] + wanted[i + half], wanted[i] - wanted[i + half]];
    hadamard(x, n);
    expect([...x]).toEqual([...wanted]);
  });

  it("pads to powers of two", () => {
    expect([1, 2, 3, 8, 9, 1000].map(paddedSize)).toEqual([1, 2, 4, 8, 16, 1024]);
  });
});

/** Counts writes to float arrays that `act` creates, made by the function that `act` returns. */
function writesOf(act: () => () => void): number {
  let writes = 0;
  const Floats = globalThis.Float64Array;
  /** Binds methods to the array itself, because built-in methods do not accept a proxy. */
  const own = (thing: object) => (_: unknown, key: PropertyKey) => {
    const value = Reflect.get(thing, key, thing) as unknown;
    return typeof value === "function" ? value.bind(thing) : value;
  };
  const Counted = new Proxy(Floats, {
    get: own(Floats),
    construct(_, args) {
      const array = Reflect.construct(Floats, args) as Float64Array;
      return new Proxy(array, {
        get: own(array),
        set: (_, key, value) => {
          writes++;
          return Reflect.set(array, key, value, array);
        },
      });
    },
  });
  globalThis.Float64Array = Counted as Float64ArrayConstructor;
  try {
    const work = act();
    writes = 0;
    work();
    return writes;
  } finally {
    globalThis.Float64Array = Floats;
  }
}

describe("cost per row of structured maps: O(count·log d)", () => {
  const count = 512;
  const writes = (step: typeof sorfStep | typeof fastfoodStep, inputs: number): number => {
    const row = { count: inputs, columns: null, values: Float64Array.from({ length: inputs }, (_, j) => Math.sin(j)) };
    return writesOf(() => {
      const settings = { kind: step.kind, count, gamma: 1, seed: 3, inputs };
      const map = step.start(settings, { columnCount: inputs } as never, "test");
      return () => void map(row, 0);
    });
  };
  // A transform writes each number once in two of its log₂ d levels. `own` is the number of other writes per number.
  // Frequencies and features are written once.
  it.each([
    ["sorf", sorfStep, 3, 3 + 1],
    ["fastfood", fastfoodStep, 2, 1 + 1],
  ] as const)("has the cost of its transforms: %s", (_, step, transforms, own) => {
    const all = [16, 64, 256].map((inputs) => writes(step, inputs));
    const wanted = [4, 6, 8].map((levels) => (count / 2) * ((transforms * levels) / 2 + own + 1) + count);
    expect(all).toEqual(wanted);
  });
});

describe("invalid options", () => {
  it("refuses options out of range", () => {
    expect(() => rff({ count: 5 })).toThrow(
      "rff: count is 5, but must be even: features are pairs of cosine and sine [OPTION_RANGE]",
    );
    expect(() => sorf({ count: 0 })).toThrow(OptionError);
    expect(() => rff({ count: 4, gamma: 0 })).toThrow(/gamma is 0, but must be a number > 0/);
    expect(() => rff({ count: 4, Gamma: 1 } as never)).toThrow(/did you mean "gamma"/);
    expect(() => fastfood({ count: 4, seed: 0.5 })).toThrow(/seed is 0.5, but must be an integer/);
    expect(() => randomFeaturesFromJson({ kind: "nystroem", count: 4 })).toThrow(
      /there is no map "nystroem" \(known: rff, orthogonal, sorf, fastfood\)/,
    );
  });

  it("refuses frequencies beyond the memory limit and suggests a remedy", () => {
    using wide = Dataset.fromSparse({ ...sparseOf([[1]]), columnCount: 100_000 });
    expect(() => wide.map(rff({ count: 100_000, gamma: 1 }))).toThrow(/use sorf\(\) or fastfood\(\)/);
    expect(() => wide.map(orthogonal({ count: 4, gamma: 1 }))).toThrow(/above 4096 use sorf\(\) or fastfood\(\)/);
    expect(wide.map(sorf({ count: 4, gamma: 1 })).columnCount).toBe(4);
  });
});

it("mapKinds lists every feature map", () => expect(mapKinds).toEqual(Object.keys(featureMaps)));
