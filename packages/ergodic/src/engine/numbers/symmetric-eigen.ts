/**
 * Eigenvectors and eigenvalues of a small symmetric matrix: A = Σ_j λ_j v_j v_jᵀ, with λ ascending and v orthonormal.
 *
 * A: float64[n, n], row-major, both triangles; overwritten. `values`: λ, float64[n]. `vectors`: row j is v_j,
 * float64[n, n]; its sign is arbitrary. The arrays must not share memory. Householder reflections make A tridiagonal,
 * and implicit QL steps with Wilkinson's shift then make it diagonal. Both take about 9n³ operations. The errors in λ
 * and in A − Σ λ v vᵀ are a small multiple of 2^-53 · max|λ|. The algorithm uses only +, −, ×, ÷ and √, so that the
 * bits are the same everywhere. If A is not finite, returns false and gives no result. Source: Golub, Van Loan 2013,
 * sections 8.3 (algorithms 8.3.1 and 8.3.3, here from the other end: QL).
 */

/** Maximum number of QL steps per eigenvalue. Three steps are typical, and more than 30 have never been observed. */
const STEPS = 60;

export function symmetricEigen(n: number, a: Float64Array, values: Float64Array, vectors: Float64Array): boolean {
  let scale = 0;
  for (let i = 0; i < n * n; i++) {
    const size = Math.abs(a[i]);
    if (!(size < Infinity)) return false;
    if (size > scale) scale = size;
  }
  // Scales A so that squares of entries neither overflow nor underflow.
  const unit = scale || 1;
  for (let i = 0; i < n * n; i++) a[i] /= unit;
  const beside = new Float64Array(n);
  tridiagonalise(n, a, values, beside, vectors);
  if (!diagonalise(n, values, beside, vectors)) return false;
  sort(n, values, vectors);
  for (let i = 0; i < n; i++) values[i] *= unit;
  return true;
}

/**
 * Computes T = QᵀAQ. Writes T's diagonal to `diagonal`, its n − 1 sub-diagonal entries to `beside`, and Qᵀ to
 * `rotation`. Reads and overwrites the lower triangle of a.
 */
function tridiagonalise(n: number, a: Float64Array, diagonal: Float64Array, beside: Float64Array, rotation: Float64Array): void {
  const p = new Float64Array(n);
  const factors = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) factors[k] = reflect(n, k, a, beside, p);
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  rotation.fill(0);
  for (let i = 0; i < n; i++) rotation[i * n + i] = 1;
  // Qᵀ = H_{n−2} … H_0, multiplied from the left. Rows and columns up to k still equal the identity when H_k is
  // applied.
  for (let k = n - 3; k >= 0; k--) {
    if (factors[k] === 0) continue;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += rotation[i * n + j] * a[j * n + k];
      sum *= factors[k];
      for (let j = k + 1; j < n; j++) rotation[i * n + j] -= sum * a[j * n + k];
    }
  }
}

/**
 * Computes A ← HAH with H = I − f vvᵀ. H is chosen so that column k becomes zero below its first sub-diagonal entry. v
 * is stored in that column. Returns f, or 0 for H = I.
 */
function reflect(n: number, k: number, a: Float64Array, beside: Float64Array, p: Float64Array): number {
  const first = a[(k + 1) * n + k];
  let rest = 0;
  for (let i = k + 2; i < n; i++) rest += a[i * n + k] * a[i * n + k];
  if (rest === 0) {
    beside[k] = first;
    return 0;
  }
  const length = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest);
  beside[k] = length;
  const head = first - length;
  a[(k + 1) * n + k] = head;
  const factor = 2 / (head * head + rest);
  // p = f A v, then w = p − ½ f (vᵀp) v, and A ← A − vwᵀ − wvᵀ.
  let along = 0;
  for (let i = k + 1; i < n; i++) {
    let sum = 0;
    for (let j = k + 1; j <= i; j++) sum += a[i * n + j] * a[j * n + k];
    for (let j = i + 1; j < n; j++) sum += a[j * n + i] * a[j * n + k];
    p[i] = factor * sum;
    along += p[i] * a[i * n + k];
  }
  for (let i = k + 1; i < n; i++) p[i] -= 0.5 * factor * along * a[i * n + k];
  for (let i = k + 1; i < n; i++) {
    const v = a[i * n + k];
    for (let j = k + 1; j <= i; j++) a[i * n + j] -= v * p[j] + p[i] * a[j * n + k];
  }
  return factor;
}

/** T = SΛSᵀ, `rotation` ← Sᵀ · rotation. Returns false if the iteration does not converge. */
function diagonalise(n: number, d: Float64Array, e: Float64Array, rotation: Float64Array): boolean {
  for (let low = 0; low < n; low++) {
    for (let steps = 0; ; steps++) {
      let high = low;
      while (high < n - 1 && Math.abs(e[high]) > 2 ** -53 * (Math.abs(d[high]) + Math.abs(d[high + 1]))) high++;
      if (high === low) break;
      if (steps === STEPS) return false;
      chase(n, low, high, d, e, rotation);
    }
  }
  return true;
}

/** One implicit QL step on rows low … high. */
function chase(n: number, low: number, high: number, d: Float64Array, e: Float64Array, rotation: Float64Array): void {
  const half = (d[low + 1] - d[low]) / (2 * e[low]);
  const root = Math.sqrt(half * half + 1);
  let g = d[high] - d[low] + e[low] / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      // The matrix decouples here, so the step ends. The two parts are then processed separately.
      d[i + 1] -= shift;
      e[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - shift;
    const t = (d[i] - g) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = g + shift;
    g = cosine * t - b;
    const upper = i * n;
    const lower = upper + n;
    for (let j = 0; j < n; j++) {
      const x = rotation[lower + j];
      const y = rotation[upper + j];
      rotation[lower + j] = sine * y + cosine * x;
      rotation[upper + j] = cosine * y - sine * x;
    }
  }
  d[low] -= shift;
  e[low] = g;
  e[high] = 0;
}

function sort(n: number, values: Float64Array, vectors: Float64Array): void {
  for (let i = 0; i < n - 1; i++) {
    let least = i;
    for (let j = i + 1; j < n; j++) if (values[j] < values[least]) least = j;
    if (least === i) continue;
    const value = values[i];
    values[i] = values[least];
    values[least] = value;
    for (let j = 0; j < n; j++) {
      const entry = vectors[i * n + j];
      vectors[i * n + j] = vectors[least * n + j];
      vectors[least * n + j] = entry;
    }
  }
}
