import { paretoKText } from "../method.ts";
import { centring } from "./advice.ts";
import type { Finding, Judged } from "./finding.ts";

/** Judges how close an approximation is to the posterior. */
export function approximation(draws: Judged): Finding[] {
  const k = draws.report.paretoK;
  if (k === undefined || k <= 0.7) return [];
  return [
    {
      code: "paretoK",
      serious: true,
      text: `the approximation is far from the posterior (${paretoKText(draws)}, above 0.7)`,
      advice: `its means and spreads may be wrong; sample with nuts(), or ${centring(draws)[0] ?? "write the model in a form closer to a Gaussian"}`,
    },
  ];
}
