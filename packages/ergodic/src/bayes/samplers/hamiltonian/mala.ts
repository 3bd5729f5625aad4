import { sampler } from "../base/sampler.ts";
import { type AdaptationOptions, adaptation, adaptationJson, adaptationOptions, adapting } from "./adaptation.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";

const { jitter: _, ...options } = adaptationOptions;

/** Options of `mala`: the options of nuts() that adapt step size and metric. */
export type MalaOptions = Omit<AdaptationOptions, "jitter">;

/**
 * The Metropolis-adjusted Langevin algorithm: x' = x + ε²/2 M⁻¹ ∇ℓ(x) + ε M^−½ z, z ~ N(0, I), accepted with the
 * Metropolis-Hastings ratio of ℓ and the proposal densities in both directions.
 *
 * ε: `stepSize`; M⁻¹: `metric`. The proposal is computed as a Hamiltonian trajectory of one leapfrog
 * (kernels/bayes/hmc.ts). This gives the same point and the same log ratio, H₀ − H (Neal 2011, section 5.2). ε and M⁻¹
 * are adapted as in hamiltonian/nuts.ts, with a target acceptance of 0.574.
 *
 * x: float64[d], unconstrained. ℓ: log density in nats, up to a constant. The sampler leaves the target invariant after
 * warm-up.
 *
 * Source: Besag 1994; Roberts & Tweedie 1996; target acceptance: Roberts & Rosenthal 1998. Differs from other
 * implementations, in which ε² is often called the step size.
 *
 * @throws OptionError; CapabilityError for a density without a gradient
 */
export const mala = /* @__PURE__ */ sampler<MalaOptions>(
  { name: "mala", family: "hamiltonian", exact: true, options },
  (options) => {
    const adapted = adaptation(options, 0.574);
    const run = {
      ...adapting(adapted),
      choose: false,
      name: "mala",
      kernel: "hmcRun",
      maxDepth: 1,
      leapfrogs: 1,
      time: 0,
    } as const;
    const { jitter: _, ...rest } = adaptationJson(adapted);
    return {
      name: "mala",
      verb: "sample",
      toJSON: () => ({ algorithm: "mala", ...rest }),
      start: (density, plan, engine) => new HamiltonianRun(density, plan, engine, run),
    };
  },
);
