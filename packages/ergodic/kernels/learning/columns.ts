/**
 * Operations on one dataset column x and vectors with one element per row, in float64: xᵀv, v += f (x − o), v += f h∘(x
 * − o), and ‖x − x̄‖. For sparse columns, products with all columns, Xᵀ(h∘x), are available too.
 *
 * T: type of the stored elements. Dense columns: contiguous elements; sparse columns: distinct row indices. The origin
 * o applies to dense columns; for sparse columns it is 0. Vectors hold one f64 per row and must not alias the column.
 * Sums run as in kernels/engine/data/row.ts. COLUMNS block: memory/fields.ts.
 */
import {
  COLUMNS_VALUES, COLUMNS_STRIDE, COLUMNS_START, COLUMNS_ROWS, COLUMNS_ROW_COUNT, COLUMNS_SCALE_F64, COLUMNS_ROW_START, COLUMNS_ROW_COLUMNS, COLUMNS_ROW_VALUES,
} from "../../src/engine/memory/fields";
import { addRow, dotRow, pair } from "../engine/data/row";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

function first(columns: usize, j: u32): usize {
  return <usize>load<u32>(u(columns, COLUMNS_START) + (<usize>j << 2));
}

function entries(columns: usize, j: u32): i32 {
  const start = u(columns, COLUMNS_START) + (<usize>j << 2);
  return load<i32>(start, 4) - load<i32>(start);
}

function dotDense<T>(columns: usize, j: u32, v: usize): f64 {
  const x = u(columns, COLUMNS_VALUES) + <usize>j * u(columns, COLUMNS_STRIDE);
  return load<f64>(columns + COLUMNS_SCALE_F64) * dotRow<T>(x, 0, load<i32>(columns + COLUMNS_ROW_COUNT), v);
}

function dotSparse<T>(columns: usize, j: u32, v: usize): f64 {
  const start = first(columns, j);
  const x = u(columns, COLUMNS_VALUES) + start * sizeof<T>();
  return load<f64>(columns + COLUMNS_SCALE_F64) * dotRow<T>(x, u(columns, COLUMNS_ROWS) + (start << 2), entries(columns, j), v);
}

/**
 * Subtracts the origin in stored units, before multiplying by the factor. The added values are then exact, even if the
 * column's values are far from 0.
 */
function addDense<T>(columns: usize, j: u32, given: f64, origin: f64, v: usize): void {
  let x = u(columns, COLUMNS_VALUES) + <usize>j * u(columns, COLUMNS_STRIDE);
  const scale = load<f64>(columns + COLUMNS_SCALE_F64);
  const factor = given * scale, o = origin / scale;
  const factors = f64x2.splat(factor), origins = f64x2.splat(o);
  const rows = load<u32>(columns + COLUMNS_ROW_COUNT);
  for (const end = x + <usize>(rows & ~1) * sizeof<T>(); x < end; x += 2 * sizeof<T>()) {
    v128.store(v, f64x2.add(v128.load(v), f64x2.mul(factors, f64x2.sub(pair<T>(x), origins))));
    v += 16;
  }
  if (rows & 1) store<f64>(v, load<f64>(v) + factor * (<f64>load<T>(x) - o));
}

function addSparse<T>(columns: usize, j: u32, factor: f64, v: usize): void {
  const start = first(columns, j);
  const x = u(columns, COLUMNS_VALUES) + start * sizeof<T>();
  addRow<T>(x, u(columns, COLUMNS_ROWS) + (start << 2), entries(columns, j), factor * load<f64>(columns + COLUMNS_SCALE_F64), v);
}

/**
 * Products and sums are rounded separately in every build, so adding a column to 0 and subtracting it again leaves
 * exactly 0.
 */
function addWeightedDense<T>(columns: usize, j: u32, given: f64, origin: f64, h: usize, v: usize): void {
  let x = u(columns, COLUMNS_VALUES) + <usize>j * u(columns, COLUMNS_STRIDE);
  const scale = load<f64>(columns + COLUMNS_SCALE_F64);
  const factor = given * scale, o = origin / scale;
  const factors = f64x2.splat(factor), origins = f64x2.splat(o);
  const rows = load<u32>(columns + COLUMNS_ROW_COUNT);
  for (const end = x + <usize>(rows & ~1) * sizeof<T>(); x < end; x += 2 * sizeof<T>()) {
    const moved = f64x2.mul(f64x2.mul(factors, v128.load(h)), f64x2.sub(pair<T>(x), origins));
    v128.store(v, f64x2.add(v128.load(v), moved));
    h += 16;
    v += 16;
  }
  if (rows & 1) store<f64>(v, load<f64>(v) + factor * load<f64>(h) * (<f64>load<T>(x) - o));
}

function addWeightedSparse<T>(columns: usize, j: u32, given: f64, h: usize, v: usize): void {
  const start = first(columns, j);
  let x = u(columns, COLUMNS_VALUES) + start * sizeof<T>();
  let row = u(columns, COLUMNS_ROWS) + (start << 2);
  const factor = given * load<f64>(columns + COLUMNS_SCALE_F64);
  for (let left = entries(columns, j); left > 0; left--) {
    const at = <usize>load<u32>(row) << 3;
    store<f64>(v + at, load<f64>(v + at) + factor * load<f64>(h + at) * <f64>load<T>(x));
    x += sizeof<T>();
    row += 4;
  }
}

/**
 * Computes Xᵀ(h∘x_j) from the rows that contain x_j. The product with column k is added to out[places[k]], so columns
 * of place 0 are added to out[0]. The last entry of a row, the intercept's, is skipped. Returns the number of entries
 * processed.
 */
function productsSparse<T>(columns: usize, j: u32, h: usize, places: usize, out: usize): u32 {
  const start = first(columns, j), scale = load<f64>(columns + COLUMNS_SCALE_F64);
  const starts = u(columns, COLUMNS_ROW_START), values = u(columns, COLUMNS_ROW_VALUES), indices = u(columns, COLUMNS_ROW_COLUMNS);
  let x = u(columns, COLUMNS_VALUES) + start * sizeof<T>(), row = u(columns, COLUMNS_ROWS) + (start << 2);
  let taken: u32 = 0;
  for (let left = entries(columns, j); left > 0; left--) {
    const i = <usize>load<u32>(row);
    const factor = scale * scale * load<f64>(h + (i << 3)) * <f64>load<T>(x);
    const from = <usize>load<u32>(starts + (i << 2)), to = <usize>load<u32>(starts + (i << 2), 4) - 1;
    let value = values + from * sizeof<T>();
    for (let at = indices + (from << 2), end = indices + (to << 2); at < end; at += 4) {
      const sum = out + (<usize>load<u32>(places + (<usize>load<u32>(at) << 2)) << 3);
      store<f64>(sum, load<f64>(sum) + factor * <f64>load<T>(value));
      value += sizeof<T>();
    }
    taken += <u32>(to - from);
    x += sizeof<T>();
    row += 4;
  }
  return taken;
}

/** Returns ‖x − x̄‖, or ‖x‖ unless `centred`; 0 if x is nearly constant (its spread is below 1e-10 of its size). */
function spreadDense<T>(columns: usize, j: u32, centred: bool): f64 {
  const start = u(columns, COLUMNS_VALUES) + <usize>j * u(columns, COLUMNS_STRIDE);
  const end = start + <usize>load<u32>(columns + COLUMNS_ROW_COUNT) * sizeof<T>();
  let sum: f64 = 0, squares: f64 = 0, spread: f64 = 0;
  for (let x = start; x < end; x += sizeof<T>()) {
    sum += <f64>load<T>(x);
    squares += <f64>load<T>(x) * <f64>load<T>(x);
  }
  const mean = centred ? sum / <f64>load<u32>(columns + COLUMNS_ROW_COUNT) : 0;
  for (let x = start; x < end; x += sizeof<T>()) {
    const d = <f64>load<T>(x) - mean;
    spread += d * d;
  }
  return spread <= 1e-20 * squares ? 0 : load<f64>(columns + COLUMNS_SCALE_F64) * Math.sqrt(spread);
}

function spreadSparse<T>(columns: usize, j: u32, centred: bool): f64 {
  const start = u(columns, COLUMNS_VALUES) + first(columns, j) * sizeof<T>();
  const count = entries(columns, j);
  const end = start + <usize>count * sizeof<T>();
  const rows = <f64>load<u32>(columns + COLUMNS_ROW_COUNT);
  let sum: f64 = 0, squares: f64 = 0;
  for (let x = start; x < end; x += sizeof<T>()) {
    sum += <f64>load<T>(x);
    squares += <f64>load<T>(x) * <f64>load<T>(x);
  }
  const mean = centred && count > 0 ? sum / rows : 0;
  let spread = (rows - <f64>count) * mean * mean;
  for (let x = start; x < end; x += sizeof<T>()) {
    const d = <f64>load<T>(x) - mean;
    spread += d * d;
  }
  return spread <= 1e-20 * squares ? 0 : load<f64>(columns + COLUMNS_SCALE_F64) * Math.sqrt(spread);
}

export function columnDotDenseF32(columns: usize, j: u32, v: usize): f64 { return dotDense<f32>(columns, j, v); }
export function columnDotDenseF64(columns: usize, j: u32, v: usize): f64 { return dotDense<f64>(columns, j, v); }
export function columnDotDenseI16(columns: usize, j: u32, v: usize): f64 { return dotDense<i16>(columns, j, v); }
export function columnDotDenseI8(columns: usize, j: u32, v: usize): f64 { return dotDense<i8>(columns, j, v); }
export function columnDotSparseF32(columns: usize, j: u32, v: usize): f64 { return dotSparse<f32>(columns, j, v); }
export function columnDotSparseF64(columns: usize, j: u32, v: usize): f64 { return dotSparse<f64>(columns, j, v); }
export function columnDotSparseI16(columns: usize, j: u32, v: usize): f64 { return dotSparse<i16>(columns, j, v); }
export function columnDotSparseI8(columns: usize, j: u32, v: usize): f64 { return dotSparse<i8>(columns, j, v); }
export function columnAddDenseF32(columns: usize, j: u32, factor: f64, origin: f64, v: usize): void { addDense<f32>(columns, j, factor, origin, v); }
export function columnAddDenseF64(columns: usize, j: u32, factor: f64, origin: f64, v: usize): void { addDense<f64>(columns, j, factor, origin, v); }
export function columnAddDenseI16(columns: usize, j: u32, factor: f64, origin: f64, v: usize): void { addDense<i16>(columns, j, factor, origin, v); }
export function columnAddDenseI8(columns: usize, j: u32, factor: f64, origin: f64, v: usize): void { addDense<i8>(columns, j, factor, origin, v); }
export function columnAddSparseF32(columns: usize, j: u32, factor: f64, _: f64, v: usize): void { addSparse<f32>(columns, j, factor, v); }
export function columnAddSparseF64(columns: usize, j: u32, factor: f64, _: f64, v: usize): void { addSparse<f64>(columns, j, factor, v); }
export function columnAddSparseI16(columns: usize, j: u32, factor: f64, _: f64, v: usize): void { addSparse<i16>(columns, j, factor, v); }
export function columnAddSparseI8(columns: usize, j: u32, factor: f64, _: f64, v: usize): void { addSparse<i8>(columns, j, factor, v); }
export function columnAddWeightedDenseF32(columns: usize, j: u32, factor: f64, origin: f64, h: usize, v: usize): void { addWeightedDense<f32>(columns, j, factor, origin, h, v); }
export function columnAddWeightedDenseF64(columns: usize, j: u32, factor: f64, origin: f64, h: usize, v: usize): void { addWeightedDense<f64>(columns, j, factor, origin, h, v); }
export function columnAddWeightedDenseI16(columns: usize, j: u32, factor: f64, origin: f64, h: usize, v: usize): void { addWeightedDense<i16>(columns, j, factor, origin, h, v); }
export function columnAddWeightedDenseI8(columns: usize, j: u32, factor: f64, origin: f64, h: usize, v: usize): void { addWeightedDense<i8>(columns, j, factor, origin, h, v); }
export function columnAddWeightedSparseF32(columns: usize, j: u32, factor: f64, _: f64, h: usize, v: usize): void { addWeightedSparse<f32>(columns, j, factor, h, v); }
export function columnAddWeightedSparseF64(columns: usize, j: u32, factor: f64, _: f64, h: usize, v: usize): void { addWeightedSparse<f64>(columns, j, factor, h, v); }
export function columnAddWeightedSparseI16(columns: usize, j: u32, factor: f64, _: f64, h: usize, v: usize): void { addWeightedSparse<i16>(columns, j, factor, h, v); }
export function columnAddWeightedSparseI8(columns: usize, j: u32, factor: f64, _: f64, h: usize, v: usize): void { addWeightedSparse<i8>(columns, j, factor, h, v); }
export function columnSpreadDenseF32(columns: usize, j: u32, centred: bool): f64 { return spreadDense<f32>(columns, j, centred); }
export function columnSpreadDenseF64(columns: usize, j: u32, centred: bool): f64 { return spreadDense<f64>(columns, j, centred); }
export function columnSpreadDenseI16(columns: usize, j: u32, centred: bool): f64 { return spreadDense<i16>(columns, j, centred); }
export function columnSpreadDenseI8(columns: usize, j: u32, centred: bool): f64 { return spreadDense<i8>(columns, j, centred); }
export function columnSpreadSparseF32(columns: usize, j: u32, centred: bool): f64 { return spreadSparse<f32>(columns, j, centred); }
export function columnSpreadSparseF64(columns: usize, j: u32, centred: bool): f64 { return spreadSparse<f64>(columns, j, centred); }
export function columnSpreadSparseI16(columns: usize, j: u32, centred: bool): f64 { return spreadSparse<i16>(columns, j, centred); }
export function columnSpreadSparseI8(columns: usize, j: u32, centred: bool): f64 { return spreadSparse<i8>(columns, j, centred); }
export function columnProductsSparseF32(columns: usize, j: u32, h: usize, places: usize, out: usize): u32 { return productsSparse<f32>(columns, j, h, places, out); }
export function columnProductsSparseF64(columns: usize, j: u32, h: usize, places: usize, out: usize): u32 { return productsSparse<f64>(columns, j, h, places, out); }
export function columnProductsSparseI16(columns: usize, j: u32, h: usize, places: usize, out: usize): u32 { return productsSparse<i16>(columns, j, h, places, out); }
export function columnProductsSparseI8(columns: usize, j: u32, h: usize, places: usize, out: usize): u32 { return productsSparse<i8>(columns, j, h, places, out); }
