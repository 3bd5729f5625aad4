import { isPlainObject, made, refuse } from "../../engine/errors/checks.ts";
import { HEAVY_SD, type VariableSummary } from "../../engine/statistics/index.ts";
import { aligned } from "./characters.ts";

/**
 * Formats a posterior's summary as text: a row per number, with as many digits as the Monte Carlo errors support.
 *
 * "tail k" is shown if some tail is heavy (k̂ above 0.5). If k̂ exceeds 0.7, the error of the mean cannot be estimated
 * reliably and is shown as "–". The column R-hat is omitted if no row has a value, as for independent draws of an
 * approximation or of the prior.
 */
export function summaryTable(rows: Readonly<Record<string, VariableSummary>>): string {
  if (!isPlainObject(rows)) refuse("summaryTable", "the first argument", rows, "a summary by variable", "draws.summary()");
  const entries = Object.entries(rows);
  for (const [name, row] of entries)
    made(`summaryTable: ${name}`, row, "quantiles", "the summary of a variable", "draws.summary()");
  if (entries.length === 0) return "";
  const quantiles = Object.keys(entries[0][1].quantiles);
  const summaries = entries.map(([, row]) => row);
  const [heavy, compared] = [showsTails(summaries), showsRhat(summaries)];
  const head = ["", "mean", "mcse", "sd", ...quantiles, "ess bulk", "ess tail"];
  if (heavy) head.push("tail k");
  if (compared) head.push("R-hat");
  const body = entries.map(([name, row]) => {
    const digits = digitsOf(errorOf(row));
    const shown = (value: number): string => fixed(value, digits);
    const cells = [name, shown(row.mean), fixed(row.mcseMean, digits + 1), shown(row.sd)];
    cells.push(...quantiles.map((quantile) => shown(row.quantiles[quantile])), fixed(row.essBulk, 0), fixed(row.essTail, 0));
    if (heavy) cells.push(fixed(row.paretoK, 2));
    if (compared) cells.push(fixed(row.rhat, 3));
    return cells;
  });
  return aligned([head, ...body]);
}

/** Formats one line that explains the columns of `summaryTable`. */
export function tableLegend(rows: readonly VariableSummary[]): string {
  if (rows.length === 0) return "";
  const [quantile] = Object.keys(rows[0].quantiles);
  const parts = ["mcse: Monte Carlo error of the mean"];
  if (quantile !== undefined) parts.push(`${quantile}: ${quantile.slice(1)} % quantile`);
  parts.push("ess: effective sample size");
  if (showsTails(rows)) parts.push("tail k: good below 0.7");
  if (showsRhat(rows)) parts.push("R-hat: good below 1.01");
  return parts.join("; ");
}

/**
 * Chooses at most `most` names of numbers. Arrays are abbreviated to the same number of first elements, so that a long
 * array does not hide the quantities after it.
 */
export function abbreviated(names: readonly string[], most: number): string[] {
  if (names.length <= most) return [...names];
  const places = new Map<string, number>();
  const placed = names.map((name) => {
    const whole = arrayOf(name);
    const place = places.get(whole) ?? 0;
    places.set(whole, place + 1);
    return [name, place] as const;
  });
  const sizes = [...places.values()];
  const shownWith = (each: number): number => sizes.reduce((sum, size) => sum + Math.min(size, each), 0);
  let each = 1;
  while (shownWith(each + 1) <= most) each++;
  return placed
    .filter(([, place]) => place < each)
    .slice(0, most)
    .map(([name]) => name);
}

/** Formats "397 more of b", or "460 more (397 of b, 63 of c)": the numbers that are not among those shown. */
export function hiddenText(names: readonly string[], shown: readonly string[]): string {
  const [kept, counts] = [new Set(shown), new Map<string, number>()];
  for (const name of names) if (!kept.has(name)) counts.set(arrayOf(name), (counts.get(arrayOf(name)) ?? 0) + 1);
  const [more, parts] = [`${names.length - shown.length} more`, [...counts].map(([whole, count]) => `${count} of ${whole}`)];
  if (counts.size === 1) return `${more} of ${[...counts.keys()][0]}`;
  return `${more} (${parts.slice(0, 3).join(", ")}${parts.length > 3 ? " …" : ""})`;
}

/** Name of the array that holds a number: "b[1,2]" → "b", "child[Ann]: age" → "child: age". */
const arrayOf = (name: string): string => name.replace(/\[.*\]/s, "");

const showsTails = (rows: readonly VariableSummary[]): boolean =>
  rows.some(({ paretoK }) => Number.isFinite(paretoK) && paretoK > HEAVY_SD);
const showsRhat = (rows: readonly VariableSummary[]): boolean => rows.some(({ rhat }) => !Number.isNaN(rhat));

/**
 * Standard error of the mean. If the standard error is NaN, returns the standard error for a Gaussian with the same
 * outer quantiles.
 */
function errorOf({ mcseMean, quantiles, essBulk }: VariableSummary): number {
  if (!Number.isNaN(mcseMean)) return mcseMean;
  const values = Object.values(quantiles);
  return (Math.max(...values) - Math.min(...values)) / 3.3 / Math.sqrt(essBulk);
}

/** Number of decimals to print, up to the first digit that the error affects. */
function digitsOf(error: number): number {
  if (!(error > 0 && error < Infinity)) return 2;
  return Math.min(12, Math.max(0, -Math.floor(Math.log10(error))));
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
