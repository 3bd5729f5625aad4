/**
 * Hamiltonian Monte Carlo: L leapfrogs of length ε from a fresh momentum, the end accepted with probability min(1, exp(H₀ − H)).
 *
 * H(q, p) = p·M⁻¹p/2 − ℓ(q). L: `leapfrogs`, or max(1, ⌊time / ε⌋). `jitter` spreads ε over (1 ± jitter) ε anew in each transition, which breaks the cycles that
 * fixed lengths fall into; L stays. ε and M⁻¹ are adapted as in nuts.ts. ℓ: log density in nats, up to a constant, x: float64[d], unconstrained.
 * Leaves the target invariant once warm-up has ended. Source: Neal 2011. Differs from Stan: a trajectory ends, refused, at the first point without a
 * finite density.
 *
 * @throws OptionError; also where both `time` and `leapfrogs` are given
 */
import { checkKeys, checkNumber, OptionError } from "../../../base/errors.ts";
import type { Sampler } from "../../sampling/sampler.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";
import { type AdaptationOptions, adaptation, adaptationKeys, adapting } from "./nuts.ts";

export interface HmcOptions extends AdaptationOptions {
  /** Length of a trajectory in time units: 2π. */
  time?: number;
  /** Leapfrogs of a trajectory, instead of `time`. */
  leapfrogs?: number;
}

export function hmc(options: HmcOptions = {}): Sampler {
  checkKeys("hmc", options, [...adaptationKeys, "time", "leapfrogs"]);
  if (options.time !== undefined && options.leapfrogs !== undefined)
    throw new OptionError(
      "hmc",
      "time and leapfrogs are both given, but one follows from the other; leave one out",
      "OPTION_CONFLICT",
    );
  const { time = 2 * Math.PI, leapfrogs = 0 } = options;
  checkNumber("hmc", "time", time, { low: 0, open: true });
  if (options.leapfrogs !== undefined) checkNumber("hmc", "leapfrogs", leapfrogs, { low: 1, high: 2 ** 31, integer: true });
  const adapted = adaptation("hmc", options, 0.8);
  const run = { ...adapting(adapted), name: "hmc", kernel: "hmcRun", maxDepth: 1, leapfrogs, time } as const;
  const { averaging, windows, ...rest } = adapted;
  const length: Record<string, number> = leapfrogs > 0 ? { leapfrogs } : { time };
  return {
    name: "hmc",
    toJson: () => ({ algorithm: "hmc", ...rest, ...averaging, windows: { ...windows }, ...length }),
    start: (density, plan, engine) => new HamiltonianRun(density, plan, engine, run),
  };
}
