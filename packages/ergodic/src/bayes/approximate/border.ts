import { type Minimised, QuasiNewton, quasiNewtonDefaults } from "./quasi-newton.ts";

/**
 * Whether f falls without end as one coordinate runs to the border of its constraint: what a log density does where a scale may
 * go to 0 and its normal density grows as 1/scale.
 *
 * The other coordinates are at their minimum given this one (quasi-Newton, from where they are); the coordinate goes out in
 * strides of `STRIDE`, to `DEEP` at least. A density with a limit there gains less with each stride, e^−STRIDE of it in the
 * end; one without gains as much as before. A scale that is small, since its data are, stops gaining on the way. Where the
 * coordinate is beyond `DEEP` already, rounding has the word: strides lie inside.
 */
export interface Border {
  /** The coordinate. */
  readonly at: number;
  /** Which way the border is. */
  readonly side: 1 | -1;
}

/** A coordinate of a scale is its logarithm: e^−4 and less is looked at. */
export const NEAR_BORDER = 4;
const STRIDE = 2;
const DEEP = 30;
/** Units of f: less is no growth. */
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

/** The minimum over all coordinates but one, which is set. */
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
