/**
 * The loss of a network and its gradient by kernels/engine/arrays/network.ts, compared with the interpreter and
 * explicit losses: full batches and remainders, weights of rows and classes, stored types, random layers and running
 * statistics.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Dataset, type Loss, type LossName } from "../../../../src/entries/everything.ts";
import { network } from "../../../../src/learning/fit/kinds/network.ts";
import { poissonLoss as poisson } from "../../../../src/learning/models/losses/index.ts";
import { batchNorm, cnn, dense, dropout, frozen, mlp, relu, sequential } from "../../../../src/learning/models/neural/index.ts";
import type { NetworkOptions } from "../../../../src/learning/models/neural/network.ts";
import { isSlow } from "../../../power.ts";
import { BoundNetwork, farthest, type RowLoss } from "../bound-network.ts";

const ROWS = 21;
const COLUMNS = 5;
const BATCH = 8;
const TOLERANCE = { f64: 1e-12, f32: 1e-5 };

const draws = stream(11, "rows").at(0);
const x = Array.from({ length: ROWS }, () => Array.from({ length: COLUMNS }, () => Math.fround(draws.normal())));
const weights = Array.from({ length: ROWS }, () => 0.5 + draws.uniform());
const classOf = (row: readonly number[], classes: number): number => Math.abs(Math.round(3 * row[0])) % classes;
const targets = {
  numbers: x.map(([a, b]) => a - 2 * b),
  counts: x.map(([a]) => Math.abs(Math.round(2 * a))),
  two: x.map((row) => ["no", "yes"][classOf(row, 2)]),
  three: x.map((row) => ["a", "b", "c"][classOf(row, 3)]),
  signs: x.map(([a]) => (a > 0 ? 1 : -1)),
};

const softplus = (m: number): number => Math.max(0, m) + Math.log1p(Math.exp(-Math.abs(m)));
const sigmoid = (m: number): number => 1 / (1 + Math.exp(-m));
/** One class against the rest: y = 1 if the output's class is the row's class. */
const each =
  (of: (z: number, sign: number) => [number, number]): RowLoss =>
  (z, y) => {
    const parts = z.map((value, k) => of(value, z.length === 1 ? (y > 0 ? 1 : -1) : k === y ? 1 : -1));
    return { value: parts.reduce((sum, [value]) => sum + value, 0), slopes: parts.map(([, slope]) => slope) };
  };
const single =
  (of: (z: number, y: number) => [number, number]): RowLoss =>
  ([z], y) => {
    const [value, slope] = of(z, y);
    return { value, slopes: [slope] };
  };
const losses = {
  squared: single((z, y) => [(z - y) ** 2 / 2, z - y]),
  poisson: single((z, y) => [Math.exp(z) - y * z, Math.exp(z) - y]),
  logistic: each((z, s) => [softplus(-s * z), -s * sigmoid(-s * z)]),
  hinge: each((z, s) => [Math.max(0, 1 - s * z), s * z < 1 ? -s : 0]),
  squaredHinge: each((z, s) => [Math.max(0, 1 - s * z) ** 2, -2 * s * Math.max(0, 1 - s * z)]),
  multinomial: ((z, y) => {
    const top = Math.max(...z);
    const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const value = top + Math.log(total) - z[y];
    return { value, slopes: z.map((v, k) => Math.exp(v - top) / total - Number(k === y)) };
  }) satisfies RowLoss,
};

interface Case {
  readonly name: string;
  readonly y: keyof typeof targets;
  readonly loss: keyof typeof losses;
  readonly outputs: number;
  readonly given?: LossName | Loss;
  readonly weighted?: boolean;
  readonly classWeights?: NetworkOptions["classWeights"];
}

const cases: Case[] = [
  { name: "numbers", y: "numbers", loss: "squared", outputs: 1 },
  { name: "numbers of other weights", y: "numbers", loss: "squared", outputs: 1, weighted: true },
  { name: "counts", y: "counts", loss: "poisson", outputs: 1, given: poisson() },
  { name: "two classes", y: "two", loss: "logistic", outputs: 1 },
  { name: "two classes as numbers", y: "signs", loss: "squaredHinge", outputs: 1, given: "squaredHinge", weighted: true },
  { name: "two classes of other weights", y: "two", loss: "hinge", outputs: 1, given: "hinge", classWeights: { yes: 3 } },
  { name: "three classes", y: "three", loss: "multinomial", outputs: 3 },
  {
    name: "three classes, balanced, of other weights",
    y: "three",
    loss: "multinomial",
    outputs: 3,
    weighted: true,
    classWeights: "balanced",
  },
  { name: "one class against the rest", y: "three", loss: "hinge", outputs: 3, given: "hinge" },
  { name: "one class against the rest, smooth", y: "three", loss: "logistic", outputs: 3, given: "logistic", weighted: true },
];

const dataOf = ({ y, weighted }: Pick<Case, "y" | "weighted">, rowShape?: number[]): Dataset =>
  Dataset.fromArrays({ x, y: targets[y], type: "f64", ...(weighted ? { weights } : {}), ...(rowShape ? { rowShape } : {}) });

/** The weight of a row times that of its class. */
function weightOf({ weighted, classWeights, y }: Case): (row: number) => number {
  const labels = targets[y] as (string | number)[];
  const ofClass = (label: string | number): number => {
    if (classWeights === "balanced") return ROWS / (new Set(labels).size * labels.filter((l) => l === label).length);
    return classWeights?.[label] ?? 1;
  };
  return (row) => (weighted ? weights[row] : 1) * ofClass(labels[row]);
}

/** A full batch out of order with a duplicate row, and remainders of every size. */
const batches = [
  [3, 0, 20, 7, 7, 12, 1, 19],
  ...Array.from({ length: BATCH - 1 }, (_, n) => [20, 2, 5, 11, 0, 9, 14].slice(0, n + 1)),
];

describe.each(cases)("$name, $loss", (given) => {
  // The two builds of f64 differ less than the two types.
  const builds = [["f64", true], ["f32", false], ...(isSlow ? [["f64", false] as const] : [])] as const;
  it.each(builds)("agrees with the twin in %s, deterministic: %s", async (type, deterministic) => {
    using data = dataOf(given);
    const model = network([dense(4), relu(), dense(given.outputs)], { loss: given.given, classWeights: given.classWeights });
    using bound = await BoundNetwork.open(model, data, { batch: BATCH, precision: { data: type, model: type }, deterministic });
    const at = bound.irregular();
    for (const rows of batches) {
      bound.setParameters(at);
      const found = bound.gradient(rows);
      const wanted = bound.wanted(at, rows, { loss: losses[given.loss], weight: weightOf(given) });
      expect(farthest(found, wanted), `${rows.length} rows`).toBeLessThan(TOLERANCE[type]);
      expect(bound.objective(rows)).toBe(found.loss);
    }
  });
});

describe("stored types", () => {
  it.each(["i8", "i16", "f32"] as const)("agree with the twin: %s", async (type) => {
    using data = dataOf({ y: "three" });
    const model = network([dense(6), relu(), dense(3)]);
    using bound = await BoundNetwork.open(model, data, { batch: BATCH, precision: { data: type, model: "f32" } });
    expect(bound.data.type).toBe(type);
    const at = bound.irregular();
    bound.setParameters(at);
    for (const rows of batches)
      expect(farthest(bound.gradient(rows), bound.wanted(at, rows, { loss: losses.multinomial }))).toBeLessThan(TOLERANCE.f32);
  });
});

describe("layers that behave differently in updates", () => {
  const shaped = [5, 1, 1];
  const networks = {
    "batch norm": () => network([dense(4), batchNorm(), relu(), dense(3)]),
    dropout: () => network([dense(16), relu(), dropout(0.4), dense(3)]),
    "all together": () => network(mlp([6, 5], { outputs: 3, normalised: true, dropout: 0.3 })),
    "frozen, with batch norm": () => network([frozen(sequential([dense(4), batchNorm()])), relu(), batchNorm(), dense(3)]),
    "an image, standardised as a whole": () => network(cnn({ outputs: 3, channels: [2, 3], hidden: 4 })),
  };
  it.each(Object.keys(networks) as (keyof typeof networks)[])("agree with the twin: %s", async (name) => {
    const image = name.startsWith("an image");
    using data = dataOf({ y: "three" }, image ? shaped : undefined);
    using bound = await BoundNetwork.open(networks[name](), data, { batch: BATCH }, 2);
    const at = bound.irregular();
    const seen = new Set<number>();
    const updates = isSlow ? [0, 1, 2, 1e6] : [0, 1, 1e6];
    for (const update of updates) {
      for (const rows of [batches[0], batches[7], batches[4], batches[2]]) {
        bound.setParameters(at);
        const found = bound.gradient(rows, update);
        const wanted = bound.wanted(at, rows, { loss: losses.multinomial, update });
        expect(farthest(found, wanted), `update ${update}, ${rows.length} rows`).toBeLessThan(2e-12);
        // Line searches use the draws of the last gradient.
        bound.setParameters(at);
        expect(bound.objective(rows)).toBe(found.loss);
        if (rows === batches[0]) seen.add(found.loss);
      }
    }
    expect(seen.size).toBe(["dropout", "all together", "an image, standardised as a whole"].includes(name) ? updates.length : 1);
  });

  it("batch norm returns its shift for a single remaining row without variance", async () => {
    using data = dataOf({ y: "three" });
    using bound = await BoundNetwork.open(network([batchNorm(), dense(3)]), data, { batch: BATCH });
    const at = bound.irregular();
    bound.setParameters(at);
    const found = bound.gradient([4]);
    expect(farthest(found, bound.wanted(at, [4], { loss: losses.multinomial }))).toBeLessThan(1e-9);
    expect(Math.max(...found.gradient["0.scale"].map(Math.abs))).toBeLessThan(1e-9);
    expect(Math.max(...found.gradient["0.shift"].map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it("lanes draw their own random numbers", async () => {
    using data = dataOf({ y: "three" });
    const model = network([dense(16), dropout(0.4), dense(3)]);
    using one = await BoundNetwork.open(model, data, { batch: BATCH }, 0);
    using two = await BoundNetwork.open(model, data, { batch: BATCH }, 1);
    const at = one.irregular();
    for (const bound of [one, two]) bound.setParameters(at);
    expect(one.gradient(batches[0]).loss).not.toBe(two.gradient(batches[0]).loss);
  });
});

describe("parameter layout", () => {
  it("puts trained parameters first, aligned to 16, and those that rules ignore at the end", async () => {
    using data = dataOf({ y: "three" });
    const model = network([dense(4), batchNorm(), frozen(dense(5)), dense(3)], { l2: 0.1, rates: {} });
    using bound = await BoundNetwork.open(model, data);
    const { layout, trainedCount, parameterCount, penalty, density, start, rates } = bound.problem;
    const places = [...layout.parameters, ...layout.states];
    expect(places.every(({ offset }) => offset % 16 === 0)).toBe(true);
    for (const { path, offset, size, ...rest } of places) {
      const trained = "trained" in rest && rest.trained;
      expect(trained, path).toBe(offset + size <= trainedCount);
      expect([...density.slice(offset, offset + size)], path).toEqual(Array(size).fill(Number(trained)));
      const decays = trained && "decay" in rest && rest.decay;
      expect([...penalty.weights.slice(offset, offset + size)], path).toEqual(Array(size).fill(Number(decays)));
    }
    expect(layout.parameters.filter((p) => p.decay && p.trained).map((p) => p.path)).toEqual(["0.weight", "3.weight"]);
    expect(rates).toBeUndefined();
    // Padding is 0, in initial values and in weights.
    const own = places.flatMap(({ offset, size }) => Array.from({ length: size }, (_, i) => offset + i));
    const padding = Array.from({ length: parameterCount }, (_, i) => i).filter((i) => !own.includes(i));
    expect(padding.length).toBeGreaterThan(0);
    expect(padding.every((i) => start[i] === 0 && density[i] === 0 && penalty.weights[i] === 0)).toBe(true);
  });
});
