/** A posterior's summary as text: a row a number, digits that the Monte Carlo errors bear out. */
import type { VariableSummary } from "../diagnostics/index.ts";

export function summaryTable(rows: Readonly<Record<string, VariableSummary>>): string {
  const entries = Object.entries(rows);
  if (entries.length === 0) return "";
  const quantiles = Object.keys(entries[0][1].quantiles);
  const head = ["", "mean", "mcse", "sd", ...quantiles, "ess bulk", "ess tail", "R-hat"];
  const body = entries.map(([name, row]) => {
    const digits = digitsOf(row.mcseMean);
    const shown = (value: number): string => fixed(value, digits);
    return [
      name,
      shown(row.mean),
      fixed(row.mcseMean, digits + 1),
      shown(row.sd),
      ...quantiles.map((quantile) => shown(row.quantiles[quantile])),
      fixed(row.essBulk, 0),
      fixed(row.essTail, 0),
      fixed(row.rhat, 3),
    ];
  });
  const widths = head.map((title, j) => Math.max(title.length, ...body.map((row) => row[j].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, j) => (j === 0 ? cell.padEnd(widths[j]) : cell.padStart(widths[j])))
      .join("  ")
      .trimEnd();
  return [head, ...body].map(line).join("\n");
}

/** Decimals up to the first that the error reaches. */
function digitsOf(error: number): number {
  if (!(error > 0 && error < Infinity)) return 2;
  return Math.min(12, Math.max(0, -Math.floor(Math.log10(error))));
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
