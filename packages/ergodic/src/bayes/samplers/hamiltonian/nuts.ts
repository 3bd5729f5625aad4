import { sampler } from "../base/sampler.ts";
import { type AdaptationOptions, adaptation, adaptationJson, adaptationOptions, adapting, USUAL } from "./adaptation.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";

/** Options of `nuts`. */
export interface NutsOptions extends AdaptationOptions {
  /** A trajectory has at most 2^maxTreeDepth − 1 leapfrog steps. Default 10; a whole number, 1 to 20. */
  maxTreeDepth?: number;
}

/**
 * The no-U-turn sampler: Hamiltonian trajectories that double until they turn back, and a draw from their points by weight.
 *
 *   const posterior = await sample(eightSchools, { y, sigma }, { algorithm: nuts(), seed: 1 });
 *   await sample(m, { y, sigma }, { algorithm: nuts({ targetAcceptance: 0.95, maxTreeDepth: 12 }) });   // where steps diverge
 *
 * The default sampler for models with a gradient: step size and metric are adapted during warm-up, so options are seldom
 * needed. H(q, p) = p·M⁻¹p/2 − ℓ(q); leapfrogs of length ε (`stepSize`). Multinomial over the trajectory, biased towards its
 * later doublings. A trajectory ends where s₀·Σp <= 0 or s₁·Σp <= 0, s = M⁻¹p at the ends, for the whole or for either half
 * with the nearest point of the other; at depth `maxTreeDepth`; or where H − H₀ > 1000 (a divergence). ε and M⁻¹ adapt during
 * warm-up (dual-averaging.ts, warmup.ts, metric.ts). ℓ: log density in nats, up to a constant; x: float64[d], unconstrained.
 * Leaves the target invariant once warm-up has ended.
 * Source: Hoffman, Gelman 2014; Betancourt 2017. Differs from Stan: a metric of low rank made from draws and gradients, renewed
 * often (`{ metric: "diagonal" }` is Stan's way); the first step size is doubled or halved without a second trial at the start;
 * and random numbers are Philox's.
 *
 * @throws OptionError for an unknown option or one out of range
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
