/**
 * Gallagher's Gaussian peaks (f21, f22): T_osz(10 − max_k w_k exp(−(x − y_k)ᵀ Rᵀ C_k R (x − y_k) / 2d))² + f_pen.
 *
 * w_1 = 10; the other w_k increase from 1.1 to 9.1. C_k is diagonal with entries c_k^(j / (d − 1) − ½) in random order;
 * c_k ranges from 1 to 1000 in random order over the peaks. Source: Hansen, Finck, Ros, Auger 2009, f21 and f22.
 */
import { order, rotation, uniform } from "./generators.mjs";
import { beyond, oscillated, place, sum, times } from "./transformations.mjs";

/** @typedef {Float64Array} Vector */

const MOST_CONDITION = 1000;
/** Difference between the seeds of consecutive peaks. */
const SEED_STEP = 1000;

/**
 * `halfWidth`: the peaks lie in [−halfWidth, halfWidth]^d, the highest peak within 0.8 times that box.
 *
 * @param {number} d
 * @param {number} seed
 * @param {{ peaks: number, halfWidth: number, firstCondition: number }} shape
 */
export function gallagher(d, seed, { peaks, halfWidth, firstCondition }) {
  const rotate = times(rotation(d, seed));
  const ranks = order(uniform(peaks - 1, seed));
  const numbers = uniform(d * peaks, seed);
  const last = peaks - 2;
  const all = Array.from({ length: peaks }, (_, k) => {
    const condition = k === 0 ? firstCondition : MOST_CONDITION ** (ranks[k - 1] / last);
    const scales = order(uniform(d, seed + SEED_STEP * k)).map((rank) => condition ** (place(rank, d) - 0.5));
    const centre = numbers.slice(k * d, (k + 1) * d).map((u) => (2 * u - 1) * halfWidth * (k === 0 ? 0.8 : 1));
    return { height: k === 0 ? 10 : ((k - 1) / last) * 8 + 1.1, scales, centre, turned: rotate(centre) };
  });
  /** @param {Vector} x */
  const raw = (x) => {
    const z = rotate(x);
    let highest = 0;
    for (const { height, scales, turned } of all) {
      const distance = sum(d, (j) => scales[j] * (z[j] - turned[j]) ** 2);
      highest = Math.max(highest, height * Math.exp((-0.5 / d) * distance));
    }
    return oscillated(10 - highest) ** 2 + beyond(x);
  };
  return { raw, xopt: all[0].centre };
}
