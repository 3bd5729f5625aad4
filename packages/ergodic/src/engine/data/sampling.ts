/** Random choices of rows without replacement, from named random streams. Results are in storage order. */
import { checkNumber, OptionError } from "../errors/errors.ts";
import { type Draws, stream } from "../random/stream.ts";

/** Returns `count` of the row indices 0 … rowCount − 1, in ascending order. */
export function sampleRows(rowCount: number, count: number, seed: number): Uint32Array {
  checkNumber("subsample", "count", count, { low: 1, high: rowCount, integer: true });
  const all = Uint32Array.from({ length: rowCount }, (_, i) => i);
  return choose(all, count, stream(seed, "subsample").at(0)).sort();
}

/**
 * Splits rows into two disjoint parts. The first part has round(share · rowCount) rows. With `classes`, each class is
 * split in the same proportion, up to one row, by the largest remainder method.
 *
 * @throws OptionError if a part would be empty
 */
export function splitRows(
  rowCount: number,
  share: number,
  seed: number,
  classes?: Float64Array,
): { train: Uint32Array; test: Uint32Array } {
  checkNumber("split", "share", share, { low: 0, high: 1, open: true });
  const count = Math.round(share * rowCount);
  if (count === 0 || count === rowCount) {
    const empty = count === 0 ? "train" : "test";
    throw new OptionError(
      "split",
      `share ${share} of ${rowCount} rows leaves no row to ${empty}; use another share`,
      "OPTION_RANGE",
    );
  }
  const inTrain = new Uint8Array(rowCount);
  const draws = stream(seed, "split");
  const groups = classes ? rowsByClass(classes) : [Uint32Array.from({ length: rowCount }, (_, i) => i)];
  const quotas = deal(
    groups.map((group) => group.length),
    count,
  );
  groups.forEach((group, c) => {
    for (const row of choose(group, quotas[c], draws.at(c))) inTrain[row] = 1;
  });
  const train = new Uint32Array(count);
  const test = new Uint32Array(rowCount - count);
  for (let i = 0, a = 0, b = 0; i < rowCount; i++) {
    if (inTrain[i]) train[a++] = i;
    else test[b++] = i;
  }
  return { train, test };
}

/** Returns `count` rows in random order: a partial Fisher–Yates shuffle, in place. */
function choose(rows: Uint32Array, count: number, draws: Draws): Uint32Array {
  for (let i = 0; i < count; i++) {
    const j = i + draws.integer(rows.length - i);
    const row = rows[j];
    rows[j] = rows[i];
    rows[i] = row;
  }
  return rows.subarray(0, count);
}

function rowsByClass(classes: Float64Array): Uint32Array[] {
  const groups: number[][] = [];
  classes.forEach((c, i) => {
    (groups[c] ??= []).push(i);
  });
  return Array.from(groups, (group) => Uint32Array.from(group ?? []));
}

/** Divides `count` among groups in proportion to their sizes, by largest remainder. */
function deal(sizes: readonly number[], count: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (size * count) / all);
  const quotas = exact.map(Math.floor);
  const left = count - quotas.reduce((sum, quota) => sum + quota, 0);
  const order = exact.map((_, c) => c).sort((a, b) => exact[b] - quotas[b] - (exact[a] - quotas[a]) || a - b);
  for (const c of order.slice(0, left)) quotas[c]++;
  return quotas;
}
