import type { Finding } from "./finding.ts";

const MOST = 0.1;
/** Transition field that only stochastic-gradient samplers store. */
const MARK = "thermostat";

interface Stepped {
  readonly report: Readonly<Record<string, number>>;
  readonly fields: readonly string[];
}

/**
 * Reports the bias of samplers that are exact only in the limit of small steps. The report's `stepBias` is the largest
 * relative error of a posterior standard deviation. It is serious above MOST. A bias that is too small for a finding is
 * stated in the headline of the verdict.
 */
export function stepBias({ report, fields }: Stepped): Finding[] {
  const bias = report.stepBias;
  if (bias === undefined && !fields.includes(MARK)) return [];
  const code = "stepBias";
  if (bias === undefined || Number.isNaN(bias))
    return [
      {
        code,
        serious: true,
        text: "the bias of the sampler's steps is unknown, because there are too few draws to estimate it",
        advice: "draw more",
      },
    ];
  if (Math.abs(bias) <= MOST) return [];
  const wide = bias > 0 ? "wide" : "narrow";
  return [
    {
      code,
      serious: true,
      text: `the sampler's steps make the draws too ${wide}, by up to ${size(bias)} (wanted: at most ${MOST} sd)`,
      advice:
        "use a smaller stepSize and raise thin in proportion, or omit stepSize; larger batches and controlVariate reduce the gradient noise; nuts() has no such bias",
    },
  ];
}

/** Returns " up to a step bias of 0.03 sd" for the headline; "" for exact samplers. */
export function stepBiasWords({ report }: Pick<Stepped, "report">): string {
  return report.stepBias === undefined ? "" : ` up to a step bias of ${size(report.stepBias)}`;
}

const size = (bias: number): string => `${Math.abs(bias) < 1e3 ? Math.abs(bias).toFixed(2) : Math.abs(bias).toExponential(1)} sd`;
