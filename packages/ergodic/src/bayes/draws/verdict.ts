import { printable } from "../../engine/errors/printable.ts";
import { approximation } from "./findings/approximation.ts";
import { convergence } from "./findings/convergence.ts";
import type { Finding, Judged, Subject } from "./findings/finding.ts";
import { places } from "./findings/places.ts";
import { solutions } from "./findings/solutions.ts";
import { stepBias, stepBiasWords } from "./findings/step-bias.ts";
import { tails } from "./findings/tails.ts";
import { trajectories } from "./findings/trajectories.ts";
import { madeText } from "./method.ts";

export type { Finding } from "./findings/finding.ts";

/**
 * Trust level of draws: "trusted"; "care" if a finding needs attention but none is serious; "untrusted" if the draws
 * are biased or their error is unknown.
 */
export type TrustLevel = "trusted" | "care" | "untrusted";

/** Judgement of whether draws can be trusted, with advice if not. */
export interface Verdict {
  /** The level that the first line of `text` states. */
  readonly level: TrustLevel;
  /** Whether the level is "trusted" or "care". */
  readonly trusted: boolean;
  /** Findings, from serious problems to notes. */
  readonly findings: readonly Finding[];
  /** The whole verdict in plain words. */
  readonly text: string;
  /** The same as `text`. */
  toString(): string;
}

/** Subjects in the order in which their findings are reported. */
const subjects: readonly Subject[] = [approximation, convergence, stepBias, places, trajectories, solutions, tails, hints];

/**
 * Judges whether draws can be trusted, in plain words, and says what to do if not.
 *
 * Each file of findings/ looks at one subject: draws that are not finite, chains that do not move, and too few draws to
 * judge; R̂ of every number, which should be below 1.01 (a value above 1.05 is serious, and so is a lower one if the
 * number has too few effective draws), and bulk and tail effective sizes, which should be above 100 per chain (Vehtari
 * et al. 2021); divergences, serious above 0.2 % of transitions or if chains mix badly; trajectories cut short at the
 * maximum depth; E-BFMI below 0.3; a step bias above 0.1 sd; differential equations whose solutions are off by more
 * than a thousandth; modes that the draws have missed, or that separate the chains (these are listed first); tails so
 * heavy that the error of the mean cannot be estimated reliably; and k̂ > 0.7 of an approximation (Vehtari et al.
 * 2024), whose independent draws have no R̂, and neither have those of the prior. Particles of svgd() are never trusted,
 * because nothing measures their distance from the posterior. If there is only one chain, the verdict says that it
 * cannot be compared with others. The advice is specific to this run's model and algorithm (findings/advice.ts).
 */
export function verdict(draws: Judged): Verdict {
  const findings: Finding[] = draws.count === 0 ? [empty(draws)] : [];
  if (draws.count > 0) for (const subject of subjects) findings.push(...subject(draws, findings));
  // Multiple modes explain every other symptom, so they come first.
  findings.sort((a, b) => Number(b.code === "modes") - Number(a.code === "modes"));
  const level = levelOf(findings);
  const text = [headline(draws, level), ...findings.map((f) => `- ${f.text}: ${f.advice}.`)].join("\n");
  return printable({ level, trusted: level !== "untrusted", findings, text }, () => text);
}

function levelOf(findings: readonly Finding[]): TrustLevel {
  if (findings.some(({ serious }) => serious)) return "untrusted";
  return findings.every(({ note }) => note) ? "trusted" : "care";
}

function headline(draws: Judged, level: TrustLevel): string {
  const made = madeText(draws);
  const bias = level === "untrusted" ? "" : stepBiasWords(draws);
  const words: Record<TrustLevel, string> = {
    trusted: `These draws can be trusted${bias}`,
    care: `These draws can be used, with care${bias && `,${bias}`}`,
    untrusted: "Do not trust these draws yet",
  };
  return `${words[level]} (${made}).`;
}

function empty({ description }: Judged): Finding {
  const { plan } = description;
  const unasked = typeof plan === "object" && plan !== null && !Array.isArray(plan) && plan.draws === 0;
  return {
    code: "empty",
    serious: true,
    text: unasked ? "no draws were asked for" : "there are no draws, as the run was stopped during warm-up",
    advice: unasked ? "ask for some (draws: 1000)" : "let it continue, or use a shorter warm-up",
  };
}

/** Reports hints about the model. Hints are valid constructs that are probably mistakes. */
function hints({ description }: Judged): Finding[] {
  const list = description.hints as { text: string; advice: string }[] | undefined;
  return (list ?? []).map(({ text, advice }) => ({ code: "model", serious: false, text, advice }));
}
