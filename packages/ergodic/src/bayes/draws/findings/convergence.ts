import { rhat, type VariableSummary } from "../../../engine/statistics/index.ts";
import { kindOf } from "../method.ts";
import { centring, drawMore, waysToMix, waysToMove } from "./advice.ts";
import { type Finding, few, type Judged } from "./finding.ts";
import { hasSeveralModes, joinModes, tellsModes } from "./modes.ts";

const MOST_RHAT = 1.01;
/** R̂ above which the chains have not converged to a common distribution. */
const BAD_RHAT = 1.05;
/**
 * R̂ above which chains might be in separate modes. Slow mixing alone rarely causes such a large R̂ if the halves of
 * each chain agree.
 */
const APART_RHAT = 1.2;
const ESS_PER_CHAIN = 100;
/** Smallest number of independent draws from which a variance can be estimated. */
const FEWEST = 4;
/** A chain was stuck if one value fills this share of it, and at least this many successive draws. */
const [STANDS, FEWEST_STANDS] = [0.1, 20];
/**
 * Smallest number of draws per chain for which split-chain effective sizes exist. With fewer draws, effective sizes are
 * NaN, so no problem would be reported.
 */
const FEWEST_OF_CHAIN = 6;

/** Judges whether the chains agree, and whether there are enough draws. */
export function convergence(draws: Judged): Finding[] {
  const broken = [...draws.scalars()].filter(([, series]) => !series.every(Number.isFinite)).map(([name]) => name);
  if (broken.length > 0)
    return [
      {
        code: "notFinite",
        serious: true,
        text: `draws of ${few(broken)} are not finite`,
        advice: "check the supports of the priors, and the expressions computed from the parameters",
      },
    ];
  const kind = kindOf(draws);
  if (kind === "particles") return [particles()];
  // Draws of an approximation or of the prior are independent, so there are no chains to compare.
  if (kind !== "chains") return independent(draws, kind);
  if (draws.count < FEWEST_OF_CHAIN) return [tooFew(draws)];
  const still = standing(draws, draws.chains);
  if (still.length > 0)
    return [
      {
        code: "stuck",
        serious: true,
        text: `${few(still)} ${still.length === 1 ? "does" : "do"} not move in at least one chain`,
        advice: waysToMove(draws).join(", or "),
      },
    ];
  const table = Object.entries(draws.summary());
  const findings: Finding[] = [];
  findings.push(...disagreement(draws, table), ...fewEffective(draws, table));
  if (draws.chains === 1)
    findings.push({
      code: "oneChain",
      serious: false,
      text: "one chain cannot be compared with others",
      advice: "use chains: 4",
    });
  return findings;
}

/**
 * Reports problems that independent draws can have, even those of a good approximation: too few draws, or no spread.
 */
function independent(draws: Judged, kind: "approximation" | "prior"): Finding[] {
  const total = draws.chains * draws.count;
  if (total > 1) {
    const still = standing(draws, 1);
    if (still.length > 0)
      return [
        {
          code: "stuck",
          serious: true,
          text: `all draws of ${few(still)} are the same number`,
          advice:
            kind === "prior"
              ? "check the scale of the prior"
              : "check that the posterior is proper: a density that increases without bound has no spread",
        },
      ];
  }
  if (total >= ESS_PER_CHAIN) return [];
  return [
    {
      code: "few",
      serious: total < FEWEST,
      text: `${total} independent ${total === 1 ? "draw is" : "draws are"} too few${kind === "prior" ? "" : ", however good the approximation is"}`,
      advice: `draw more (draws: ${Math.ceil((10 * ESS_PER_CHAIN) / draws.chains)})`,
    },
  ];
}

type Row = readonly [string, VariableSummary];

/** The smaller of the bulk and tail effective sizes. */
const least = ({ essBulk, essTail }: VariableSummary): number => Math.min(essBulk, essTail);

function disagreement(draws: Judged, table: readonly Row[]): Finding[] {
  const apart = table.filter(([, { rhat }]) => rhat > MOST_RHAT).sort(([, a], [, b]) => b.rhat - a.rhat);
  if (apart.length === 0) return [];
  const worst = apart[0][1].rhat;
  const serious = worst > BAD_RHAT || apart.some(([, row]) => least(row) < ESS_PER_CHAIN * draws.chains);
  const said =
    draws.chains === 1
      ? `the halves of the chain ${worst > BAD_RHAT ? "disagree about" : "do not quite agree about"}`
      : `the chains ${worst > BAD_RHAT ? "disagree about" : "have not quite settled on"}`;
  const ways = [...waysToMix(draws), drawMore(draws)].join(", or ");
  const modes = hasSeveralModes(draws);
  const more = `more chains (chains: ${Math.max(4, 2 * draws.chains)}) would show whether chains settle in different places, as they do if the posterior has several modes or the model cannot tell its parameters apart`;
  const unsure = worst > BAD_RHAT && !modes ? [more] : [];
  // No metric lets a chain move between separate modes.
  const aboutModes = tellsModes(draws) ? "deal with the modes first" : joinModes(draws);
  const advice = modes || eachSettles(draws, apart[0]) ? [aboutModes, ...unsure, `within a mode, ${ways}`] : [ways, ...unsure];
  return [
    {
      code: "rhat",
      serious,
      text: `${said} ${few(apart.map(([name]) => name))} (R-hat up to ${worst.toFixed(2)}, wanted below ${MOST_RHAT})`,
      advice: advice.join("; "),
    },
  ];
}

/**
 * Whether each chain agrees with itself but not with the others. Such a pattern arises if each chain is in its own
 * mode.
 */
function eachSettles(draws: Judged, [name, { rhat: worst }]: Row): boolean {
  const series = draws.scalars().get(name);
  if (draws.chains === 1 || worst < APART_RHAT || series === undefined) return false;
  return Array.from({ length: draws.chains }, (_, c) => rhat(series.subarray(c * draws.count, (c + 1) * draws.count), 1)).every(
    (own) => own < BAD_RHAT,
  );
}

function fewEffective(draws: Judged, table: readonly Row[]): Finding[] {
  const wanted = ESS_PER_CHAIN * draws.chains;
  const found = table.filter(([, row]) => least(row) < wanted).sort(([, a], [, b]) => least(a) - least(b));
  if (found.length === 0) return [];
  const fewest = least(found[0][1]);
  const text = `${few(found.map(([name]) => name))} ${found.length === 1 ? "has" : "have"} few effective draws (as few as ${Math.floor(fewest)}, wanted ${wanted})`;
  const stuck = longestStand(draws, found[0][0]);
  const apart = table.reduce((most, row) => (row[1].rhat > most[1].rhat ? row : most));
  const advice = (): string => {
    if (hasSeveralModes(draws)) return "deal with the modes first: more draws do not help while each chain stays in one mode";
    if (eachSettles(draws, apart))
      return `each chain is stuck in a region of its own, and more draws do not help: ${joinModes(draws)}`;
    if (stuck) return `more draws alone do not help: ${[...centring(draws), ...waysToMove(draws)].join(", or ")}`;
    const times = Math.ceil(wanted / Math.max(1, fewest));
    return [`draw more, about ${times} times as many (draws: ${times * draws.count})`, ...waysToMix(draws)].join(", or ");
  };
  return [{ code: "ess", serious: false, text: stuck ? `${text}: ${stuck}` : text, advice: advice() }];
}

/**
 * States the longest stretch of equal draws of a number within a chain, if it is longer than STANDS of the chain. Such
 * a chain was stuck. Whole numbers are ignored, because they can rightly stay the same.
 */
function longestStand(draws: Judged, name: string): string | undefined {
  const series = draws.scalars().get(name);
  let [most, chain, length] = [0, 0, 0];
  for (let k = 1; series && k < series.length; k++) {
    length = k % draws.count > 0 && series[k] === series[k - 1] && !Number.isSafeInteger(series[k]) ? length + 1 : 0;
    if (length > most) [most, chain] = [length, Math.floor(k / draws.count)];
  }
  if (most < Math.max(FEWEST_STANDS, STANDS * draws.count)) return undefined;
  return `chain ${chain + 1} was stuck, with the same value in ${most + 1} successive draws of its ${draws.count}`;
}

const particles = (): Finding => ({
  code: "particles",
  serious: true,
  text: "nothing measures how far these particles are from the posterior",
  advice: "compare their means and spreads with those of nuts(), or of pathfinder(), which reports a Pareto k",
});

const tooFew = ({ count }: Judged): Finding => ({
  code: "few",
  serious: true,
  text: `${count} ${count === 1 ? "draw per chain is" : "draws per chain are"} too few to judge`,
  advice: "draw more",
});

/**
 * Parameters that are constant in at least one chain, or, with `chains` = 1, in all draws. Whole numbers are ignored,
 * because the posterior of a whole number can be a single value. At 2^53 and beyond, every float64 is whole.
 */
function standing(draws: Judged, chains: number): string[] {
  const count = (draws.chains * draws.count) / chains;
  const series = [...draws.scalars()];
  const stays = (values: Float64Array, c: number): boolean => {
    for (let k = c * count; k < (c + 1) * count; k++) if (values[k] !== values[c * count]) return false;
    return !Number.isSafeInteger(values[c * count]);
  };
  const parameters = draws.quantities.filter(({ kind }) => kind === "parameter").map(({ name }) => name);
  return parameters.filter((name) => {
    const own = series.filter(([each]) => each === name || each.startsWith(`${name}[`)).map(([, values]) => values);
    return Array.from({ length: chains }, (_, c) => own.length > 0 && own.every((values) => stays(values, c))).some(Boolean);
  });
}
