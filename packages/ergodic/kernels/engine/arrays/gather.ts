/**
 * Gathers rows of a table by index, out[i, :] = table[indices[i], :], and its adjoint (scatter), out[indices[i], :] +=
 * values[i, :].
 *
 * table: [tableRows, columns]; values and gathered out: [count, columns]; scattered out: [outRows, columns], zeroed
 * first. indices: `count` numbers of the tables' type T (f32 or f64). An index in [0, rows) is truncated to an integer.
 * Any other index (NaN, negative, too large) is invalid: a gathered row is then NaN, and a scattered row is skipped.
 * Nothing may alias; pointers need only the alignment of T. Gathering is exact. Scattering adds in T, in the order of
 * i, and gives the same bits in all builds: |error| <= (k − 1) ε Σ|values| if k rows are added to the same row.
 */

/** Returns the row for `index`, or −1 if the index is invalid. */
function rowOf(index: f64, rows: i32): i32 {
  return index >= 0 && index < <f64>rows ? <i32>index : -1;
}

/**
 * Copies a row; `bytes` is a multiple of 4. Short rows are common, and a call of memory.copy would cost more than the
 * copy.
 */
function copyRow(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (const whole = to + (bytes & ~15); to < whole; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += 4, from += 4) store<u32>(to, load<u32>(from));
}

function addRow<T>(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (const whole = to + (bytes & ~15); to < whole; to += 16, from += 16) v128.store(to, v128.add<T>(v128.load(to), v128.load(from)));
  for (; to < end; to += sizeof<T>(), from += sizeof<T>()) store<T>(to, load<T>(to) + load<T>(from));
}

function gatherRows<T>(count: i32, columns: i32, table: usize, tableRows: i32, indices: usize, out: usize): void {
  const bytes = <usize>columns * sizeof<T>();
  for (let i = 0; i < count; i++) {
    const row = rowOf(<f64>load<T>(indices), tableRows);
    if (row >= 0) copyRow(out, table + <usize>row * bytes, bytes);
    else for (let at: usize = 0; at < bytes; at += sizeof<T>()) store<T>(out + at, <T>NaN);
    indices += sizeof<T>();
    out += bytes;
  }
}

function scatterRows<T>(count: i32, columns: i32, values: usize, indices: usize, out: usize, outRows: i32): void {
  const bytes = <usize>columns * sizeof<T>();
  memory.fill(out, 0, <usize>outRows * bytes);
  for (let i = 0; i < count; i++) {
    const row = rowOf(<f64>load<T>(indices), outRows);
    if (row >= 0) addRow<T>(out + <usize>row * bytes, values, bytes);
    indices += sizeof<T>();
    values += bytes;
  }
}

export function gatherRowsF32(count: i32, columns: i32, table: usize, tableRows: i32, indices: usize, out: usize): void {
  gatherRows<f32>(count, columns, table, tableRows, indices, out);
}

export function gatherRowsF64(count: i32, columns: i32, table: usize, tableRows: i32, indices: usize, out: usize): void {
  gatherRows<f64>(count, columns, table, tableRows, indices, out);
}

export function scatterRowsF32(count: i32, columns: i32, values: usize, indices: usize, out: usize, outRows: i32): void {
  scatterRows<f32>(count, columns, values, indices, out, outRows);
}

export function scatterRowsF64(count: i32, columns: i32, values: usize, indices: usize, out: usize, outRows: i32): void {
  scatterRows<f64>(count, columns, values, indices, out, outRows);
}
