/**
 * z = x·wᵀ + b in float64 for many rows. The kernel is a separate module with its own memory. The module is small
 * enough for synchronous compilation.
 *
 * Dense, x: T[rows × stride], f32 or f64; only the first `columns` of each row are used; w: f64[outputs × columns]; b:
 * f64[outputs]; z: f64[rows × outputs]. `rows` is rounded up to a multiple of eight. x and z must have room for the
 * rounded number of rows, and x is read beyond its last row. Nothing may alias z. Each z is summed from left to right,
 * starting from b, without fused multiply-add instructions. The bits are therefore the same as in the plain loop of
 * src/predict/linear.ts. A vector holds two rows.
 *
 * Sparse, one output: z[row] += Σ x[e] w[columns[e]] from left to right over entries starts[row] ≤ e < starts[row + 1]
 * − extra. z: f64[rows], initialised to b; The bits are again those of the plain loop. x (T) and columns (u32) hold
 * entries [from, to) of all entries, so a row's entries can be split between calls. Rows begin at `row`. Returns the
 * first row with entries from `to` onwards, or the last row if there is no such row.
 */

function two<T>(p: usize, q: usize): v128 {
  if (sizeof<T>() == 8) return v128.load64_lane(q, v128.load64_zero(p), 1);
  return f64x2.promote_low_f32x4(v128.load32_lane(q, v128.load32_zero(p), 1));
}

function put(z: usize, bytes: usize, pair: v128): usize {
  v128.store64_lane(z, pair, 0);
  v128.store64_lane(z + bytes, pair, 1);
  return z + 2 * bytes;
}

function scores<T>(x: usize, w: usize, b: usize, z: usize, rows: i32, columns: i32, outputs: i32, stride: i32): void {
  const xBytes = <usize>stride * sizeof<T>();
  const used = <usize>columns * sizeof<T>();
  const zBytes = <usize>outputs << 3;
  for (let i = 0; i < rows; i += 8) {
    let weight = w;
    for (let k: usize = 0; k < zBytes; k += 8) {
      let s0 = v128.load64_splat(b + k), s2 = s0, s4 = s0, s6 = s0;
      for (let at = x; at < x + used; at += sizeof<T>()) {
        const factor = v128.load64_splat(weight);
        const at2 = at + 2 * xBytes, at4 = at2 + 2 * xBytes, at6 = at4 + 2 * xBytes;
        s0 = f64x2.add(s0, f64x2.mul(two<T>(at, at + xBytes), factor));
        s2 = f64x2.add(s2, f64x2.mul(two<T>(at2, at2 + xBytes), factor));
        s4 = f64x2.add(s4, f64x2.mul(two<T>(at4, at4 + xBytes), factor));
        s6 = f64x2.add(s6, f64x2.mul(two<T>(at6, at6 + xBytes), factor));
        weight += 8;
      }
      put(put(put(put(z + k, zBytes, s0), zBytes, s2), zBytes, s4), zBytes, s6);
    }
    x += xBytes << 3;
    z += zBytes << 3;
  }
}

export function scoresF32(x: usize, w: usize, b: usize, z: usize, rows: i32, columns: i32, outputs: i32, stride: i32): void {
  scores<f32>(x, w, b, z, rows, columns, outputs, stride);
}

export function scoresF64(x: usize, w: usize, b: usize, z: usize, rows: i32, columns: i32, outputs: i32, stride: i32): void {
  scores<f64>(x, w, b, z, rows, columns, outputs, stride);
}

function entries<T>(
  x: usize, columns: usize, starts: usize, w: usize, z: usize, row: i32, rows: i32, from: u32, to: u32, extra: u32,
): i32 {
  for (; ; row++) {
    const start = starts + (<usize>row << 2), end = load<u32>(start, 4);
    const first = <usize>(max(load<u32>(start), from) - from), last = <usize>(min(end - extra, to) - from);
    let sum = load<f64>(z + (<usize>row << 3));
    for (let e = first; e < last; e++)
      sum += <f64>load<T>(x + e * sizeof<T>()) * load<f64>(w + (<usize>load<u32>(columns + (e << 2)) << 3));
    store<f64>(z + (<usize>row << 3), sum);
    if (end > to || row + 1 == rows) break;
  }
  return row;
}

export function entriesF32(
  x: usize, columns: usize, starts: usize, w: usize, z: usize, row: i32, rows: i32, from: u32, to: u32, extra: u32,
): i32 {
  return entries<f32>(x, columns, starts, w, z, row, rows, from, to, extra);
}

export function entriesF64(
  x: usize, columns: usize, starts: usize, w: usize, z: usize, row: i32, rows: i32, from: u32, to: u32, extra: u32,
): i32 {
  return entries<f64>(x, columns, starts, w, z, row, rows, from, to, extra);
}
