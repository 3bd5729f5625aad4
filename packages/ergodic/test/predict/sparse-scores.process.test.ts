/** The fast path gives the bits of the plain loop, wherever blocks of rows and entries start and end. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { entryScores } from "../../src/predict/sparse-scores.ts";
import { entrySums } from "../reference/linear-scores.ts";

const bits = (values: ArrayLike<number>) => [...new BigInt64Array(Float64Array.from(values).buffer)];
const special = [0, -0, 5e-324, -1e-310, 2 ** -126, 2 ** -149, 1e-300, 3.4e38, -3.4e38, 1e300, Infinity, -Infinity, NaN];

function numbers(seed: number) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

/**
 * Rows with the given numbers of entries and `extra` more. Reading an extra entry would show, because its column does
 * not exist in the weights of one output.
 */
function rowsOf(lengths: readonly number[], columns: number, Values: typeof Float32Array | typeof Float64Array, extra: number) {
  const next = numbers(lengths.length + columns);
  const rowStart = new Uint32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) rowStart[i + 1] = rowStart[i] + length + extra;
  const values = new Values(rowStart[lengths.length]);
  const columnIndex = new Uint32Array(values.length);
  for (const [i, length] of lengths.entries())
    for (let e = 0; e < length + extra; e++) {
      values[rowStart[i] + e] = next();
      columnIndex[rowStart[i] + e] = e < length ? Math.floor((columns * (next() + 1)) / 2) : columns;
    }
  return { values, isF32: Values === Float32Array, stride: 0, entries: { rowStart, columnIndex, extra } };
}

type Rows = ReturnType<typeof rowsOf>;

function check(rows: Rows, columns: number, outputs: number, from = 0, count = rows.entries.rowStart.length - 1 - from) {
  const next = numbers(7);
  const weights = Float64Array.from({ length: columns * outputs }, next);
  const intercept = Float64Array.from({ length: outputs }, next);
  const z = new Float64Array(count * outputs + 1).fill(7);
  entryScores({ weights, intercept }, rows, from, count, z);
  const { rowStart, columnIndex, extra } = rows.entries;
  const x = rows.isF32 ? Float32Array.from(rows.values) : rows.values;
  for (let k = 0; k < outputs; k++) {
    const w = weights.subarray(k * columns, (k + 1) * columns);
    const wanted = entrySums(x, columnIndex, rowStart.subarray(from, from + count + 1), w, intercept[k], extra);
    expect(bits(Array.from({ length: count }, (_, i) => z[i * outputs + k]))).toEqual(bits(wanted));
  }
  expect(z[count * outputs]).toBe(7);
}

const lengthsAt = {
  "0 to 17": Array.from({ length: 18 }, (_, i) => i),
  "about a block's": [8191, 1, 8192, 0, 0, 8193, 8190, 1, 1, 0],
  "several blocks'": [3, 40_000, 0, 20_000, 16_384, 1],
  none: Array.from({ length: 5000 }, () => 0),
  "few, of many rows": Array.from({ length: 9000 }, (_, i) => (i * 7) % 5),
  "as many, to the end of a block": Array.from({ length: 8192 }, () => 2),
};

describe.each([Float32Array, Float64Array])("sparse scores of %o", (Values) => {
  it.each(Object.entries(lengthsAt))("match the plain loop for rows of %s entries", (_, lengths) => {
    for (const extra of [0, 1]) {
      const rows = rowsOf(lengths, 50, Values, extra);
      check(rows, 50, 1);
      check(rows, 50, 3);
      check(rows, 50, 1, 2, lengths.length - 5);
      check({ ...rows, isF32: true }, 50, 2);
    }
  });

  it("match for fewer entries than half the columns", () => {
    const rows = rowsOf([3, 0, 17, 5], 1000, Values, 1);
    check(rows, 1000, 2);
    check({ ...rows, isF32: true }, 1000, 2);
  });

  it("match for values of every kind", () => {
    const rows = rowsOf(
      Array.from({ length: 40 }, (_, i) => 3 + (i % 5)),
      9,
      Values,
      1,
    );
    rows.values.forEach((_, e) => {
      if (e % 3 === 1) rows.values[e] = special[e % special.length];
    });
    const z = new Float64Array(40);
    const weights = Float64Array.from(special.slice(0, 9));
    entryScores({ weights, intercept: Float64Array.of(-0) }, rows, 0, 40, z);
    const { rowStart, columnIndex } = rows.entries;
    const wanted = entrySums(rows.values, columnIndex, rowStart, weights, -0, 1);
    expect(wanted.some(Number.isNaN)).toBe(true);
    expect(wanted.some((value) => Math.abs(value) < 1e-300)).toBe(true);
    // The bits of NaN can differ.
    expect(bits(z.map((value) => (Number.isNaN(value) ? NaN : value)))).toEqual(
      bits(wanted.map((value) => (Number.isNaN(value) ? NaN : value))),
    );
  });
});

describe("without a kernel", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  it("the bits are the same", async () => {
    vi.resetModules();
    const forbidden = vi.spyOn(WebAssembly, "Module").mockImplementation(function forbid() {
      throw new WebAssembly.CompileError("forbidden");
    });
    const fresh = await import("../../src/predict/sparse-scores.ts");
    const rows = rowsOf([3, 0, 17, 5], 4, Float64Array, 1);
    const weights = Float64Array.of(1, 2, 3, 4);
    const z = new Float64Array(4);
    fresh.entryScores({ weights, intercept: Float64Array.of(0.5) }, rows, 0, 4, z);
    expect(forbidden).toHaveBeenCalledTimes(1);
    expect(bits(z)).toEqual(bits(entrySums(rows.values, rows.entries.columnIndex, rows.entries.rowStart, weights, 0.5, 1)));
  });
});

it("the kernel is used if entries number at least half the columns", async () => {
  const module = vi.spyOn(WebAssembly, "Module");
  vi.resetModules();
  const fresh = await import("../../src/predict/sparse-scores.ts");
  const model = { weights: new Float64Array(20), intercept: new Float64Array(1) };
  fresh.entryScores(model, rowsOf([4, 5], 20, Float64Array, 0), 0, 2, new Float64Array(2));
  expect(module).not.toHaveBeenCalled();
  fresh.entryScores(model, rowsOf([5, 5], 20, Float64Array, 0), 0, 2, new Float64Array(2));
  expect(module).toHaveBeenCalledTimes(1);
  module.mockRestore();
});
