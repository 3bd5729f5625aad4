/**
 * Solves op(L) X = B for a triangular L; op(L) is L, or Lᵀ if `transposed` is not 0.
 *
 * l: [n, n]. The lower triangle and the diagonal are read. If `lower` is 0, the upper triangle is read instead. b, x:
 * [n, m]. All of type T (f32 or f64), row-major. x can be the same as b; nothing may overlap otherwise. Pointers need
 * only the alignment of T. A 0 on the diagonal gives ±Inf or NaN. If m > 1, each lane holds a column of X. A single
 * column is solved with the rows of L instead. Sums are in T, in an order that depends only on m and n. For each
 * column, (op(L) + E) x = b with |E| ≤ (n + 1) ε |L|.
 */
import { dotDense } from "../data/dot";

function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** y −= f x, n elements. */
function subtract<T>(y: usize, x: usize, f: T, n: usize): void {
  const end = y + n * sizeof<T>();
  const factor = v128.splat<T>(-f);
  for (; y + 16 <= end; y += 16, x += 16) v128.store(y, madd<T>(factor, v128.load(x), v128.load(y)));
  for (; y < end; y += sizeof<T>(), x += sizeof<T>()) store<T>(y, load<T>(y) - f * load<T>(x));
}

function solveOne<T>(n: usize, l: usize, forward: bool, transposed: bool, x: usize): void {
  const width = n * sizeof<T>();
  for (let solved: usize = 0; solved < n; solved++) {
    const i = forward ? solved : n - 1 - solved;
    const at = x + i * sizeof<T>(), row = l + i * width;
    const diagonal = <f64>load<T>(row + i * sizeof<T>());
    if (transposed) {
      // Row i of L is column i of op(L). Subtract its multiple by x_i from the remaining equations.
      const value = <T>(<f64>load<T>(at) / diagonal);
      store<T>(at, value);
      const first = forward ? i + 1 : 0;
      subtract<T>(x + first * sizeof<T>(), row + first * sizeof<T>(), value, n - 1 - solved);
    } else {
      const first = forward ? 0 : i + 1;
      const known = dotDense<T, T>(row + first * sizeof<T>(), x + first * sizeof<T>(), <i32>solved);
      store<T>(at, <T>((<f64>load<T>(at) - known) / diagonal));
    }
  }
}

/**
 * Solves four vectors of columns, from `x` onwards. Elements of op(L) are `down` bytes apart along a column and
 * `across` bytes apart along a row.
 */
function solveFour<T>(n: usize, l: usize, down: usize, across: usize, forward: bool, x: usize, pitch: usize): void {
  for (let solved: usize = 0; solved < n; solved++) {
    const i = forward ? solved : n - 1 - solved;
    const first = forward ? 0 : i + 1;
    const at = x + i * pitch;
    let p = l + i * down + first * across, q = x + first * pitch;
    let a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
    for (let left = solved; left > 0; left--) {
      const f = v128.splat<T>(-load<T>(p));
      a = madd<T>(f, v128.load(q), a);
      b = madd<T>(f, v128.load(q, 16), b);
      c = madd<T>(f, v128.load(q, 32), c);
      d = madd<T>(f, v128.load(q, 48), d);
      p += across;
      q += pitch;
    }
    const diagonal = v128.splat<T>(load<T>(l + i * (down + across)));
    v128.store(at, v128.div<T>(a, diagonal));
    v128.store(at, v128.div<T>(b, diagonal), 16);
    v128.store(at, v128.div<T>(c, diagonal), 32);
    v128.store(at, v128.div<T>(d, diagonal), 48);
  }
}

function solveVector<T>(n: usize, l: usize, down: usize, across: usize, forward: bool, x: usize, pitch: usize): void {
  for (let solved: usize = 0; solved < n; solved++) {
    const i = forward ? solved : n - 1 - solved;
    const first = forward ? 0 : i + 1;
    const at = x + i * pitch;
    let p = l + i * down + first * across, q = x + first * pitch;
    let a = v128.load(at);
    for (let left = solved; left > 0; left--) {
      a = madd<T>(v128.splat<T>(-load<T>(p)), v128.load(q), a);
      p += across;
      q += pitch;
    }
    v128.store(at, v128.div<T>(a, v128.splat<T>(load<T>(l + i * (down + across)))));
  }
}

function solveColumn<T>(n: usize, l: usize, down: usize, across: usize, forward: bool, x: usize, pitch: usize): void {
  for (let solved: usize = 0; solved < n; solved++) {
    const i = forward ? solved : n - 1 - solved;
    const first = forward ? 0 : i + 1;
    const at = x + i * pitch;
    let p = l + i * down + first * across, q = x + first * pitch;
    let a = load<T>(at);
    for (let left = solved; left > 0; left--) {
      a -= load<T>(p) * load<T>(q);
      p += across;
      q += pitch;
    }
    store<T>(at, a / load<T>(l + i * (down + across)));
  }
}

function solve<T>(n: usize, m: usize, l: usize, lower: bool, transposed: bool, b: usize, x: usize): void {
  // Without this check, the loops below would access columns that have no memory if n = 0.
  if (n == 0) return;
  const pitch = m * sizeof<T>(), width = n * sizeof<T>();
  if (x != b) memory.copy(x, b, n * pitch);
  const forward = lower != transposed;
  if (m == 1) {
    solveOne<T>(n, l, forward, transposed, x);
    return;
  }
  const down = transposed ? sizeof<T>() : width, across = transposed ? width : sizeof<T>();
  const end = x + pitch;
  for (; x + 64 <= end; x += 64) solveFour<T>(n, l, down, across, forward, x, pitch);
  for (; x + 16 <= end; x += 16) solveVector<T>(n, l, down, across, forward, x, pitch);
  for (; x < end; x += sizeof<T>()) solveColumn<T>(n, l, down, across, forward, x, pitch);
}

export function triangularSolveF32(n: i32, m: i32, l: usize, lower: i32, transposed: i32, b: usize, x: usize): void {
  solve<f32>(n, m, l, lower != 0, transposed != 0, b, x);
}

export function triangularSolveF64(n: i32, m: i32, l: usize, lower: i32, transposed: i32, b: usize, x: usize): void {
  solve<f64>(n, m, l, lower != 0, transposed != 0, b, x);
}
