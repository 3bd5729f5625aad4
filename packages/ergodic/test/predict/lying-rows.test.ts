/**
 * A network uses rows of an array in place. Predictions have the bits of rows that are read one by one, and invalid
 * numbers are named alike.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Dataset, dense, fit, flatten, type NetworkPredictor, network, predictor, relu } from "../../src/entries/everything.ts";

const [COLUMNS, ROWS] = [5, 150];
const numberAt = (i: number): number => Math.sin(12.9898 * i) * 3;
/** Doubles that float32 cannot represent exactly. */
const doubles = Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => numberAt(i));
const y = Array.from({ length: ROWS }, (_, i) => String(i % 3));

const settings = [
  { type: "f32", rowShape: undefined, precision: "f32" },
  { type: "f32", rowShape: [5], precision: "f32" },
  { type: "f64", rowShape: undefined, precision: "f32" },
  { type: "f64", rowShape: [1, 5], precision: "f32" },
  { type: "f32", rowShape: undefined, precision: "f64" },
  { type: "f64", rowShape: undefined, precision: "f64" },
] as const;

describe.each(settings)("models trained on %o", ({ type, rowShape, precision }) => {
  let model: NetworkPredictor;
  let data: Dataset;
  beforeAll(async () => {
    data = Dataset.fromArrays({ x: { values: doubles, columnCount: COLUMNS }, y, type, ...(rowShape ? { rowShape } : {}) });
    const layers = [...(rowShape?.length === 2 ? [flatten()] : []), dense(7), relu(), dense(3)];
    const fitted = await fit(network(layers, { standardise: false }), data, { epochs: 1, seed: 2, precision });
    model = (await predictor(fitted.toBytes())) as NetworkPredictor;
  });

  /** Expected outputs, from rows as lists, which are read one by one. */
  function wanted(values: ArrayLike<number>, rows: number): number[] {
    const list = Array.from({ length: rows }, (_, i) => Array.from({ length: COLUMNS }, (_, j) => values[i * COLUMNS + j]));
    const out = new Float64Array(rows * 3);
    model.predictInto(list, out);
    return [...out];
  }

  it.each([1, 2, 63, 64, 65, 130])("predict %i rows of doubles, of float32 and of a dataset alike", (rows) => {
    for (const values of [doubles.subarray(0, rows * COLUMNS), new Float32Array(doubles.subarray(0, rows * COLUMNS))]) {
      const out = new Float64Array(rows * 3);
      model.predictInto(values, out);
      expect([...out]).toEqual(wanted(values, rows));
    }
    const some = Dataset.fromArrays({
      ...{ x: { values: doubles.slice(0, rows * COLUMNS), columnCount: COLUMNS }, y: y.slice(0, rows), type },
      ...(rowShape ? { rowShape } : {}),
    });
    const p = (model.predict(some) as { probabilities: Record<string, number> }[]).flatMap(({ probabilities }) =>
      ["0", "1", "2"].map((name) => probabilities[name]),
    );
    expect(p).toEqual(wanted(doubles, rows));
  });

  it.each([
    ["NaN", Number.NaN],
    ["Infinity", Infinity],
    ["what float32 does not hold", 1e39],
    ["what doubles hold as next to nothing", 5e-324],
  ])("treat %s alike at any position", (_, odd) => {
    for (const rows of [1, 3, 70]) {
      for (const at of [0, COLUMNS * rows - 1, Math.floor((COLUMNS * rows) / 2)]) {
        const values = doubles.slice(0, rows * COLUMNS);
        values[at] = odd;
        const [read, lain] = [
          () => wanted(values, rows),
          () => {
            const out = new Float64Array(rows * 3);
            model.predictInto(values, out);
            return [...out];
          },
        ].map((run) => {
          try {
            return run();
          } catch (error) {
            return String(error);
          }
        });
        expect(lain).toEqual(read);
        if (Number.isNaN(odd) || odd === Infinity) expect(read).toContain("DATA_");
      }
    }
  });
});
