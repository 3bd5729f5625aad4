/**
 * The name that was probably meant: the same but for case and blanks, else the one that the fewest insertions, deletions and replacements
 * of single characters make of it: one from five characters on, and two from nine. Undefined where none is like it.
 */
export function nearName(wanted: string, names: readonly string[]): string | undefined {
  const plain = (name: string): string => name.trim().toLowerCase();
  const same = names.find((name) => plain(name) === plain(wanted));
  if (same !== undefined || wanted.length > LONGEST) return same;
  let best: string | undefined;
  let least = Math.min(2, Math.floor((wanted.length - 1) / 4)) + 1;
  for (const name of names.slice(0, MOST)) {
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const steps = stepsBetween(plain(wanted), plain(name));
    if (steps < least) [least, best] = [steps, name];
  }
  return best;
}

/** Names and characters that are compared: an error may take a moment, no more. */
const MOST = 10_000;
const LONGEST = 100;

/** Levenshtein's distance. */
function stepsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}
