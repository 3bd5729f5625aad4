import type { Accepted } from "../../../engine/errors/options.ts";
import { averagingOptions, type DualAveragingOptions, dualAveraging } from "../base/dual-averaging.ts";
import { type MetricKind, metricKinds, usesGradients } from "../base/metric.ts";
import { type WindowOptions, windowsOption } from "../base/windows.ts";
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

/**
 * Acceptance aimed at: usually; in the last part of warm-up where the posterior is not nearly Gaussian (choice.ts); where
 * curvature varies so much that the metric is the diagonal. A step that suits the whole is too long in places there: on four
 * posteriors of the last kind, 0.8 diverges 20 times as often as Stan's windows, whose steps are in effect accepted at 0.92, and
 * 0.9 no more often, at the same effective sizes a gradient. Of nearly Gaussian ones 0.85 costs a fifth of those.
 */
export const [USUAL, WHERE_SKEWED, WHERE_VARYING] = [0.8, 0.85, 0.9];

/** Values that the options of adaptation accept. */
export const adaptationOptions = {
  metric: ["auto", ...metricKinds],
  adaptation: adaptations,
  scouts: { low: 0, high: 1000, integer: true },
  restarts: { low: 0, high: 1000, integer: true },
  stepSize: { either: [["auto"], { low: 0, open: true }] },
  jitter: { low: 0, high: 1 - 2 ** -20 },
  windows: windowsOption,
  ...averagingOptions,
  targetAcceptance: { either: [["auto"], averagingOptions.targetAcceptance] },
} as const satisfies Accepted;

/** Defaults filled in; `target`: the sampler's own mean acceptance. */
export function adaptation(options: AdaptationOptions, target: number) {
  const { metric: given = "auto", stepSize = "auto", jitter = 0, windows = {}, scouts = 24, restarts = 10 } = options;
  const metric = given === "auto" ? "lowRank" : given;
  const { adaptation = usesGradients(metric) ? "overlapping" : "windows" } = options;
  const { gamma, kappa, t0, targetAcceptance = given === "auto" && target === USUAL ? "auto" : target } = options;
  const aimedAt = (automatic: number) =>
    dualAveraging({ gamma, kappa, t0, targetAcceptance: targetAcceptance === "auto" ? automatic : targetAcceptance });
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
