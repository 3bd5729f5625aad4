import type { Accepted } from "../../../engine/errors/options.ts";
import { averagingOptions, type DualAveragingOptions, dualAveraging } from "../base/dual-averaging.ts";
import { type MetricKind, metricKinds, usesGradients } from "../base/metric.ts";
import { type WindowOptions, windowsOption } from "../base/windows.ts";
import { type Adaptation, adaptations } from "./warmup.ts";

/** Adaptation of step size and metric during warm-up: options of nuts(), hmc() and mala(). */
export interface AdaptationOptions extends Omit<DualAveragingOptions, "targetAcceptance"> {
  /**
   * Target for the mean acceptance, in (0, 1). Default "auto" for nuts() and hmc() with the metric "auto", 0.8 with
   * other metrics, and 0.574 for mala(). With "auto", the target is 0.8 at first. It is later 0.85 if the posterior is
   * far from Gaussian, or 0.9 if warm-up has chosen the diagonal metric.
   */
  targetAcceptance?: number | "auto";
  /**
   * Inverse mass matrix: "lowRank", "fisher", "diagonal" or "dense". Default "auto": "lowRank", or diagonal variances
   * if warm-up finds them better.
   */
  metric?: MetricKind | "auto";
  /**
   * Method of metric adaptation. Default "overlapping" for metrics that are computed from gradients ("lowRank",
   * "fisher"). The default for other metrics is "windows", as in Stan.
   */
  adaptation?: Adaptation;
  /**
   * Number of short independent searches, at the end of warm-up, for modes that the chains might have missed. The
   * searches run only for models with at most 64 coordinates. Default 24; 0 to 1000.
   */
  scouts?: number;
  /** Maximum number of restarts of a chain that warm-up finds in a mode with almost no mass. Default 10; 0 to 1000. */
  restarts?: number;
  /**
   * Initial value of the search for the step size, > 0. Without warm-up, this is the step size itself. Default "auto":
   * the search starts at 1 and also runs without warm-up.
   */
  stepSize?: number | "auto";
  /**
   * Jitter of the step size, in [0, 1): each transition draws its step uniformly from (1 ± jitter) times the step size.
   * Default 0 (hmc: 0.3).
   */
  jitter?: number;
  /** Lengths of the windows for adaptation "windows". */
  windows?: WindowOptions;
}

/**
 * Targets for the mean acceptance. The first is the usual target. The second target applies in the last part of warm-up
 * if the posterior is not nearly Gaussian (choice.ts). The third target applies if curvature varies so much that
 * warm-up chooses the diagonal metric.
 *
 * In the last case, a step that suits most of the posterior is too long in some regions. On four such posteriors,
 * trajectories with a target of 0.8 diverge 20 times as often as with Stan's windows. With Stan's windows, the
 * effective acceptance is 0.92. With a target of 0.9, trajectories diverge no more often than with Stan's windows, and
 * effective sizes per gradient are the same.
 *
 * On nearly Gaussian posteriors, 0.85 would cost a fifth of the effective size per gradient.
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

/** Fills in defaults. `target`: the sampler's own target for the mean acceptance. */
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

/** Selects the options that are passed to a run. */
export const adapting = ({ metric, stepSize, targetAcceptance: _, ...rest }: ReturnType<typeof adaptation>) => {
  const step = { stepSize: stepSize === "auto" ? 1 : stepSize, findStep: stepSize === "auto" };
  const choose = metric === "auto";
  return { ...rest, ...step, metric: choose ? ("lowRank" as const) : metric, choose };
};

/** Selects the options for a sampler's JSON. */
export const adaptationJson = ({ averaging, skewed: _, varying: __, windows, ...rest }: ReturnType<typeof adaptation>) => ({
  ...averaging,
  ...rest,
  windows: { ...windows },
});
