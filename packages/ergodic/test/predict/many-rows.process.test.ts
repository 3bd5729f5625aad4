/**
 * Many rows give the bits of single rows, wherever the rows are stored. Rows that cannot be predicted are named as
 * usual.
 */
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  Dataset,
  fit,
  type LinearPredictor,
  linear,
  type Prediction,
  rff,
  type SparseTable,
} from "../../src/entries/everything.ts";
import { manyScores } from "../../src/predict/many-rows.ts";
import { isSlow } from "../power.ts";
import { linearScores } from "../reference/linear-scores.ts";

type Type = "f32" | "f64";
const draws = (seed: number) => {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
};
const rowsOf = (count: number, columns: number, seed = 1) => {
  const next = draws(seed);
  return Array.from({ length: count }, () => Array.from({ length: columns }, next));
};
const bits = (values: ArrayLike<number>) => [...new BigInt64Array(Float64Array.from(values).buffer)];
/** Value that marks outputs which must stay unchanged. */
const UNTOUCHED = 7;

/**
 * A model with the given number of columns and outputs and with arbitrary weights. `pipeline` comes from training on
 * such data.
 */
async function modelOf(columns: number, outputs: number, type: Type = "f32", format: "dense" | "sparse" = "dense") {
  const x = rowsOf(2 * outputs, columns, 3);
  const y = outputs === 1 ? x.map((_, i) => i) : x.map((_, i) => `c${i % outputs}`);
  const data =
    format === "dense"
      ? Dataset.fromArrays({ x, y, type })
      : Dataset.fromSparse(
          tableOf(x, Float64Array, (_, i) => i % Math.max(outputs, 2)),
          { type },
        );
  const loss = outputs === 1 ? "squared" : "multinomial";
  const options = { epochs: 1, seed: 1, precision: type } as const;
  const model = await fit(
    linear({ standardise: false, loss }),
    outputs > 1 && format === "sparse" ? data.asClasses() : data,
    options,
  );
  const next = draws(5);
  model.weights.forEach((_, j) => {
    model.weights[j] = next() * 10 ** Math.round(3 * next());
  });
  model.intercept.forEach((_, k) => {
    model.intercept[k] = next();
  });
  expect(model.intercept.length).toBe(outputs);
  return model;
}

/** Sparse rows omit zeros. */
function tableOf(
  x: readonly (readonly number[])[],
  Values: typeof Float32Array | typeof Float64Array,
  target = (_: unknown, i: number): number => i,
): SparseTable {
  const entries = x.map((row) => row.flatMap((value, j) => (value === 0 ? [] : [[j, value]])));
  const rowStart = new Uint32Array(x.length + 1);
  for (const [i, row] of entries.entries()) rowStart[i + 1] = rowStart[i] + row.length;
  return {
    source: "table",
    rowCount: x.length,
    columnCount: x[0].length,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ([j]) => j),
    values: new Values(entries.flat().map(([, value]) => value)),
    target: Float64Array.from(x, target),
  };
}

const special = [0, -0, 5e-324, -1e-310, 2 ** -126, 2 ** -149, 1e-300, 1, -1, 3.4e38, 1e300, 0.1];
const noRead = (): never => {
  throw new Error("read");
};

describe("rows of a matrix", () => {
  it.each(["f32", "f64"] as const)("have the bits of the twin for every length: %s", async (type) => {
    for (const columns of isSlow ? [1, 2, 3, 4, 5, 7, 8, 9, 16, 17] : [1, 2, 3, 5, 8, 17])
      for (const outputs of [1, 3]) {
        const model = await modelOf(columns, outputs, type);
        for (const count of [1, 2, 7, 8, 9, 15, 16, 17, 100])
          for (const Matrix of [Float32Array, Float64Array]) {
            const x = rowsOf(count + 2, columns, count);
            const matrix = Matrix.from(x.flat());
            const z = new Float64Array(count * outputs + 1).fill(UNTOUCHED);
            expect(manyScores(model, matrix, noRead, 1, count, z)).toBe(true);
            const rounds = type === "f32" || Matrix === Float32Array;
            const wanted = linearScores(
              x.slice(1, count + 1).map((row) => (rounds ? row.map(Math.fround) : row)),
              model.weights,
              model.intercept,
            );
            expect(bits(z)).toEqual(bits([...wanted, UNTOUCHED]));
          }
      }
  });

  it("keep their bits for ±0, subnormal and large numbers and weights (property)", async () => {
    const model = await modelOf(5, 3, "f64");
    const number = fc.oneof(fc.constantFrom(...special), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const row = fc.array(number, { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), fc.array(number, { minLength: 18, maxLength: 18 }), (x, w) => {
        model.weights.set(w.slice(0, 15));
        model.intercept.set(w.slice(15));
        const z = new Float64Array(x.length * 3);
        const read: number[] = [];
        manyScores(
          model,
          Float64Array.from(x.flat()),
          (i) => {
            read.push(i);
            return noValue;
          },
          0,
          x.length,
          z,
        );
        const wanted = linearScores(x, model.weights, model.intercept);
        expect(bits(z.map((v) => (Number.isNaN(v) ? 0 : v)))).toEqual(bits(wanted.map((v) => (Number.isNaN(v) ? 0 : v))));
        expect(z.map(Number.isNaN as never)).toEqual(Float64Array.from(wanted, (v) => Number(Number.isNaN(v))));
        // Only rows with overflowing sums are read again.
        expect(read).toEqual(x.flatMap((_, i) => (Number.isFinite(wanted[3 * i]) ? [] : [i])));
      }),
    );
  });

  it("have the same bits one by one and together, beyond a block and a chunk", async () => {
    for (const [columns, outputs, count] of [
      [20, 1, 600],
      [300, 4, 300],
      [3000, 2, 300],
    ]) {
      const model = await modelOf(columns, outputs);
      const matrix = Float64Array.from(rowsOf(count, columns).flat());
      const all = new Float64Array(count * model.width);
      expect(model.predictInto(matrix, all)).toBe(count);
      const one = new Float64Array(model.width);
      const singles: number[] = [];
      for (let i = 0; i < count; i++) {
        model.predictInto(matrix.subarray(i * columns, (i + 1) * columns), one);
        singles.push(...one);
      }
      expect(bits(all)).toEqual(bits(singles));
      const listed = new Float64Array(count * model.width);
      model.predictInto(
        Array.from({ length: count }, (_, i) => matrix.subarray(i * columns, (i + 1) * columns)),
        listed,
      );
      expect(bits(listed)).toEqual(bits(all));
    }
  });

  it("are named if they are not finite or exceed float32, but not if a sum overflows", async () => {
    const model = await modelOf(20, 1);
    const count = 600;
    const out = new Float64Array(count);
    for (const [value, words] of [
      [Number.NaN, /row 431: column "x7" is NaN/],
      [Number.POSITIVE_INFINITY, /row 431: column "x7" is Infinity/],
      [1e39, /row 431: column "x7" is too large for f32/],
    ] as const)
      for (const weight of [0, 1]) {
        model.weights[7] = weight;
        const matrix = Float64Array.from(rowsOf(count, 20).flat());
        matrix[430 * 20 + 7] = value;
        expect(() => model.predictInto(matrix, out)).toThrow(words);
        matrix[430 * 20 + 7] = 1;
        expect(model.predictInto(matrix, out)).toBe(count);
      }
    const doubles = await modelOf(20, 1, "f64");
    doubles.weights.fill(1e10);
    const matrix = Float64Array.from(rowsOf(count, 20).flat());
    matrix[430 * 20] = 1e300;
    doubles.predictInto(matrix, out);
    expect(out[430]).toBe(Number.POSITIVE_INFINITY);
    expect(out.filter(Number.isFinite as never).length).toBe(count - 1);
  });
});

describe("datasets", () => {
  it.each(["f32", "f64", "i8", "i16"] as const)("give the bits of their rows if dense, type %s", async (type) => {
    for (const [columns, outputs] of [
      [1, 1],
      [3, 2],
      [17, 3],
      [60, 1],
    ]) {
      const model = await modelOf(columns, outputs);
      const x = rowsOf(700, columns);
      using floats = Dataset.fromArrays({ x, y: x.map((_, i) => i), type: type === "f64" ? "f64" : "f32" });
      const data = floats.as(type);
      const rows = x.map((_, i) => data.row(i));
      expect(bits(model.outputs(data))).toEqual(bits(linearScores(rows, model.weights, model.intercept)));
      expect(bits(model.outputs(data.select([5, 5, 699])))).toEqual(
        bits(linearScores([rows[5], rows[5], rows[699]], model.weights, model.intercept)),
      );
    }
  });

  it.each(["f32", "f64"] as const)(
    "give the bits of their rows if sparse, type %s, and so do tables, including empty rows",
    async (type) => {
      for (const outputs of [1, 3]) {
        const model = await modelOf(40, outputs, type, "sparse");
        const x = rowsOf(700, 40).map((row, i) =>
          i % 50 === 3 ? row.map(() => 0) : row.map((v, j) => ((i + 3 * j) % 7 < 2 ? v : 0)),
        );
        for (const Values of [Float32Array, Float64Array]) {
          const table = tableOf(x, Values);
          const rounds = type === "f32" || Values === Float32Array;
          const wanted = linearScores(
            x.map((row) => (rounds ? row.map(Math.fround) : row)),
            model.weights,
            model.intercept,
          );
          const read = vi.fn(noRead);
          const z = new Float64Array(700 * outputs);
          expect(manyScores(model, table, read, 0, 700, z)).toBe(true);
          expect(bits(z)).toEqual(bits(wanted));
          using data = Dataset.fromSparse(table, { type });
          expect(bits(model.outputs(data))).toEqual(bits(wanted));
          const some = new Float64Array(2 * outputs);
          manyScores(model, data.rows(), noRead, 52, 2, some);
          expect(bits(some)).toEqual(bits(wanted.slice(52 * outputs, 54 * outputs)));
        }
      }
    },
  );

  it("use the ordinary path for tables with more columns, other names, or invalid numbers", async () => {
    const model = await modelOf(6, 1, "f32", "sparse");
    const x = rowsOf(900, 8);
    const cut = x.map((row) => row.slice(0, 6).map(Math.fround));
    const z = new Float64Array(900);
    expect(manyScores(model, tableOf(x, Float32Array), noRead, 0, 900, z)).toBe(false);
    const wide = model.predict(tableOf(x, Float32Array) as never) as unknown as Prediction[];
    expect(bits(wide.map(({ value }) => value as number))).toEqual(bits(linearScores(cut, model.weights, model.intercept)));
    const bad = tableOf(cut, Float32Array);
    bad.values[6 * 801 + 2] = Number.NaN;
    expect(() => model.predict(bad)).toThrow(/row 802: column "x2" is NaN/);
    const large = tableOf(cut, Float64Array);
    large.values[6 * 801 + 2] = 1e200;
    expect(() => model.predict(large)).toThrow(/row 802: column "x2" is too large for f32/);
    const listed = { ...tableOf(cut, Float64Array), values: [...tableOf(cut, Float64Array).values] as never };
    expect(manyScores(model, listed, noRead, 0, 900, z)).toBe(false);
    const usual = tableOf(cut, Float64Array);
    for (const of of ["rowStart", "columnIndex"] as const) {
      const other = { ...usual, [of]: Int32Array.from(usual[of]) } as never;
      expect(manyScores(model, other, noRead, 0, 900, z)).toBe(false);
      expect(model.predict(other)).toEqual(model.predict(usual));
      expect(model.predict({ ...usual, [of]: [...usual[of]] } as never)).toEqual(model.predict(usual));
    }
    // Other names put columns in other places.
    const names = (list: string) => list.split("");
    using named = Dataset.fromSparse({ ...tableOf(cut, Float32Array), names: names("abcdef") });
    const byName = await fit(linear({ standardise: false }), named, { epochs: 1 });
    const turned = {
      ...tableOf(
        cut.map((row) => row.toReversed()),
        Float32Array,
      ),
      names: names("fedcba"),
    };
    expect(byName.predict(turned)).toEqual(byName.predict({ ...tableOf(cut, Float32Array), names: names("abcdef") }));
  });
});

describe("rows with pipeline steps", () => {
  it("have the bits of single rows: scaled, random features, by name", async () => {
    const x = rowsOf(300, 6);
    const y = x.map((_, i) => `c${i % 3}`);
    using data = Dataset.fromArrays({ x, y });
    for (const model of [
      await fit(linear({ features: rff({ count: 40 }) }), data, { epochs: 1 }),
      await fit(linear(), data.standardise(), { epochs: 1 }),
    ]) {
      const all = model.predict(x);
      expect(all).toEqual(x.map((row) => model.predict(row)));
      const out = new Float64Array(900);
      model.predictInto(Float32Array.from(x.flat()), out);
      const rounded = x.map((row) => model.predict(row.map(Math.fround)));
      expect(bits(out)).toEqual(bits(rounded.flatMap(({ probabilities }) => Object.values(probabilities!))));
    }
  });

  it("can start other predictions while they are read", async () => {
    const columns = "abcdefghijklmnopqrstuvwx".split("").map((name, j) => ({
      name,
      kind: "number" as const,
      values: Float64Array.from(rowsOf(400, 24), (row) => row[j]),
    }));
    const target = { name: "y", kind: "number" as const, values: Float64Array.from({ length: 400 }, (_, i) => i) };
    using data = Dataset.fromTable({ source: "t", rowCount: 400, columns: [...columns, target] }, { target: "y" });
    const model = await fit(linear(), data, { epochs: 1 });
    const other = await modelOf(20, 3);
    const inner = Float64Array.from(rowsOf(300, 20).flat());
    const innerOut = new Float64Array(900);
    other.predictInto(inner, innerOut);
    const rows = rowsOf(400, 24).map((row, i) => {
      const cells = Object.fromEntries(columns.map(({ name }, j) => [name, row[j]]));
      if (i % 100 !== 50) return cells;
      const value = cells.m;
      return Object.defineProperty({ ...cells }, "m", {
        enumerable: true,
        get() {
          const out = new Float64Array(900);
          other.predictInto(inner, out);
          expect(bits(out)).toEqual(bits(innerOut));
          return value;
        },
      });
    });
    const out = new Float64Array(400);
    model.predictInto(rows, out);
    const plain = rows.map((row) => ({ ...row }));
    expect(bits(out)).toEqual(bits(plain.map((row) => model.predict(row).value as number)));
    // An unreadable row does not affect later calls.
    expect(() => model.predictInto(rows.with(390, { a: 1 }), out)).toThrow(/row 391 has no column "b"/);
    model.predictInto(rows, out);
    expect(bits(out)).toEqual(bits(plain.map((row) => model.predict(row).value as number)));
  });
});

it("grows memory once, and never for models that are too large", async () => {
  const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
  const model = await modelOf(300, 4);
  const matrix = Float64Array.from(rowsOf(600, 300).flat());
  const out = new Float64Array(600 * 4);
  model.predictInto(matrix, out);
  const calls = grow.mock.calls.length;
  for (let i = 0; i < 50; i++) model.predictInto(matrix, out);
  expect(grow.mock.calls.length).toBe(calls);
  const columns = 2 ** 19;
  const wide = {
    weights: new Float64Array(columns),
    intercept: new Float64Array(1),
    pipeline: { steps: [], shape: { format: "dense" } },
  };
  expect(manyScores(wide as never, undefined, noRead, 0, 8, new Float64Array(8))).toBe(false);
  expect(grow.mock.calls.length).toBe(calls);
  grow.mockRestore();
});

describe("optional fast path", () => {
  // Trained before modules are reset, because training loads code on demand.
  let small: Awaited<ReturnType<typeof modelOf>>;
  beforeAll(async () => {
    small = await modelOf(20, 1);
  });
  afterEach(() => {
    vi.doUnmock("../../src/predict/many-rows.ts");
    vi.restoreAllMocks();
    vi.resetModules();
  });

  /** A predictor as in a bundle, where the fast path is loaded on demand. */
  async function bundled(mock: () => object) {
    const { description, weights, intercept } = small;
    vi.resetModules();
    vi.doMock("../../src/predict/many-rows.ts", mock);
    const { LinearPredictor: Fresh } = await import("../../src/predict/linear.ts");
    const tensors = { weights, intercept };
    return new Fresh({ kind: "linear", description: { ...description, columns: undefined } as never, tensors: tensors as never });
  }
  const matrix = Float64Array.from(rowsOf(600, 20).flat());
  const predicted = (model: LinearPredictor) => {
    const out = new Float64Array(600);
    model.predictInto(matrix, out);
    return bits(out);
  };

  it("is loaded once there are many rows, and no prediction waits for it", async () => {
    const spy = vi.fn(() => false);
    const model = await bundled(() => ({ manyScores: spy }));
    model.predictInto(matrix.subarray(0, 200), new Float64Array(10));
    await new Promise((resolve) => setTimeout(resolve, 20));
    predicted(model);
    expect(spy).not.toHaveBeenCalled();
    await vi.waitFor(() => {
      predicted(model);
      expect(spy).toHaveBeenCalled();
    });
    expect(spy.mock.calls[0].slice(0, 2)).toEqual([model, matrix]);
  });

  it("gives the bits of the plain loop if it cannot be loaded or declines", async () => {
    const wanted = predicted(small);
    const absent = await bundled(() => {
      throw new Error("absent");
    });
    for (let i = 0; i < 3; i++) {
      expect(predicted(absent)).toEqual(wanted);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const declining = await bundled(() => ({ manyScores: () => false }));
    expect(predicted(declining)).toEqual(wanted);
  });

  it("falls back to the plain loop if the host cannot compile code", async () => {
    vi.resetModules();
    vi.spyOn(WebAssembly, "Module").mockImplementation(() => {
      throw new WebAssembly.CompileError("forbidden");
    });
    const fresh = await import("../../src/predict/many-rows.ts");
    expect(fresh.manyScores(small, matrix, noRead, 0, 600, new Float64Array(600))).toBe(false);
    expect(fresh.manyScores(small, matrix, noRead, 0, 600, new Float64Array(600))).toBe(false);
    expect(WebAssembly.Module).toHaveBeenCalledTimes(1);
  });
});

const noValue = { count: 0, columns: null, values: new Float64Array(0) };
