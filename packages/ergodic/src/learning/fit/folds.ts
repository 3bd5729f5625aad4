/** Assignment of rows to folds: at random, by group or by time. */

import type { Dataset } from "../../engine/data/dataset.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";

/** Indices of training rows and held-out rows, ascending. */
export interface FoldRows {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/** Checks the number of folds of cross-validation. `orNone`: whether 0 is allowed. */
export function checkFolds(where: string, folds: number, rowCount: number, orNone = false): void {
  if ((orNone && folds === 0) || (Number.isInteger(folds) && folds >= 2 && folds <= rowCount)) return;
  throw new OptionError(
    where,
    `folds is ${shown(folds)}, but must be ${orNone ? "0, for none, or " : ""}a whole number from 2 to ${rowCount}`,
    typeof folds === "number" ? "OPTION_RANGE" : "OPTION_TYPE",
  );
}

/**
 * Returns the fold of each row. Rows are shuffled. The rows of each class are then assigned to the folds in turn, so
 * that each class is spread evenly.
 */
export function dealFolds(data: Dataset, folds: number, seed: number): Uint32Array {
  const { target, rowCount } = data;
  const order = Uint32Array.from({ length: rowCount }, (_, i) => i);
  shuffle(order, stream(seed, "folds").at(0));
  if (target.kind === "category") order.sort((a, b) => target.values[a] - target.values[b]);
  const of = new Uint32Array(rowCount);
  order.forEach((row, k) => {
    of[row] = k % folds;
  });
  return of;
}

/**
 * Returns the fold of each row, with each group in one fold. Groups are shuffled and sorted by size, largest first.
 * Each group is assigned to the fold with the fewest rows so far.
 */
export function dealGroups(where: string, groups: ArrayLike<string | number>, folds: number, seed: number): Uint32Array {
  const sizes = new Map<string | number, number>();
  for (let i = 0; i < groups.length; i++) sizes.set(groups[i], (sizes.get(groups[i]) ?? 0) + 1);
  if (sizes.size < folds)
    throw new OptionError(where, `folds is ${folds}, but there are only ${sizes.size} groups; use fewer folds`, "OPTION_RANGE");
  const names = shuffle([...sizes.keys()], stream(seed, "folds").at(0));
  names.sort((a, b) => sizes.get(b)! - sizes.get(a)!);
  const filled = new Float64Array(folds);
  const foldOf = new Map<string | number, number>();
  for (const name of names) {
    const least = filled.reduce((best, count, f) => (count < filled[best] ? f : best), 0);
    foldOf.set(name, least);
    filled[least] += sizes.get(name)!;
  }
  return Uint32Array.from({ length: groups.length }, (_, i) => foldOf.get(groups[i])!);
}

/**
 * Splits rows by time into folds + 1 periods of about equal size. Each period except the first is held out once, and
 * all earlier rows are its training rows. Rows with the same time stay together.
 */
export function stretches(where: string, time: ArrayLike<string | number>, folds: number): FoldRows[] {
  const order = Uint32Array.from({ length: time.length }, (_, i) => i);
  const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
  order.sort((a, b) => compare(time[a], time[b]) || a - b);
  const ends = Array.from({ length: folds + 1 }, (_, k) => {
    let end = Math.round(((k + 1) * time.length) / (folds + 1));
    while (end < time.length && end > 0 && time[order[end]] === time[order[end - 1]]) end++;
    return end;
  });
  if (ends.some((end, k) => end <= (ends[k - 1] ?? 0)))
    throw new OptionError(
      where,
      `folds is ${folds}, but so many rows have the same time that a period would be empty; use fewer folds`,
      "OPTION_RANGE",
    );
  return Array.from({ length: folds }, (_, k) => ({
    train: order.slice(0, ends[k]).sort(),
    test: order.slice(ends[k], ends[k + 1]).sort(),
  }));
}

/** Returns the training and held-out rows of each fold. */
export function heldOut(of: Uint32Array, folds: number): FoldRows[] {
  const rows = Uint32Array.from(of.keys());
  return Array.from({ length: folds }, (_, f) => ({
    train: rows.filter((i) => of[i] !== f),
    test: rows.filter((i) => of[i] === f),
  }));
}

/** Shuffles a list in place (Fisher and Yates). */
function shuffle<T extends Uint32Array | (string | number)[]>(list: T, draws: Draws): T {
  for (let i = list.length - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
