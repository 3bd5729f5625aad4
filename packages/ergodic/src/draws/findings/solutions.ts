import type { Finding, Judged } from "./finding.ts";

/** Relative; from here on the equations that were solved are others than those that were written. */
const LARGE_ERROR = 1e-3;

type Report = {
  points: number;
  mostSteps: number;
  largestError: number | null;
};

/** How well differential equations are solved, by some of the draws. */
export function solutions(draws: Judged): Finding[] {
  const report = draws.description.solutions as Report | undefined;
  if (!report) return [];
  const { points, mostSteps, largestError } = report;
  const found: Finding[] = [];
  const seen = `by ${points} draws, in up to ${mostSteps} steps`;
  if (largestError === null || largestError > LARGE_ERROR)
    found.push({
      code: "solutions",
      serious: false,
      text:
        largestError === null
          ? `how well differential equations are solved is not known (${seen})`
          : `the error of solutions of differential equations is up to ${largestError.toExponential(0)} of their values (${seen})`,
      advice: 'give ode() a smaller tolerance, or method: "rosenbrock" where the system is stiff',
    });
  else
    found.push({
      code: "solutions",
      serious: false,
      note: true,
      text: `the error of solutions of differential equations is at most ${largestError.toExponential(0)} of their values (${seen})`,
      advice: "a smaller tolerance of ode() would make it less",
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
