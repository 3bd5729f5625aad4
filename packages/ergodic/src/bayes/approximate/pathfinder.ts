import { sampler } from "../samplers/base/sampler.ts";
import { PathfinderRun } from "./pathfinder-run.ts";
import { type QuasiNewtonOptions, quasiNewtonDefaults } from "./quasi-newton.ts";

/** Options of `pathfinder`: those of its L-BFGS search, and how the approximations are drawn. */
export interface PathfinderOptions extends Partial<QuasiNewtonOptions> {
  /** Paths, each from a random point. Default 4; a whole number >= 1. */
  paths?: number;
  /** Draws of each path in the pool. Default 1000; a whole number >= 1. */
  draws?: number;
  /** Draws per estimate of the ELBO. Default 25; a whole number >= 1. */
  elboDraws?: number;
  /** Most L-BFGS iterations per path. Default 1000; a whole number >= 1. */
  maxIterations?: number;
  /** Whether draws are picked by Pareto smoothed importance weights. Default true. */
  psis?: boolean;
}

const own = { paths: 4, draws: 1000, elboDraws: 25, maxIterations: 1000, psis: true };
const defaults = { ...own, ...quasiNewtonDefaults };

type ResolvedPathfinder = Readonly<typeof defaults>;

const count = { low: 1, high: 1e6, integer: true };
const tolerance = { low: 0 };

/**
 * Pathfinder: normal approximations along the way of L-BFGS to a mode, the best of each path by its ELBO, pooled over paths.
 *
 * Path i minimises −ℓ from a random point (quasi-newton.ts). At iterate l, with its estimate H_l of the inverse Hessian, the approximation is
 * q_l = N(x_l + H_l ∇ℓ(x_l), H_l), and its elbo the mean of ℓ − log q_l over `elboDraws` draws. q is the mixture of the paths' best, in equal parts;
 * draw k of the pool is of path k mod `paths`. With `psis` some draws of a path are 1.5, 3 and 10 times as wide, and draws are picked from the pool by
 * Pareto smoothed weights p/q (approximation-run.ts). ℓ: log density in nats, up to a constant, x: float64[d], unconstrained.
 * Costs: iterations × (elboDraws + about 1.2) evaluations a path, and paths × draws, up to ten times as many where weights are uneven.
 * Streams: ("path", i, "start") attempt by attempt, ("path", i, "elbo") iterate by iterate, ("path", i, "draw") draw by draw.
 * Source: Zhang, Carpenter, Gelman, Vehtari 2022. Differs from Stan: weights are against the mixture of all paths, so that a path in a poor place
 * cannot spoil them, and the mixture has wide parts, so that tails are seen; `history` is 10, there 5; the search itself uses the diagonal that the
 * approximations use, and ends later (quasi-newton.ts); draws are made from the pairs themselves, without a QR.
 *
 * @throws OptionError; CapabilityError without a gradient; ErgodicError where no starting point or no approximation has a finite density
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
