/** Texts that mean "no value" wherever readers find them, unless they are given others. */
export const missingTexts: readonly string[] = ["", "NA", "NaN", "nan", "null", "?"];

/** Texts that mean it among numbers alone: in a column of texts "None" or "-" may be a level. A spreadsheet's errors are mistakes, not missing values. */
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

/** Whether a text in place of a number says that there is none. A blank text says nothing. */
export function saysMissing(text: string): boolean {
  const trimmed = text.trim();
  return trimmed !== "" && (missingTexts.includes(trimmed) || missingAmongNumbers.includes(trimmed));
}
