/**
 * A generation of CMA-ES in plain arrays, from the equations of Hansen 2016 (arXiv:1604.00772, figure 6). It computes
 * C^−½ by the Denman–Beavers iteration instead of an eigendecomposition, sums over all ranks, and has no hidden state.
 */
type Matrix = number[][];

export interface CmaTwin {
  m: number[];
  sigma: number;
  C: Matrix;
  pSigma: number[];
  pC: number[];
  /** Number of generations made. */
  g: number;
}

export interface CmaTwinConstants {
  weights: number[];
  mu: number;
  muEff: number;
  cSigma: number;
  dSigma: number;
  cC: number;
  c1: number;
  cMu: number;
}

export function twinConstants(n: number, lambda: number, kind: "full" | "active" | "separable"): CmaTwinConstants {
  const raw = Array.from({ length: lambda }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1));
  const mu = Math.floor(lambda / 2);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const effective = (values: number[]) => sum(values) ** 2 / sum(values.map((v) => v * v));
  const muEff = effective(raw.slice(0, mu));
  const times = kind === "separable" ? (n + 2) / 3 : 1;
  const c1 = Math.min(1, (times * 2) / ((n + 1.3) ** 2 + muEff));
  const cMu = Math.min(1 - c1, (times * 2 * (muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff));
  const alpha =
    kind === "active" ? Math.min(1 + c1 / cMu, 1 + (2 * effective(raw.slice(mu))) / (muEff + 2), (1 - c1 - cMu) / (n * cMu)) : 0;
  const cSigma = (muEff + 2) / (n + muEff + 5);
  return {
    weights: raw.map((w, i) => (i < mu ? w / sum(raw.slice(0, mu)) : (alpha * w) / Math.abs(sum(raw.slice(mu))))),
    mu,
    muEff,
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    cC: (4 + muEff / n) / (n + 4 + (2 * muEff) / n),
    c1,
    cMu,
  };
}

/**
 * `points` in order of rank. Points that are `foreign` are first shortened. `diagonal`: only the diagonal of C is
 * learned.
 */
export function generation(
  before: CmaTwin,
  points: ArrayLike<number>[],
  foreign: boolean[],
  k: CmaTwinConstants,
  diagonal = false,
): CmaTwin {
  const { m, sigma, C } = before;
  const n = m.length;
  const all = Array.from({ length: n }, (_, i) => i);
  const root = inverseRoot(C);
  const lengthOf = (y: number[]) => Math.sqrt(times(root, y).reduce((s, v) => s + v * v, 0));
  const y = points.map((x, r) => {
    const step = all.map((i) => (x[i] - m[i]) / sigma);
    const most = Math.sqrt(n) + (2 * n) / (n + 2);
    return foreign[r] ? step.map((v) => v * Math.min(1, most / lengthOf(step))) : step;
  });
  const mean = all.map((i) => y.reduce((s, step, r) => s + (r < k.mu ? k.weights[r] * step[i] : 0), 0));
  const white = times(root, mean);
  const pSigma = all.map((i) => (1 - k.cSigma) * before.pSigma[i] + Math.sqrt(k.cSigma * (2 - k.cSigma) * k.muEff) * white[i]);
  const length = Math.sqrt(pSigma.reduce((s, v) => s + v * v, 0));
  const expected = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
  const g = before.g + 1;
  const h = length / Math.sqrt(1 - (1 - k.cSigma) ** (2 * g)) < (1.4 + 2 / (n + 1)) * expected ? 1 : 0;
  const pC = all.map((i) => (1 - k.cC) * before.pC[i] + h * Math.sqrt(k.cC * (2 - k.cC) * k.muEff) * mean[i]);
  const w = y.map((step, r) => (k.weights[r] < 0 ? (k.weights[r] * n) / lengthOf(step) ** 2 : k.weights[r]));
  const keep = 1 + (1 - h) * k.c1 * k.cC * (2 - k.cC) - k.c1 - k.cMu * k.weights.reduce((a, b) => a + b, 0);
  const next = all.map((i) =>
    all.map((j) =>
      diagonal && i !== j
        ? 0
        : keep * C[i][j] + k.c1 * pC[i] * pC[j] + k.cMu * y.reduce((s, step, r) => s + w[r] * step[i] * step[j], 0),
    ),
  );
  return {
    m: all.map((i) => m[i] + sigma * mean[i]),
    sigma: sigma * Math.exp(Math.min(1, (k.cSigma / k.dSigma) * (length / expected - 1))),
    C: next,
    pSigma,
    pC,
    g,
  };
}

function times(a: Matrix, y: number[]): number[] {
  return a.map((row) => row.reduce((s, v, j) => s + v * y[j], 0));
}

/** Z_∞ of Y ← ½ (Y + Z⁻¹), Z ← ½ (Z + Y⁻¹) from Y = A, Z = I. */
function inverseRoot(a: Matrix): Matrix {
  let y = a;
  let z: Matrix = a.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
  for (let step = 0; step < 60; step++) {
    const half = (p: Matrix, q: Matrix) => p.map((row, i) => row.map((v, j) => (v + q[i][j]) / 2));
    [y, z] = [half(y, inverse(z)), half(z, inverse(y))];
  }
  return z;
}

/** Gauss–Jordan elimination with row pivots. */
function inverse(a: Matrix): Matrix {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    rows[c] = rows[c].map((v) => v / rows[c][c]);
    for (let r = 0; r < n; r++) {
      const factor = rows[r][c];
      if (r !== c) rows[r] = rows[r].map((v, j) => v - factor * rows[c][j]);
    }
  }
  return rows.map((row) => row.slice(n));
}
