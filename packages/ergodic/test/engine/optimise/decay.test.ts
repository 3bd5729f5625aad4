/**
 * L2 as a scale of all parameters. Plain descent on sparse rows must equal the dense update up to rounding, although it
 * updates few coordinates.
 */
import { describe, expect, it } from "vitest";
import { Dataset, fit, inverseTimeDecay, linear, sgd } from "../../../src/entries/everything.ts";

const rowCount = 400;
const columnCount = 30;

/** The same numbers as dense rows and as compressed rows. */
function both(): { dense: Dataset; sparse: Dataset } {
  let seed = 7;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const x = Array.from({ length: rowCount }, () =>
    Array.from({ length: columnCount }, () => (random() < 0.2 ? random() * 2 - 1 : 0)),
  );
  const y = Float64Array.from({ length: rowCount }, () => (random() < 0.5 ? 0 : 1));
  const rowStart = [0];
  const columnIndex: number[] = [];
  const values: number[] = [];
  for (const row of x) {
    for (const [j, value] of row.entries()) {
      if (value === 0) continue;
      columnIndex.push(j);
      values.push(value);
    }
    rowStart.push(columnIndex.length);
  }
  const table = {
    rowCount,
    columnCount,
    rowStart: Uint32Array.from(rowStart),
    columnIndex: Uint32Array.from(columnIndex),
    values: Float64Array.from(values),
    target: y,
    source: "made here",
  };
  return { dense: Dataset.fromArrays({ x, y, type: "f64" }), sparse: Dataset.fromSparse(table, { type: "f64" }) };
}

describe("L2 of plain descent", () => {
  const { dense, sparse } = both();
  for (const [name, rate] of [
    ["constant", 0.3],
    ["scheduled", inverseTimeDecay({ rate: 0.5, decay: 0.01 })],
  ] as const) {
    for (const batch of [1, 16]) {
      for (const loss of ["logistic", "squared"] as const) {
        // With l2 = 1.5, the scale falls below 2⁻²⁰ several times and is applied to the parameters.
        for (const l2 of [0.05, 1.5]) {
          it(`agrees dense and sparse: ${loss}, ${name} rate, batch ${batch}, l2 ${l2}`, async () => {
            const options = { rule: sgd({ rate }), epochs: 5, precision: "f64", seed: 3, batch } as const;
            const a = await fit(linear({ loss, l2, standardise: false }), dense, options);
            const b = await fit(linear({ loss, l2 }), sparse, options);
            const errors = a.weights.map((w, i) => Math.abs(w - b.weights[i]));
            expect(Math.max(...errors, Math.abs(a.intercept[0] - b.intercept[0]))).toBeLessThan(1e-12);
            expect(Math.max(...a.weights.map(Math.abs))).toBeGreaterThan(1e-3);
          });
        }
      }
    }
  }

  it("applies the scale to 16-bit parameters of racing lanes in time to keep their range", async () => {
    // (1 − ηλ)^9000 = e^−9, so the largest parameter would be 16 e^−9.
    const x = Array.from({ length: 1000 }, (_, i) => [Math.sin(i)]);
    using data = Dataset.fromArrays({ x, y: x.map(([a]) => 2 * a) });
    const options = { rule: sgd({ rate: 0.1 }), precision: { data: "i8", model: "i16" }, batch: 1, seed: 1 } as const;
    for (const workers of [1, 2]) {
      const model = linear({ loss: "squared", l2: 0.01, intercept: false, standardise: false });
      const { weights } = await fit(model, data, { ...options, workers, epochs: 9 });
      // Σx²/n = ½: 2 · ½/(½ + 0.01) = 1.96.
      expect(Math.abs(weights[0] - 1.96), `${workers} workers`).toBeLessThan(0.1);
    }
  });

  it("averages replicas with their scales", async () => {
    const options = { rule: sgd({ rate: 0.3 }), precision: "f64", seed: 3, replicas: 4 } as const;
    const a = await fit(linear({ loss: "logistic", l2: 0.05, standardise: false }), dense, { ...options, epochs: 4 });
    const b = await fit(linear({ loss: "logistic", l2: 0.05 }), sparse, { ...options, epochs: 4 });
    const errors = a.weights.map((w, i) => Math.abs(w - b.weights[i]));
    expect(Math.max(...errors)).toBeLessThan(1e-12);
  });
});
