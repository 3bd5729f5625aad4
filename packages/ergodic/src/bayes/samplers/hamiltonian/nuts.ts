import { sampler } from "../base/sampler.ts";
import { type AdaptationOptions, adaptation, adaptationJson, adaptationOptions, adapting, USUAL } from "./adaptation.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";

/** Options of `nuts`. */
export interface NutsOptions extends AdaptationOptions {
  /**
   * Maximum tree depth: a trajectory has at most 2^maxTreeDepth − 1 leapfrog steps. Default 10; a whole number, 1 to
   * 20.
   */
  maxTreeDepth?: number;
}

/**
 * The no-U-turn sampler. A Hamiltonian trajectory doubles in length until it turns back. The next point is drawn from
 * the points of this trajectory, by weight.
 *
 * This is the default sampler for models with a gradient. Step size and metric are adapted during warm-up, so options
 * are rarely needed.
 *
 * H(q, p) = p·M⁻¹p/2 − ℓ(q); leapfrogs of length ε (`stepSize`). The next point is drawn by multinomial sampling over
 * the trajectory, with a bias towards later doublings. A trajectory ends when s₀·Σp <= 0 or s₁·Σp <= 0, where s = M⁻¹p
 * at its ends. Both conditions are tested for the whole trajectory, and for each half together with the nearest point
 * of the other half. A trajectory also ends at depth `maxTreeDepth`, or when H − H₀ > 1000 (a divergence).
 *
 * ε and M⁻¹ adapt during warm-up (dual-averaging.ts, warmup.ts, metric.ts). ℓ: log density in nats, up to a constant;
 * x: float64[d], unconstrained. The sampler leaves the target invariant after warm-up.
 *
 * Source: Hoffman, Gelman 2014; Betancourt 2017. Differs from Stan: the low-rank metric is estimated from draws and
 * gradients and renewed often (`{ metric: "diagonal" }` is Stan's method); the search for the first step size only
 * doubles or halves, without a second trial at the start; and random numbers come from Philox.
 *
 * @throws OptionError for an unknown option or one out of range
 *
 * @example
 * ```ts
 * const posterior = await sample(eightSchools, { y, sigma }, { algorithm: nuts(), seed: 1 });
 * await sample(m, { y, sigma }, { algorithm: nuts({ targetAcceptance: 0.95, maxTreeDepth: 12 }) });   // if steps diverge
 * ```
 */
export const nuts = /* @__PURE__ */ sampler<NutsOptions>(
  {
    name: "nuts",
    family: "hamiltonian",
    exact: true,
    options: { ...adaptationOptions, maxTreeDepth: { low: 1, high: 20, integer: true } },
  },
  (options) => {
    const { maxTreeDepth = 10 } = options;
    const adapted = adaptation(options, USUAL);
    const run = { ...adapting(adapted), name: "nuts", kernel: "nutsRun", maxDepth: maxTreeDepth, leapfrogs: 0, time: 0 } as const;
    return {
      name: "nuts",
      verb: "sample",
      toJSON: () => ({ algorithm: "nuts", ...adaptationJson(adapted), maxTreeDepth }),
      start: (density, plan, engine) => new HamiltonianRun(density, plan, engine, run),
    };
  },
);
