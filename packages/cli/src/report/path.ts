/** A regularisation path as text: its progress, a selection of its rows, and a picture of its errors. */
import type { CrossValidation, LinearPath } from "ergodic/learning";
import type { Paint } from "../terminal.ts";
import type { CountedReport } from "./counted-progress.ts";
import { curve, type Mark } from "./curve.ts";
import { decimal, grouped, percent, significant, small } from "./numbers.ts";
import { table } from "./text-table.ts";

/** Number of rows of a path that are shown in addition to marked rows. */
const SHOWN = 12;
const INDENT = "  ";
export const pathReport: CountedReport = {
  unit: "λ",
  header: ["λ", "of #", "nonzeros", "gap", "CV error"],
  cells: ({ lambda, update, nonZeros, gap, heldOut }) => [
    significant(Number(lambda)),
    grouped(update),
    grouped(Number(nonZeros)),
    small(gap),
    heldOut === undefined ? "–" : decimal(2 * Number(heldOut)),
  ],
  words: ({ nonZeros, gap }) => [`${grouped(Number(nonZeros))} nonzeros`, `gap ${small(gap)}`],
};

export function pathTable(path: LinearPath, paint: Paint): string {
  const { lambdas, nonZeros, explained, gaps, violations, crossValidation: cv } = path;
  const certified = gaps.some((gap) => !Number.isNaN(gap));
  const header = ["λ", "nonzeros", "explained", certified ? "gap" : "violation", ...(cv ? ["CV error", "± se", ""] : [])];
  const marks = cv ? marksOf(cv) : [];
  const rows = shown(
    lambdas.length,
    marks.map(({ at }) => at),
  ).map((k) => [
    significant(lambdas[k]),
    grouped(nonZeros[k]),
    percent(explained[k]),
    small(certified ? gaps[k] : violations[k]),
    ...(cv
      ? [
          decimal(cv.mean[k]),
          decimal(cv.standardError[k]),
          marks
            .filter(({ at }) => at === k)
            .map(({ sign, name }) => `${sign} ${name}`)
            .join("  "),
        ]
      : []),
  ]);
  return table(header, rows, { left: [6], paint });
}

/** Draws the cross-validation errors from the largest λ to the smallest. */
export function pathPicture(cv: CrossValidation): string {
  const lines = curve({ values: cv.mean, spread: cv.standardError }, marksOf(cv), decimal);
  return lines.map((line) => `${INDENT}${line}\n`).join("");
}

function marksOf({ minimum, oneStandardError }: CrossValidation): Mark[] {
  return [
    { at: minimum, sign: "▲", name: "minimum" },
    { at: oneStandardError, sign: "△", name: "one standard error" },
  ];
}

/** Returns the rows to show: evenly spaced rows from first to last, and the marked rows. */
function shown(count: number, marked: readonly number[]): number[] {
  const spread = Math.min(count, SHOWN);
  const even = Array.from({ length: spread }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, spread - 1)));
  return [...new Set([...even, ...marked])].sort((a, b) => a - b);
}
