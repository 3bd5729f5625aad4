/** How near an approximation is to the posterior. */
import type { Finding, Judged } from "./finding.ts";

export function approximation({ report }: Judged): Finding[] {
  const k = report.paretoK;
  if (k === undefined || k <= 0.7) return [];
  return [
    {
      code: "paretoK",
      serious: true,
      text: `the approximation is far from the posterior (Pareto k ${k.toFixed(2)}, above 0.7)`,
      advice: "its means and spreads may be wrong; sample with nuts(), or write the model in a form closer to a Gaussian",
    },
  ];
}
