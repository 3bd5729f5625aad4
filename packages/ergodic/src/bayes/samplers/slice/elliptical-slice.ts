import { OptionError } from "../../../engine/errors/errors.ts";
import { covarianceKinds } from "../base/learned-factor.ts";
import { lowerFactor } from "../base/metric.ts";
import { sampler, withoutUndefined } from "../base/sampler.ts";
import type { WalkChain } from "../base/walk-chain.ts";
import { WalkRun } from "../base/walk-run.ts";
import { type WindowOptions, windowsOption } from "../base/windows.ts";

/** Options of `ellipticalSlice`. */
export interface EllipticalSliceOptions {
  /** Mean m of the Gaussian reference, float64[d]. Needs `covariance`. Default: estimated. */
  mean?: ArrayLike<number>;
  /**
   * Covariance C of the reference, row-major, float64[d × d]; or its variances, float64[d]. Needs `mean`. Default:
   * estimated.
   */
  covariance?: ArrayLike<number>;
  /**
   * Shape of the estimated covariance if no reference is given. Default "dense" up to 100 dimensions, otherwise
   * "diagonal".
   */
  estimate?: "dense" | "diagonal";
  /** Factor by which an estimated covariance is multiplied, > 0. Default 1.5. */
  inflation?: number;
  /** Lengths of the warm-up windows in which the reference is estimated. */
  windows?: WindowOptions;
}

const MOST_DENSE = 100;
/** Maximum size of an interval during warm-up, in widths. */
const STEPPING_OUT = 1000;

interface Reference {
  mean: Float64Array;
  factor: Float64Array;
}

/**
 * Elliptical slice sampling with a Gaussian reference N(m, C). Proposals x' = m + (x − m) cos θ + v sin θ lie on an
 * ellipse about m, which is defined by x and a draw v of N(0, C). The bracket of angles θ shrinks until ℓ(x') − log
 * N(x'; m, C) exceeds the level of the slice.
 *
 * The sampler is designed for targets N(x; m, C) L(x) with a Gaussian prior. Give the prior as `mean` and `covariance`
 * (variances as float64[d], or a row-major float64[d, d]).
 *
 * Without a given reference, the warm-up `windows` (base/windows.ts) use coordinate-wise slice sampling (slice.ts).
 * Ellipses from a reference that is too narrow would hardly reveal the scales. Each window estimates the reference
 * (`estimate`) and inflates its covariance by `inflation`. The last estimate is used for the draws. With fewer than 20
 * warm-up transitions, the reference is N(0, I).
 *
 * The target is invariant for any fixed reference, but the reference determines how well chains mix. If the target's
 * tails are heavier than the reference's, ℓ − log N grows without bound, and a chain in the tails returns slowly (it is
 * not geometrically ergodic). inflation > 1 guards against this for targets with Gaussian tails.
 *
 * x: float64[d], unconstrained. ℓ: log density in nats, up to a constant. There is no step to tune. The `stepSize` of a
 * transition is |θ|.
 *
 * Source: Murray, Adams & MacKay 2010; references other than the prior: Nishihara, Murray & Adams 2014, section 2.
 * Differs from the first source: ℓ is the whole log density, from which the reference's log density is subtracted.
 *
 * @throws OptionError if the covariance is not positive definite, or only one of mean and covariance is given
 */
export const ellipticalSlice = /* @__PURE__ */ sampler<EllipticalSliceOptions>(
  {
    name: "ellipticalSlice",
    family: "slice",
    exact: true,
    options: {
      mean: { numbers: {} },
      covariance: { numbers: {} },
      estimate: covarianceKinds,
      inflation: { low: 0, open: true },
      windows: windowsOption,
    },
  },
  (options) => {
    const name = "ellipticalSlice";
    const { mean, covariance, estimate, inflation = 1.5, windows = {} } = options;
    const reference = mean || covariance ? referenceOf(mean, covariance) : undefined;
    const fixed = { mean: mean && [...Array.from(mean)], covariance: covariance && [...Array.from(covariance)] };
    return {
      name,
      verb: "sample",
      toJSON: () =>
        reference
          ? withoutUndefined({ algorithm: name, ...fixed })
          : withoutUndefined({ algorithm: name, estimate, inflation, windows: { ...windows } }),
      start: (density, plan, engine) => {
        const { dimension } = density;
        if (reference && reference.mean.length !== dimension)
          throw new OptionError(
            name,
            `mean has ${reference.mean.length} numbers, but the log density has dimension ${dimension}`,
            "OPTION_SHAPE",
          );
        const kind = estimate ?? (dimension <= MOST_DENSE ? "dense" : "diagonal");
        const shape = reference && (reference.factor.length > reference.mean.length ? "dense" : "diagonal");
        const root = Math.sqrt(inflation);
        return new WalkRun(density, plan, engine, {
          name,
          kernel: "ellipticalSliceRun",
          covariance: shape ?? kind,
          stepPerCoordinate: true,
          stepSize: 1,
          target: 0.5,
          mode: 0,
          limit: STEPPING_OUT,
          ...(reference
            ? { prepare: (chain: WalkChain) => setReference(chain, reference) }
            : {
                windows,
                windowsKernel: "sliceRun" as const,
                learn: (chain: WalkChain, mean: Float64Array, factor: Float64Array) =>
                  setReference(chain, { mean, factor: factor.map((x) => root * x) }),
              }),
        });
      },
    };
  },
);

function setReference(chain: WalkChain, { mean, factor }: Reference): void {
  chain.mean.set(mean);
  chain.factor.set(factor);
}

function referenceOf(mean: ArrayLike<number> | undefined, covariance: ArrayLike<number> | undefined): Reference {
  const where = "ellipticalSlice";
  if (!mean || !covariance)
    throw new OptionError(
      where,
      `${mean ? "mean" : "covariance"} is given without ${mean ? "covariance" : "mean"}, but a reference needs both; leave both out to have the reference estimated`,
      "OPTION_CONFLICT",
    );
  const d = mean.length;
  const numbers = Float64Array.from(covariance);
  if (numbers.length !== d && numbers.length !== d * d)
    throw new OptionError(
      where,
      `covariance has ${numbers.length} numbers, but must have ${d} (variances) or ${d * d}, as mean has ${d}`,
      "OPTION_SHAPE",
    );
  const dense = numbers.length > d;
  const symmetric = !dense || numbers.every((x, at) => x === numbers[(at % d) * d + Math.floor(at / d)]);
  const factor = dense ? lowerFactor(numbers, d) : numbers.map(Math.sqrt);
  if (!symmetric || !factor?.every((x, at) => (dense && at % (d + 1) !== 0 ? Number.isFinite(x) : x > 0 && x < Infinity)))
    throw new OptionError(where, "covariance is not symmetric and positive definite", "OPTION_RANGE");
  return { mean: Float64Array.from(mean), factor };
}
