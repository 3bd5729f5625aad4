/** Tuning as text: its progress, and its trials as a table. */
import type { Tick, Trial, Tuned } from "ergodic";
import { readable } from "../options/over.ts";
import type { Paint, Terminal } from "../terminal.ts";
import { counted, decimal, grouped, significant } from "./numbers.ts";
import { liveLine, timeLeft } from "./progress.ts";
import { table } from "./table.ts";

/** Trials that are shown; --json has all. */
const SHOWN = 20;
const widths = [12, 12, 12, 12, 12];
const row = (cells: readonly string[]): string => cells.map((cell, j) => cell.padStart(widths[j])).join("");

/** On a terminal one line, rewritten; else a line each time that the number of trials made has doubled, and the last. */
export class TuneProgress {
  private readonly terminal: Terminal;
  private readonly count: number;
  private lines = 0;
  private next = 0;
  private last: Tick | undefined;

  /** `count`: trials to be made. */
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
    if (this.lines++ === 0) this.terminal.note(row(["trial", `of ${grouped(this.count)}`, "stopped", "failed", "best"]));
    const { update, finished, stopped, failed, loss } = tick;
    this.terminal.note(
      row([grouped(update), grouped(Number(finished)), grouped(Number(stopped)), grouped(Number(failed)), decimal(loss)]),
    );
    this.next = 2 * update;
  }

  private live(tick: Tick): string {
    const done = Math.min(1, tick.update / this.count);
    const parts = [
      `trial ${grouped(tick.update)} of ${grouped(this.count)}`,
      `${grouped(Number(tick.stopped))} stopped`,
      `best ${decimal(tick.loss)}`,
      ...timeLeft(done, tick.seconds),
    ];
    return liveLine(done, parts, this.terminal.columns - 1);
  }
}

/** The best first: those that finished, those that were stopped, those that failed. */
export function trialTable({ trials }: Tuned, paint: Paint): string {
  const names = Object.keys(trials[0].settings);
  const order: readonly Trial["state"][] = ["finished", "stopped", "failed"];
  const sorted = order.flatMap((state) => trials.filter((trial) => trial.state === state).sort((a, b) => a.value - b.value));
  const rows = sorted
    .slice(0, SHOWN)
    .map(({ number, settings, value, epochs, state, rung }) => [
      String(number + 1),
      ...names.map((name) => String(readable(settings)[name])),
      decimal(value),
      significant(epochs, 3),
      state === "stopped" ? `stopped at ${significant(rung!, 3)}` : state,
    ]);
  const left = sorted.length - rows.length;
  const header = ["trial", ...names, "loss", "epochs", ""];
  return `${table(header, rows, { left: [header.length - 1], paint })}${left > 0 ? `  and ${counted(left, "trial")} more\n` : ""}`;
}
