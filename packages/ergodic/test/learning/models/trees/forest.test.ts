/** Forests, extra trees and single trees: equal to a plain reference with the same random numbers. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Dataset, extraTrees, fit, forest, tree } from "../../../../src/entries/index.ts";
import type { TreesPredictor } from "../../../../src/predict/trees/trees.ts";
import { type ForestCase, plainTree, plainValues } from "./forest-reference.ts";

const LEVELS = ["u", "v", "w", "x", "y", "z"];
const makers = { forest, extraTrees, tree };

/** Rows with three columns of numbers and a category, with gaps. */
function rowsOf(seed: number, count: number): { x: number[][]; y: number[]; weights: number[] } {
  const draws = stream(seed, "forest rows").at(0);
  const x = Array.from({ length: count }, () => [
    ...[0, 1, 2].map(() => (draws.uniform() < 0.1 ? NaN : Math.fround(draws.normal()))),
    draws.uniform() < 0.1 ? NaN : draws.integer(6),
  ]);
  const y = x.map(
    (row) => Number(row[0] > 0) + (row[1] || 0.3) * (row[2] || 1) + [0, 2, 1, 0, 1, 3][row[3] || 0] + draws.normal(),
  );
  return { x, y, weights: y.map((_, i) => 1 + (i % 3)) };
}

function tableOf(x: readonly (readonly number[])[], y: readonly (number | string)[], weights?: readonly number[]): Dataset {
  const rows = x.map(([a, b, c, d], i) => {
    const own = { a, b, c, y: y[i], ...(weights ? { w: weights[i] } : {}) };
    const shown = Object.fromEntries(Object.entries(own).map(([name, v]) => [name, Number.isNaN(v) ? null : v]));
    return { ...shown, d: Number.isNaN(d) ? null : LEVELS[d] };
  });
  const names = ["a", "b", "c", ...(weights ? ["w"] : [])];
  const classes = [...new Set(y)].map(String).sort();
  const isText = typeof y[0] === "string";
  return Dataset.fromTable(
    {
      source: "t",
      rowCount: x.length,
      columns: [
        ...names.map((name) => ({
          name,
          kind: "number" as const,
          values: Float64Array.from(rows, (row) => (row as Record<string, number | null>)[name] ?? NaN),
        })),
        { name: "d", kind: "category", levels: LEVELS, codes: Int32Array.from(x, (row) => (Number.isNaN(row[3]) ? -1 : row[3])) },
        isText
          ? { name: "y", kind: "category", levels: classes, codes: Int32Array.from(y, (v) => classes.indexOf(String(v))) }
          : { name: "y", kind: "number", values: Float64Array.from(y as number[]) },
      ],
    },
    { target: "y", encode: "none", ...(weights ? { weights: "w" } : {}) },
  );
}

const rowOf = ([a, b, c, d]: readonly number[]) => ({
  a: Number.isNaN(a) ? null : a,
  b: Number.isNaN(b) ? null : b,
  c: Number.isNaN(c) ? null : c,
  d: Number.isNaN(d) ? null : LEVELS[d],
});

/** Returns one list of numbers per row: the value, or the probabilities in the order of the classes. */
function predicted(model: TreesPredictor, x: readonly (readonly number[])[]): number[][] {
  return x.map((row) => {
    const { value, probabilities } = model.predict(rowOf(row));
    return probabilities ? Object.values(probabilities) : [Number(value)];
  });
}

describe("equal the reference", () => {
  const cases: [string, Partial<ForestCase>][] = [
    ["with defaults", {}],
    ["with minRows", { minRows: 4 }],
    ["with a limit on depth", { depth: 3 }],
    ["with a smallest gain", { minGain: 2 }],
  ];
  for (const kind of ["forest", "extraTrees", "tree"] as const) {
    for (const classes of [0, 2, 3]) {
      for (const [name, own] of cases) {
        it(`${kind}, ${classes === 0 ? "numbers" : `${classes} classes`}, ${name}`, async () => {
          const { x, y, weights } = rowsOf(classes + 1, 90);
          const isWeighted = name === "with defaults";
          const coded = classes === 0 ? y : y.map((v) => (classes === 2 ? Number(v > 1.5) : v < 1 ? 0 : v < 2.5 ? 1 : 2));
          const perSplit = kind === "tree" || (kind === "extraTrees" && classes === 0) ? 4 : classes === 0 ? 1 : 2;
          const given: ForestCase = {
            kind,
            x,
            y: coded,
            classes,
            weights: isWeighted ? weights : weights.map(() => 1),
            levels: [0, 0, 0, 6],
            perSplit,
            draws: kind === "forest" ? 90 : 0,
            minRows: 1,
            depth: Infinity,
            minGain: 0,
            seed: 7,
            ...own,
          };
          const data = tableOf(x, classes === 0 ? coded : coded.map((k) => `c${k}`), isWeighted ? weights : undefined);
          const epochs = kind === "tree" ? 1 : 4;
          const model = await fit(makers[kind](own as object), data, { epochs, seed: 7 });
          const trees = Array.from({ length: epochs }, (_, t) => plainTree(given, t));
          expect(model.ensemble.feature.length).toBe(trees.reduce((sum, { nodes }) => sum + nodes.length, 0));
          const { x: other } = rowsOf(classes + 50, 60);
          const at = [...x, ...other];
          predicted(model, at).forEach((found, i) => {
            const means = plainValues(trees[0], at[i]).map((_, k) =>
              trees.reduce((sum, one) => sum + plainValues(one, at[i])[k] / epochs, 0),
            );
            const wanted = classes === 2 ? [1 - means[0], means[0]] : means;
            found.forEach((value, k) => {
              expect(value).toBeCloseTo(wanted[k], 9);
            });
          });
          if (kind !== "forest") return;
          // The error of rows, each predicted by the trees that did not draw it.
          let [error, total] = [0, 0];
          for (const [i, row] of x.entries()) {
            const out = trees.filter(({ counts }) => counts[i] === 0);
            if (out.length === 0) continue;
            const w = given.weights[i];
            total += w;
            const means = plainValues(out[0], row).map((_, k) => out.reduce((sum, one) => sum + plainValues(one, row)[k], 0));
            const shares = classes === 2 ? [out.length - means[0], means[0]] : means;
            if (classes === 0) error += w * (means[0] / out.length - coded[i]) ** 2;
            else if (shares.indexOf(Math.max(...shares)) !== coded[i]) error += w;
          }
          expect(model.run.report.oob).toBeCloseTo(classes === 0 ? Math.sqrt(error / total) : error / total, 9);
        });
      }
    }
  }
});
