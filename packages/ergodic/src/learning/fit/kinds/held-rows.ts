/** Rows that are held out to choose the strength of a penalty. */

import { storedCount } from "../../../engine/data/conversion.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { type Draws, stream } from "../../../engine/random/stream.ts";

/**
 * Number of rows used to choose the strength: at most `most`, fewer for wide data (at most `numbers` values in total),
 * never fewer than `least`.
 */
const ROWS = { most: 5000, least: 1000, numbers: 1e6 };
const FOLDS = 5;
/** Total number of held-out rows that suffices to distinguish strengths. */
const HELD_OUT = 1000;
/**
 * Up to this number, observations are assigned to folds one by one. If there are more observations, each fold gets an
 * equal share.
 */
const MOST_DEALT = 1e6;

/** Held-out rows and training rows of one fold, for choosing the strength. */
export interface Rows {
  readonly train: Uint32Array;
  readonly held: Uint32Array;
  /**
   * For each row, the number of observations used for training and the number held out. Undefined unless each row
   * represents several observations.
   */
  readonly counts?: { readonly train: Float64Array; readonly held: Float64Array };
}

/** Draws `count` rows without replacement, in random order. */
function sampled(rowCount: number, count: number, draws: Draws): Uint32Array {
  const all = Uint32Array.from({ length: rowCount }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + draws.integer(rowCount - i);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, count);
}

/**
 * Assigns each observation to a random fold, so that a fold can hold out some of a row's observations. Uses a random
 * sample of at most `ROWS.most` rows.
 */
export function dealtByCount(data: Dataset, seed: number): Rows[] {
  const draws = stream(seed, "strength").at(0);
  const count = Math.min(data.rowCount, ROWS.most);
  const taken = sampled(data.rowCount, count, draws).sort();
  const weights = Float64Array.from(taken, (row) => data.weights![row]);
  const one = weights.reduce((a, b) => a + b, 0) <= MOST_DEALT;
  const held = Array.from({ length: FOLDS }, () => new Float64Array(count));
  for (const [k, weight] of weights.entries()) {
    if (one) for (let n = 0; n < weight; n++) held[draws.integer(FOLDS)][k]++;
    else for (const fold of held) fold[k] = weight / FOLDS;
  }
  const side = (of: Float64Array) => ({ rows: taken.filter((_, k) => of[k] > 0), counts: of.filter((n) => n > 0) });
  return held.flatMap((own) => {
    const [train, out] = [side(weights.map((weight, k) => weight - own[k])), side(own)];
    if (train.rows.length === 0 || out.rows.length === 0) return [];
    return [{ train: train.rows, held: out.rows, counts: { train: train.counts, held: out.counts } }];
  });
}

/**
 * Shuffles rows, sorts them by target and assigns them to folds in turn, so that every fold has similar targets.
 * Returns no folds if there are too few rows.
 */
export function dealt(data: Dataset, seed: number, binary: boolean): Rows[] {
  const { rowCount, target } = data;
  const wanted = (ROWS.numbers * rowCount) / Math.max(1, storedCount(data.layout));
  const most = Math.max(ROWS.least, Math.min(ROWS.most, Math.floor(wanted)));
  const count = Math.min(rowCount, most);
  const { values } = target;
  const taken = sampled(rowCount, count, stream(seed, "strength").at(0)).sort((a, b) => values[a] - values[b]);
  const positive = taken.reduce((n, row) => n + (values[row] > 0 ? 1 : 0), 0);
  const parts = Math.min(FOLDS, count, binary ? Math.min(positive, count - positive) : count);
  if (parts < 2) return [];
  const folds = Math.min(parts, Math.ceil((HELD_OUT * parts) / count));
  return Array.from({ length: folds }, (_, f) => ({
    train: taken.filter((_, k) => k % parts !== f).sort(),
    held: taken.filter((_, k) => k % parts === f).sort(),
  }));
}
