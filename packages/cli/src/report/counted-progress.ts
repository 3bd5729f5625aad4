import type { Tick } from "ergodic";
import type { Terminal } from "../terminal.ts";
import { grouped } from "./numbers.ts";
import { liveLine, timeLeft } from "./progress.ts";

/** Formats a tick: as text for the rewritten line, and as table cells for printed lines. */
export interface CountedReport {
  /** Unit that is counted, and names of the table's cells. */
  unit: string;
  header: readonly string[];
  cells(tick: Tick): readonly string[];
  words(tick: Tick): readonly string[];
}

const WIDTH = 12;
const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(WIDTH)).join("");

/**
 * Progress of a run that counts to a known number (λ of a path, trials of a tuning). On a terminal, one line is
 * rewritten. Otherwise, a line is printed each time the count has doubled, and at the end.
 */
export class CountedProgress {
  private readonly terminal: Terminal;
  private readonly count: number;
  private readonly report: CountedReport;
  private lines = 0;
  private next = 0;
  private last: Tick | undefined;

  constructor(terminal: Terminal, count: number, report: CountedReport) {
    this.terminal = terminal;
    this.count = count;
    this.report = report;
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
    if (this.lines++ === 0) this.terminal.note(row(this.report.header.map((name) => name.replace("#", grouped(this.count)))));
    this.terminal.note(row(this.report.cells(tick)));
    this.next = 2 * tick.update;
  }

  private live(tick: Tick): string {
    const done = Math.min(1, tick.update / this.count);
    const counted = `${this.report.unit} ${grouped(tick.update)} of ${grouped(this.count)}`;
    return liveLine(done, [counted, ...this.report.words(tick), ...timeLeft(done, tick.seconds)], this.terminal.columns - 1);
  }
}
