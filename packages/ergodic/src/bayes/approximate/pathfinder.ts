import { sampler } from "../samplers/base/sampler.ts";
import { PathfinderRun } from "./pathfinder-run.ts";
import { type QuasiNewtonOptions, quasiNewtonDefaults } from "./quasi-newton.ts";

/** Options of `pathfinder` for its L-BFGS search and for draws from the approximations. */
export interface PathfinderOptions extends Partial<QuasiNewtonOptions> {
  /** Number of paths, each from a random point. Default 4; a whole number >= 1. */
  paths?: number;
  /** Number of draws of each path in the pool. Default 1000; a whole number >= 1. */
  draws?: number;
  /** Number of draws per estimate of the ELBO. Default 25; a whole number >= 1. */
  elboDraws?: number;
  /** Maximum number of L-BFGS iterations per path. Default 1000; a whole number >= 1. */
  maxIterations?: number;
  /** Whether draws are resampled by Pareto-smoothed importance weights. Default true. */
  psis?: boolean;
}

const own = { paths: 4, draws: 1000, elboDraws: 25, maxIterations: 1000, psis: true };
const defaults = { ...own, ...quasiNewtonDefaults };

type ResolvedPathfinder = Readonly<typeof defaults>;

const count = { low: 1, high: 1e6, integer: true };
const tolerance = { low: 0 };

/**
 * Pathfinder: normal approximations along the path of L-BFGS to a mode. Each path contributes its approximation with
 * the best ELBO to a pool.
 *
 * Path i minimises −ℓ from a random point (quasi-newton.ts). At iterate l, with the estimate H_l of the inverse
 * Hessian, the approximation is q_l = N(x_l + H_l ∇ℓ(x_l), H_l), and its ELBO is the mean of ℓ − log q_l over
 * `elboDraws` draws. q is a mixture of the paths' best approximations with equal weights. Draw k of the pool comes from
 * path k mod `paths`, and each path contributes `draws` draws.
 *
 * With `psis`, some draws of a path are 1.5, 3 and 10 times as wide, and draws are resampled by Pareto-smoothed weights
 * p/q (approximation-run.ts). ℓ: log density in nats, up to a constant, x: float64[d], unconstrained.
 *
 * Cost: iterations (at most `maxIterations`) × (elboDraws + about 1.2) evaluations per path. The pool adds paths ×
 * draws evaluations, or up to ten times as many if weights are uneven.
 *
 * Streams: ("path", i, "start") per attempt, ("path", i, "elbo") per iterate, ("path", i, "draw") per draw.
 *
 * Source: Zhang, Carpenter, Gelman, Vehtari 2022. Differs from Stan: weights are relative to the mixture of all paths,
 * so that a path that ends in a poor place cannot distort the weights. The mixture has wide parts that cover the tails.
 * `history` is 10 instead of 5. The search itself uses the diagonal of the approximations and ends later
 * (quasi-newton.ts). Draws are made from the stored pairs, without a QR factorisation.
 *
 * @throws OptionError; CapabilityError without a gradient; ErgodicError if no starting point or no approximation has a
 *   finite density
 */
export const pathfinder = /* @__PURE__ */ sampler<PathfinderOptions>(
  {
    name: "pathfinder",
    family: "approximation",
    exact: false,
    options: {
      paths: count,
      draws: count,
      elboDraws: count,
      maxIterations: count,
      psis: "boolean",
      history: { low: 1, high: 1000, integer: true },
      firstStep: { low: 0, open: true },
      objectiveTolerance: tolerance,
      relativeObjectiveTolerance: tolerance,
      gradientTolerance: tolerance,
      relativeGradientTolerance: tolerance,
      parameterTolerance: tolerance,
    },
    conformance: { paths: 2, draws: 200 },
  },
  (given) => {
    const options: ResolvedPathfinder = { ...defaults, ...given };
    return {
      name: "pathfinder",
      verb: "sample",
      toJSON: () => ({ algorithm: "pathfinder", ...options }),
      start: (density, plan, engine) => new PathfinderRun(density, plan, engine, options),
    };
  },
);
