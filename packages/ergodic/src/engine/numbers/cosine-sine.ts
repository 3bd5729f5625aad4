/**
 * cos x and sin x together, with the same bits on every machine (Math.cos differs between JavaScript engines).
 *
 * x = nπ/2 + r with |r| ≤ π/4 by three-part subtraction (Cody and Waite 1980), exact for |n| < 2^20; then the minimax
 * polynomials of fdlibm (Sun Microsystems 1993). The error is below 2.3e-16 for |x| < 1.6e6. For larger x, the
 * reduction loses about 1e-16·|x|. NaN and ±∞ give NaN. `cosine` and `sine` reduce larger x in integer arithmetic, and
 * have the same error for all x.
 */
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487959506e-21;

/** Writes cos x to out[at] and sin x to out[at + 1], each times `factor`. */
export function cosineSine(x: number, factor: number, out: Float64Array, at: number): void {
  const n = Math.round(x * 0.6366197723675814);
  const r = x - n * HALF_PI_1 - n * HALF_PI_2 - n * HALF_PI_3;
  const z = r * r;
  const sine = factor * (r + r * z * sinePolynomial(z));
  const cosine = factor * (1 - 0.5 * z + z * z * cosinePolynomial(z));
  // For 0 to 3 quarter turns, the results are (cos, sin), (-sin, cos), (-cos, -sin) and (sin, -cos). Branches are
  // avoided, because processors could not predict them.
  const quarter = (n - 4 * Math.floor(n / 4)) | 0;
  const swapped = quarter & 1;
  out[at + swapped] = (1 - (quarter & 2)) * cosine;
  out[at + 1 - swapped] = (1 - ((quarter + 1) & 2)) * sine;
}

/** Returns sin x; ±0 is returned unchanged. */
export const sine = (x: number): number => (x === 0 ? x : wave(x, 0));
export const cosine = (x: number): number => wave(x, 1);

const pair = new Float64Array(2);

/** Returns sin(x + quarterTurns·π/2). */
function wave(x: number, quarterTurns: number): number {
  const [quarter, r] = Math.abs(x) > LARGE && Math.abs(x) < Infinity ? reduced(x) : [0, x];
  cosineSine(r, 1, pair, 0);
  const turns = (quarter + quarterTurns) & 3;
  const value = pair[1 - (turns & 1)];
  return turns < 2 ? value : -value;
}

/** Limit of |x| below which the products of n with the parts of π/2 are exact. */
const LARGE = 1.6e6;
/**
 * Number of binary digits of π/2 in `reduced`. This many digits make the error 2^-200, even for 2^1024 quarter turns.
 */
const DIGITS = 1224n;
let quarterTurn = 0n;

/** Reduces large x: x = n π/2 + r, |r| < π/2. Returns n mod 4 and r. */
function reduced(x: number): readonly [quarter: number, r: number] {
  quarterTurn ||= 2n * (4n * inverseArctangent(5n) - inverseArctangent(239n));
  // The conversion is exact, because a float64 ≥ 2^20 is a multiple of 2^-32.
  const whole = Math.abs(x) < 2 ** 53 ? BigInt(x * 2 ** 32) : BigInt(x) << 32n;
  const exact = whole << (DIGITS - 32n);
  const n = exact / quarterTurn;
  const r = exact - n * quarterTurn;
  return [Number(BigInt.asUintN(2, n)), Number(r >> (DIGITS - 200n)) * 2 ** -200];
}

/** Returns atan 1/n with DIGITS binary digits, for π = 16 atan 1/5 − 4 atan 1/239 (Machin 1706). */
function inverseArctangent(n: bigint): bigint {
  let term = (1n << DIGITS) / n;
  let total = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = -term / (n * n);
    total += term / k;
  }
  return total;
}

function sinePolynomial(z: number): number {
  const high = 2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10);
  return -0.16666666666666632 + z * (0.00833333333332249 + z * (-0.0001984126982985795 + z * high));
}

function cosinePolynomial(z: number): number {
  const high = -2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11);
  return 0.0416666666666666 + z * (-0.001388888888887411 + z * (2.480158728947673e-5 + z * high));
}
