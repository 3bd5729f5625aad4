import { add, div, mul, square, sub } from "../../primitives/arithmetic.ts";
import { sqrt } from "../../primitives/functions.ts";
import { sum } from "../../primitives/reductions.ts";
import { max } from "../../primitives/selection.ts";
import { array, number, operation, optional } from "../../signature.ts";
import type { SymbolicArray } from "../symbolic.ts";
import { full } from "./constants.ts";
import { type Backward, customDerivative } from "./custom-derivative.ts";
import { slicedBy } from "./places.ts";
import { reshape } from "./reshape.ts";

/** Result of `batchNormalised`: the normalised array, and the statistics of the batch. */
export interface BatchNormalised {
  /** Normalised array y, in the shape of x. */
  readonly normalised: SymbolicArray;
  /** Mean of each channel, [channels]. */
  readonly mean: SymbolicArray;
  /** Variance of each channel, [channels]. */
  readonly variance: SymbolicArray;
}

/**
 * Batch normalisation: y = γ (x − μ) / √(σ² + ε) + β, where μ and σ² are the mean and variance (divided by the count n)
 * over all axes except the last.
 *
 * One pass computes the statistics and a second pass computes y. The statistics are computed from differences to each
 * channel's first value, so that a large mean causes no cancellation. The derivative is given explicitly, because
 * differentiating through the statistics would take another pass. The derivatives are dβ = Σ dy, dγ = Σ dy x̂ and dx =
 * γ/√(σ² + ε) · (dy − dβ/n − x̂ dγ/n), where x̂ = (x − μ)/√(σ² + ε). Source: Ioffe & Szegedy 2015.
 *
 * γ and β: [channels]; by default 1 and 0.
 */
export const batchNormalised = operation(
  "batchNormalised",
  { x: array, epsilon: number, scale: optional(array), shift: optional(array) },
  (
    x: SymbolicArray,
    epsilon: number,
    scale: SymbolicArray = full(1, x.shape.slice(-1)),
    shift: SymbolicArray = full(0, x.shape.slice(-1)),
  ): BatchNormalised => {
    const { mean, variance, precision } = statisticsOf(x, epsilon);
    const forward = (x: SymbolicArray, scale: SymbolicArray, shift: SymbolicArray): SymbolicArray =>
      add(mul(sub(x, mean), mul(scale, precision)), shift);
    return { normalised: customDerivative([x, scale, shift], forward, backwardOf(epsilon)), mean, variance };
  },
);

const axesOf = (x: SymbolicArray): number[] => x.shape.slice(0, -1).map((_, i) => i);
const countOf = (x: SymbolicArray): number => x.size / x.shape[x.rank - 1];

function statisticsOf(x: SymbolicArray, epsilon: number): Record<"mean" | "variance" | "precision", SymbolicArray> {
  const channels = x.shape.slice(-1);
  const axis = axesOf(x);
  const corner = { start: x.shape.map(() => 0), step: x.shape.map(() => 1) };
  const first = reshape(slicedBy(x, corner, [...axis.map(() => 1), ...channels]), channels);
  const distance = sub(x, first);
  const meanDistance = div(sum(distance, { axis }), countOf(x));
  const variance = max(sub(div(sum(square(distance), { axis }), countOf(x)), square(meanDistance)), 0);
  return { mean: add(first, meanDistance), variance, precision: div(1, sqrt(add(variance, epsilon))) };
}

/** There is one function per ε, so that equal normalisations are the same node. */
const known = new Map<number, Backward>();

function backwardOf(epsilon: number): Backward {
  const before = known.get(epsilon);
  if (before) return before;
  const made: Backward = (adjoint, _, [x, scale]) => {
    const { mean, precision } = statisticsOf(x, epsilon);
    const axis = axesOf(x);
    const standard = mul(sub(x, mean), precision);
    const toShift = sum(adjoint, { axis });
    const toScale = sum(mul(adjoint, standard), { axis });
    const centred = sub(adjoint, add(div(toShift, countOf(x)), mul(standard, div(toScale, countOf(x)))));
    return [mul(mul(scale, precision), centred), toScale, toShift];
  };
  known.set(epsilon, made);
  return made;
}
