/**
 * atan x, computed with only +, −, × and ÷, so that every JavaScript engine gives the same bits; Math.atan can differ
 * between hosts.
 *
 * |x| is reduced by atan x = atan c + atan((x − c)/(1 + cx)), where c is the nearest of ½, 1, 3⁄2 and ∞. The remainder
 * is below 7⁄16, and a minimax polynomial computes its arctangent. Error below 1 ulp; ±0 is returned unchanged. Source:
 * fdlibm (Sun Microsystems 1993).
 */

/** atan of ½, 1, 3⁄2 and ∞, with their float64 rounding errors in LOW. */
const HIGH = [0.4636476090008061, 0.7853981633974483, 0.982793723247329, 1.5707963267948966];
const LOW = [2.2698777452961687e-17, 3.061616997868383e-17, 1.3903311031230998e-17, 6.123233995736766e-17];
const ODD = [
  0.3333333333333293, 0.14285714272503466, 0.09090887133436507, 0.06661073137387531, 0.049768779946159324, 0.016285820115365782,
];
const EVEN = [-0.19999999999876483, -0.11111110405462356, -0.0769187620504483, -0.058335701337905735, -0.036531572744216916];

export function arctangent(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size < 2 ** -29) return x;
  if (size < 7 / 16) return size === x ? size - lost(size) : -(size - lost(size));
  const near = size < 11 / 16 ? 0 : size < 19 / 16 ? 1 : size < 39 / 16 ? 2 : 3;
  const t = moved(size, near);
  const value = HIGH[near] - (lost(t) - LOW[near] - t);
  return x < 0 ? -value : value;
}

function moved(x: number, near: number): number {
  if (near === 0) return (2 * x - 1) / (2 + x);
  if (near === 1) return (x - 1) / (x + 1);
  return near === 2 ? (x - 1.5) / (1 + 1.5 * x) : -1 / x;
}

/** Returns t − atan t for |t| < 7⁄16. */
function lost(t: number): number {
  const z = t * t;
  const w = z * z;
  const odd = ODD.reduceRight((sum, a) => sum * w + a) * z;
  const even = EVEN.reduceRight((sum, a) => sum * w + a) * w;
  return t * (odd + even);
}
