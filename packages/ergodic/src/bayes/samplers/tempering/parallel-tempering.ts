import type { JsonObject } from "../../../engine/contract/index.ts";
import { checkAlgorithm } from "../../../engine/errors/checks.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { powersOf } from "../../../engine/statistics/temperature-ladder.ts";
import { type Sampler, sampler } from "../base/sampler.ts";
import { nuts } from "../hamiltonian/nuts.ts";
import { ParallelTemperingRun } from "./parallel-tempering-run.ts";

/** Options of `parallelTempering`. */
export interface ParallelTemperingOptions {
  /** The sampler that moves each copy. Default nuts(). */
  inner?: Sampler;
  /**
   * Inverse temperatures β, descending from 1; they stay as given unless `adapt` is true. Default: `count` of them in geometric
   * steps down to `lowest`.
   */
  temperatures?: readonly number[];
  /** Copies per chain. Default 8; a whole number, 1 to 1024. */
  count?: number;
  /** The lowest β, in [0, 1]. Default 0.01. At 0 the prior must be proper, and something observed. */
  lowest?: number;
  /** Transitions between swaps. Default 1; a whole number >= 1. */
  swapEvery?: number;
  /** Whether warm-up adapts the temperatures. Default true unless `temperatures` are given. */
  adapt?: boolean;
}

/**
 * Parallel tempering: copies of a chain at powers 1 = β₀ > β₁ > …, whose neighbours swap their points; the draws are those of β = 1.
 *
 * The copy at β moves by `inner` on log prior + β log likelihood. Where there is no likelihood, that is for plain functions and
 * for models without `observe` and `marginalise` terms that depend on parameters, it moves on β log density of the
 * unconstrained numbers, log |J| counted. target() terms of a model that observes something are of its prior, and stay at power
 * 1: modes that only they part are no nearer at a lower β. Points x, x' of neighbours are swapped with probability min(1,
 * exp((β − β')(L(x') − L(x)))), L the log likelihood (or density); after every `swapEvery` transitions, even and odd pairs in
 * turn. Leaves the product of all tempered densities invariant, and so the target at β = 1, if all are proper: a prior must be,
 * if β goes far down, and a whole density must be so at power `lowest`. Exponential and lighter tails in u, which bounded
 * parameters have, are so at every β > 0; tails like |u|^−(ν+1), as of student(ν) and cauchy (ν = 1), only for β > 1/(ν+1).
 * That is not checked. In warm-up the powers are moved, thrice, to where all pairs swap equally often (ladder.ts), and `inner`
 * adapts, at each power on its own. L → log likelihood, β → `temperatures` (as inverse temperatures, in (0, 1] or down to 0 for
 * the prior), the lowest → `lowest`.
 * Source: Geyer 1991; even and odd pairs in turn: Okabe et al. 2001, Syed et al. 2022. Differs from other implementations: nothing.
 *
 * @throws OptionError; CapabilityError for an `inner` that cannot run so, and for a power of 0 where there is no likelihood
 */
export const parallelTempering = /* @__PURE__ */ sampler<ParallelTemperingOptions>(
  {
    name: "parallelTempering",
    family: "tempering",
    exact: true,
    options: {
      inner: "own",
      temperatures: { numbers: { low: 0, high: 1 } },
      count: { low: 1, high: 1024, integer: true },
      lowest: { low: 0, high: 1 },
      swapEvery: { low: 1, high: 2 ** 31, integer: true },
      adapt: "boolean",
    },
  },
  (options) => {
    const where = "parallelTempering";
    const { inner = nuts(), temperatures, count = 8, lowest = 0.01, swapEvery = 1, adapt = temperatures === undefined } = options;
    checkAlgorithm(where, "inner", inner, "sample", "nuts()");
    const powers = powersOf(where, options);
    if (JSON.stringify(inner.toJSON()).includes('"update":"conditional"'))
      throw new CapabilityError(
        where,
        "inner is a gibbs() with a function for a conditional, which knows nothing of powers; take conjugate(), enumerate() or a sampler there",
        "SAMPLE_INNER",
      );
    const ladder: JsonObject = temperatures ? { temperatures: powers } : { count, lowest };
    return {
      name: where,
      verb: "sample",
      toJSON: () => ({ algorithm: where, inner: inner.toJSON(), ...ladder, swapEvery, adapt }),
      start: (density, plan, engine) => new ParallelTemperingRun(density, plan, engine, { inner, powers, swapEvery, adapt }),
    };
  },
);
