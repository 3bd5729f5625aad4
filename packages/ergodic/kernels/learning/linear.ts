/**
 * Outputs and gradient of a linear model on rows of one dataset: z_k = s σ Σ_j x_ij p_kj + o_i, where s is the data's
 * scale, σ the parameters' scale (1 for floats), and o the rows' offsets, if any. The loss, with its derivative, is a
 * compiled program called through the table.
 *
 * Rows: dense (row-major) or sparse (CSR), of type T; parameters of type P: `outputs` vectors, `stride` elements apart.
 * `gradient` writes the pieces of the mean gradient over the batch. In a lane for single rows, the piece points to the
 * row itself. Otherwise the piece is BUFFER: a dense buffer has outputs × stride elements, and a sparse buffer holds
 * the touched columns. With a control block, the table's derivative of each row is subtracted from the row's new
 * derivative (CONTROL in memory/fields.ts). Returns the mean loss.
 *
 * Long because dense and sparse rows, and single rows and batches, share the inner functions, which must be inlined.
 */
import {
  PIECE_VALUES, PIECE_INDICES, PIECE_COUNT, PIECE_OFFSET, PIECE_SCALE_F64, PIECE_BYTES, PIECES_FIRST, CONTROL_KIND, CONTROL_TABLE, CONTROL_RECORD,
  CONTROL_SVRG, CONTROL_SAG, CONTROL_ROWS, ABSENT, PIECES_COUNT,
} from "../../src/engine/memory/fields";
import {
  LINEAR_VALUES, LINEAR_ROW_BYTES, LINEAR_ROW_START, LINEAR_COLUMN_INDEX, LINEAR_TARGET, LINEAR_WEIGHTS, LINEAR_OFFSETS, LINEAR_COLUMNS,
  LINEAR_OUTPUTS, LINEAR_PARAMETER_STRIDE, LINEAR_Z, LINEAR_DZ, LINEAR_Y, LINEAR_ROW_WEIGHT, LINEAR_LOSS_UPDATE, LINEAR_LOSS_BLOCK, LINEAR_LOSS_AT_Z,
  LINEAR_LOSS_AT_DZ, LINEAR_LOSS_AT_Y, LINEAR_LOSS_AT_WEIGHT, LINEAR_LOSS_AT_LOSS, LINEAR_POINT, LINEAR_POINT_BLOCK, LINEAR_POINT_AT_Z,
  LINEAR_POINT_AT_Y, LINEAR_POINT_AT_WEIGHT, LINEAR_POINT_AT_DZ, LINEAR_POINT_AT_LOSS, LINEAR_ADD_UPDATE, LINEAR_ADD_BLOCK, LINEAR_ADD_AT_BUFFER,
  LINEAR_ADD_AT_VALUES, LINEAR_ADD_AT_FACTOR, LINEAR_BUFFER, LINEAR_STAMPS, LINEAR_STAMP, LINEAR_TOUCHED, LINEAR_TOUCHED_VALUES, LINEAR_BUFFERED,
  LINEAR_ELEMENT_SHIFT, LINEAR_DATA_SCALE_F64, LINEAR_PARAMETER_SCALE_F64,
} from "../../src/learning/fields";
import { dotDense, dotSparse } from "../engine/data/dot";

function u(model: usize, at: usize): usize {
  return <usize>load<u32>(model + at);
}

/**
 * Start of a sparse row's entries, and the number of entries that have a parameter. Without an intercept, the last
 * entry does not count.
 */
function rowStart(model: usize, row: usize): usize {
  return <usize>load<u32>(u(model, LINEAR_ROW_START) + (row << 2));
}

function rowCount(model: usize, row: usize, start: usize): i32 {
  const end = <usize>load<u32>(u(model, LINEAR_ROW_START) + (row << 2), 4);
  const last = <usize>load<u32>(u(model, LINEAR_COLUMN_INDEX) + ((end - 1) << 2));
  return <i32>(end - start) - (last >= u(model, LINEAR_COLUMNS) ? 1 : 0);
}

function output<T, P>(model: usize, sparse: bool, row: usize, p: usize): f64 {
  if (sparse) {
    const start = rowStart(model, row);
    return dotSparse<T, P>(u(model, LINEAR_VALUES) + start * sizeof<T>(), u(model, LINEAR_COLUMN_INDEX) + (start << 2), rowCount(model, row, start), p);
  }
  return dotDense<T, P>(u(model, LINEAR_VALUES) + row * u(model, LINEAR_ROW_BYTES), p, load<i32>(model + LINEAR_COLUMNS));
}

/** Writes the outputs of `count` listed rows to z[count × outputs]. */
function outputs<T, P>(model: usize, sparse: bool, parameters: usize, rows: usize, count: i32, z: usize): void {
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const scale = load<f64>(model + LINEAR_DATA_SCALE_F64) * load<f64>(model + LINEAR_PARAMETER_SCALE_F64);
  const strideBytes = u(model, LINEAR_PARAMETER_STRIDE) * sizeof<P>();
  const offsets = u(model, LINEAR_OFFSETS);
  for (let b = 0; b < count; b++) {
    const row = <usize>load<u32>(rows + (<usize>b << 2));
    let p = parameters;
    for (let k = 0; k < outputCount; k++) {
      const sum = scale * output<T, P>(model, sparse, row, p);
      store<f64>(z, offsets ? sum + load<f64>(offsets + (row << 3)) : sum);
      z += 8;
      p += strideBytes;
    }
  }
}

/**
 * Returns the mean loss of the batch whose outputs are in Z. Writes the derivatives of the loss, multiplied by the row
 * weights, to DZ.
 */
function lossOfBatch(model: usize, rows: usize, count: i32): f64 {
  const update = load<u32>(model + LINEAR_LOSS_UPDATE);
  const block = u(model, LINEAR_LOSS_BLOCK);
  const target = u(model, LINEAR_TARGET), weights = u(model, LINEAR_WEIGHTS);
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const lossAt = block + u(model, LINEAR_LOSS_AT_LOSS);
  if (outputCount == 1) {
    const y = u(model, LINEAR_Y), w = u(model, LINEAR_ROW_WEIGHT);
    for (let b = 0; b < count; b++) {
      const row = <usize>load<u32>(rows + (<usize>b << 2));
      store<f64>(y + (<usize>b << 3), load<f64>(target + (row << 3)));
      if (weights) store<f64>(w + (<usize>b << 3), load<f64>(weights + (row << 3)));
    }
    call_indirect<void>(update, count, block);
    return load<f64>(lossAt) / <f64>count;
  }
  let sum: f64 = 0;
  for (let b = 0; b < count; b++) {
    const row = <usize>load<u32>(rows + (<usize>b << 2));
    const shift = (<usize>b * <usize>outputCount) << 3;
    store<u32>(block + u(model, LINEAR_LOSS_AT_Z), <u32>(u(model, LINEAR_Z) + shift));
    store<u32>(block + u(model, LINEAR_LOSS_AT_DZ), <u32>(u(model, LINEAR_DZ) + shift));
    store<f64>(block + u(model, LINEAR_LOSS_AT_Y), load<f64>(target + (row << 3)));
    if (weights) store<f64>(block + u(model, LINEAR_LOSS_AT_WEIGHT), load<f64>(weights + (row << 3)));
    call_indirect<void>(update, outputCount, block);
    sum += load<f64>(lossAt);
  }
  return sum / <f64>count;
}

/**
 * Subtracts the table's derivatives from the new derivatives. Stores the new derivatives in the table, unless the table
 * is a snapshot.
 */
function relativeToTable(model: usize, control: usize, rows: usize, count: i32): void {
  const kind = load<u32>(control + CONTROL_KIND);
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  let dz = u(model, LINEAR_DZ);
  for (let b = 0; b < count; b++) {
    let entry = u(control, CONTROL_TABLE) + (((<usize>load<u32>(rows + (<usize>b << 2))) * <usize>outputCount) << 3);
    for (let k = 0; k < outputCount; k++) {
      const now = load<f64>(dz);
      const before = load<f64>(entry);
      if (kind != CONTROL_SVRG) store<f64>(entry, now);
      if (kind != CONTROL_RECORD) store<f64>(dz, now - before);
      dz += 8;
      entry += 8;
    }
  }
}

function setPiece(piece: usize, values: usize, indices: usize, count: i32, offset: i32, scale: f64): void {
  store<u32>(piece + PIECE_VALUES, <u32>values);
  store<u32>(piece + PIECE_INDICES, <u32>indices);
  store<i32>(piece + PIECE_COUNT, count);
  store<i32>(piece + PIECE_OFFSET, offset);
  store<f64>(piece + PIECE_SCALE_F64, scale);
}

/** Makes the pieces for a single row. The pieces point directly to the row's data. */
function piecesOfRow<T>(model: usize, sparse: bool, row: usize, share: f64, pieces: usize): void {
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const stride = load<i32>(model + LINEAR_PARAMETER_STRIDE);
  const scale = share * load<f64>(model + LINEAR_DATA_SCALE_F64);
  let values: usize, indices: usize = 0, count: i32;
  if (sparse) {
    const start = rowStart(model, row);
    values = u(model, LINEAR_VALUES) + start * sizeof<T>();
    indices = u(model, LINEAR_COLUMN_INDEX) + (start << 2);
    count = rowCount(model, row, start);
  } else {
    values = u(model, LINEAR_VALUES) + row * u(model, LINEAR_ROW_BYTES);
    count = load<i32>(model + LINEAR_COLUMNS);
  }
  store<i32>(pieces, outputCount);
  let piece = pieces + PIECES_FIRST;
  let dz = u(model, LINEAR_DZ);
  for (let k = 0; k < outputCount; k++) {
    setPiece(piece, values, indices, count, k * stride, load<f64>(dz) * scale);
    piece += PIECE_BYTES;
    dz += 8;
  }
}

function bufferDense<T, P>(model: usize, rows: usize, count: i32, share: f64, pieces: usize): void {
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const stride = u(model, LINEAR_PARAMETER_STRIDE);
  const buffer = u(model, LINEAR_BUFFER);
  const columns = load<i32>(model + LINEAR_COLUMNS);
  const add = load<u32>(model + LINEAR_ADD_UPDATE);
  const block = u(model, LINEAR_ADD_BLOCK);
  const atBuffer = block + u(model, LINEAR_ADD_AT_BUFFER), atValues = block + u(model, LINEAR_ADD_AT_VALUES), atFactor = block + u(model, LINEAR_ADD_AT_FACTOR);
  memory.fill(buffer, 0, <usize>outputCount * stride * sizeof<P>());
  let dz = u(model, LINEAR_DZ);
  for (let b = 0; b < count; b++) {
    const row = u(model, LINEAR_VALUES) + (<usize>load<u32>(rows + (<usize>b << 2))) * u(model, LINEAR_ROW_BYTES);
    store<u32>(atValues, <u32>row);
    for (let k = 0; k < outputCount; k++) {
      const factor = load<f64>(dz);
      dz += 8;
      if (factor == 0) continue;
      store<u32>(atBuffer, <u32>(buffer + <usize>k * stride * sizeof<P>()));
      store<f64>(atFactor, factor);
      call_indirect<void>(add, columns, block);
    }
  }
  store<i32>(pieces + PIECES_COUNT, 1);
  setPiece(pieces + PIECES_FIRST, buffer, 0, outputCount * <i32>stride, 0, share * load<f64>(model + LINEAR_DATA_SCALE_F64));
}

/**
 * Adds the rows of the batch to the sparse buffer. Returns the number of columns that the rows touch. TOUCHED lists
 * these columns.
 */
function addSparseRows<T, P>(model: usize, rows: usize, count: i32): i32 {
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const stride = u(model, LINEAR_PARAMETER_STRIDE);
  const buffer = u(model, LINEAR_BUFFER), stamps = u(model, LINEAR_STAMPS), touched = u(model, LINEAR_TOUCHED);
  const stamp = load<u32>(model + LINEAR_STAMP) + 1;
  store<u32>(model + LINEAR_STAMP, stamp);
  let touchedCount = 0;
  let dz = u(model, LINEAR_DZ);
  for (let b = 0; b < count; b++) {
    const row = <usize>load<u32>(rows + (<usize>b << 2));
    const start = rowStart(model, row);
    const entries = rowCount(model, row, start);
    const indices = u(model, LINEAR_COLUMN_INDEX) + (start << 2);
    const values = u(model, LINEAR_VALUES) + start * sizeof<T>();
    for (let e = 0; e < entries; e++) {
      const j = <usize>load<u32>(indices + (<usize>e << 2));
      const x = <f64>load<T>(values + <usize>e * sizeof<T>());
      if (load<u32>(stamps + (j << 2)) != stamp) {
        store<u32>(stamps + (j << 2), stamp);
        store<u32>(touched + (<usize>touchedCount << 2), <u32>j);
        touchedCount++;
      }
      for (let k = 0; k < outputCount; k++) {
        const at = buffer + (<usize>k * stride + j) * sizeof<P>();
        store<P>(at, load<P>(at) + <P>(load<f64>(dz + (<usize>k << 3)) * x));
      }
    }
    dz += <usize>outputCount << 3;
  }
  return touchedCount;
}

function bufferSparse<T, P>(model: usize, rows: usize, count: i32, share: f64, pieces: usize): void {
  const outputCount = load<i32>(model + LINEAR_OUTPUTS);
  const stride = u(model, LINEAR_PARAMETER_STRIDE);
  const buffer = u(model, LINEAR_BUFFER), touched = u(model, LINEAR_TOUCHED);
  const scale = share * load<f64>(model + LINEAR_DATA_SCALE_F64);
  if (load<u32>(model + LINEAR_BUFFERED)) {
    memory.fill(buffer, 0, <usize>outputCount * stride * sizeof<P>());
    addSparseRows<T, P>(model, rows, count);
    store<i32>(pieces + PIECES_COUNT, 1);
    setPiece(pieces + PIECES_FIRST, buffer, 0, outputCount * <i32>stride, 0, scale);
    return;
  }
  const touchedCount = addSparseRows<T, P>(model, rows, count);
  let values = u(model, LINEAR_TOUCHED_VALUES);
  let piece = pieces + PIECES_FIRST;
  store<i32>(pieces, outputCount);
  for (let k = 0; k < outputCount; k++) {
    setPiece(piece, values, touched, touchedCount, k * <i32>stride, scale);
    piece += PIECE_BYTES;
    for (let e = 0; e < touchedCount; e++) {
      const at = buffer + (<usize>k * stride + <usize>load<u32>(touched + (<usize>e << 2))) * sizeof<P>();
      store<P>(values, load<P>(at));
      store<P>(at, 0);
      values += sizeof<P>();
    }
  }
}

/**
 * Computes the gradient of a single row of one output in one function, because calls and copies would take as long as
 * the work itself.
 */
function gradientOfRow<T, P>(model: usize, sparse: bool, parameters: usize, row: usize, control: usize, pieces: usize): f64 {
  let values: usize, indices: usize = 0, count: i32, sum: f64;
  const dataScale = load<f64>(model + LINEAR_DATA_SCALE_F64);
  if (sparse) {
    const start = rowStart(model, row);
    values = u(model, LINEAR_VALUES) + start * sizeof<T>();
    indices = u(model, LINEAR_COLUMN_INDEX) + (start << 2);
    count = rowCount(model, row, start);
    sum = dotSparse<T, P>(values, indices, count, parameters);
  } else {
    values = u(model, LINEAR_VALUES) + row * u(model, LINEAR_ROW_BYTES);
    count = load<i32>(model + LINEAR_COLUMNS);
    sum = dotDense<T, P>(values, parameters, count);
  }
  const block = u(model, LINEAR_POINT_BLOCK), weights = u(model, LINEAR_WEIGHTS);
  const offsets = u(model, LINEAR_OFFSETS);
  sum *= dataScale * load<f64>(model + LINEAR_PARAMETER_SCALE_F64);
  store<f64>(block + u(model, LINEAR_POINT_AT_Z), offsets ? sum + load<f64>(offsets + (row << 3)) : sum);
  store<f64>(block + u(model, LINEAR_POINT_AT_Y), load<f64>(u(model, LINEAR_TARGET) + (row << 3)));
  if (weights) store<f64>(block + u(model, LINEAR_POINT_AT_WEIGHT), load<f64>(weights + (row << 3)));
  call_indirect<void>(load<u32>(model + LINEAR_POINT), block);
  let dz = load<f64>(block + u(model, LINEAR_POINT_AT_DZ));
  if (control) {
    const kind = load<u32>(control + CONTROL_KIND);
    const entry = u(control, CONTROL_TABLE) + (row << 3);
    const before = load<f64>(entry);
    if (kind != CONTROL_SVRG) store<f64>(entry, dz);
    if (kind != CONTROL_RECORD) dz -= before;
    if (kind == CONTROL_SAG) dz /= <f64>load<u32>(control + CONTROL_ROWS);
  }
  store<i32>(pieces + PIECES_COUNT, 1);
  setPiece(pieces + PIECES_FIRST, values, indices, count, 0, dz * dataScale);
  return load<f64>(block + u(model, LINEAR_POINT_AT_LOSS));
}

/** B is the element type of the gradient buffer: the parameters' type, or f32 if the parameters are i16. */
function gradient<T, P, B>(model: usize, sparse: bool, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  if (u(model, LINEAR_BUFFER) == 0 && load<u32>(model + LINEAR_POINT) != ABSENT) {
    return gradientOfRow<T, P>(model, sparse, parameters, <usize>load<u32>(rows), control, pieces);
  }
  outputs<T, P>(model, sparse, parameters, rows, count, u(model, LINEAR_Z));
  const loss = lossOfBatch(model, rows, count);
  let share: f64 = 1 / <f64>count;
  if (control) {
    relativeToTable(model, control, rows, count);
    if (load<u32>(control + CONTROL_KIND) == CONTROL_SAG) share = 1 / <f64>load<u32>(control + CONTROL_ROWS);
  }
  // A lane for batches has a buffer, and its pieces have the buffer's type, even if the last batch has one row.
  if (u(model, LINEAR_BUFFER) == 0) piecesOfRow<T>(model, sparse, <usize>load<u32>(rows), share, pieces);
  else if (sparse) bufferSparse<T, B>(model, rows, count, share, pieces);
  else bufferDense<T, B>(model, rows, count, share, pieces);
  return loss;
}

/** Writes the outputs of listed rows to z. Returns their mean loss. */
function objective<T, P>(model: usize, sparse: bool, parameters: usize, rows: usize, count: i32): f64 {
  outputs<T, P>(model, sparse, parameters, rows, count, u(model, LINEAR_Z));
  return lossOfBatch(model, rows, count);
}

/** Prefetches rows: reads one byte of each of their cache lines. */
export function touchRows(model: usize, rows: usize, count: i32): u32 {
  const values = u(model, LINEAR_VALUES), rowBytes = u(model, LINEAR_ROW_BYTES);
  let seen: u32 = 0;
  for (let b = 0; b < count; b++) {
    let at = values + (<usize>load<u32>(rows + (<usize>b << 2))) * rowBytes;
    const end = at + rowBytes;
    for (; at < end; at += 64) seen ^= <u32>load<u8>(at);
  }
  return seen;
}

/** Prefetches sparse rows with elements of `1 << shift` bytes. */
export function touchSparseRows(model: usize, rows: usize, count: i32): u32 {
  const values = u(model, LINEAR_VALUES), starts = u(model, LINEAR_ROW_START), indices = u(model, LINEAR_COLUMN_INDEX);
  const shift = u(model, LINEAR_ELEMENT_SHIFT);
  let seen: u32 = 0;
  for (let b = 0; b < count; b++) {
    const start = starts + (<usize>load<u32>(rows + (<usize>b << 2)) << 2);
    const from = <usize>load<u32>(start), to = <usize>load<u32>(start, 4);
    for (let at = indices + (from << 2), end = indices + (to << 2); at < end; at += 64) seen ^= <u32>load<u8>(at);
    for (let at = values + (from << shift), end = values + (to << shift); at < end; at += 64) seen ^= <u32>load<u8>(at);
  }
  return seen;
}

export function gradientDenseF32F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f32, f32, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseF32F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f32, f32>(model, false, parameters, rows, count);
}

export function gradientDenseF64F64(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f64, f64, f64>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseF64F64(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f64, f64>(model, false, parameters, rows, count);
}

export function gradientDenseI8F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i8, f32, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseI8F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i8, f32>(model, false, parameters, rows, count);
}

export function gradientDenseI16F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i16, f32, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseI16F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i16, f32>(model, false, parameters, rows, count);
}

export function gradientDenseI8I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i8, i16, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseI8I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i8, i16>(model, false, parameters, rows, count);
}

export function gradientDenseI16I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i16, i16, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseI16I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i16, i16>(model, false, parameters, rows, count);
}

export function gradientDenseF32I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f32, i16, f32>(model, false, parameters, rows, count, control, pieces);
}
export function objectiveDenseF32I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f32, i16>(model, false, parameters, rows, count);
}

export function gradientSparseF32F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f32, f32, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseF32F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f32, f32>(model, true, parameters, rows, count);
}

export function gradientSparseF64F64(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f64, f64, f64>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseF64F64(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f64, f64>(model, true, parameters, rows, count);
}

export function gradientSparseI8F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i8, f32, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseI8F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i8, f32>(model, true, parameters, rows, count);
}

export function gradientSparseI16F32(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i16, f32, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseI16F32(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i16, f32>(model, true, parameters, rows, count);
}

export function gradientSparseI8I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i8, i16, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseI8I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i8, i16>(model, true, parameters, rows, count);
}

export function gradientSparseI16I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<i16, i16, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseI16I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<i16, i16>(model, true, parameters, rows, count);
}

export function gradientSparseF32I16(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  return gradient<f32, i16, f32>(model, true, parameters, rows, count, control, pieces);
}
export function objectiveSparseF32I16(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  return objective<f32, i16>(model, true, parameters, rows, count);
}
