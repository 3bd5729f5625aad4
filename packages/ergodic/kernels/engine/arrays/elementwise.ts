/**
 * Interprets one element-wise loop with its reductions, for engines in which the compiler cannot emit code.
 *
 * For each element of the loop's shape, it loads values by strides, applies operations to registers, and then reduces
 * and stores values. A register holds 256 elements, so that the cost of decoding an operation is shared.
 * kernels/engine/arrays/elementwise-operations.ts defines the operations.
 *
 * code: u32 words as written by memory/elementwise.ts, in the order of the LOOP fields: counts and shape; loads, as
 * records of ACCESS fields; constants, PRESET_BYTES each; operations, OPERATION_BYTES each; stores and reductions, as
 * records. Rank is at least 2, every extent at least 1. values: u32[], addresses of arrays of T (f32 or f64), which
 * need only the alignment of T. scratch: elementwiseScratchBytes, 16-byte aligned.
 *
 * A stored array can be the same as a loaded array if both accesses visit the same element at each index. A reduction's
 * array must not alias any other array. A reduction writes all SIZE elements of its array, accumulated in float64
 * (error: kernels/engine/arrays/elementwise-tile.ts). Everything else is as exact as the operations. All builds give
 * the same bits.
 */
import * as field from "../../../src/engine/memory/fields";
import { operate } from "./elementwise-operations";
import { fill, put, reduceTile } from "./elementwise-tile";

/** Record of a register's last load: the source address and the number of elements. */
const FILLED_FROM: usize = 0;
const FILLED_COUNT: usize = 4;
const FILLED_BYTES: usize = 8;

/** Addresses of the loop's lists and of its scratch memory. */
let rank: i32 = 0;
let accessBytes: usize = 0;
let loads: usize = 0, presets: usize = 0, operations: usize = 0, stores: usize = 0, reductions: usize = 0, end: usize = 0;
/**
 * `pointers`: u32[registers], the current address of each register. `filled`: FILLED records of the loads. `place`:
 * u32[rank], the tile's position.
 */
let pointers: usize = 0, filled: usize = 0, place: usize = 0, registers: usize = 0, accumulators: usize = 0;

function arrange<T>(code: usize, scratch: usize): void {
  const count = load<u32>(code, field.LOOP_REGISTERS);
  const loadCount = load<u32>(code, field.LOOP_LOADS);
  rank = load<u32>(code, field.LOOP_RANK);
  accessBytes = field.ACCESS_STRIDES + (<usize>rank << 2);
  loads = code + field.LOOP_SHAPE + (<usize>rank << 2);
  presets = loads + loadCount * accessBytes;
  operations = presets + load<u32>(code, field.LOOP_CONSTANTS) * field.PRESET_BYTES;
  stores = operations + load<u32>(code, field.LOOP_OPERATIONS) * field.OPERATION_BYTES;
  reductions = stores + load<u32>(code, field.LOOP_STORES) * accessBytes;
  end = reductions + load<u32>(code, field.LOOP_REDUCTIONS) * accessBytes;
  pointers = scratch;
  filled = pointers + (<usize>count << 2);
  place = filled + <usize>loadCount * FILLED_BYTES;
  registers = (place + (<usize>rank << 2) + 15) & ~15;
  accumulators = registers + <usize>count * registerBytes<T>();
}

function registerBytes<T>(): usize {
  return field.REGISTER_ELEMENTS * sizeof<T>();
}

function start<T>(values: usize): void {
  for (let at = pointers, register = registers; at < filled; at += 4, register += registerBytes<T>()) store<u32>(at, register);
  for (let at = filled; at < place; at += FILLED_BYTES) store<u32>(at, 0, FILLED_COUNT);
  for (let d = 0; d < rank; d++) store<u32>(place + (<usize>d << 2), 0);
  for (let preset = presets; preset < operations; preset += field.PRESET_BYTES) {
    const at = load<u32>(pointers + (<usize>load<u32>(preset, field.PRESET_REGISTER) << 2));
    const lanes = v128.splat<T>(<T>load<f64>(preset, field.PRESET_VALUE_F64));
    for (let x: usize = 0; x < registerBytes<T>(); x += 16) v128.store(at + x, lanes);
  }
  let next = accumulators;
  for (let access = reductions; access < end; access += accessBytes) {
    const kind = load<u32>(access, field.ACCESS_REDUCTION);
    const first = kind == field.REDUCE_SUM ? 0 : kind == field.REDUCE_MAXIMUM ? -Infinity : Infinity;
    const bytes = <usize>load<u32>(access, field.ACCESS_SIZE) << 3;
    const from = sizeof<T>() == 8 ? addressOf(values, access) : next;
    for (let at = from; at < from + bytes; at += 8) store<f64>(at, first);
    next += bytes;
  }
}

function addressOf(values: usize, access: usize): usize {
  return load<u32>(values + (<usize>load<u32>(access, field.ACCESS_VALUE) << 2));
}

/** Returns the offset, in elements, of the tile's first element from the start of its array. */
function offsetOf(access: usize): i32 {
  let at = load<i32>(access, field.ACCESS_OFFSET);
  for (let d = 0; d < rank; d++) at += load<i32>(place + (<usize>d << 2)) * load<i32>(access + (<usize>d << 2), field.ACCESS_STRIDES);
  return at;
}

function strideOf(access: usize, axis: i32): i32 {
  return load<i32>(access + (<usize>axis << 2), field.ACCESS_STRIDES);
}

function tile<T>(values: usize, rows: i32, columns: i32): void {
  const count = rows * columns;
  const bytes = <usize>count * sizeof<T>();
  // Copy a partial vector, because operations always process whole vectors and must not read memory beyond the end.
  const isWhole = (bytes & 15) == 0;
  let register = pointers, cache = filled;
  for (let access = loads; access < presets; access += accessBytes, register += 4, cache += FILLED_BYTES) {
    const at = addressOf(values, access) + <usize>offsetOf(access) * sizeof<T>();
    const rowStride = strideOf(access, rank - 2), columnStride = strideOf(access, rank - 1);
    if (isWhole && columnStride == 1 && (rows == 1 || rowStride == columns)) {
      store<u32>(register, at);
      continue;
    }
    const own = registers + <usize>load<u32>(access, field.ACCESS_REGISTER) * registerBytes<T>();
    store<u32>(register, own);
    // Values that are repeated along outer axes need not be copied again. A register loaded from the same address holds
    // the same elements, even if fewer of them are needed now.
    if (load<u32>(cache, FILLED_FROM) == <u32>at && load<u32>(cache, FILLED_COUNT) >= <u32>count) continue;
    fill<T>(own, at, rows, columns, rowStride, columnStride);
    store<u32>(cache, at, FILLED_FROM);
    store<u32>(cache, count, FILLED_COUNT);
  }
  const padded = (bytes + 15) & ~15;
  for (let operation = operations; operation < stores; operation += field.OPERATION_BYTES) {
    const to = pointerOf(operation, field.OPERATION_RESULT);
    const first = pointerOf(operation, field.OPERATION_FIRST);
    const second = pointerOf(operation, field.OPERATION_SECOND), third = pointerOf(operation, field.OPERATION_THIRD);
    operate<T>(load<u32>(operation, field.OPERATION_CODE), to, first, second, third, to + padded);
  }
  let accumulator = accumulators;
  for (let access = reductions; access < end; access += accessBytes) {
    const to = (sizeof<T>() == 8 ? addressOf(values, access) : accumulator) + (<usize>offsetOf(access) << 3);
    const kind = load<u32>(access, field.ACCESS_REDUCTION);
    reduceTile<T>(kind, to, pointerOf(access, field.ACCESS_REGISTER), rows, columns, strideOf(access, rank - 2), strideOf(access, rank - 1));
    accumulator += <usize>load<u32>(access, field.ACCESS_SIZE) << 3;
  }
  for (let access = stores; access < reductions; access += accessBytes) {
    const to = addressOf(values, access) + <usize>offsetOf(access) * sizeof<T>();
    put<T>(to, pointerOf(access, field.ACCESS_REGISTER), rows, columns, strideOf(access, rank - 2), strideOf(access, rank - 1));
  }
}

/** Returns the address of a register. The register's index is stored at `at` + `by`. */
function pointerOf(at: usize, by: usize): usize {
  return load<u32>(pointers + (<usize>load<u32>(at + by) << 2));
}

function elementwise<T>(code: usize, values: usize, scratch: usize): void {
  arrange<T>(code, scratch);
  start<T>(values);
  const shape = code + field.LOOP_SHAPE;
  const rowAt = place + (<usize>(rank - 2) << 2), columnAt = rowAt + 4;
  const rowCount = load<i32>(shape + (<usize>(rank - 2) << 2)), columnCount = load<i32>(shape + (<usize>(rank - 1) << 2));
  let rows = max(field.REGISTER_ELEMENTS / columnCount, 1);
  // Rounds the number of rows so that tiles consist of whole vectors.
  if (rows > 4) rows &= ~3;
  for (;;) {
    // Counting down cannot overflow, however long an axis is.
    for (let rowsLeft = rowCount; rowsLeft > 0; rowsLeft -= rows) {
      store<u32>(rowAt, rowCount - rowsLeft);
      for (let columnsLeft = columnCount; columnsLeft > 0; columnsLeft -= field.REGISTER_ELEMENTS) {
        store<u32>(columnAt, columnCount - columnsLeft);
        tile<T>(values, min(rows, rowsLeft), min(columnsLeft, field.REGISTER_ELEMENTS));
      }
    }
    store<u32>(columnAt, 0);
    let axis = rank - 3;
    for (; axis >= 0; axis--) {
      const at = place + (<usize>axis << 2);
      const next = load<i32>(at) + 1;
      store<i32>(at, next);
      if (next < load<i32>(shape + (<usize>axis << 2))) break;
      store<i32>(at, 0);
    }
    if (axis < 0) break;
  }
  if (sizeof<T>() == 8) return;
  let from = accumulators;
  for (let access = reductions; access < end; access += accessBytes) {
    const to = addressOf(values, access);
    const size = <usize>load<u32>(access, field.ACCESS_SIZE);
    for (let i: usize = 0; i < size; i++, from += 8) store<f32>(to + (i << 2), <f32>load<f64>(from));
  }
}

export function elementwiseF32(code: usize, values: usize, scratch: usize): void {
  elementwise<f32>(code, values, scratch);
}

export function elementwiseF64(code: usize, values: usize, scratch: usize): void {
  elementwise<f64>(code, values, scratch);
}
