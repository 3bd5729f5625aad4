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
  const heavy = entries.some(([, { paretoK }]) => Number.isFinite(paretoK) && paretoK > HEAVY_SD);
  const compared = entries.some(([, { rhat }]) => !Number.isNaN(rhat));
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
