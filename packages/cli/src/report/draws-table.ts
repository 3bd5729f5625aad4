/** Table of draws for `sample`, `approximate` and `summary`. */
import type { Draws } from "ergodic";
import { inCommandLineTerms } from "../errors.ts";
import { counted } from "./numbers.ts";

/** Description of --all, for each command that prints the table. */
export const allText = "print a line for every number: all elements of long arrays, and the effects of groups";

/** Description of --group-effects, for each command that prints the table. */
export const groupEffectsText = "print the effects of each group of the formula, too";

interface TableWords {
  readonly of?: string[];
  readonly probabilities?: number[];
  readonly groupEffects?: boolean;
  readonly all?: boolean;
}

/**
 * Formats the summary of draws. Long arrays are abbreviated, and the effects of the groups of a formula are hidden,
 * because they can be many. Names that the user asks for are printed in full.
 */
export function drawsTable(draws: Draws, { of, probabilities, groupEffects, all }: TableWords): string {
  const asked = { ...(of === undefined ? {} : { of }), ...(probabilities === undefined ? {} : { probabilities }) };
  if (of || all) return draws.table({ ...asked, rows: Number.MAX_SAFE_INTEGER });
  const names = [...draws.scalars().keys()];
  if (groupEffects) {
    const effects = names.some((name) => isGroupEffect(name, names));
    return inCommandLineTerms(draws.table({ ...asked, ...(effects ? { rows: Number.MAX_SAFE_INTEGER } : {}) }));
  }
  const shown = names.filter((name) => !isGroupEffect(name, names));
  if (shown.length === names.length) return inCommandLineTerms(draws.table(asked));
  const hidden = counted(names.length - shown.length, "group effect");
  const table = inCommandLineTerms(draws.table({ ...asked, of: shown }));
  return `${table}\n${hidden} not shown; --group-effects prints them`;
}

/** Whether a number is the effect of one group, "child[Ann]: age", whose spread "sd(child): age" is among the names. */
export function isGroupEffect(name: string, names: readonly string[]): boolean {
  const [, label, effect] = /^(.+?)\[.*\](: .*)$/s.exec(name) ?? [];
  return label !== undefined && names.includes(`sd(${label})${effect}`);
}
