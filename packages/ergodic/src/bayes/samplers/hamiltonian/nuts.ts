import { checkChoice } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber } from "../../../engine/errors/errors.ts";
import { type MetricKind, metricKinds, usesGradients } from "../base/metric.ts";
import type { Sampler } from "../base/sampler.ts";
import { checkWindows, type WindowOptions } from "../base/windows.ts";
import { type DualAveragingOptions, dualAveraging } from "./dual-averaging.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";
import { type Adaptation, adaptations } from "./warmup.ts";

/** How step size and metric of the Hamiltonian samplers adapt during warm-up: options of nuts(), hmc() and mala(). */
export interface AdaptationOptions extends Omit<DualAveragingOptions, "targetAcceptance"> {
  /**
   * Mean acceptance that the step size is adapted to, in (0, 1). Default 0.8 (0.574 for mala()); "auto", the default of nuts()
   * and hmc() with the metric "auto": at the end 0.85 where the posterior is far from Gaussian, 0.9 once warm-up has chosen the
   * diagonal metric.
   */
  targetAcceptance?: number | "auto";
  /**
   * The inverse mass matrix: "lowRank", "fisher", "diagonal" or "dense". Default "auto": "lowRank", or the diagonal of
   * variances where warm-up finds that better.
   */
  metric?: MetricKind | "auto";
  /**
   * How the metric is adapted: "overlapping" where it is made from gradients ("lowRank", "fisher"), else "windows", as in Stan.
   */
  adaptation?: Adaptation;
  /**
   * Short independent searches at the end of warm-up for modes that the chains may have missed, up to 64 coordinates. Default
   * 24; 0 to 1000.
   */
  scouts?: number;
  /** How often a chain restarts that warm-up finds in a mode with almost none of the mass. Default 10; 0 to 1000. */
  restarts?: number;
  /**
   * Where the search for the step size begins, > 0; without warm-up, the step size itself. Default "auto": the search begins at
   * 1 and, without warm-up, finds the step.
   */
  stepSize?: number | "auto";
  /** Each transition draws its step size uniformly within ± this share of it, in [0, 1). Default 0 (hmc: 0.3). */
  jitter?: number;
  /** Lengths of the windows of adaptation "windows". */
  windows?: WindowOptions;
}

/** Options of `nuts`. */
export interface NutsOptions extends AdaptationOptions {
  /** A trajectory has at most 2^maxTreeDepth − 1 leapfrog steps. Default 10; a whole number, 1 to 20. */
  maxTreeDepth?: number;
}

/**
 * Acceptance aimed at: usually; in the last part of warm-up where the posterior is not nearly Gaussian (choice.ts); where
 * curvature varies so much that the metric is the diagonal. A step that suits the whole is too long in places there: on four
 * posteriors of the last kind, 0.8 diverges 20 times as often as Stan's windows, whose steps are in effect accepted at 0.92, and
 * 0.9 no more often, at the same effective sizes a gradient. Of nearly Gaussian ones 0.85 costs a fifth of those.
 */
const [USUAL, WHERE_SKEWED, WHERE_VARYING] = [0.8, 0.85, 0.9];

export const adaptationKeys = [
  "metric",
  "adaptation",
  "scouts",
  "restarts",
  "stepSize",
  "jitter",
  "windows",
  "targetAcceptance",
  "gamma",
  "kappa",
  "t0",
] as const;

export function adaptation(where: string, options: AdaptationOptions, target: number) {
  const { metric: given = "auto", stepSize = "auto", jitter = 0, windows = {}, scouts = 24, restarts = 10 } = options;
  checkChoice(where, "metric", given, ["auto", ...metricKinds]);
  const metric = given === "auto" ? "lowRank" : given;
  const { adaptation = usesGradients(metric) ? "overlapping" : "windows" } = options;
  checkChoice(where, "adaptation", adaptation, adaptations);
  checkNumber(where, "scouts", scouts, { low: 0, high: 1000, integer: true });
  checkNumber(where, "restarts", restarts, { low: 0, high: 1000, integer: true });
  if (stepSize !== "auto") checkNumber(where, "stepSize", stepSize, { low: 0, open: true });
  checkNumber(where, "jitter", jitter, { low: 0, high: 1 - 2 ** -20 });
  checkWindows(where, windows);
  const { gamma, kappa, t0, targetAcceptance = given === "auto" && target === USUAL ? "auto" : target } = options;
  const aimedAt = (automatic: number) =>
    dualAveraging(where, { gamma, kappa, t0, targetAcceptance: targetAcceptance === "auto" ? automatic : targetAcceptance });
  return {
    metric: given,
    adaptation,
    scouts,
    restarts,
    stepSize,
    jitter,
    windows,
    averaging: aimedAt(target),
    skewed: aimedAt(WHERE_SKEWED),
    varying: aimedAt(WHERE_VARYING),
    targetAcceptance,
  };
}

/** What a run takes, of what `adaptation` says. */
export const adapting = ({ metric, stepSize, targetAcceptance: _, ...rest }: ReturnType<typeof adaptation>) => {
  const step = { stepSize: stepSize === "auto" ? 1 : stepSize, findStep: stepSize === "auto" };
  const choose = metric === "auto";
  return { ...rest, ...step, metric: choose ? ("lowRank" as const) : metric, choose };
};

/** What a description tells of it. */
export const adaptationJson = ({ averaging, skewed: _, varying: __, windows, ...rest }: ReturnType<typeof adaptation>) => ({
  ...averaging,
  ...rest,
  windows: { ...windows },
});

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
 * warm-up (dual-averaging.ts, warmup.ts, base/metric.ts). ℓ: log density in nats, up to a constant; x: float64[d], unconstrained.
 * Leaves the target invariant once warm-up has ended.
 * Source: Hoffman, Gelman 2014; Betancourt 2017. Differs from Stan: a metric of low rank made from draws and gradients, renewed
 * often (`{ metric: "diagonal" }` is Stan's way); the first step size is doubled or halved without a second trial at the start;
 * and random numbers are Philox's.
 *
 * @throws OptionError for an unknown option or one out of range
 */
export function nuts(options: NutsOptions = {}): Sampler {
  checkKeys("nuts", options, [...adaptationKeys, "maxTreeDepth"]);
  const { maxTreeDepth = 10 } = options;
  checkNumber("nuts", "maxTreeDepth", maxTreeDepth, { low: 1, high: 20, integer: true });
  const adapted = adaptation("nuts", options, USUAL);
  const run = { ...adapting(adapted), name: "nuts", kernel: "nutsRun", maxDepth: maxTreeDepth, leapfrogs: 0, time: 0 } as const;
  return {
    name: "nuts",
    verb: "sample",
    toJSON: () => ({ algorithm: "nuts", ...adaptationJson(adapted), maxTreeDepth }),
    start: (density, plan, engine) => new HamiltonianRun(density, plan, engine, run),
  };
}
