import type { Tick } from "ergodic";
import type { Terminal } from "../terminal.ts";
import { clock, decimal, grouped, short, small } from "./numbers.ts";
import type { LossScale } from "./scale.ts";

export interface Limits {
  epochs?: number;
  updates?: number;
  seconds?: number;
}

export interface ProgressOptions {
  /** Whether the algorithm bounds its distance from the minimum. Default false. */
  certified?: boolean;
  /** Default: the loss as it is, next to a validation loss on the same scale. */
  scale?: LossScale;
}

const BAR = 10;
/** Seconds before the speed is reliable enough to estimate the remaining time. */
const SETTLED_SECONDS = 0.2;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const widths = [12, 9, 12, 12, 11, 11];
const VALIDATION = 3;
const plain: LossScale = { loss: "loss", validation: "validation", of: (loss) => loss };

/**
 * Progress of a run on standard error. On a terminal, one line is rewritten. Otherwise, a line is printed each time the
 * number of updates has doubled.
 *
 * The loss is the mean training loss since the previous line, in the units of `scale`. The loss of each row is measured
 * before the row's update, so it is a loss on unseen rows, as in Vowpal Wabbit.
 */
export class Progress {
  private readonly terminal: Terminal;
  private readonly limits: Limits;
  private readonly certified: boolean;
  private readonly scale: LossScale;
  private validation: Record<string, number> | undefined;
  private next = 0;
  private lines = 0;
  private last: Tick | undefined;
  private since = { loss: 0, updates: 0, seconds: 0 };
  private before = { update: 0, seconds: 0 };

  constructor(terminal: Terminal, limits: Limits, { certified = false, scale = plain }: ProgressOptions = {}) {
    this.terminal = terminal;
    this.limits = limits;
    this.certified = certified;
    this.scale = scale;
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

  /** Finishes the current line. The last tick always has its own line. */
  end(): void {
    if (this.terminal.live) this.terminal.rewrite("");
    else if (this.last && this.since.updates > 0) this.doublingLine(this.last);
  }

  private doublingLine(tick: Tick): void {
    const gap = (text: string): string[] => (this.certified ? [text] : []);
    if (this.lines++ === 0)
      this.terminal.note(this.row(["update", "epoch", this.scale.loss, this.scale.validation, "updates/s", ...gap("gap")]));
    const { loss, updates, seconds } = this.since;
    const validation = this.validation ? decimal(this.validation.loss) : "–";
    const cells = [
      grouped(tick.update),
      tick.epoch.toFixed(2),
      decimal(this.scale.of(loss / updates)),
      validation,
      short(updates / Math.max(1e-9, seconds)),
      ...gap(small(tick.gap)),
    ];
    this.terminal.note(this.row(cells));
    this.since = { loss: 0, updates: 0, seconds: 0 };
    this.validation = undefined;
    this.next = 2 * tick.update;
  }

  private row(cells: readonly string[]): string {
    const room = widths.with(VALIDATION, Math.max(widths[VALIDATION], this.scale.validation.length + 2));
    return cells.map((cell, j) => cell.padStart(room[j])).join("");
  }

  private liveLine(tick: Tick): string {
    const { epochs, updates, seconds } = this.limits;
    const done = Math.min(
      1,
      Math.max(tick.epoch / (epochs ?? Infinity), tick.update / (updates ?? Infinity), tick.seconds / (seconds ?? Infinity)),
    );
    const parts = [
      `epoch ${tick.epoch.toFixed(1)}${epochs === undefined ? "" : ` of ${epochs}`}`,
      `${this.scale.loss} ${decimal(this.scale.of(tick.loss))}`,
      ...(this.validation ? [`${this.scale.validation} ${decimal(this.validation.loss)}`] : []),
      ...(this.certified ? [`gap ${small(tick.gap)}`] : []),
      `${short(tick.updatesPerSecond)} updates/s`,
      ...timeLeft(done, tick.seconds),
    ];
    return liveLine(done, parts, this.terminal.columns - 1);
  }
}

/** Formats "███▌······  35 %  epoch 3.5 of 10 · …" in `room` characters. `done`: 0 … 1. */
export function liveLine(done: number, parts: readonly string[], room: number): string {
  const text = `${String(Math.floor(100 * done)).padStart(3)} %  ${parts.join(" · ")}`;
  return text.length + BAR + 1 <= room ? `${bar(done)} ${text}` : text.slice(0, room);
}

/** Formats "0:12 left", once the speed is reliable. */
export function timeLeft(done: number, seconds: number): string[] {
  return done > 0 && seconds >= SETTLED_SECONDS ? [`${clock((seconds * (1 - done)) / done)} left`] : [];
}

function bar(done: number): string {
  const eighths = Math.round(done * BAR * 8);
  const full = Math.floor(eighths / 8);
  return `${"█".repeat(full)}${EIGHTHS[eighths % 8]}`.padEnd(BAR, "·");
}
