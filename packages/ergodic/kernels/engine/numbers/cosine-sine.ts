/**
 * cos x and sin x for |x| < 1.6e6, with the same bits as src/engine/numbers/cosine-sine.ts. Callers call `turn(x)`
 * first, and then read `cosine` and `sine`.
 */
const HALF_PI_1: f64 = 1.5707963267341256;
const HALF_PI_2: f64 = 6.077100506303966e-11;
const HALF_PI_3: f64 = 2.0222662487959506e-21;

export let cosine: f64 = 1;
export let sine: f64 = 0;

export function turn(x: f64): void {
  const n = floor(x * 0.6366197723675814 + 0.5);
  const r = x - n * HALF_PI_1 - n * HALF_PI_2 - n * HALF_PI_3;
  const z = r * r;
  const s = r + r * z * sinePolynomial(z);
  const c = 1 - 0.5 * z + z * z * cosinePolynomial(z);
  const quarter = n - 4 * floor(n / 4);
  cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
  sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
}

function sinePolynomial(z: f64): f64 {
  const high = 2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10);
  return -0.16666666666666632 + z * (0.00833333333332249 + z * (-0.0001984126982985795 + z * high));
}

function cosinePolynomial(z: f64): f64 {
  const high = -2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11);
  return 0.0416666666666666 + z * (-0.001388888888887411 + z * (2.480158728947673e-5 + z * high));
}
