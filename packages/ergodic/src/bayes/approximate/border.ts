import { type Minimised, QuasiNewton, quasiNewtonDefaults } from "./quasi-newton.ts";

/**
 * Whether f decreases without bound as one coordinate runs to the border of its constraint. A negative log density is
 * unbounded in this way if a scale can approach 0, because the density of a normal with that scale grows as 1/scale.
 *
 * For each value of this coordinate, a quasi-Newton search minimises over the others, starting from their last
 * position. The coordinate moves outward in strides of `STRIDE`, at least to `DEEP`. If f has a limit, each stride
 * lowers f by less than the previous stride did, and the ratio of successive decreases approaches e^−STRIDE. Without a
 * limit, each stride lowers it by as much as before. If a scale is small only because its data are small, f stops
 * decreasing before `DEEP`.
 *
 * If the coordinate is already beyond `DEEP`, where rounding dominates, the strides end at `DEEP` instead.
 */
export interface Border {
  /** Index of the coordinate. */
  readonly at: number;
  /** Direction of the border. */
  readonly side: 1 | -1;
}

/**
 * Distance from which borders are checked. The coordinate of a scale is its logarithm, so scales of e^−4 and less are
 * checked.
 */
export const NEAR_BORDER = 4;
const STRIDE = 2;
const DEEP = 30;
/** Smallest decrease of f per stride that counts. */
const LEAST_RISE = 0.1;
const MOVES = 200;

export function fallsWithoutEnd(f: Minimised, x: Float64Array, { at, side }: Border): boolean {
  const depth = side * x[at];
  if (!(depth >= NEAR_BORDER)) return false;
  const first = Math.min(depth, DEEP) - 2 * STRIDE;
  let rise = 0;
  let before = others(f, x, at, side * first);
  for (let reached = first + STRIDE; reached <= Math.max(depth, DEEP); reached += STRIDE) {
    const here = others(f, before.x, at, side * reached);
    const further = before.loss - here.loss;
    if (!(further >= Math.max(LEAST_RISE, rise / 2))) return false;
    if (depth > DEEP && reached >= DEEP) break;
    [rise, before] = [further, here];
  }
  return true;
}

/** Minimises f over all coordinates except `at`, which is fixed at `value`. */
function others(f: Minimised, x: Float64Array, at: number, value: number): { x: Float64Array; loss: number } {
  const search = new QuasiNewton((point, gradient) => {
    const loss = f(point, gradient);
    if (gradient) gradient[at] = 0;
    return loss;
  }, quasiNewtonDefaults);
  const start = x.slice();
  start[at] = value;
  search.start(start);
  for (let move = 0; move < MOVES && Number.isFinite(search.loss); move++) if (search.step()) break;
  return { x: search.x, loss: search.loss };
}
