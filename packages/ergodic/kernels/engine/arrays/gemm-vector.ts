/**
 * Matrix–vector products y = M x (+ y) and y = Mᵀ x (+ y), for C[m,n] = A B with n = 1 or m = 1.
 *
 * M is stored by rows, `step` bytes apart; elements of y are `yStep` bytes apart. Nothing is copied.
 *
 * - vectorDots, y_i = Σ_p M[i, p] x[p]: x is contiguous. Each sum over p has one partial sum per v128 lane; at the end,
 *   the partial sums are added in two pairs, and then the pairs are added. Takes four rows at a time and repeats the
 *   last row if fewer are left.
 * - vectorSums, y_j = Σ_p x[p] M[p, j]: elements of x are `xStep` bytes apart. One sum over p, in order. If rows are
 *   long, whole rows are added to y one after another, so that M is read in memory order. Going column by column would
 *   read M in pieces of 64 bytes that are one row apart.
 */
import { madd } from "./gemm-tile";

/**
 * Loads at most one vector of elements. Lanes from `count` onwards are 0, and memory beyond the elements is not read.
 */
function loadPart<T>(at: usize, count: i32): v128 {
  if (sizeof<T>() == 8) return v128.load64_zero(at);
  if (count == 1) return v128.load32_zero(at);
  const two = v128.load64_zero(at);
  return count == 2 ? two : v128.shuffle<f64>(two, v128.load32_zero(at, 8), 0, 2);
}

function put<T>(y: usize, value: T, accumulate: i32): void {
  store<T>(y, accumulate ? load<T>(y) + value : value);
}

function putFour<T>(y: usize, yStep: usize, s0: v128, s1: v128, s2: v128, s3: v128, rows: i32, accumulate: i32): void {
  let left: v128, right: v128;
  if (sizeof<T>() == 4) {
    const a = v128.add<T>(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
    const b = v128.add<T>(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
    left = v128.add<T>(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
    right = left;
    if (rows == 4 && yStep == 4) {
      v128.store(y, accumulate ? v128.add<T>(v128.load(y), left) : left);
      return;
    }
    right = v128.shuffle<f64>(left, left, 1, 1);
  } else {
    left = v128.add<T>(v128.shuffle<f64>(s0, s1, 0, 2), v128.shuffle<f64>(s0, s1, 1, 3));
    right = v128.add<T>(v128.shuffle<f64>(s2, s3, 0, 2), v128.shuffle<f64>(s2, s3, 1, 3));
  }
  put<T>(y, v128.extract_lane<T>(left, 0), accumulate);
  if (rows > 1) put<T>(y + yStep, v128.extract_lane<T>(left, 1), accumulate);
  if (rows > 2) put<T>(y + 2 * yStep, v128.extract_lane<T>(right, 0), accumulate);
  if (rows > 3) put<T>(y + 3 * yStep, v128.extract_lane<T>(right, 1), accumulate);
}

export function vectorDots<T>(matrix: usize, step: usize, rows: i32, k: i32, x: usize, y: usize, yStep: usize, accumulate: i32): void {
  const lanes = <i32>(16 / sizeof<T>());
  const part = k & (lanes - 1);
  const end = x + <usize>(k - part) * sizeof<T>();
  for (; rows > 0; rows -= 4) {
    let r0 = matrix;
    let r1 = rows > 1 ? r0 + step : r0;
    let r2 = rows > 2 ? r1 + step : r1;
    let r3 = rows > 3 ? r2 + step : r2;
    let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
    for (let at = x; at != end; at += 16) {
      const v = v128.load(at);
      s0 = madd<T>(v128.load(r0), v, s0);
      s1 = madd<T>(v128.load(r1), v, s1);
      s2 = madd<T>(v128.load(r2), v, s2);
      s3 = madd<T>(v128.load(r3), v, s3);
      r0 += 16;
      r1 += 16;
      r2 += 16;
      r3 += 16;
    }
    if (part) {
      const v = loadPart<T>(end, part);
      s0 = madd<T>(loadPart<T>(r0, part), v, s0);
      s1 = madd<T>(loadPart<T>(r1, part), v, s1);
      s2 = madd<T>(loadPart<T>(r2, part), v, s2);
      s3 = madd<T>(loadPart<T>(r3, part), v, s3);
    }
    putFour<T>(y, yStep, s0, s1, s2, s3, rows, accumulate);
    matrix += 4 * step;
    y += 4 * yStep;
  }
}

/** Adds or stores the lanes of a vector of sums, from lane `first` onwards. */
function putLanes<T>(y: usize, yStep: usize, sums: v128, first: i32, accumulate: i32): void {
  if (first == 0 && yStep == sizeof<T>()) {
    v128.store(y, accumulate ? v128.add<T>(v128.load(y), sums) : sums);
    return;
  }
  if (first < 1) put<T>(y, v128.extract_lane<T>(sums, 0), accumulate);
  if (first < 2) put<T>(y + yStep, v128.extract_lane<T>(sums, 1), accumulate);
  if (sizeof<T>() == 4) {
    const high = v128.shuffle<f64>(sums, sums, 1, 1);
    if (first < 3) put<T>(y + 2 * yStep, v128.extract_lane<T>(high, 0), accumulate);
    if (first < 4) put<T>(y + 3 * yStep, v128.extract_lane<T>(high, 1), accumulate);
  }
}

/**
 * Computes the sums of vectorSums for whole vectors of columns: y[0 … columns) = Σ_p x[p] M[p, ·]. Takes four rows of M
 * and two vectors of each row at a time.
 */
function rowSums<T>(matrix: usize, step: usize, k: i32, columns: i32, x: usize, xStep: usize, y: usize): void {
  const end = y + <usize>columns * sizeof<T>();
  const pairs = end - ((end - y) & 16);
  memory.fill(y, 0, end - y);
  for (; k >= 4; k -= 4) {
    const v0 = v128.load_splat<T>(x), v1 = v128.load_splat<T>(x + xStep);
    const v2 = v128.load_splat<T>(x + 2 * xStep), v3 = v128.load_splat<T>(x + 3 * xStep);
    let r0 = matrix, r1 = matrix + step, r2 = matrix + 2 * step, r3 = matrix + 3 * step, at = y;
    // One iteration has four factors and ten loads. Two of the loads read sums. More vectors at a time would not fit
    // into the registers (kernels/engine/arrays/gemm-tile.ts).
    for (; at != pairs; at += 32) {
      const left = madd<T>(v1, v128.load(r1), madd<T>(v0, v128.load(r0), v128.load(at)));
      const right = madd<T>(v1, v128.load(r1, 16), madd<T>(v0, v128.load(r0, 16), v128.load(at, 16)));
      v128.store(at, madd<T>(v3, v128.load(r3), madd<T>(v2, v128.load(r2), left)));
      v128.store(at, madd<T>(v3, v128.load(r3, 16), madd<T>(v2, v128.load(r2, 16), right)), 16);
      r0 += 32;
      r1 += 32;
      r2 += 32;
      r3 += 32;
    }
    if (at != end) {
      const sum = madd<T>(v1, v128.load(r1), madd<T>(v0, v128.load(r0), v128.load(at)));
      v128.store(at, madd<T>(v3, v128.load(r3), madd<T>(v2, v128.load(r2), sum)));
    }
    matrix += 4 * step;
    x += 4 * xStep;
  }
  for (; k > 0; k--) {
    const v = v128.load_splat<T>(x);
    for (let at = y, row = matrix; at != end; at += 16, row += 16) v128.store(at, madd<T>(v, v128.load(row), v128.load(at)));
    matrix += step;
    x += xStep;
  }
}

export function vectorSums<T>(
  matrix: usize, step: usize, k: i32, columns: i32, x: usize, xStep: usize, y: usize, yStep: usize, accumulate: i32,
): void {
  const lanes = <i32>(16 / sizeof<T>());
  if (columns > 4 * lanes && yStep == sizeof<T>() && !accumulate) {
    const whole = columns & ~(lanes - 1);
    rowSums<T>(matrix, step, k, whole, x, xStep, y);
    matrix += <usize>whole * sizeof<T>();
    y += <usize>whole * yStep;
    columns -= whole;
  }
  // Four simultaneous sums hide the latency of an addition. More sums would not fit into the registers.
  while (columns >= lanes) {
    const count = min(columns, 4 * lanes), whole = count / lanes;
    // If the remaining columns do not fill four vectors, the last vector ends at the last column and overlaps the
    // previous one. The last vector is also read in place of the missing vectors.
    const last = <usize>(count - lanes) * sizeof<T>();
    const at1 = min<usize>(16, last), at2 = min<usize>(32, last), at3 = min<usize>(48, last);
    let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
    for (let p = 0, at = x, row = matrix; p < k; p++) {
      const v = v128.load_splat<T>(at);
      s0 = madd<T>(v, v128.load(row), s0);
      s1 = madd<T>(v, v128.load(row + at1), s1);
      s2 = madd<T>(v, v128.load(row + at2), s2);
      s3 = madd<T>(v, v128.load(row + at3), s3);
      at += xStep;
      row += step;
    }
    putLanes<T>(y, yStep, s0, 0, accumulate);
    if (whole > 1) putLanes<T>(y + <usize>lanes * yStep, yStep, s1, 0, accumulate);
    if (whole > 2) putLanes<T>(y + 2 * <usize>lanes * yStep, yStep, s2, 0, accumulate);
    if (whole > 3) putLanes<T>(y + 3 * <usize>lanes * yStep, yStep, s3, 0, accumulate);
    else putLanes<T>(y + <usize>(count - lanes) * yStep, yStep, s3, (whole + 1) * lanes - count, accumulate);
    matrix += <usize>count * sizeof<T>();
    y += <usize>count * yStep;
    columns -= count;
  }
  if (columns == 0) return;
  let sum = i32x4.splat(0);
  for (let p = 0, at = x, row = matrix; p < k; p++) {
    sum = madd<T>(v128.load_splat<T>(at), loadPart<T>(row, columns), sum);
    at += xStep;
    row += step;
  }
  put<T>(y, v128.extract_lane<T>(sum, 0), accumulate);
  if (columns > 1) put<T>(y + yStep, v128.extract_lane<T>(sum, 1), accumulate);
  if (sizeof<T>() == 4 && columns > 2) put<T>(y + 2 * yStep, v128.extract_lane<T>(v128.shuffle<f64>(sum, sum, 1, 1), 0), accumulate);
}
