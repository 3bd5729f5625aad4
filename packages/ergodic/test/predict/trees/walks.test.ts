/**
 * What only this file catches: a kernel of walks, or a plain loop, that differs from the definition, in any rule, kind of number, shape of
 * leaves, number of rows or range of trees.
 */
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { type Ensemble, leafNode } from "../../../src/predict/trees/ensemble.ts";
import { addPlainly } from "../../../src/predict/trees/plain.ts";
import { Walks } from "../../../src/predict/trees/walks.ts";
import { type Kinds, randomEnsemble, randomRow } from "./random-ensemble.ts";

/** z of each row: the base, plus the leaves of trees [first, end) in their order. */
function plain(ensemble: Ensemble, rows: readonly Float64Array[], z: Float64Array, first: number, end: number): Float64Array {
  const { base, outputOf, left, values, leafWidth, isFloatSum, threshold } = ensemble;
  const sums = z.slice();
  for (const [i, row] of rows.entries()) {
    const x = threshold instanceof Float32Array ? row.map(Math.fround) : row;
    const own = sums.subarray(i * base.length, (i + 1) * base.length);
    if (first === 0) own.set(base);
    for (let t = first; t < end; t++) {
      const leaf = left[leafNode(ensemble, t, x)];
      for (let k = 0; k < leafWidth; k++) {
        const to = outputOf[t] + k;
        own[to] = isFloatSum ? Math.fround(own[to] + values[leaf * leafWidth + k]) : own[to] + values[leaf * leafWidth + k];
      }
    }
  }
  return sums;
}

const ALL_RULES = Array.from({ length: 16 }, (_, rule) => rule);

function check(seed: number, kinds: Kinds, rowCount: number): void {
  const ensemble = randomEnsemble(seed, kinds);
  const draws = stream(seed, "rows").at(0);
  const rows = Array.from({ length: rowCount }, () => randomRow(draws, kinds.columns));
  const walks = Walks.of(ensemble)!;
  const dense = (i: number) => ({ values: rows[i], columns: null, count: kinds.columns });
  const sparse = (i: number) => {
    const columns = Uint32Array.from(rows[i].keys()).filter((j) => rows[i][j] !== 0);
    return { values: Float64Array.from(columns, (j) => rows[i][j]), columns, count: columns.length };
  };
  const begun = new Float64Array(rowCount * kinds.outputs).map(() => Math.fround(draws.normal()));
  const middle = draws.integer(kinds.trees);
  for (const [first, end] of [
    [0, kinds.trees],
    [middle, kinds.trees],
    [0, middle],
  ]) {
    const wanted = plain(ensemble, rows, begun, first, end);
    for (const read of [dense, sparse]) {
      const z = begun.slice();
      walks.addTo(read as never, 0, rowCount, z, first, end);
      expect(z).toEqual(wanted);
      const slow = begun.slice();
      addPlainly(ensemble, kinds.columns, read as never, 0, rowCount, slow, first, end);
      expect(slow).toEqual(wanted);
    }
    const last = begun.slice(0, kinds.outputs);
    walks.addTo(dense as never, rowCount - 1, 1, last, first, end);
    const own = plain(ensemble, rows.slice(-1), begun.slice(0, kinds.outputs), first, end);
    expect(last).toEqual(own);
  }
}

describe("walks of rows in groups, and of single rows", () => {
  const kinds: Kinds = {
    columns: 5,
    outputs: 1,
    trees: 13,
    leaves: 40,
    isF32: true,
    isFloatSum: false,
    isWide: false,
    rules: [0, 1],
    hasSets: false,
  };
  const cases: [string, Kinds][] = [
    ["one output, missing values", kinds],
    ["every rule, float64", { ...kinds, isF32: false, rules: ALL_RULES }],
    ["every rule, float32, sums in float32", { ...kinds, isFloatSum: true, rules: ALL_RULES }],
    ["sets", { ...kinds, hasSets: true, rules: ALL_RULES }],
    ["three outputs, a tree per output", { ...kinds, outputs: 3, hasSets: true, isF32: false }],
    ["three outputs per leaf", { ...kinds, outputs: 3, isWide: true, rules: ALL_RULES }],
    ["three outputs per leaf, sets, sums in float32", { ...kinds, outputs: 3, isWide: true, hasSets: true, isFloatSum: true }],
    ["single leaves", { ...kinds, leaves: 1, trees: 3 }],
    ["many columns, so that blocks are small", { ...kinds, columns: 700, trees: 400 }],
  ];
  for (const [name, own] of cases)
    it(name, () => {
      for (let seed = 0; seed < 8; seed++) check(seed, { ...own, trees: own.trees + seed }, [1, 2, 7, 8, 9, 100, 600][seed % 7]);
    });
});

it("leaves infinite thresholds to the plain loop", () => {
  const kinds = {
    columns: 2,
    outputs: 1,
    trees: 2,
    leaves: 5,
    isF32: true,
    isFloatSum: false,
    isWide: false,
    rules: [0],
    hasSets: false,
  };
  const ensemble = randomEnsemble(1, kinds);
  expect(Walks.of(ensemble)).not.toBeNull();
  ensemble.threshold[ensemble.feature.findIndex((j) => j >= 0)] = Infinity;
  expect(Walks.of(ensemble)).toBeNull();
});
