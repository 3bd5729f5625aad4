import type { Accepted } from "../../../engine/errors/options.ts";
import { log } from "../../../engine/numbers/log.ts";
import * as field from "../../fields.ts";

/** Dual averaging of the step size; δ, γ, κ and t₀ as in Hoffman, Gelman 2014, section 3.2. */
export interface DualAveragingOptions {
  /** Target δ for the mean acceptance, in (0, 1). Default 0.8. */
  targetAcceptance?: number;
  /** Shrinkage γ, > 0. With smaller values, the step reacts more strongly. Default 0.05. */
  gamma?: number;
  /** Decay rate κ of the weights of early iterations, in (0, 1]. Default 0.75. */
  kappa?: number;
  /** Offset t₀, which damps the first iterations, >= 0. Default 10. */
  t0?: number;
}

/** Values that the options of dual averaging accept. */
export const averagingOptions = {
  targetAcceptance: { low: 0, open: true, high: 1 - 2 ** -20 },
  gamma: { low: 0, open: true },
  kappa: { low: 0, open: true, high: 1 },
  t0: { low: 0 },
} as const satisfies Accepted;

export type DualAveraging = Required<DualAveragingOptions>;

/**
 * Dual averaging of the step size: finds an average log step for which the mean acceptance is δ.
 *
 * Given acceptance a of transition m = 1, 2, …: s̄ ← (1 − η) s̄ + η (δ − a), η = 1/(m + t₀); x = μ − √m s̄ / γ; x̄ ← (1
 * − w) x̄ + w x, w = m^−κ. The next warm-up transition uses the step eˣ; draws use e^x̄. μ = log(10 step), for the
 * initial step.
 *
 * The kernels make these updates. Symbols → options: δ `targetAcceptance`, γ `gamma`, κ `kappa`, t₀ `t0`.
 *
 * Source: Nesterov 2009; Hoffman & Gelman 2014, section 3.2. The algorithm is the same as in Stan.
 */
export function dualAveraging(options: DualAveragingOptions = {}): DualAveraging {
  const { targetAcceptance = 0.8, gamma = 0.05, kappa = 0.75, t0 = 10 } = options;
  return { targetAcceptance, gamma, kappa, t0 };
}

/** Returns the AVERAGING record for dual averaging that starts or restarts from `step`. */
export function startAveraging({ targetAcceptance, gamma, kappa, t0 }: DualAveraging, step: number): Float64Array {
  const state = new Float64Array(field.AVERAGING_BYTES / 8);
  state[field.AVERAGING_TARGET_F64 / 8] = targetAcceptance;
  state[field.AVERAGING_GAMMA_F64 / 8] = gamma;
  state[field.AVERAGING_KAPPA_F64 / 8] = kappa;
  state[field.AVERAGING_T0_F64 / 8] = t0;
  state[field.AVERAGING_CENTRE_F64 / 8] = log(10 * step);
  return state;
}
