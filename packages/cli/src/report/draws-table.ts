/** Table of draws for `sample`, `approximate` and `summary`. */
import type { Draws } from "ergodic";
import { counted } from "./numbers.ts";

/** Description of --group-effects, for each command that prints the table. */
export const groupEffectsText = "print the effects of each group of the formula, too";

interface TableWords {
  readonly of?: string[];
  readonly probabilities?: number[];
  readonly groupEffects?: boolean;
}

/**
 * Formats the summary of draws. The effects of the groups of a formula are hidden unless requested, because they can be
 * many.
 */
export function drawsTable(draws: Draws, { of, probabilities, groupEffects }: TableWords): string {
  const asked = { ...(of === undefined ? {} : { of }), ...(probabilities === undefined ? {} : { probabilities }) };
  const names = of ?? [...draws.scalars().keys()];
  const shown = of || groupEffects ? names : names.filter((name) => !isGroupEffect(name, names));
  if (shown.length === names.length) return draws.table({ ...asked, rows: Number.MAX_SAFE_INTEGER });
  const hidden = counted(names.length - shown.length, "group effect");
  return `${draws.table({ ...asked, of: shown, rows: shown.length })}\n${hidden} not shown; --group-effects prints them`;
}

/** Whether a number is the effect of one group, "child[Ann]: age", whose spread "sd(child): age" is among the names. */
export function isGroupEffect(name: string, names: readonly string[]): boolean {
  const [, label, effect] = /^(.+?)\[.*\](: .*)$/s.exec(name) ?? [];
  return label !== undefined && names.includes(`sd(${label})${effect}`);
}
