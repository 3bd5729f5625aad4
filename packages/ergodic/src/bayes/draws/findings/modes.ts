/**
 * Reads the places in a run's description (VisitedPlace of the samplers, in JSON). Determines whether these places show
 * several modes, and gives advice for that case.
 */
import { nameOf } from "../method.ts";
import type { Judged } from "./finding.ts";

export interface Visited {
  readonly by?: string;
  readonly share: number | null;
  readonly settled?: boolean;
  readonly mode?: number;
  readonly missed: boolean;
  readonly rare?: boolean;
  readonly changes?: string;
  readonly sdFactor?: number;
  readonly at: Readonly<Record<string, number | null>>;
}

export const placesOf = ({ description }: Judged): readonly Visited[] =>
  (description.places ?? []) as unknown as readonly Visited[];

/** Modes that contain chains, with the number of chains in each. */
export function filledModes(visited: readonly Visited[]): { at: Visited["at"]; count: number }[] {
  const modes = new Map<number, { at: Visited["at"]; count: number }>();
  for (const { by, mode = -1, at } of visited) {
    if (by !== "chain" || mode < 0) continue;
    const known = modes.get(mode);
    if (known) known.count++;
    else modes.set(mode, { at, count: 1 });
  }
  return [...modes.values()];
}

/**
 * Whether a finding will name modes as the cause of disagreement. Modes are named as the cause if the chains are in
 * several modes or have missed a mode.
 */
export function tellsModes(draws: Judged): boolean {
  const visited = placesOf(draws);
  return visited.some(({ missed }) => missed) || filledModes(visited).length > 1;
}

/** Modes with at most this share of the mass are too light to make chains disagree. */
const LEAST_SHARE = 1e-3;

/** Whether chains or scouts found several modes. */
export function hasSeveralModes(draws: Judged): boolean {
  const visited = placesOf(draws);
  const modes = visited.filter(({ mode = -1, share }) => mode >= 0 && share !== null && share > LEAST_SHARE);
  return tellsModes(draws) || new Set(modes.map(({ mode }) => mode)).size > 1;
}

/** Advice about several modes. Does not recommend tempering if the run already used parallelTempering(). */
export function joinModes(draws: Judged): string {
  const tempered = nameOf(draws) === "parallelTempering";
  const other = tempered
    ? "start chains in each mode, or use more copies (count: 16)"
    : "use parallelTempering(), or start chains in each mode";
  return `if the modes are mirror images, tell them apart with a constraint such as ordered; otherwise ${other}`;
}
