/**
 * kernels/engine/arrays/gather.ts agrees with plain twins for both types, 0 … 17 columns, repeated, odd and absent
 * indices. Also tests the adjoint identity.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { gatherRows, scatterRows } from "../../reference/gather.ts";
import { type FloatType, floatTypes, Guarded, rounded } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));
const odd = [Number.NaN, Infinity, -Infinity, -1, -0.5, -0, 2.9999, 6, 6.5, 5.9999, 2 ** 31, 2 ** 32, -(2 ** 40), 1e30, 1e-40];
const specials = [Number.NaN, Infinity, -Infinity, -0, 1e-45, -1e-40];

function gathered(type: FloatType, deterministic: boolean, columns: number, table: number[], rows: number, indices: number[]) {
  using memory = new Guarded(engine);
  const out = memory.room(type, indices.length * columns);
  const kernel = engine.kernel(`gatherRows${type.toUpperCase()}`, deterministic);
  kernel(indices.length, columns, memory.put(type, table), rows, memory.put(type, indices), out);
  return memory.read(type, out, indices.length * columns);
}

function scattered(type: FloatType, deterministic: boolean, columns: number, values: number[], indices: number[], rows: number) {
  using memory = new Guarded(engine);
  const out = memory.room(type, rows * columns);
  const kernel = engine.kernel(`scatterRows${type.toUpperCase()}`, deterministic);
  kernel(indices.length, columns, memory.put(type, values), memory.put(type, indices), out, rows);
  return memory.read(type, out, rows * columns);
}

describe.each(cases)("$type, deterministic: $deterministic", ({ type, deterministic }) => {
  const draws = stream(4, "gather", type).at(0);
  const normals = (count: number) =>
    rounded(
      type,
      Array.from({ length: count }, () => draws.normal()),
    );
  const someIndices = (count: number, rows: number) =>
    Array.from({ length: count }, () => draws.integer(rows) + 0.25 * draws.integer(4));

  it("agrees with the twins for 0 … 17 rows and columns", () => {
    const round = type === "f32" ? Math.fround : (x: number) => x;
    for (let columns = 0; columns <= 17; columns++) {
      for (const count of [0, 1, 2, 3, 5, 17]) {
        for (const rows of [1, 6]) {
          const table = normals(rows * columns);
          const values = normals(count * columns);
          const indices = someIndices(count, rows);
          expect(gathered(type, deterministic, columns, table, rows, indices)).toEqual(gatherRows(columns, table, rows, indices));
          const wanted = scatterRows(columns, values, indices, rows, round);
          expect(scattered(type, deterministic, columns, values, indices, rows)).toEqual(wanted);
        }
      }
    }
  });

  it("truncates fractions, gathers NaN for invalid rows, and skips invalid rows in scatter", () => {
    const table = normals(6 * 5);
    const indices = rounded(type, odd);
    const found = gathered(type, deterministic, 5, table, 6, indices);
    expect(found).toEqual(gatherRows(5, table, 6, indices));
    const named = indices.map((_, i) => !Number.isNaN(found[5 * i]));
    expect(named).toEqual(odd.map((x) => [-0, 2.9999, 5.9999, 1e-40].some((y) => Object.is(x, y))));
    const ones = new Array<number>(5 * odd.length).fill(1);
    const sums = scattered(type, deterministic, 5, ones, indices, 6);
    expect(sums).toEqual([2, 0, 1, 0, 0, 1].flatMap((sum) => new Array<number>(5).fill(sum)));
    expect(gathered(type, deterministic, 5, [], 0, [0, 1])).toEqual(new Array(10).fill(Number.NaN));
    expect(scattered(type, deterministic, 5, ones, indices, 0)).toEqual([]);
  });

  it("propagates NaN, ±Inf, −0 and subnormal values", () => {
    const values = rounded(type, specials);
    expect(gathered(type, deterministic, 6, values, 1, [0])).toEqual(values);
    // 0 + −0 is 0.
    expect(scattered(type, deterministic, 6, values, [0], 1)).toEqual(values.map((x) => x + 0));
  });

  it("scatter is the adjoint of gather: ⟨gather T, V⟩ = ⟨T, scatter V⟩, exactly on integers", () => {
    const whole = (count: number) => Array.from({ length: count }, () => draws.integer(17) - 8);
    const [table, values, indices] = [whole(7 * 9), whole(40 * 9), someIndices(40, 7)];
    const inner = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const left = inner(gathered(type, deterministic, 9, table, 7, indices), values);
    expect(left).toBe(inner(table, scattered(type, deterministic, 9, values, indices, 7)));
    expect(left).not.toBe(0);
  });
});
