import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { rowStride } from "../../../src/engine/data/layout.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { bytes, matrix, matrixOfColumns, sparseOf } from "./rows-of.ts";

const types = ["f32", "f64", "i16", "i8"] as const;

/** Small matrices with many zeros, exact in f32. */
const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 8 }), columns: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, columns }) => {
    const cell = fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((k) => k / 64) },
    );
    return fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows });
  });

describe("dense layout", () => {
  it("lays rows out at a stride of 16 bytes, with the intercept after the columns and zero padding", () => {
    fc.assert(
      fc.property(matrices, fc.constantFrom("f32" as const, "f64" as const), (x, type) => {
        using data = Dataset.fromArrays({ x, y: x.map((_, i) => i - 0.5), weights: x.map((_, i) => i + 1), type });
        const { layout } = data;
        const columnCount = x[0].length;
        const size = type === "f32" ? 4 : 8;
        expect(layout).toMatchObject({
          format: "dense",
          type,
          rowCount: x.length,
          columnCount,
          one: 1,
          scale: 1,
          rowStart: 0,
          columnIndex: 0,
        });
        expect((layout.stride * size) % 16).toBe(0);
        expect(layout.stride).toBeGreaterThan(columnCount);
        expect(layout.stride * size).toBeLessThan((columnCount + 1) * size + 16);
        for (const pointer of [layout.values, layout.target, layout.weights]) expect(pointer % 64).toBe(0);
        const stored = [...engineMemory()[type](layout.values, x.length * layout.stride)];
        const wanted = x.flatMap((row) => [...row, 1, ...new Array(layout.stride - columnCount - 1).fill(0)]);
        expect(stored).toEqual(wanted);
        expect([...engineMemory().f64(layout.target, x.length)]).toEqual(x.map((_, i) => i - 0.5));
        expect([...engineMemory().f64(layout.weights, x.length)]).toEqual(x.map((_, i) => i + 1));
      }),
      { seed: 11 },
    );
  });

  it("keeps the stride for every type", () => {
    expect(rowStride("f32", 3)).toBe(4);
    expect(rowStride("f32", 4)).toBe(8);
    expect(rowStride("f64", 1)).toBe(2);
    expect(rowStride("i16", 8)).toBe(16);
    expect(rowStride("i8", 15)).toBe(16);
    expect(rowStride("i8", 16)).toBe(32);
  });
});

describe("sparse layout", () => {
  it("ends every row with the intercept entry, and omits weights if none were given", () => {
    const x = [
      [0, 2, 0],
      [0, 0, 0],
      [-1.5, 0, 4],
    ];
    using data = Dataset.fromSparse(sparseOf(x, [1, -1, 1]));
    const { layout } = data;
    const memory = engineMemory();
    expect(layout).toMatchObject({
      format: "sparse",
      type: "f32",
      rowCount: 3,
      columnCount: 3,
      stride: 0,
      one: 1,
      scale: 1,
      weights: 0,
    });
    expect([...memory.u32(layout.rowStart, 4)]).toEqual([0, 2, 3, 6]);
    expect([...memory.u32(layout.columnIndex, 6)]).toEqual([1, 3, 3, 0, 2, 3]);
    expect([...memory.f32(layout.values, 6)]).toEqual([2, 1, 1, -1.5, 4, 1]);
    expect(memory.f64(layout.target, 3)).toEqual(Float64Array.of(1, -1, 1));
  });

  it("equals the dense matrix and compressed columns, in every type", () => {
    fc.assert(
      fc.property(matrices, fc.constantFrom(...types), (x, type) => {
        using dense = Dataset.fromArrays({ x, y: x.map((_, i) => i) });
        using sparse = Dataset.fromSparse(sparseOf(x));
        const [a, b] = [dense.as(type), sparse.as(type)];
        if (type === "f32" || type === "f64") expect(matrix(a)).toEqual(x);
        expect(matrix(b)).toEqual(matrix(a));
        expect(matrixOfColumns(a.columns())).toEqual(matrix(a).map((row) => row.map((value) => value + 0)));
        expect(matrixOfColumns(b.columns())).toEqual(matrixOfColumns(a.columns()));
        expect(a.columns().entryCount).toBe(x.length * x[0].length);
        expect(b.columns().entryCount).toBe(
          matrix(a)
            .flat()
            .filter((value) => value !== 0).length,
        );
        expect(b.columns()).toBe(b.columns());
        expect(b.layout.one).toBe(a.layout.one);
      }),
      { seed: 12 },
    );
  });

  it("has ascending rows in every compressed column", () => {
    using data = Dataset.fromSparse(
      sparseOf([
        [1, 2],
        [3, 0],
        [5, 6],
      ]),
    );
    const { columnStart, rowIndex, columnCount, entryCount } = data.columns();
    expect([columnCount, entryCount]).toEqual([2, 5]);
    expect([...engineMemory().u32(columnStart, 3)]).toEqual([0, 3, 5]);
    expect([...engineMemory().u32(rowIndex, 5)]).toEqual([0, 1, 2, 0, 2]);
  });
});

describe("quantised layout", () => {
  it("is within half a step of every value, keeps the largest, and stores the scale of its intercept", () => {
    fc.assert(
      fc.property(
        matrices,
        fc.constantFrom("i8" as const, "i16" as const),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (base, type, factor) => {
          const x = base.map((row) => row.map((value) => value * factor));
          const limit = type === "i8" ? 127 : 32767;
          using data = Dataset.fromArrays({ x, y: x.map(() => 0), type: "f64" });
          const small = data.as(type);
          const { layout } = small;
          const largest = Math.max(...x.flat().map(Math.abs));
          expect(layout.scale).toBe(largest === 0 ? 1 : largest / limit);
          const given = matrix(small);
          x.forEach((row, i) => {
            row.forEach((value, j) => {
              expect(Math.abs(given[i][j] - value)).toBeLessThanOrEqual((layout.scale / 2) * (1 + 1e-12));
            });
          });
          const stored = engineMemory()[type](layout.values, layout.rowCount * layout.stride);
          expect(Math.max(...stored.map(Math.abs))).toBeLessThanOrEqual(limit);
          const one = stored[layout.columnCount];
          expect(one).toBe(Math.min(limit, Math.max(1, Math.round(1 / layout.scale))));
          expect(layout.one).toBe(layout.scale * one);
          for (let j = layout.columnCount + 1; j < layout.stride; j++) expect(stored[j]).toBe(0);
        },
      ),
      { seed: 13 },
    );
  });

  it("is made once, shares target and weights, converts from the original, and refuses transformations", () => {
    using data = Dataset.fromArrays({
      x: [
        [1, 2],
        [3, -4],
      ],
      y: [0, 1],
      weights: [1, 2],
    });
    const small = data.as("i8");
    expect(data.as("i8")).toBe(small);
    expect(data.as("f32")).toBe(data);
    expect(small.as("f32")).toBe(data);
    expect(small.as("i16")).toBe(data.as("i16"));
    expect(small.layout.target).toBe(data.layout.target);
    expect(small.layout.weights).toBe(data.layout.weights);
    expect(small.pipeline).toBe(data.pipeline);
    expect(() => small.standardise()).toThrow(
      /the dataset is i8, but transformations need floats; transform first, then as\("i8"\)/,
    );
    using chosen = small.select([1]);
    expect(bytes(chosen).values).toEqual(bytes(small).values.slice(small.layout.stride));
    expect(chosen.layout.scale).toBe(small.layout.scale);
    expect(matrix(chosen.as("f32"))[0][1]).toBe(Math.fround(-4));
  });
});
