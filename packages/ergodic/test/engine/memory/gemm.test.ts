/**
 * kernels/engine/arrays/gemm.ts agrees with its plain twin in both instruction sets and precisions. C's gaps and
 * surroundings must stay unchanged. Gaps of the operands hold NaN, so that reading one shows.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import {
  GEMM_DEPTH,
  GEMM_PANEL_BYTES,
  GEMM_PANELS,
  GEMM_ROWS,
  GEMM_STRIPS,
  gemmScratchBytes,
} from "../../../src/engine/memory/gemm.ts";
import { loadFamily } from "../../../src/engine/memory/load.ts";
import { createThread } from "../../../src/engine/memory/worker.js";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";
import { type Product, product } from "../../reference/gemm.ts";

const engine = await openEngine();
const { memory } = engine;
const elementBytes = { f32: 4, f64: 8 };
const epsilon = { f32: 2 ** -23, f64: 2 ** -52 };
const arrays = { f32: Float32Array, f64: Float64Array };
const kernels = { f32: "gemmF32", f64: "gemmF64" };
type Type = keyof typeof kernels;
const types: Type[] = ["f32", "f64"];

interface Shape {
  transA: boolean;
  transB: boolean;
  m: number;
  n: number;
  k: number;
  /** Number of unused elements at the end of each stored row. */
  gap: number;
  accumulate: boolean;
}

/** Value in C's gaps and around C. */
const UNTOUCHED = 12345;

/** Random operands of a shape. One row of UNTOUCHED values surrounds C on each side. */
function made(type: Type, { transA, transB, m, n, k, gap, accumulate }: Shape, draws: Draws): Product {
  const matrix = (rows: number, columns: number) => {
    const values = new arrays[type](rows * (columns + gap)).fill(NaN);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[i * (columns + gap) + j] = draws.normal();
    return { values, ld: columns + gap };
  };
  const a = transA ? matrix(k, m) : matrix(m, k);
  const b = transB ? matrix(n, k) : matrix(k, n);
  const c = matrix(m, n);
  for (let i = 0; i < c.values.length; i++) if (Number.isNaN(c.values[i])) c.values[i] = UNTOUCHED;
  return { transA, transB, m, n, k, a: a.values, lda: a.ld, b: b.values, ldb: b.ld, c: c.values, ldc: c.ld, accumulate };
}

/** Returns C after the call. Operands have only the alignment of their elements. */
function multiplied(type: Type, deterministic: boolean, p: Product): number[] {
  const bytes = elementBytes[type];
  const scratchBytes = gemmScratchBytes(p.m, p.n, p.k, bytes);
  const pieces = [p.a, p.b, p.c].map((values) => memory.allocate((values.length + 2 * 5) * bytes, "gemm test"));
  const scratch = memory.allocate(scratchBytes + 64, "gemm test");
  try {
    const view = (at: number, length: number) => memory[type](pieces[at].pointer, length);
    view(0, p.a.length + 1).set(p.a, 1);
    view(1, p.b.length + 3).set(p.b, 3);
    view(2, p.c.length + 10).fill(UNTOUCHED);
    view(2, p.c.length + 5).set(p.c, 5);
    memory.u8(scratch.pointer + scratchBytes, 64).fill(77);
    memory.f64(scratch.pointer, scratchBytes / 8).fill(NaN);
    const [a, b, c] = pieces.map((piece, at) => piece.pointer + [1, 3, 5][at] * bytes);
    engine.kernel(kernels[type], deterministic)(...callArguments(p, a, b, c, scratch.pointer));
    expect([...memory.u8(scratch.pointer + scratchBytes, 64)].every((byte) => byte === 77)).toBe(true);
    const around = [...view(2, 5), ...view(2, p.c.length + 10).slice(p.c.length + 5)];
    expect(around.every((value) => value === UNTOUCHED)).toBe(true);
    return [...view(2, p.c.length + 5).slice(5)];
  } finally {
    for (const piece of [...pieces, scratch]) piece.dispose();
  }
}

function callArguments(p: Product, a: number, b: number, c: number, scratch: number): number[] {
  return [+p.transA, +p.transB, p.m, p.n, p.k, a, p.lda, b, p.ldb, c, p.ldc, +p.accumulate, scratch];
}

/** Elements that are off by more than k ε Σ |a b|, and changed gaps of C. */
function wrong(type: Type, p: Product, got: number[]): string[] {
  const { value, magnitude } = product(p);
  const found: string[] = [];
  for (let i = 0; i < p.m; i++) {
    for (let j = 0; j < p.ldc; j++) {
      const at = i * p.ldc + j;
      const inside = j < p.n;
      const bound = inside ? (p.k + 1) * epsilon[type] * magnitude[i * p.n + j] : 0;
      const wanted = inside ? value[i * p.n + j] : UNTOUCHED;
      if (!(Math.abs(got[at] - wanted) <= bound)) found.push(`[${i}, ${j}] is ${got[at]}, not ${wanted}`);
    }
  }
  return found;
}

const name = (type: Type, shape: Shape, deterministic: boolean) => `${type} ${JSON.stringify({ ...shape, deterministic })}`;

function check(type: Type, deterministic: boolean, shape: Shape, draws: Draws): void {
  const p = made(type, shape, draws);
  const found = wrong(type, p, multiplied(type, deterministic, p));
  expect(found.slice(0, 3), name(type, shape, deterministic)).toEqual([]);
}

const booleans = [false, true];

describe.each(types)("gemm, %s", (type) => {
  it.each(booleans)("multiplies every shape of 0..17, deterministic %s", (deterministic) => {
    const draws = stream(1, "gemm", type).at(0);
    for (let m = 0; m <= 17; m++) {
      for (let n = 0; n <= 17; n++) {
        // Each of 0..17 occurs as k with each m and with each n.
        for (const k of [(m + n) % 18, (m + 5 * n + 7) % 18, (7 * m + n + 13) % 18].slice(0, power(1, 3))) {
          for (const transA of booleans) {
            // In npm test, each shape is met with two of the four orders.
            for (const transB of isSlow ? booleans : [transA === (Math.floor(n / 2 + m) % 2 === 0)]) {
              const [gap, accumulate] = [draws.integer(3), draws.integer(2) === 1];
              check(type, deterministic, { transA, transB, m, n, k, gap, accumulate }, draws);
            }
          }
        }
      }
    }
  });

  const lanes = GEMM_PANEL_BYTES / elementBytes[type];
  const rows = GEMM_ROWS * GEMM_STRIPS;
  const columns = GEMM_PANELS * lanes;
  it.each([
    [rows - 1, 3 * lanes + 1, GEMM_DEPTH + 1],
    [rows, columns, 9],
    [rows + 1, columns + 1, 34],
    [2 * rows + 3, 40, 2 * GEMM_DEPTH],
    [3 * GEMM_ROWS + 1, 4 * lanes - 1, GEMM_DEPTH - 1],
    [3 * GEMM_ROWS, 3 * lanes, 2 * GEMM_DEPTH + 5],
    [33, columns + lanes + 3, 301],
    [1, 301, GEMM_DEPTH + 3],
    [301, 1, 2 * GEMM_DEPTH + 1],
    [2, 2, 2000],
  ])("multiplies across the edges of its blocks: m %i, n %i, k %i", (m, n, k) => {
    const draws = stream(2, "gemm", type, m, n).at(0);
    for (const transA of booleans) {
      for (const transB of booleans) {
        const accumulate = draws.integer(2) === 1;
        check(type, false, { transA, transB, m, n, k, gap: 0, accumulate }, draws);
        check(type, true, { transA, transB, m, n, k, gap: 5, accumulate: !accumulate }, draws);
      }
    }
  });

  it("is exact if every sum is exact, as for small integers", () => {
    const draws = stream(3, "gemm", type).at(0);
    for (const [m, n, k] of [
      [5, 19, 300],
      [1, 37, 300],
      [37, 1, 300],
      [70, 70, 70],
    ]) {
      for (const transA of booleans) {
        for (const transB of booleans) {
          const p = made(type, { transA, transB, m, n, k, gap: 1, accumulate: true }, draws);
          const whole = (values: ArrayLike<number>) => new arrays[type](values.length).map(() => draws.integer(33) - 16);
          Object.assign(p, { a: whole(p.a), b: whole(p.b), c: whole(p.c) });
          for (const deterministic of booleans) {
            const got = multiplied(type, deterministic, p).filter((_, at) => at % p.ldc < n);
            expect(got).toEqual([...product(p).value]);
          }
        }
      }
    }
  });

  it("keeps C or zeroes it if k is 0", () => {
    for (const accumulate of booleans) {
      const p = made(type, { transA: false, transB: false, m: 3, n: 5, k: 0, gap: 2, accumulate }, stream(4, "gemm").at(0));
      const wanted = Array.from(p.c).map((value, at) => (at % p.ldc < 5 && !accumulate ? 0 : value));
      expect(multiplied(type, true, p)).toEqual(wanted);
    }
  });

  it("does not read C unless it accumulates", () => {
    for (const [m, n] of [
      [5, 9],
      [4, 8],
      [1, 9],
      [9, 1],
    ]) {
      const p = made(type, { transA: false, transB: false, m, n, k: 3, gap: 0, accumulate: false }, stream(5, "gemm").at(0));
      const got = multiplied(type, false, { ...p, c: new Float64Array(p.c.length).fill(NaN) });
      expect(got.some(Number.isNaN)).toBe(false);
    }
  });

  it("propagates NaN and infinity to their row and column only, even if the other factor is 0", () => {
    for (const [m, n, k] of [
      [6, 11, 9],
      [4, 8, 270],
      [1, 21, 7],
      [21, 1, 7],
    ]) {
      for (const transA of booleans) {
        for (const transB of booleans) {
          for (const special of [NaN, Infinity, -Infinity]) {
            for (const deterministic of booleans) {
              const p = made(type, { transA, transB, m, n, k, gap: 1, accumulate: false }, stream(6, "gemm").at(0));
              const a = arrays[type].from(p.a);
              const b = arrays[type].from(Array.from(p.b, (value) => (Number.isNaN(value) ? value : 0)));
              const [row, depth] = [m - 1, k - 1];
              a[transA ? depth * p.lda + row : row * p.lda + depth] = special;
              const got = multiplied(type, deterministic, { ...p, a, b }).filter((_, at) => at % p.ldc < n);
              expect(got).toEqual([...got.keys()].map((at) => (Math.floor(at / n) === row ? NaN : 0)));
            }
          }
        }
      }
    }
  });

  it("distinguishes infinities and keeps subnormal numbers", () => {
    const tiny = type === "f32" ? 2 ** -149 : 2 ** -1074;
    const a = [Infinity, 1, -Infinity, 1, tiny, tiny, -0, 0];
    for (const transA of booleans) {
      const stored = transA ? [Infinity, -Infinity, tiny, -0, 1, 1, tiny, 0] : a;
      const c = [9, 9, 9, 9, 9, 9, 9, 9];
      const p = { transA, transB: false, m: 4, n: 2, k: 2, a: stored, lda: transA ? 4 : 2, b: [1, 2, 3, 4], ldb: 2, c, ldc: 2 };
      const wanted = [Infinity, Infinity, -Infinity, -Infinity, 4 * tiny, 6 * tiny, 0, 0];
      for (const deterministic of booleans) expect(multiplied(type, deterministic, { ...p, accumulate: false })).toEqual(wanted);
    }
  });

  it("computes the same bits for an element at any position, up to the last sum in plain instructions", () => {
    // Tiles, edges and packed forms of one product agree because each sums over p in order.
    const draws = stream(7, "gemm", type).at(0);
    const whole = made(type, { transA: false, transB: false, m: 70, n: 90, k: 100, gap: 0, accumulate: false }, draws);
    for (const deterministic of booleans) {
      const all = multiplied(type, deterministic, whole);
      for (const [m, n] of [
        [2, 2],
        [7, 13],
        [13, 3 * lanes + 1],
      ]) {
        const part = multiplied(type, deterministic, { ...whole, m, n, c: new Float64Array(90 * m), ldc: 90 });
        for (let i = 0; i < m; i++) expect(part.slice(90 * i, 90 * i + n)).toEqual(all.slice(90 * i, 90 * i + n));
      }
      const flip = (values: ArrayLike<number>, rows: number, columns: number) =>
        Array.from({ length: rows * columns }, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]);
      const a = flip(whole.a, 70, 100);
      const b = flip(whole.b, 100, 90);
      expect(multiplied(type, deterministic, { ...whole, transA: true, a, lda: 70 })).toEqual(all);
      expect(multiplied(type, deterministic, { ...whole, transA: true, transB: true, a, lda: 70, b, ldb: 100 })).toEqual(all);
    }
    // In the plain instruction set, the sum equals that of a simple loop.
    const round = type === "f32" ? Math.fround : (x: number) => x;
    let sum = 0;
    for (let p = 0; p < 100; p++) sum = round(sum + round(whole.a[69 * 100 + p] * whole.b[p * 90 + 89]));
    expect(multiplied(type, true, whole)[70 * 90 - 1]).toBe(sum);
  });
});

describe("memory of gemm", () => {
  it.each(types)("reads nothing beyond an operand, each in turn at the end of memory, %s", async (type) => {
    const own = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
    const thread = createThread(own);
    thread.addBuild("relaxed", await loadFamily("arrays", "relaxed", true));
    const kernel = thread.kernel("relaxed", kernels[type]);
    const bytes = elementBytes[type];
    const end = own.buffer.byteLength;
    const start = 1 << 20;
    const far = () => kernel(0, 0, 2, 2, 2, end - 4 * bytes + bytes, 2, start, 2, start, 2, 0, start + 64);
    expect(far).toThrow("memory access out of bounds");
    for (const transA of booleans) {
      for (const transB of booleans) {
        for (const [m, n, k] of [
          [1, 5, 3],
          [5, 1, 3],
          [1, 23, 7],
          [23, 1, 7],
          [2, 3, 5],
          [5, 9, 6],
          [7, 11, 3],
          [40, 41, 300],
          [301, 30, 301],
          [9, 66, 7],
          [70, 67, 301],
          // Products with few columns read the rows of A in place. The last tile has one, two or three rows.
          [5, 3, 4],
          [6, 2, 301],
          [3, 3, 5],
          [7, 2, 9],
          [11, 3, 301],
        ]) {
          for (let atEnd = 0; atEnd < 3; atEnd++) {
            const sizes = [m * k, k * n, m * n].map((size) => size * bytes);
            const [a, b, c] = sizes.map((size, at) => (at === atEnd ? end - size : start + at * (1 << 20)));
            for (const accumulate of booleans) {
              const p = { transA, transB, m, n, k, lda: transA ? m : k, ldb: transB ? k : n, ldc: n, accumulate };
              kernel(...callArguments({ ...p, a: [], b: [], c: [] }, a, b, c, start + 512 * 1024));
            }
          }
        }
      }
    }
  });

  it("needs at most 1 MiB of scratch, and little for small shapes", () => {
    for (const bytes of [4, 8]) expect(gemmScratchBytes(1e6, 1e6, 1e6, bytes)).toBeLessThanOrEqual(2 ** 20);
    expect(gemmScratchBytes(10, 10, 10, 4)).toBeLessThanOrEqual(2048);
    expect(gemmScratchBytes(0, 0, 0, 8)).toBeLessThanOrEqual(2048);
    for (const n of [1, 3, 9]) expect(gemmScratchBytes(5, n, 7, 8) % 16).toBe(0);
  });
});
