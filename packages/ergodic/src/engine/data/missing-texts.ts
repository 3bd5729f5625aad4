/** Strings that mean "no value" in any column, unless a reader is given other strings. */
export const missingTexts: readonly string[] = ["", "NA", "NaN", "nan", "null", "?"];

/**
 * Strings that mean "no value" only in numeric columns. In a text column, "None" or "-" can be a level. Spreadsheet
 * errors other than #N/A are mistakes, not missing values.
 */
export const missingAmongNumbers: readonly string[] = [
  "#N/A",
  "#N/A N/A",
  "#NA",
  "N/A",
  "n/a",
  "<NA>",
  "NULL",
  "None",
  "none",
  "-",
  ".",
];

/** Whether a string in a numeric column means "no value". A blank string does not. */
export function saysMissing(text: string): boolean {
  const trimmed = text.trim();
  return trimmed !== "" && (missingTexts.includes(trimmed) || missingAmongNumbers.includes(trimmed));
}
