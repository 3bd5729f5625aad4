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

/** Whether draws can be trusted, and what to do where they cannot. */
export interface Verdict {
  /** No serious finding. */
  readonly trusted: boolean;
  /** What was found, serious things and notes. */
  readonly findings: readonly Finding[];
  /** All of it in plain words. */
  readonly text: string;
  /** The same as `text`. */
  toString(): string;
}

/** What is looked at, in the order that it is told. */
const subjects: readonly Subject[] = [approximation, convergence, stepBias, places, trajectories, solutions, tails, hints];

/**
 * Whether draws can be trusted, in plain words, and what to do where they cannot.
 *
 * Looked at, one file a subject in findings/: draws that are not finite, chains that do not move, too few draws to judge; R̂ below 1.01 (serious above 1.05, and
 * below it of a number whose effective draws are too few) and bulk and tail effective sizes above 100 a chain, of every number (Vehtari et al. 2021);
 * divergences, serious above 0.2 % of transitions, or where chains mix badly; trajectories cut short at the greatest depth; E-BFMI below 0.3; the bias of steps above 0.1 sd; differential equations whose solutions are off by more than a thousandth; modes that the chains have missed or are apart in, which come first; tails so heavy that a
 * mean has no reliable error; k̂ > 0.7 of an approximation (Vehtari et al. 2024), of whose independent draws no R̂ is asked. A single chain cannot be compared with
 * others, and the verdict says so. What to do is said of this run (findings/advice.ts).
 */
export function verdict(draws: Judged): Verdict {
  const findings: Finding[] = draws.count === 0 ? [empty(draws)] : [];
  if (draws.count > 0) for (const subject of subjects) findings.push(...subject(draws, findings));
  // Where there are several modes, all else follows from them.
  findings.sort((a, b) => Number(b.code === "modes") - Number(a.code === "modes"));
  const trusted = findings.every(({ serious }) => !serious);
  const text = [headline(draws, trusted, findings), ...findings.map((f) => `- ${f.text}: ${f.advice}.`)].join("\n");
  return { trusted, findings, text, toString: () => text };
}

function headline(draws: Judged, trusted: boolean, findings: readonly Finding[]): string {
  const made = madeText(draws);
  if (!trusted) return `Do not trust these draws yet (${made}).`;
  const bias = stepBiasWords(draws);
  return findings.every(({ note }) => note)
    ? `These draws can be trusted${bias} (${made}).`
    : `These draws can be used, with care${bias && `,${bias}`} (${made}).`;
}

function empty({ description }: Judged): Finding {
  const { plan } = description;
  const unasked = typeof plan === "object" && plan !== null && !Array.isArray(plan) && plan.draws === 0;
  return {
    code: "empty",
    serious: true,
    text: unasked ? "no draws were asked for" : "there are no draws, as the run was stopped during warm-up",
    advice: unasked ? "ask for some (draws: 1000)" : "let it run on, or give it less warm-up",
  };
}

/** What the model said that is probably not meant. */
function hints({ description }: Judged): Finding[] {
  const list = description.hints as { text: string; advice: string }[] | undefined;
  return (list ?? []).map(({ text, advice }) => ({ code: "model", serious: false, text, advice }));
}
