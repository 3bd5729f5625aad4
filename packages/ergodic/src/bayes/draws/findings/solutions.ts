import type { Finding, Judged } from "./finding.ts";

/** Relative error above which the solutions no longer represent the equations as written. */
const LARGE_ERROR = 1e-3;

type Report = {
  points: number;
  /** Number of points without a solution; absent in draws from versions that did not count these points. */
  failed?: number;
  mostSteps: number;
  largestError: number | null;
};

/** Judges from a sample of the draws how accurately differential equations were solved. */
export function solutions(draws: Judged): Finding[] {
  const report = draws.description.solutions as Report | undefined;
  if (!report) return [];
  const { points, failed = 0, mostSteps, largestError } = report;
  const found: Finding[] = [];
  if (failed > 0)
    found.push({
      code: "solutions",
      serious: false,
      text: `a differential equation has no solution at ${failed} of the ${points} draws that were checked: its states are NaN there, and so is everything computed from them`,
      advice:
        'raise maxSteps of ode(), take method: "rosenbrock" if the system is stiff there, or give priors that exclude parameters without a solution',
    });
  if (failed === points) return found;
  const seen = `checked at ${points} draws, in up to ${mostSteps} steps`;
  if (largestError === null || largestError > LARGE_ERROR)
    found.push({
      code: "solutions",
      serious: false,
      text:
        largestError === null
          ? `the error of the differential equations' solutions is unknown (${seen})`
          : `the relative error of the differential equations' solutions is up to ${largestError.toExponential(0)} (${seen})`,
      advice: 'give ode() a smaller tolerance, or method: "rosenbrock" if the system is stiff',
    });
  else
    found.push({
      code: "solutions",
      serious: false,
      note: true,
      text: `the relative error of the differential equations' solutions is at most ${largestError.toExponential(0)} (${seen})`,
      advice: "a smaller tolerance of ode() would reduce it",
    });
  if (draws.divergences > 0)
    found.push({
      code: "solutions",
      serious: false,
      note: true,
      text: "a proposal at which ode() would need more than maxSteps steps counts as a divergence",
      advice: 'if the system is stiff there, take method: "rosenbrock"; else raise maxSteps',
    });
  return found;
}
