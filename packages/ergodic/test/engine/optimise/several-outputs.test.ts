/**
 * Rules with reductions see the gradient of all outputs as one vector, even if single rows contribute one piece per
 * output.
 */
import { expect, it } from "vitest";
import { chain, clipNorm, Dataset, fit, linear, prodigy, sgd, spsMax, stream } from "../../../src/entries/everything.ts";

const [rows, columns] = [300, 8];
const draws = stream(1, "several outputs").at(0);
const x = Array.from({ length: rows }, () => Array.from({ length: columns }, () => draws.normal()));
const y = x.map((row) => (row[0] > 0.5 ? 0 : row[1] > 0 ? 1 : 2));
const dense = Dataset.fromArrays({ x, y, classes: true, type: "f64" });
const sparse = Dataset.fromSparse(
  {
    rowCount: rows,
    columnCount: columns,
    rowStart: Uint32Array.from({ length: rows + 1 }, (_, i) => i * columns),
    columnIndex: Uint32Array.from({ length: rows * columns }, (_, k) => k % columns),
    values: Float64Array.from(x.flat()),
    target: Float64Array.from(y),
    source: "test",
  },
  { classes: true, type: "f64" },
);

for (const batch of [1, 4]) {
  it(`clipNorm bounds the step over all outputs, batch ${batch}`, async () => {
    const rule = chain(clipNorm({ norm: 0.01, epsilon: 0 }), sgd({ rate: 0.1 }));
    for (const data of [dense, sparse]) {
      const { weights, intercept } = await fit(linear({ standardise: false }), data, {
        rule,
        batch,
        until: { updates: 1 },
        precision: "f64",
      });
      expect(Math.hypot(...weights, ...intercept)).toBeCloseTo(0.001, 12);
    }
  });
}

for (const [name, rule] of Object.entries({ spsMax: spsMax(), prodigy: prodigy() })) {
  it(`${name} learns three classes from single rows, dense and sparse alike`, async () => {
    const losses: number[] = [];
    for (const data of [dense, sparse]) {
      const { run } = await fit(linear({ standardise: false }), data, { rule, epochs: 5, precision: "f64", deterministic: true });
      losses.push(run.loss);
    }
    expect(losses[0]).toBeLessThan(0.5 * Math.log(3));
    expect(losses[1]).toBeCloseTo(losses[0], 9); // sparse and dense rows are summed in different orders
  });
}
