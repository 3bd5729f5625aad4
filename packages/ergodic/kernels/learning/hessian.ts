/**
 * Loss of a linear model as a function of one output's parameters, in float64: L = Σ_i c_i ℓ(z_i, y_i) with z_i = s
 * x_i·p, its gradient g = s Σ_i c_i ℓ' x_i and its Hessian G = s² Σ_i c_i ℓ'' x_i x_iᵀ. Each call adds rows `from` …
 * `to` to the existing sums. A call with from = 0 resets the sums first. `from` is a multiple of HESSIAN_CHUNK.
 *
 * `what`: HESSIAN_ALL computes L, g and G; HESSIAN_LOSS computes only L. HESSIAN_REST computes g and G from cℓ' and
 * cℓ'', which an earlier call with HESSIAN_LOSS at the same parameters stored in D and H. With HESSIAN_REST, D and H
 * must have one element per row (KEPT).
 *
 * Rows of type T, dense or sparse, in stored units; s: the data's scale. A compiled program computes cℓ' and cℓ'' of a
 * chunk of rows from z, y, c and the offsets. A curvature below `least` c_i is raised to this bound, so that G is
 * positive definite if the columns are independent. Matrix: f64[WIDTH × WIDTH], of which only the lower triangle is
 * used. WIDTH is a multiple of 4 and at least COLUMNS. g: f64[COLUMNS]. Dense rows, multiplied by √h, are packed into
 * panels of four columns. Products of panels are added tile by tile, so that each load of a number serves four sums.
 * HESSIAN block: learning/fields.ts.
 */
import {
  HESSIAN_VALUES, HESSIAN_ROW_BYTES, HESSIAN_ROW_START, HESSIAN_COLUMN_INDEX, HESSIAN_COLUMNS, HESSIAN_WIDTH, HESSIAN_PARAMETERS, HESSIAN_MATRIX,
  HESSIAN_PANELS, HESSIAN_UPDATE, HESSIAN_BLOCK, HESSIAN_Z, HESSIAN_H, HESSIAN_Y, HESSIAN_AT_Y, HESSIAN_WEIGHTS, HESSIAN_AT_WEIGHT, HESSIAN_OFFSETS,
  HESSIAN_AT_OFFSET, HESSIAN_D, HESSIAN_GRADIENT, HESSIAN_AT_LOSS, HESSIAN_SCALE_F64, HESSIAN_LEAST_F64, HESSIAN_CHUNK, HESSIAN_AT_D, HESSIAN_AT_H,
  HESSIAN_KEPT, HESSIAN_LOSS, HESSIAN_REST,
} from "../../src/learning/fields";
import { addRow, dotRow } from "../engine/data/row";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

function firstEntry(hessian: usize, row: u32): usize {
  return <usize>load<u32>(u(hessian, HESSIAN_ROW_START) + (<usize>row << 2));
}

/**
 * Number of entries in a sparse row that have a parameter. Without an intercept, the last entry has no parameter and
 * does not count.
 */
function entries(hessian: usize, row: u32, first: usize): i32 {
  const end = firstEntry(hessian, row + 1);
  const last = <usize>load<u32>(u(hessian, HESSIAN_COLUMN_INDEX) + ((end - 1) << 2));
  return <i32>(end - first) - (last >= u(hessian, HESSIAN_COLUMNS) ? 1 : 0);
}

/** Returns the address of a row's element in D or H, whose address is in `field`. */
function ofRow(hessian: usize, field: usize, row: u32): usize {
  return u(hessian, field) + (load<u32>(hessian + HESSIAN_KEPT) ? <usize>row << 3 : 0);
}

/** Computes D = cℓ' and H = cℓ'' of `count` rows from `row` onwards. Returns Σ cℓ. */
function evaluate<T>(hessian: usize, sparse: bool, row: u32, count: i32): f64 {
  const scale = load<f64>(hessian + HESSIAN_SCALE_F64);
  const values = u(hessian, HESSIAN_VALUES), indices = u(hessian, HESSIAN_COLUMN_INDEX), p = u(hessian, HESSIAN_PARAMETERS);
  const z = u(hessian, HESSIAN_Z);
  for (let b = 0; b < count; b++) {
    let sum: f64;
    if (sparse) {
      const first = firstEntry(hessian, row + b);
      sum = dotRow<T>(values + first * sizeof<T>(), indices + (first << 2), entries(hessian, row + b, first), p);
    } else sum = dotRow<T>(values + <usize>(row + b) * u(hessian, HESSIAN_ROW_BYTES), 0, load<i32>(hessian + HESSIAN_COLUMNS), p);
    store<f64>(z + (<usize>b << 3), scale * sum);
  }
  const block = u(hessian, HESSIAN_BLOCK);
  const shift = <usize>row << 3;
  store<u32>(block + u(hessian, HESSIAN_AT_Y), <u32>(u(hessian, HESSIAN_Y) + shift));
  store<u32>(block + u(hessian, HESSIAN_AT_WEIGHT), <u32>(u(hessian, HESSIAN_WEIGHTS) + shift));
  store<u32>(block + u(hessian, HESSIAN_AT_D), <u32>ofRow(hessian, HESSIAN_D, row));
  store<u32>(block + u(hessian, HESSIAN_AT_H), <u32>ofRow(hessian, HESSIAN_H, row));
  if (u(hessian, HESSIAN_OFFSETS)) store<u32>(block + u(hessian, HESSIAN_AT_OFFSET), <u32>(u(hessian, HESSIAN_OFFSETS) + shift));
  call_indirect<void>(load<u32>(hessian + HESSIAN_UPDATE), count, block);
  return load<f64>(block + u(hessian, HESSIAN_AT_LOSS));
}

/** Adds s D x to g. Then raises H to its lower bound and multiplies H by s². */
function addGradient<T>(hessian: usize, sparse: bool, row: u32, count: i32): void {
  const scale = load<f64>(hessian + HESSIAN_SCALE_F64), least = load<f64>(hessian + HESSIAN_LEAST_F64);
  const values = u(hessian, HESSIAN_VALUES), indices = u(hessian, HESSIAN_COLUMN_INDEX), g = u(hessian, HESSIAN_GRADIENT);
  const weights = u(hessian, HESSIAN_WEIGHTS) + (<usize>row << 3);
  const slopes = ofRow(hessian, HESSIAN_D, row), curvatures = ofRow(hessian, HESSIAN_H, row);
  for (let b = 0; b < count; b++) {
    const at = <usize>b << 3;
    const h = curvatures + at;
    store<f64>(h, scale * scale * Math.max(load<f64>(h), least * load<f64>(weights + at)));
    const d = scale * load<f64>(slopes + at);
    if (sparse) {
      const first = firstEntry(hessian, row + b);
      addRow<T>(values + first * sizeof<T>(), indices + (first << 2), entries(hessian, row + b, first), d, g);
    } else addRow<T>(values + <usize>(row + b) * u(hessian, HESSIAN_ROW_BYTES), 0, load<i32>(hessian + HESSIAN_COLUMNS), d, g);
  }
}

/** Packs rows: PANELS[a/4][row of the chunk][4] = √h x. Columns beyond the last column stay 0. */
function pack<T>(hessian: usize, row: u32, count: i32): void {
  const columns = u(hessian, HESSIAN_COLUMNS), curvatures = ofRow(hessian, HESSIAN_H, row);
  for (let b = 0; b < count; b++) {
    let x = u(hessian, HESSIAN_VALUES) + <usize>(row + b) * u(hessian, HESSIAN_ROW_BYTES);
    let to = u(hessian, HESSIAN_PANELS) + (<usize>b << 5);
    const root = Math.sqrt(load<f64>(curvatures + (<usize>b << 3)));
    for (let j: usize = 0; j < columns; j++) {
      store<f64>(to + ((j & 3) << 3), root * <f64>load<T>(x));
      x += sizeof<T>();
      if ((j & 3) == 3) to += HESSIAN_CHUNK << 5;
    }
  }
}

/** Adds the product of two panels over `count` rows to G[a … a + 3][b … b + 3]. */
function tile(left: usize, right: usize, count: i32, g: usize, width: usize): void {
  let s0 = f64x2.splat(0), t0 = s0, s1 = s0, t1 = s0, s2 = s0, t2 = s0, s3 = s0, t3 = s0;
  for (const end = left + (<usize>count << 5); left < end; left += 32) {
    const p = v128.load(right), q = v128.load(right, 16);
    let x = v128.load64_splat(left);
    s0 = madd(x, p, s0);
    t0 = madd(x, q, t0);
    x = v128.load64_splat(left, 8);
    s1 = madd(x, p, s1);
    t1 = madd(x, q, t1);
    x = v128.load64_splat(left, 16);
    s2 = madd(x, p, s2);
    t2 = madd(x, q, t2);
    x = v128.load64_splat(left, 24);
    s3 = madd(x, p, s3);
    t3 = madd(x, q, t3);
    right += 32;
  }
  addTo(g, s0, t0);
  addTo(g + width, s1, t1);
  addTo(g + 2 * width, s2, t2);
  addTo(g + 3 * width, s3, t3);
}

function addTo(g: usize, s: v128, t: v128): void {
  v128.store(g, f64x2.add(v128.load(g), s));
  v128.store(g, f64x2.add(v128.load(g, 16), t), 16);
}

function addDense<T>(hessian: usize, row: u32, count: i32): void {
  pack<T>(hessian, row, count);
  const width = u(hessian, HESSIAN_WIDTH), panels = u(hessian, HESSIAN_PANELS);
  for (let a: usize = 0; a < width; a += 4) {
    const left = panels + a * (HESSIAN_CHUNK << 3);
    for (let b: usize = 0; b <= a; b += 4)
      tile(left, panels + b * (HESSIAN_CHUNK << 3), count, u(hessian, HESSIAN_MATRIX) + ((a * width + b) << 3), width << 3);
  }
}

/** An entry of a sparse row in PANELS: its byte offset in a row of G (u32) and its value (f64). */
const ENTRY_AT: usize = 0;
const ENTRY_VALUE: usize = 8;
const ENTRY_BYTES: usize = 16;

/** Adds factor × v to G[a][b] for a row's entries b up to `last`. */
function addPairs(pairs: usize, last: usize, g: usize, factor: f64): void {
  for (; pairs <= last; pairs += ENTRY_BYTES) {
    const to = g + <usize>load<u32>(pairs, ENTRY_AT);
    store<f64>(to, load<f64>(to) + factor * load<f64>(pairs, ENTRY_VALUE));
  }
}

/**
 * PANELS holds the entries of a row. Two rows of G are filled at a time, which halves the number of reads of the
 * entries.
 */
function addSparse<T>(hessian: usize, row: u32, count: i32): void {
  const width = u(hessian, HESSIAN_WIDTH), matrix = u(hessian, HESSIAN_MATRIX), pairs = u(hessian, HESSIAN_PANELS);
  const curvatures = ofRow(hessian, HESSIAN_H, row);
  for (let b = 0; b < count; b++) {
    const first = firstEntry(hessian, row + b);
    let x = u(hessian, HESSIAN_VALUES) + first * sizeof<T>(), index = u(hessian, HESSIAN_COLUMN_INDEX) + (first << 2);
    const h = load<f64>(curvatures + (<usize>b << 3));
    const end = pairs + <usize>entries(hessian, row + b, first) * ENTRY_BYTES;
    for (let own = pairs; own < end; own += ENTRY_BYTES) {
      store<u32>(own, load<u32>(index) << 3, ENTRY_AT);
      store<f64>(own, <f64>load<T>(x), ENTRY_VALUE);
      x += sizeof<T>();
      index += 4;
    }
    let own = pairs;
    for (; own + ENTRY_BYTES < end; own += 2 * ENTRY_BYTES) {
      const f = h * load<f64>(own, ENTRY_VALUE), f2 = h * load<f64>(own, ENTRY_BYTES + ENTRY_VALUE);
      const g = matrix + <usize>load<u32>(own, ENTRY_AT) * width, g2 = matrix + <usize>load<u32>(own, ENTRY_BYTES + ENTRY_AT) * width;
      for (let other = pairs; other <= own; other += ENTRY_BYTES) {
        const at = <usize>load<u32>(other, ENTRY_AT), value = load<f64>(other, ENTRY_VALUE);
        store<f64>(g + at, load<f64>(g + at) + f * value);
        store<f64>(g2 + at, load<f64>(g2 + at) + f2 * value);
      }
      addPairs(own + ENTRY_BYTES, own + ENTRY_BYTES, g2, f2);
    }
    if (own < end) addPairs(pairs, own, matrix + <usize>load<u32>(own, ENTRY_AT) * width, h * load<f64>(own, ENTRY_VALUE));
  }
}

function hessian<T>(block: usize, sparse: bool, what: u32, from: u32, to: u32): f64 {
  const width = u(block, HESSIAN_WIDTH);
  let loss: f64 = 0;
  if (what != HESSIAN_LOSS && from == 0) {
    memory.fill(u(block, HESSIAN_MATRIX), 0, (width * width) << 3);
    memory.fill(u(block, HESSIAN_GRADIENT), 0, u(block, HESSIAN_COLUMNS) << 3);
  }
  for (let row = from; row < to; row += HESSIAN_CHUNK) {
    const count = <i32>min(<u32>HESSIAN_CHUNK, to - row);
    if (what != HESSIAN_REST) loss += evaluate<T>(block, sparse, row, count);
    if (what == HESSIAN_LOSS) continue;
    addGradient<T>(block, sparse, row, count);
    if (sparse) addSparse<T>(block, row, count);
    else addDense<T>(block, row, count);
  }
  return loss;
}

export function hessianDenseF32(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<f32>(block, false, what, from, to); }
export function hessianDenseF64(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<f64>(block, false, what, from, to); }
export function hessianDenseI16(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<i16>(block, false, what, from, to); }
export function hessianDenseI8(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<i8>(block, false, what, from, to); }
export function hessianSparseF32(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<f32>(block, true, what, from, to); }
export function hessianSparseF64(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<f64>(block, true, what, from, to); }
export function hessianSparseI16(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<i16>(block, true, what, from, to); }
export function hessianSparseI8(block: usize, what: u32, from: u32, to: u32): f64 { return hessian<i8>(block, true, what, from, to); }
