import type { JsonObject } from "../../../engine/contract/index.ts";
import { checkAlgorithm } from "../../../engine/errors/checks.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { powersOf } from "../../../engine/statistics/temperature-ladder.ts";
import { type Sampler, sampler } from "../base/sampler.ts";
import { nuts } from "../hamiltonian/nuts.ts";
import { ParallelTemperingRun } from "./parallel-tempering-run.ts";

/** Options of `parallelTempering`. */
export interface ParallelTemperingOptions {
  /** Sampler that moves each copy. Default nuts(). */
  inner?: Sampler;
  /**
   * Inverse temperatures β, descending from 1. The temperatures do not change unless `adapt` is true. Default: `count`
   * geometric steps down to `lowest`.
   */
  temperatures?: readonly number[];
  /** Number of copies per chain. Default 8; a whole number, 1 to 1024. */
  count?: number;
  /**
   * Lowest β, in [0, 1]. Default 0.01. If the lowest β is 0, the prior must be proper, and the model must observe
   * something.
   */
  lowest?: number;
  /** Number of transitions between swaps. Default 1; a whole number >= 1. */
  swapEvery?: number;
  /** Whether warm-up adapts the temperatures. Default true unless `temperatures` are given. */
  adapt?: boolean;
}

/**
 * Parallel tempering: copies of a chain at powers 1 = β₀ > β₁ > …, with swaps of points between neighbours. Only the
 * copy at β = 1 supplies draws.
 *
 * `inner` moves the copy at power β. The log density of this copy is log prior + β log likelihood. Without a
 * likelihood, the copy's log density is β times the log density of the unconstrained numbers, including log |J|. Plain
 * functions have no likelihood, and neither do models in which no `observe` or `marginalise` term depends on
 * parameters.
 *
 * In a model that observes something, target() terms belong to the prior and stay at power 1. If only target() terms
 * separate the modes, tempering does not help chains to move between them.
 *
 * Points x and x' of neighbouring copies are swapped with probability min(1, exp((β − β')(L(x') − L(x)))), where L is
 * the log likelihood (or density). Swaps follow every `swapEvery` transitions and alternate between even and odd pairs.
 *
 * If all tempered densities are proper, their product is invariant, and so is the target at β = 1. The prior must
 * therefore be proper if β gets close to 0. Without a likelihood, the density must be proper at power `lowest`. A
 * density is proper at every β > 0 if its tails in u are exponential or lighter, as for bounded parameters. Tails like
 * |u|^−(ν+1), as for student(ν) and cauchy (ν = 1), are proper only for β > 1/(ν+1). This is not checked.
 *
 * With `adapt`, warm-up changes the powers three times, so that all pairs swap equally often (temperature-ladder.ts).
 * `inner` adapts separately at each power. β → `temperatures` (inverse temperatures, in (0, 1] or down to 0 for the
 * prior), or `count` of them down to `lowest`.
 *
 * Source: Geyer 1991; alternating even and odd pairs: Okabe et al. 2001, Syed et al. 2022. The algorithm is the same as
 * in other implementations.
 *
 * @throws OptionError; CapabilityError for an `inner` that cannot run inside, and for a power of 0 without a likelihood
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
        "inner is a gibbs() with a function as a conditional, which cannot be tempered; use conjugate(), enumerate() or a sampler there",
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
