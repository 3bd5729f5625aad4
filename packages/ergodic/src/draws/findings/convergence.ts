/** Whether the chains agree, and have drawn enough. */
import type { VariableSummary } from "../../diagnostics/index.ts";
import { kindOf } from "../method.ts";
import { type Finding, few, type Judged } from "./finding.ts";

const MOST_RHAT = 1.01;
/** From here on what the chains agree about is no posterior yet. */
const BAD_RHAT = 1.05;
const ESS_PER_CHAIN = 100;
/** Draws of a chain whose halves have variances. */
const FEWEST = 4;

export function convergence(draws: Judged): Finding[] {
  const broken = [...draws.scalars()].filter(([, series]) => !series.every(Number.isFinite)).map(([name]) => name);
  if (broken.length > 0)
    return [
      {
        code: "notFinite",
        serious: true,
        text: `draws of ${few(broken)} are not finite`,
        advice: "look at the support of its prior, and at what is computed from it",
      },
    ];
  const kind = kindOf(draws);
  if (kind === "particles") return [particles()];
  // Independent draws: there are no chains to compare.
  if (kind === "approximation") return [];
  if (draws.count < FEWEST) return [tooFew(draws)];
  const still = standing(draws);
  if (still.length > 0)
    return [
      {
        code: "stuck",
        serious: true,
        text: `${few(still)} ${still.length === 1 ? "does" : "do"} not move in at least one chain`,
        advice: "take nuts(), or shorter steps and a longer warm-up, or start elsewhere",
      },
    ];
  const table = Object.entries(draws.summary());
  const findings: Finding[] = [];
  const apart = table.filter(([, { rhat }]) => rhat > MOST_RHAT).sort(([, a], [, b]) => b.rhat - a.rhat);
  const worst = apart[0]?.[1].rhat ?? 1;
  const serious = worst > BAD_RHAT;
  if (apart.length > 0)
    findings.push({
      code: "rhat",
      serious,
      text: `the chains ${serious ? "disagree about" : "have not quite settled on"} ${few(apart.map(([name]) => name))} (R-hat up to ${worst.toFixed(2)}, wanted below ${MOST_RHAT})`,
      advice: `warm up longer and draw more${serious ? "; if they settle in different places, the posterior has several modes or the model cannot tell its parameters apart" : ""}`,
    });
  const wanted = ESS_PER_CHAIN * draws.chains;
  const least = ({ essBulk, essTail }: VariableSummary): number => Math.min(essBulk, essTail);
  const few_ = table.filter(([, row]) => least(row) < wanted).sort(([, a], [, b]) => least(a) - least(b));
  if (few_.length > 0)
    findings.push({
      code: "ess",
      serious: false,
      text: `${few(few_.map(([name]) => name))} ${few_.length === 1 ? "has" : "have"} few effective draws (${Math.floor(least(few_[0][1]))} at the least, wanted ${wanted})`,
      advice: `draw more, some ${Math.ceil(wanted / Math.max(1, least(few_[0][1])))} times as many, or write the model so that its parameters depend less on each other`,
    });
  if (draws.chains === 1)
    findings.push({
      code: "oneChain",
      serious: false,
      text: "one chain cannot be compared with others",
      advice: "take chains: 4",
    });
  return findings;
}

const particles = (): Finding => ({
  code: "particles",
  serious: false,
  text: "nothing says how near these particles are to the posterior",
  advice: "compare with pathfinder(), whose k says so, or with nuts()",
});

const tooFew = ({ count }: Judged): Finding => ({
  code: "few",
  serious: true,
  text: `${count} ${count === 1 ? "draw" : "draws"} a chain are too few to judge`,
  advice: "draw more",
});

/** Parameters none of whose numbers change over some chain. Whole numbers may be certain, so that they stay. */
function standing(draws: Judged): string[] {
  const { chains, count } = draws;
  const series = [...draws.scalars()];
  const stays = (values: Float64Array, c: number): boolean => {
    for (let k = c * count; k < (c + 1) * count; k++) if (values[k] !== values[c * count]) return false;
    return !Number.isInteger(values[c * count]);
  };
  const parameters = draws.quantities.filter(({ kind }) => kind === "parameter").map(({ name }) => name);
  return parameters.filter((name) => {
    const own = series.filter(([each]) => each === name || each.startsWith(`${name}[`)).map(([, values]) => values);
    return Array.from({ length: chains }, (_, c) => own.length > 0 && own.every((values) => stays(values, c))).some(Boolean);
  });
}
