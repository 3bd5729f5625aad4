/**
 * Solves A X = B for any square A by P A = L U: partial pivoting, L with a unit diagonal.
 *
 * luFactor: a: [n, n]; f: [n + 1, n] receives L below its diagonal, U on and above it, and in its last row the index of
 * the row with which each row was exchanged. If a pivot is 0 or NaN, all of f is NaN.
 *
 * luSolve: f as written by luFactor; x, b: [n, m]; solves Aᵀ X = B if `transposed` is not 0. x can be the same as b. An
 * entry in the last row of f counts as an exchange only if the entry is an index of the pivot's row or of a later row.
 * Only x is written, even if f contains invalid numbers.
 *
 * All arrays are of type T (f32 or f64) and row-major; nothing may overlap otherwise; pointers need only the alignment
 * of T. Plain arithmetic in T, in one fixed order: |A X − B| ≤ 3 n ε |L||U||X|, up to row exchanges.
 */

function factor<T>(n: usize, a: usize, f: usize): void {
  const width = n * sizeof<T>();
  const pivots = f + n * width;
  memory.copy(f, a, n * width);
  for (let k: usize = 0; k < n; k++) {
    const row = f + k * width, at = k * sizeof<T>();
    let best = k;
    let largest = abs<T>(load<T>(row + at));
    for (let i = k + 1; i < n; i++) {
      const size = abs<T>(load<T>(f + i * width + at));
      if (!(size > largest)) continue;
      largest = size;
      best = i;
    }
    if (!(largest > 0 && largest < <T>Infinity)) {
      for (let p = f; p < pivots + width; p += sizeof<T>()) store<T>(p, <T>NaN);
      return;
    }
    store<T>(pivots + at, <T>best);
    if (best != k) exchange<T>(row, f + best * width, n);
    const pivot = load<T>(row + at);
    for (let i = k + 1; i < n; i++) {
      const other = f + i * width;
      const by = load<T>(other + at) / pivot;
      store<T>(other + at, by);
      subtract<T>(other + at + sizeof<T>(), row + at + sizeof<T>(), by, n - k - 1);
    }
  }
}

/** y −= f x, n elements. */
function subtract<T>(y: usize, x: usize, f: T, n: usize): void {
  const end = y + n * sizeof<T>();
  for (; y < end; y += sizeof<T>(), x += sizeof<T>()) store<T>(y, load<T>(y) - f * load<T>(x));
}

function exchange<T>(a: usize, b: usize, n: usize): void {
  const end = a + n * sizeof<T>();
  for (; a < end; a += sizeof<T>(), b += sizeof<T>()) {
    const x = load<T>(a);
    store<T>(a, load<T>(b));
    store<T>(b, x);
  }
}

function exchanged<T>(n: usize, m: usize, pivots: usize, k: usize, x: usize): void {
  const given = load<T>(pivots + k * sizeof<T>());
  if (!(given > <T>k && given < <T>n)) return;
  const width = m * sizeof<T>();
  exchange<T>(x + k * width, x + <usize>given * width, m);
}

function solve<T>(n: usize, m: usize, f: usize, transposed: bool, b: usize, x: usize): void {
  const width = n * sizeof<T>(), pitch = m * sizeof<T>();
  const pivots = f + n * width;
  if (x != b) memory.copy(x, b, n * pitch);
  if (transposed) {
    // Solves with Uᵀ, then with Lᵀ, then undoes the exchanges from the last to the first.
    for (let i: usize = 0; i < n; i++) {
      const row = x + i * pitch, own = f + i * width;
      scale<T>(row, load<T>(own + i * sizeof<T>()), m);
      for (let j = i + 1; j < n; j++) subtract<T>(x + j * pitch, row, load<T>(own + j * sizeof<T>()), m);
    }
    for (let i = n; i-- > 0; )
      for (let j: usize = 0; j < i; j++) subtract<T>(x + j * pitch, x + i * pitch, load<T>(f + i * width + j * sizeof<T>()), m);
    for (let i = n; i-- > 0; ) exchanged<T>(n, m, pivots, i, x);
    return;
  }
  for (let i: usize = 0; i < n; i++) exchanged<T>(n, m, pivots, i, x);
  for (let i: usize = 0; i < n; i++)
    for (let j: usize = 0; j < i; j++) subtract<T>(x + i * pitch, x + j * pitch, load<T>(f + i * width + j * sizeof<T>()), m);
  for (let i = n; i-- > 0; ) {
    const row = x + i * pitch, own = f + i * width;
    for (let j = i + 1; j < n; j++) subtract<T>(row, x + j * pitch, load<T>(own + j * sizeof<T>()), m);
    scale<T>(row, load<T>(own + i * sizeof<T>()), m);
  }
}

/** x /= f, m elements. */
function scale<T>(x: usize, f: T, m: usize): void {
  const end = x + m * sizeof<T>();
  for (; x < end; x += sizeof<T>()) store<T>(x, load<T>(x) / f);
}

export function luFactorF32(n: i32, a: usize, f: usize): void {
  factor<f32>(n, a, f);
}

export function luFactorF64(n: i32, a: usize, f: usize): void {
  factor<f64>(n, a, f);
}

export function luSolveF32(n: i32, m: i32, f: usize, transposed: i32, b: usize, x: usize): void {
  solve<f32>(n, m, f, transposed != 0, b, x);
}

export function luSolveF64(n: i32, m: i32, f: usize, transposed: i32, b: usize, x: usize): void {
  solve<f64>(n, m, f, transposed != 0, b, x);
}
