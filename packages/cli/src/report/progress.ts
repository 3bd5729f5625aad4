/**
 * How a run goes, on standard error: on a terminal one line, rewritten; else a line each time that the number of updates has doubled.
 *
 * `loss` is the mean training loss since the line before, each row's measured before its update (so it is an honest forecast, as in Vowpal Wabbit).
 */
import type { Tick } from "ergodic";
import type { Terminal } from "../terminal.ts";
import { clock, decimal, grouped, short } from "./numbers.ts";

export interface Limits {
  epochs?: number;
  updates?: number;
  seconds?: number;
}

const BAR = 10;
/** Before that a speed says little about the time left. */
const SETTLED_SECONDS = 0.2;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const widths = [12, 9, 12, 12, 11];
const row = (cells: readonly string[]): string => cells.map((cell, j) => cell.padStart(widths[j])).join("");

export class Progress {
  private readonly terminal: Terminal;
  private readonly limits: Limits;
  private validation: Record<string, number> | undefined;
  private next = 0;
  private lines = 0;
  private last: Tick | undefined;
  private since = { loss: 0, updates: 0, seconds: 0 };
  private before = { update: 0, seconds: 0 };

  constructor(terminal: Terminal, limits: Limits) {
    this.terminal = terminal;
    this.limits = limits;
  }

  tick(tick: Tick): void {
    const updates = tick.update - this.before.update;
    this.since.loss += tick.loss * updates;
    this.since.updates += updates;
    this.since.seconds += tick.seconds - this.before.seconds;
    this.before = { update: tick.update, seconds: tick.seconds };
    this.validation = tick.validation ?? this.validation;
    this.last = tick;
    if (this.terminal.live) this.terminal.rewrite(this.liveLine(tick));
    else if (tick.update >= this.next) this.doublingLine(tick);
  }

  /** Leaves nothing half-written; the last tick always has its line. */
  end(): void {
    if (this.terminal.live) this.terminal.rewrite("");
    else if (this.last && this.since.updates > 0) this.doublingLine(this.last);
  }

  private doublingLine(tick: Tick): void {
    if (this.lines++ === 0) this.terminal.note(row(["update", "epoch", "loss", "validation", "updates/s"]));
    const { loss, updates, seconds } = this.since;
    const validation = this.validation ? decimal(this.validation.loss) : "–";
    const cells = [
      grouped(tick.update),
      tick.epoch.toFixed(2),
      decimal(loss / updates),
      validation,
      short(updates / Math.max(1e-9, seconds)),
    ];
    this.terminal.note(row(cells));
    this.since = { loss: 0, updates: 0, seconds: 0 };
    this.validation = undefined;
    this.next = 2 * tick.update;
  }

  private liveLine(tick: Tick): string {
    const { epochs, updates, seconds } = this.limits;
    const done = Math.min(
      1,
      Math.max(tick.epoch / (epochs ?? Infinity), tick.update / (updates ?? Infinity), tick.seconds / (seconds ?? Infinity)),
    );
    const parts = [
      `epoch ${tick.epoch.toFixed(1)}${epochs === undefined ? "" : ` of ${epochs}`}`,
      `loss ${decimal(tick.loss)}`,
      ...(this.validation ? [`validation ${decimal(this.validation.loss)}`] : []),
      `${short(tick.updatesPerSecond)} updates/s`,
      ...(done > 0 && tick.seconds >= SETTLED_SECONDS ? [`${clock((tick.seconds * (1 - done)) / done)} left`] : []),
    ];
    const text = `${String(Math.floor(100 * done)).padStart(3)} %  ${parts.join(" · ")}`;
    const room = this.terminal.columns - 1;
    return text.length + BAR + 1 <= room ? `${bar(done)} ${text}` : text.slice(0, room);
  }
}

function bar(done: number): string {
  const eighths = Math.round(done * BAR * 8);
  const full = Math.floor(eighths / 8);
  return `${"█".repeat(full)}${EIGHTHS[eighths % 8]}`.padEnd(BAR, "·");
}
