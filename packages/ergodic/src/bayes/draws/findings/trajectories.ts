import { algorithmOf } from "../method.ts";
import { energyReport, treeReport } from "../trajectories.ts";
import { centring, deeperTrees, raiseTarget } from "./advice.ts";
import { edgesNear } from "./edges.ts";
import type { Finding, Judged } from "./finding.ts";

/**
 * Share of divergent transitions below which divergences hardly change the results if chains otherwise mix well. Such
 * draws can be used, with care.
 */
const FEW_DIVERGENCES = 0.002;
/** Codes of findings that report bad mixing, or a lack of evidence for good mixing. */
const UNMIXED = new Set(["rhat", "ess", "stuck", "few", "notFinite", "oneChain", "particles", "paretoK"]);

/** Judges the trajectories of a Hamiltonian sampler. */
export function trajectories(draws: Judged, before: readonly Finding[]): Finding[] {
  const mixes = !before.some(({ code }) => UNMIXED.has(code));
  const findings: Finding[] = [];
  const total = draws.chains * draws.count;
  if (draws.divergences > 0)
    findings.push({
      code: "divergences",
      serious: !mixes || draws.divergences > FEW_DIVERGENCES * total,
      ...causeOf(draws, `${draws.divergences} of ${total} transitions diverged`),
    });
  const { metric } = algorithmOf(draws);
  const trees = treeReport(draws);
  if (trees && trees.saturated > 0)
    findings.push({
      code: "treeDepth",
      serious: false,
      text: `${trees.saturated} of ${total} trajectories were cut short at depth ${trees.limit}`,
      advice: `the draws are correct but slow; ${deeperTrees(draws, trees.limit!)}, or give the parameters similar scales${metric === undefined || metric === "dense" ? "" : ', or use metric: "dense"'}`,
    });
  const energy = energyReport(draws);
  if (energy && energy.poor > 0)
    findings.push({
      code: "energy",
      serious: true,
      text: `${energy.poor} of ${draws.chains} chains explore the tails slowly (E-BFMI ${Math.min(...energy.ebfmi).toFixed(2)}, wanted above 0.3)`,
      advice: `tails are heavy or scales are uncertain: ${[...centring(draws), "give stronger priors on scales"].join(", or ")}`,
    });
  return findings;
}

/** States the cause of divergences as far as it is known: jumps of the log density, or curvature. */
function causeOf(draws: Judged, count: string): Pick<Finding, "text" | "advice"> {
  const edges = edgesNear(draws);
  if (edges?.explains) return { text: `${count}: ${edges.text}. A shorter step does not avoid a jump`, advice: edges.advice };
  const advice = [raiseTarget(draws), ...centring(draws), "narrow the priors"].join(", or ");
  const curved = `${count}: the posterior is too curved there for the step size, and the draws may miss parts of it`;
  return edges ? { text: `${curved}; besides, ${edges.text}`, advice: `${advice}; ${edges.advice}` } : { text: curved, advice };
}
