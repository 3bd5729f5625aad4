import { OptionError } from "../../engine/errors/errors.ts";
import { batchOf } from "../samplers/base/gradient-estimate.ts";
import { sampler } from "../samplers/base/sampler.ts";
import type { ResolvedSvgd, SvgdOptions } from "./svgd-options.ts";
import { SvgdRun } from "./svgd-run.ts";

export type { SvgdOptions };

const defaults = { particles: 100, rate: 0.5, iterations: 1000, tolerance: 1e-3, start: "pathfinder" } satisfies SvgdOptions;

/**
 * Stein variational gradient descent: particles climb the log density together and repel each other.
 *
 * φ(x) = n⁻¹ Σ_j [k(x_j, x) ∇ℓ(x_j) + ∇_{x_j} k(x_j, x)], k(x, y) = exp(−‖x − y‖²/h), n = `particles`; h = med²/log n,
 * where med is the current median distance of two particles, or `bandwidth`. AdaGrad step for each coordinate: G ← G +
 * φ², x ← x + rate·φ/(10⁻⁸ + √G). ℓ: log density in nats, up to a constant, x: float64[d], unconstrained.
 *
 * Ends after `iterations`, or when the root mean square of φ is below `tolerance`. An iteration costs n gradients and
 * n²d operations.
 *
 * `start: "pathfinder"`: particles are drawn in turn from the normals of four Pathfinder paths. Distances and steps are
 * in the coordinates in which the best of these normals is standard, so that units do not matter. "random": uniform in
 * (−2, 2), or at the plan's points in turn, in the original coordinates.
 *
 * With `batch`, each gradient reads this many rows, with control variates about the mean of the best path
 * (batch-point.ts); the paths read all rows. The particles are the draws of a single chain, in no particular order.
 * `chains` must be 1, and `draws` must equal `particles`.
 *
 * The kernel covers at most n directions, so spreads are underestimated in high dimensions (d ≫ log n). Streams:
 * ("path", i, …) as in Pathfinder; ("particle", i, "start"); ("svgd", "rows").
 *
 * Source: Liu, Wang 2016. There are two differences. AdaGrad sums all squared gradients without decay, so that
 * particles come to rest. Coordinates are scaled.
 *
 * @throws OptionError; CapabilityError without a gradient; ErgodicError if no starting point has a finite density
 */
export const svgd = /* @__PURE__ */ sampler<SvgdOptions>(
  {
    name: "svgd",
    family: "approximation",
    exact: false,
    options: {
      particles: { low: 2, high: 1e5, integer: true },
      rate: { low: 0, open: true },
      iterations: { low: 1, high: 1e9, integer: true },
      tolerance: { low: 0 },
      start: ["pathfinder", "random"],
      bandwidth: { low: 0, open: true },
      batch: { low: 1, integer: true },
    },
    conformance: { particles: 40 },
  },
  (given) => {
    const options: ResolvedSvgd = { ...defaults, ...given };
    if (options.batch !== undefined && options.start === "random")
      throw new OptionError(
        "svgd",
        'batch is given with start: "random", but batches need the centre that the paths find; use start: "pathfinder", or all rows',
        "OPTION_CONFLICT",
      );
    return {
      name: "svgd",
      verb: "sample",
      readsRows: options.batch !== undefined,
      checkGiven: (where, { chains = 1, draws = options.particles }) => checkParticles(where, options.particles, chains, draws),
      toJSON: () => ({ algorithm: "svgd", ...options }),
      start(density, plan, engine) {
        if (options.batch !== undefined) batchOf("svgd", { batch: options.batch, centre: undefined }, density);
        return new SvgdRun(density, plan, engine, options);
      },
    };
  },
);

/** @throws OptionError */
function checkParticles(where: string, particles: number, chains: number, draws: number): void {
  const problem = chains === 1 ? `draws is ${draws}` : `chains is ${chains}`;
  const instead = chains === 1 ? `leave draws out, or use svgd({ particles: ${draws} })` : "leave chains out";
  if (chains === 1 && draws === particles) return;
  throw new OptionError(
    where,
    `${problem}, but the draws of svgd() are its ${particles} particles, in one chain; ${instead}`,
    "OPTION_MEANING",
  );
}
