/**
 * Attributions of trees: equal to Shapley values by their definition and to XGBoost's contributions, sums equal to
 * margins, and how the work grows. Only this file compares contributions with anything.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { CapabilityError, DataError, Dataset, fit, linear, OptionError, predictor, trees } from "../../../src/entries/index.ts";
import { attributions } from "../../../src/predict/explain/attributions.ts";
import { gaussLegendre } from "../../../src/predict/explain/quadrature.ts";
import { TreeAttributions } from "../../../src/predict/explain/tree-attributions.ts";
import type { Ensemble } from "../../../src/predict/trees/ensemble.ts";
import type { TreesPredictor } from "../../../src/predict/trees/trees.ts";
import { bruteForce, randomEnsemble, randomRow } from "./brute-force.ts";

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** Contributions and interactions of one row, output by output. */
function explained(ensemble: Ensemble, x: Float64Array) {
  const outputs = ensemble.base.length;
  const m = x.length;
  const made = new TreeAttributions(ensemble, m, "test");
  const to = { values: new Float64Array(outputs * m), interactions: new Float64Array(outputs * m * m) };
  made.add(x, to);
  return { base: made.base, ...to };
}

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, error: number): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i] - wanted[i]), `at ${i}`).toBeLessThan(error);
}

describe("equal to the definition over all subsets", () => {
  const kinds = [
    { trees: 1, columns: 2, outputs: 1, leafWidth: 1, depth: 2 },
    { trees: 3, columns: 5, outputs: 1, leafWidth: 1, depth: 6 },
    { trees: 4, columns: 4, outputs: 3, leafWidth: 1, depth: 4, sets: true },
    { trees: 3, columns: 6, outputs: 3, leafWidth: 3, depth: 5, sets: true },
  ];
  for (const [k, kind] of kinds.entries())
    it(`for random trees: ${JSON.stringify(kind)}`, () => {
      const m = kind.columns;
      for (let seed = 0; seed < 12; seed++) {
        const ensemble = randomEnsemble(100 * k + seed, kind);
        const x = randomRow(seed, m);
        const { base, values, interactions } = explained(ensemble, x);
        for (let output = 0; output < kind.outputs; output++) {
          const wanted = bruteForce(ensemble, x, output);
          expect(base[output]).toBeCloseTo(wanted.base, 10);
          expectClose(values.subarray(output * m, (output + 1) * m), wanted.values, 1e-10);
          const pairs = interactions.slice(output * m * m, (output + 1) * m * m);
          // The diagonal is filled by the caller.
          expectClose(
            pairs,
            wanted.pairs.map((value, at) => (at % (m + 1) === 0 ? 0 : value)),
            1e-10,
          );
        }
      }
    });

  it("for trained trees of classes, with categories and gaps", async () => {
    const draws = stream(3, "table").at(0);
    const rowCount = 200;
    const codes = Int32Array.from({ length: rowCount }, () => draws.integer(9) - 1);
    const age = Float64Array.from({ length: rowCount }, () => (draws.uniform() < 0.1 ? NaN : draws.normal()));
    const size = Float64Array.from({ length: rowCount }, () => draws.normal());
    const of = (i: number): number => (codes[i] % 3) + (age[i] > 0 ? size[i] : 0);
    const kinds = Int32Array.from({ length: rowCount }, (_, i) => (of(i) < 0.2 ? 0 : of(i) < 1.4 ? 1 : 2));
    const table = {
      source: "t",
      rowCount,
      columns: [
        { name: "town", kind: "category" as const, levels: [..."abcdefgh"], codes },
        { name: "age", kind: "number" as const, values: age },
        { name: "size", kind: "number" as const, values: size },
        { name: "kind", kind: "category" as const, levels: ["low", "mid", "top"], codes: kinds },
      ],
    };
    const data = Dataset.fromTable(table, { target: "kind", encode: "none" });
    const model = await fit(trees({ leaves: 7 }), data, { epochs: 5 });
    expect(model.ensemble.sets.length).toBeGreaterThan(0);
    const found = attributions(model, data, { interactions: true });
    expect(found).toMatchObject({ columns: ["town", "age", "size"], outputs: ["low", "mid", "top"], rowCount });
    const z = model.outputs(data);
    for (let i = 0; i < 20; i++) {
      const x = found.rows.slice(3 * i, 3 * i + 3);
      for (let k = 0; k < 3; k++) {
        const wanted = bruteForce(model.ensemble, x, k);
        const at = 3 * i + k;
        expect(wanted.margin).toBeCloseTo(z[at], 10);
        expect(found.base[k]).toBeCloseTo(wanted.base, 10);
        expectClose(found.values.subarray(3 * at, 3 * at + 3), wanted.values, 1e-10);
        expectClose(found.interactions!.subarray(9 * at, 9 * at + 9), wanted.pairs, 1e-10);
      }
    }
  });
});

interface Golden {
  rows: (number | null)[][];
  base: number;
  outputOf: number[];
  trees: Record<"left" | "right" | "feature" | "value" | "missingLeft" | "cover", number[]>[];
  margins: number[][];
  contributions: number[][][];
  interactions: number[][][][];
}

/** Joins XGBoost's trees. */
function ensembleOf({ trees: all, base, outputOf }: Golden): Ensemble {
  const firstNode = [0];
  const joined = { feature: [], left: [], right: [], threshold: [], rule: [], cover: [], values: [] } as Record<string, number[]>;
  for (const tree of all) {
    const from = firstNode.at(-1)!;
    tree.left.forEach((left, n) => {
      const isLeaf = left < 0;
      joined.left.push(isLeaf ? joined.values.length : from + left);
      joined.right.push(isLeaf ? 0 : from + tree.right[n]);
      joined.feature.push(isLeaf ? -1 : tree.feature[n]);
      joined.threshold.push(isLeaf ? 0 : tree.value[n]);
      joined.rule.push(tree.missingLeft[n]);
      joined.cover.push(tree.cover[n]);
      if (isLeaf) joined.values.push(tree.value[n]);
    });
    firstNode.push(from + tree.left.length);
  }
  const { feature, left, right, threshold, rule, cover, values } = joined;
  return {
    firstNode: Uint32Array.from(firstNode),
    outputOf: Uint32Array.from(outputOf),
    feature: Int32Array.from(feature),
    threshold: Float32Array.from(threshold),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    rule: Int32Array.from(rule),
    set: new Int32Array(0),
    sets: new Uint32Array(0),
    values: Float64Array.from(values),
    leafWidth: 1,
    base: Float64Array.of(base, base, base),
    isFloatSum: true,
    gain: new Float64Array(0),
    cover: Float64Array.from(cover),
  };
}

it("equal to XGBoost's contributions and interactions", () => {
  const golden = JSON.parse(readFileSync(new URL("contributions.json", import.meta.url), "utf8")) as Golden;
  const ensemble = ensembleOf(golden);
  const m = golden.rows[0].length;
  for (const [i, row] of golden.rows.entries()) {
    const { base, values, interactions } = explained(
      ensemble,
      Float64Array.from(row, (value) => Math.fround(value ?? NaN)),
    );
    for (let k = 0; k < 3; k++) {
      const own = values.subarray(k * m, (k + 1) * m);
      expect(base[k] + sum(own)).toBeCloseTo(golden.margins[i][k], 5);
      // XGBoost adds a column for the base.
      expectClose([...own, base[k]], golden.contributions[i][k], 1e-4);
      for (let a = 0; a < m; a++)
        for (let b = 0; b < m; b++)
          if (a !== b) expectClose([interactions[(k * m + a) * m + b]], [golden.interactions[i][k][a][b]], 1e-4);
    }
  }
});

describe("attributions", () => {
  const draws = stream(7, "rows").at(0);
  const x = Array.from({ length: 300 }, () => Array.from({ length: 40 }, () => (draws.uniform() < 0.1 ? NaN : draws.normal())));
  const y = x.map((row) => sum(row.map((value, j) => (value > 0 ? Math.sin(j) : 0))) + 0.1 * draws.normal());
  const data = Dataset.fromArrays({ x, y, encode: "none" });

  it("sum to the margin on long paths, and pairs to contributions", async () => {
    const model = await fit(trees({ leaves: 60, l2: 0 }), data, { epochs: 30 });
    const found = attributions(model, data, { interactions: true });
    const z = model.outputs(data);
    for (let i = 0; i < 300; i++) {
      const own = found.values.subarray(40 * i, 40 * i + 40);
      expect(Math.abs(found.base[0] + sum(own) - z[i])).toBeLessThan(1e-10);
      for (let j = 0; j < 40; j++) {
        const at = 40 * (40 * i + j);
        expect(Math.abs(sum(found.interactions!.subarray(at, at + 40)) - own[j])).toBeLessThan(1e-10);
      }
    }
  });

  it("are the same for a row, a list, a dataset and a saved model", async () => {
    const model = await fit(trees(), data, { epochs: 3 });
    const all = attributions(model, data);
    const loaded = await predictor<TreesPredictor>(model.toBytes());
    expect(attributions(loaded, x.slice(0, 5)).values).toEqual(all.values.slice(0, 200));
    expect(attributions(model, x[2]).values).toEqual(all.values.slice(80, 120));
    expect(attributions(model, x[2]).outputs).toEqual(["y"]);
    expect(all.interactions).toBeUndefined();
    expect(Array.from(all.rows.subarray(40, 80))).toEqual(x[1].map(Math.fround));
  });

  it("name the second class for two classes", async () => {
    const classes = Dataset.fromArrays({ x, y: y.map((value) => (value > 0 ? "yes" : "no")), encode: "none" });
    const model = await fit(trees(), classes, { epochs: 2 });
    expect(attributions(model, x[0]).outputs).toEqual(["yes"]);
  });

  it("refuse other models, rows and options by name", async () => {
    const model = await fit(trees(), data, { epochs: 2 });
    const line = await fit(linear({ loss: "squared" }), Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] }), { epochs: 1 });
    expect(() => attributions(line as never, [1])).toThrow(CapabilityError);
    expect(() => attributions(line as never, [1])).toThrow(/of kind linear.*importance\(/);
    expect(() => attributions(undefined as never, [1])).toThrow(OptionError);
    expect(() => attributions(model, 3 as never)).toThrow(/the rows is 3.*write \[\{/);
    expect(() => attributions(model, [])).toThrow(OptionError);
    expect(() => attributions(model, x, { interactions: "yes" as never })).toThrow(OptionError);
    expect(() => attributions(model, x, { pairs: true } as never)).toThrow(/pairs/);
    const without = Object.assign(Object.create(model), { ensemble: { ...model.ensemble, cover: new Float64Array(0) } });
    expect(() => attributions(without, x)).toThrow(/no cover.*train it with fit\(\)/);
    const negative = Float64Array.from(model.ensemble.cover, (weight, n) => (n === 3 ? -1 : weight));
    const damaged = Object.assign(Object.create(model), { ensemble: { ...model.ensemble, cover: negative } });
    expect(() => attributions(damaged, x)).toThrow(DataError);
    expect(() => attributions(damaged, x)).toThrow(/cover -1 at node 3/);
  });
});

it("grow with leaves × depth², and with depth³ for interactions", () => {
  for (const depth of [4, 6, 8]) {
    // A full tree, whose levels ask for different columns. Its rule has depth / 2 nodes.
    const full = randomEnsemble(1, { trees: 1, columns: depth, outputs: 1, leafWidth: 1, depth, full: true });
    const rule = gaussLegendre(depth / 2);
    const { nodes } = rule;
    let passes = 0;
    const counted = () => {
      passes++;
      return nodes;
    };
    Object.defineProperty(rule, "nodes", { get: counted, configurable: true });
    const made = new TreeAttributions(full, depth, "test");
    const x = Float64Array.from({ length: depth }, (_, j) => j - 1.5);
    const passesOf = (interactions: boolean): number => {
      passes = 0;
      const pairs = interactions ? new Float64Array(depth * depth) : undefined;
      made.add(x, { values: new Float64Array(depth), interactions: pairs });
      return passes;
    };
    const alone = passesOf(false);
    const both = passesOf(true);
    Object.defineProperty(rule, "nodes", { value: nodes, configurable: true });
    // One pass over the nodes for the product, and one per column or pair.
    expect(alone).toBe(2 ** depth * (1 + depth));
    expect(both).toBe(2 ** depth * (1 + depth + (depth * (depth - 1)) / 2));
  }
});

describe("gaussLegendre", () => {
  it("integrates t^d exactly up to degree 2n − 1, and no further", () => {
    for (const n of [1, 2, 3, 7, 20, 64]) {
      const { nodes, weights } = gaussLegendre(n);
      const integral = (d: number): number => sum(nodes.map((t, q) => weights[q] * t ** d));
      for (let d = 0; d < 2 * n; d++) expect(Math.abs(integral(d) - 1 / (d + 1))).toBeLessThan(4e-15);
      if (n < 7) expect(Math.abs(integral(2 * n) - 1 / (2 * n + 1))).toBeGreaterThan(1e-9);
      expect(Math.min(...nodes)).toBeGreaterThan(0);
      expect(Math.max(...nodes)).toBeLessThan(1);
    }
  });
});
