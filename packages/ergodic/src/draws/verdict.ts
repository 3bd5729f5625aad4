/**
 * Whether draws can be trusted, in plain words, and what to do where they cannot.
 *
 * Looked at: draws that are not finite; R̂ < 1.01 (serious above 1.05) and bulk and tail effective sizes above 100 a chain, of every number (Vehtari et al. 2021); divergences, serious above 0.2 % of transitions, or where chains mix badly;
 * chains that do not move, too few draws to judge; trajectories cut short at the greatest depth; E-BFMI below 0.3; k̂ > 0.7 of an approximation (Vehtari et al. 2024). A single chain cannot be compared
 * with others, and the verdict says so.
 */
import type { VariableSummary } from "../diagnostics/index.ts";
import type { DrawsQuantity } from "./draws.ts";
import { energyReport, type Transitions, treeReport } from "./trajectories.ts";

export interface Finding {
  /** "rhat", "ess", "moved", "divergences", "treeDepth", "energy", "paretoK", "notFinite", "oneChain", "empty", "few", "stuck", "particles". */
  readonly code: string;
  /** true: what it is about is biased or unknown; false: slow or worth a look. */
  readonly serious: boolean;
  /** What was found. */
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}

export interface Verdict {
  /** No serious finding. */
  readonly trusted: boolean;
  readonly findings: readonly Finding[];
  /** All of it in plain words. */
  readonly text: string;
  toString(): string;
}

interface Judged extends Transitions {
  readonly divergences: number;
  readonly report: Readonly<Record<string, number>>;
  readonly quantities: readonly Pick<DrawsQuantity, "name" | "kind">[];
  scalars(): Map<string, Float64Array>;
  summary(): Record<string, VariableSummary>;
}

const MOST_RHAT = 1.01;
/** From here on what the chains agree about is no posterior yet. */
const BAD_RHAT = 1.05;
const ESS_PER_CHAIN = 100;
/** Draws of a chain whose halves have variances. */
const FEWEST = 4;
/** A share that changes little where chains mix well otherwise: such draws can be used, with care. */
const FEW_DIVERGENCES = 0.002;

export function verdict(draws: Judged): Verdict {
  const mixing = draws.count === 0 ? [empty()] : [...approximation(draws), ...convergence(draws)];
  const findings = draws.count === 0 ? mixing : [...mixing, ...moves(draws), ...trajectories(draws, mixing.length === 0)];
  const trusted = findings.every(({ serious }) => !serious);
  const text = [headline(draws, trusted, findings), ...findings.map((f) => `- ${f.text}: ${f.advice}.`)].join("\n");
  return { trusted, findings, text, toString: () => text };
}

function headline({ chains, count }: Judged, trusted: boolean, findings: readonly Finding[]): string {
  const made = `${chains} ${chains === 1 ? "chain" : "chains"} of ${count} draws`;
  if (!trusted) return `Do not trust these draws yet (${made}).`;
  return findings.length === 0 ? `These draws can be trusted (${made}).` : `These draws can be used, with care (${made}).`;
}

const empty = (): Finding => ({
  code: "empty",
  serious: true,
  text: "there are no draws, as the run was stopped during warm-up",
  advice: "let it run on, or give it less warm-up",
});

function approximation({ report }: Judged): Finding[] {
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

function convergence(draws: Judged): Finding[] {
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
  // Independent draws of an approximation: there are no chains to compare.
  if (draws.report.paretoK !== undefined) return [];
  if (draws.report.particles !== undefined) return [particles(draws.report.particles)];
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

const particles = (count: number): Finding => ({
  code: "particles",
  serious: false,
  text: `${count} particles of an approximation, of which nothing says how near it is`,
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

function moves({ report, chains }: Judged): Finding[] {
  const { moved = 0 } = report;
  if (moved === 0) return [];
  return [
    {
      code: "moved",
      serious: false,
      text: `${moved} of ${chains} chains ${moved === 1 ? "was" : "were"} held in warm-up where next to nothing of the posterior is, and went on from another's place`,
      advice: "the posterior has a minor mode: if it should have none, give stronger priors, or start nearer",
    },
  ];
}

/** `mixes`: nothing else was found. */
function trajectories(draws: Judged, mixes: boolean): Finding[] {
  const findings: Finding[] = [];
  const total = draws.chains * draws.count;
  if (draws.divergences > 0)
    findings.push({
      code: "divergences",
      serious: !mixes || draws.divergences > FEW_DIVERGENCES * total,
      text: `${draws.divergences} of ${total} transitions diverged, where the posterior is too curved for the step size and parts of it may be missing`,
      advice: `raise targetAcceptance to ${higherTarget(draws)}; in a hierarchy, take centred: false; else narrow the priors`,
    });
  const trees = treeReport(draws);
  if (trees && trees.saturated > 0)
    findings.push({
      code: "treeDepth",
      serious: false,
      text: `${trees.saturated} of ${total} trajectories were cut short at depth ${trees.limit}`,
      advice: 'the draws are right but slow; raise maxTreeDepth, or scale the parameters alike, or take metric: "dense"',
    });
  const energy = energyReport(draws);
  if (energy && energy.poor > 0)
    findings.push({
      code: "energy",
      serious: true,
      text: `${energy.poor} of ${draws.chains} chains explore the tails slowly (E-BFMI ${Math.min(...energy.ebfmi).toFixed(2)}, wanted above 0.3)`,
      advice: "tails are heavy or scales unsure: take centred: false, or stronger priors on scales",
    });
  return findings;
}

/** Nearer to 1 than what was asked for. */
function higherTarget({ description }: Judged): number {
  const given = (description.algorithm as { targetAcceptance?: unknown } | undefined)?.targetAcceptance;
  const now = typeof given === "number" ? given : 0.8;
  return [0.95, 0.99, 0.999].find((target) => target > now) ?? 0.9999;
}

/** "a, b, c and 4 more". */
function few(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  return names.length > 3 ? `${shown.join(", ")} and ${names.length - 3} more` : shown.join(", ");
}
