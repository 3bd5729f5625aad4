/**
 * Numbers with leading zeros, such as the postcode "01234" or the account "007". They are codes: as amounts, they would
 * lose their zeros, and "01" would equal "1". A column of whole numbers without signs is therefore a category if any of
 * its values has a leading zero. A column that also has fractions or negative numbers holds amounts ("00", "1.5").
 */
import type { Remark } from "ergodic/data";
import { show } from "./fault.ts";

const zero = 48;

/** Whether these bytes are at least two digits, of which the first is zero. */
export function isZeroLed(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== zero || end - start < 2) return false;
  for (let i = start + 1; i < end; i++) if (bytes[i] < zero || bytes[i] > zero + 9) return false;
  return true;
}

export const isZeroLedText = (text: string): boolean => /^0\d+$/.test(text);

/** The numbers of a column that have leading zeros. */
export class LeadingZeros {
  #count = 0;
  #first = "";
  /** Whether all numbers are whole and not negative. */
  #isWhole = true;

  note(text: string): void {
    if (this.#count++ === 0) this.#first = text;
  }

  /** Called with each number, with or without leading zeros. */
  see(value: number): void {
    if (this.#isWhole && !(value >= 0 && Number.isInteger(value))) this.#isWhole = false;
  }

  /** Whether the numbers are codes. */
  get areCodes(): boolean {
    return this.#count > 0 && this.#isWhole;
  }

  remark(column: string, of: number): Remark {
    const name = show(column);
    const message = `${this.#count} of ${of} rows hold numbers with leading zeros in ${name}, like ${show(this.#first)}: taken as codes, each of which is a level; if they are amounts, pass types: { ${name}: "number" }`;
    return { kind: "identifier", column, rows: this.#count, of, message };
  }
}
