/** A regularisation path as text: its progress, a selection of its rows, its errors as a picture. */
import type { CrossValidation, LinearPath, Tick } from "ergodic";
import type { Paint, Terminal } from "../terminal.ts";
import { curve, type Mark } from "./curve.ts";
import { decimal, grouped, percent, significant, small } from "./numbers.ts";
import { liveLine, timeLeft } from "./progress.ts";
import { table } from "./table.ts";

/** Rows of a path that are shown, beside those that have a mark. */
const SHOWN = 12;
const INDENT = "  ";
const widths = [12, 12, 12, 12, 12];
const row = (cells: readonly string[]): string => cells.map((cell, j) => cell.padStart(widths[j])).join("");

/** On a terminal one line, rewritten; else a line each time that the number of λ solved has doubled, and the last. */
export class PathProgress {
  private readonly terminal: Terminal;
  private readonly count: number;
  private lines = 0;
  private next = 0;
  private last: Tick | undefined;

  /** `count`: how many λ there are. */
  constructor(terminal: Terminal, count: number) {
    this.terminal = terminal;
    this.count = count;
  }

  tick(tick: Tick): void {
    this.last = tick;
    if (this.terminal.live) this.terminal.rewrite(this.live(tick));
    else if (tick.update >= this.next) this.line(tick);
  }

  end(): void {
    if (this.terminal.live) this.terminal.rewrite("");
    else if (this.last && 2 * this.last.update > this.next) this.line(this.last);
  }

  private line(tick: Tick): void {
    if (this.lines++ === 0) this.terminal.note(row(["λ", `of ${grouped(this.count)}`, "nonzeros", "gap", "CV error"]));
    this.terminal.note(
      row([
        significant(Number(tick.lambda)),
        grouped(tick.update),
        grouped(Number(tick.nonZeros)),
        small(tick.gap),
        tick.heldOut === undefined ? "–" : decimal(2 * Number(tick.heldOut)),
      ]),
    );
    this.next = 2 * tick.update;
  }

  private live(tick: Tick): string {
    const done = Math.min(1, tick.update / this.count);
    const parts = [
      `λ ${grouped(tick.update)} of ${grouped(this.count)}`,
      `${grouped(Number(tick.nonZeros))} nonzeros`,
      `gap ${small(tick.gap)}`,
      ...timeLeft(done, tick.seconds),
    ];
    return liveLine(done, parts, this.terminal.columns - 1);
  }
}

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

/** Cross-validation errors from the largest λ to the least. */
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

/** Evenly spread from the first to the last. */
function shown(count: number, marked: readonly number[]): number[] {
  const spread = Math.min(count, SHOWN);
  const even = Array.from({ length: spread }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, spread - 1)));
  return [...new Set([...even, ...marked])].sort((a, b) => a - b);
}
