/**
 * kernels/learning/columns.ts compared with plain twins: four element types, dense and sparse, columns of 0 … 17 rows,
 * and special values.
 */
import { describe, expect, it } from "vitest";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { numbers } from "../../golden/sklearn-data.ts";

const engine = await openEngine();
const types = ["f32", "f64", "i16", "i8"] as const;
const bytes = { f32: 4, f64: 8, i16: 2, i8: 1 };
type Type = (typeof types)[number];

interface Column {
  rows: number;
  /** Values by row, in stored units. Sparse columns omit 0. */
  stored: number[];
  scale: number;
}

function storedValues(type: Type, count: number, u: Generator<number, never>): number[] {
  return Array.from({ length: count }, () => {
    const v = 2 * u.next().value;
    return type === "f64" ? v : type === "f32" ? Math.fround(v) : Math.round(v * (type === "i8" ? 60 : 16000));
  });
}

/** Calls a kernel on column 1 of two. Column 0 is a decoy. */
class Bound implements Disposable {
  readonly arena = new Arena(engine.memory, "columns");
  readonly block: number;
  private readonly suffix: string;

  constructor(format: "dense" | "sparse", type: Type, { rows, stored, scale }: Column) {
    const { arena } = this;
    const decoy = stored.map((_, i) => i + 1);
    const view = (at: number, count: number) => engine.memory[type](at, count);
    this.suffix = `${format === "dense" ? "Dense" : "Sparse"}${type.toUpperCase()}`;
    const entries = (values: number[]) => values.flatMap((value, row) => (value === 0 ? [] : [{ value, row }]));
    const sparse = [...entries(decoy), ...entries(stored)];
    const values = arena.take((format === "dense" ? 2 * rows : sparse.length) * bytes[type] + 16);
    if (format === "dense") view(values, 2 * rows).set([...decoy, ...stored]);
    else view(values, sparse.length).set(sparse.map(({ value }) => value));
    const start = arena.take(12);
    engine.memory.u32(start, 3).set([0, rows, sparse.length]);
    const rowIndex = arena.take(4 * sparse.length + 4);
    engine.memory.u32(rowIndex, sparse.length).set(sparse.map(({ row }) => row));
    this.block = arena.block(field.COLUMNS_BYTES, [
      [field.COLUMNS_VALUES, values],
      [field.COLUMNS_STRIDE, format === "dense" ? rows * bytes[type] : 0],
      [field.COLUMNS_START, format === "dense" ? 0 : start],
      [field.COLUMNS_ROWS, format === "dense" ? 0 : rowIndex],
      [field.COLUMNS_ROW_COUNT, rows],
    ]);
    arena.setF64(this.block, field.COLUMNS_SCALE_F64, scale);
  }

  call(kernel: string, deterministic: boolean, ...args: number[]): number {
    return engine.kernel(`column${kernel}${this.suffix}`, deterministic)(this.block, 1, ...args);
  }

  vector(values: number[]): number {
    return this.arena.copy(Float64Array.from([...values, 1e300]));
  }

  read(at: number, rows: number): number[] {
    const all = [...engine.memory.f64(at, rows + 1)];
    // The memory after the vector must not change.
    expect(all.pop()).toBe(1e300);
    return all;
  }

  [Symbol.dispose](): void {
    this.arena.dispose();
  }
}

const epsilon = 2 ** -52;
const cases = (["dense", "sparse"] as const).flatMap((format) => types.map((type) => ({ format, type })));
const builds = [true, false];

/** Columns of every length, with zeros among the values. */
function* columns(type: Type): Generator<Column> {
  const u = numbers(11);
  for (let rows = 0; rows <= 17; rows++) {
    const stored = storedValues(type, rows, u).map((v, i) => (i % 4 === 2 ? 0 : v));
    yield { rows, stored, scale: type === "i16" || type === "i8" ? 0.0123 : 1 };
  }
}

describe.each(cases)("$format $type", ({ format, type }) => {
  it.each(builds)("computes xᵀv, deterministic: %s", (deterministic) => {
    const u = numbers(3);
    for (const column of columns(type)) {
      using bound = new Bound(format, type, column);
      const v = column.stored.map(() => u.next().value);
      const terms = column.stored.map((x, i) => column.scale * x * v[i]);
      const size = terms.reduce((a, b) => a + Math.abs(b), 0);
      const found = bound.call("Dot", deterministic, bound.vector(v));
      expect(Math.abs(found - terms.reduce((a, b) => a + b, 0))).toBeLessThanOrEqual((column.rows + 8) * epsilon * size);
    }
  });

  it.each(builds)("computes v += f (x − o) and v += f h∘(x − o), deterministic: %s", (deterministic) => {
    const u = numbers(5);
    for (const column of columns(type)) {
      using bound = new Bound(format, type, column);
      const [v, h] = [0, 1].map(() => column.stored.map(() => u.next().value));
      const f = 3 * u.next().value;
      for (const origin of [0, 0.7]) {
        // Sparse columns have no origin except 0.
        const o = format === "sparse" ? 0 : origin;
        const [plain, weighted] = [bound.vector(v), bound.vector(v)];
        bound.call("Add", deterministic, f, origin, plain);
        bound.call("AddWeighted", deterministic, f, origin, bound.vector(h), weighted);
        const [sums, weightedSums] = [bound.read(plain, column.rows), bound.read(weighted, column.rows)];
        for (const [i, x] of column.stored.entries()) {
          const moved = f * (column.scale * x - o);
          const bound = 8 * epsilon * (Math.abs(v[i]) + Math.abs(f) * (Math.abs(column.scale * x) + o));
          expect(Math.abs(sums[i] - (v[i] + moved))).toBeLessThanOrEqual(bound);
          expect(Math.abs(weightedSums[i] - (v[i] + moved * h[i]))).toBeLessThanOrEqual(bound);
          if (format === "sparse" && x === 0) expect([sums[i], weightedSums[i]]).toEqual([v[i], v[i]]);
        }
      }
    }
  });

  it.each(builds)("subtracts exactly what it added to 0, deterministic: %s", (deterministic) => {
    const u = numbers(7);
    for (const column of columns(type)) {
      using bound = new Bound(format, type, column);
      const h = bound.vector(column.stored.map(() => u.next().value));
      const v = bound.vector(column.stored.map(() => 0));
      bound.call("AddWeighted", deterministic, 1, 0.3, h, v);
      bound.call("AddWeighted", deterministic, -1, 0.3, h, v);
      expect(bound.read(v, column.rows).map((x) => x + 0)).toEqual(column.stored.map(() => 0));
    }
  });

  it("computes ‖x − x̄‖ and ‖x‖", () => {
    for (const column of columns(type)) {
      using bound = new Bound(format, type, column);
      const x = column.stored.map((v) => v * column.scale);
      const mean = x.reduce((a, b) => a + b, 0) / Math.max(1, x.length);
      for (const centred of [0, 1]) {
        const wanted = Math.sqrt(x.reduce((sum, v) => sum + (v - centred * mean) ** 2, 0));
        const found = bound.call("Spread", true, centred);
        // One row is its own mean, so the result is 0, even if the twin's mean is rounded.
        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-14 * Math.max(1, wanted) + (x.length === 1 ? 1e-15 : 0));
      }
    }
  });

  it("reports no spread for a column that is constant up to 1e-10 of its size", () => {
    const value = type === "i8" ? 100 : type === "i16" ? 30000 : Math.fround(0.1);
    using bound = new Bound(format, type, { rows: 13, stored: new Array(13).fill(value), scale: 0.37 });
    expect(bound.call("Spread", true, 1)).toBe(0);
    expect(bound.call("Spread", true, 0)).toBeCloseTo(Math.sqrt(13) * 0.37 * value, 8);
  });
});

it.each(["f32", "f64"] as const)("%s: passes through NaN, ±Inf, ±0 and subnormal numbers", (type) => {
  const specials = [Number.NaN, Infinity, -Infinity, -0, 1e-40];
  for (const special of specials) {
    for (let rows = 1; rows <= 17; rows++) {
      for (const place of [0, rows - 1]) {
        const stored = Array.from({ length: rows }, (_, i) => (i === place ? special : 1)).map((v) =>
          type === "f32" ? Math.fround(v) : v,
        );
        for (const format of ["dense", "sparse"] as const) {
          using bound = new Bound(format, type, { rows, stored, scale: 1 });
          const wanted = stored.reduce((sum, v) => sum + v, 0);
          const found = bound.call("Dot", true, bound.vector(stored.map(() => 1)));
          if (Number.isFinite(wanted)) expect(Math.abs(found - wanted)).toBeLessThan(1e-13);
          else expect(found).toBe(wanted);
          const v = bound.vector(stored.map(() => 0));
          bound.call("AddWeighted", true, 1, 0, bound.vector(stored.map(() => 1)), v);
          expect(bound.read(v, rows)[place]).toBe(special === 0 ? 0 : stored[place]);
        }
      }
    }
  }
});
