import { HEAVY_MEAN, HEAVY_SD } from "../../../engine/statistics/index.ts";
import { kindOf } from "../method.ts";
import { type Finding, few, type Judged } from "./finding.ts";

const FEWEST_FOR_CAUTION = 400;
const FEWEST_FOR_NOTE = 1000;

/**
 * Tails so heavy that a mean has no reliable error: k̂ of a quantity (pareto-khat.ts) above 0.7; from 0.5 to 0.7, where there is no variance, a note.
 *
 * False alarms, by 5,000 runs of 4 chains of 1000 draws each, as AR(1) with φ = 0, 0.5, 0.9 and 0.97: of Student-t(5) draws,
 * whose k is 0.2, none of 20,000 is above 0.5 (the greatest is 0.48); of exponential and Gaussian ones, 3,000 runs each, none
 * of 24,000 is above 0.31. So 100 quantities like these raise a caution, or a note, in fewer than 2 % of runs, at 95 %
 * confidence, and nothing is held against their number. Shorter runs have noisier tails: of 400 independent draws of
 * Student-t(5) 1 in 10,000 is above 0.7, but 5 in 1,000 above 0.5, of 200 draws 4 in 10,000 above 0.7. So a caution wants 400
 * draws, and a note 1000. Found: of Cauchy draws, k = 1, 96 % of 400; of 4000 all where φ is 0 or 0.5, 99.6 % at 0.9 and 94 %
 * at 0.97.
 */
export function tails(draws: Judged): Finding[] {
  const total = draws.chains * draws.count;
  if (total < FEWEST_FOR_CAUTION || kindOf(draws) === "particles") return [];
  const table = Object.entries(draws.summary())
    .map(([name, { paretoK }]) => [name, paretoK] as const)
    .filter(([, k]) => Number.isFinite(k) && k > HEAVY_SD)
    .sort(([, a], [, b]) => b - a);
  const heavy = table.filter(([, k]) => k > HEAVY_MEAN);
  const rather = total < FEWEST_FOR_NOTE ? [] : table.filter(([, k]) => k <= HEAVY_MEAN);
  const upTo = (rows: typeof table): string => `Pareto k ${rows.length === 1 ? "" : "up to "}${rows[0][1].toFixed(2)}`;
  const findings: Finding[] = [];
  if (heavy.length > 0)
    findings.push({
      code: "tails",
      serious: false,
      text: `the tails of ${few(heavy.map(([name]) => name))} are so heavy that the mean has no reliable error (${upTo(heavy)}, wanted below ${HEAVY_MEAN})`,
      advice:
        "report quantiles, such as the median, and not the mean or the standard deviation; or give priors with lighter tails",
    });
  if (rather.length > 0)
    findings.push({
      code: "tails",
      serious: false,
      note: true,
      text: `the tails of ${few(rather.map(([name]) => name))} are heavy (${upTo(rather)})`,
      advice: "the standard deviation may not exist, and quantiles say more",
    });
  return findings;
}
