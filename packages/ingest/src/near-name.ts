/**
 * Returns the name that was probably meant. A name that differs only in case and blanks is preferred. Otherwise, the
 * name with the smallest edit distance is returned. Names of at least five characters can differ by one edit, and names
 * of at least nine characters by two edits. Undefined if no name is similar.
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

/**
 * Maximum number of names that are compared, and maximum length of such a name. Without these limits, the comparison
 * could delay the error.
 */
const MOST = 10_000;
const LONGEST = 100;

/** Levenshtein distance. */
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
