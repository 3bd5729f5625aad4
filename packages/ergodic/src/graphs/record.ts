/**
 * Adds a record of zeros to a list of 32-bit words. Returns the index of its first word; field F of the record is the
 * word at index + F / 4.
 */
export function addRecord(words: number[], bytes: number): number {
  const first = words.length;
  for (let at = 0; at < bytes; at += 4) words.push(0);
  return first;
}
