/** How sampling goes, on standard error: on a terminal one line, rewritten; else a line each time that the share done has doubled, and at the end. */
import type { Tick } from "ergodic";
import type { Terminal } from "../terminal.ts";
import { grouped, significant } from "./numbers.ts";
import { liveLine, timeLeft } from "./progress.ts";

const FIRST_LINE = 1 / 16;

export class SamplingProgress {
  private readonly terminal: Terminal;
  private next = FIRST_LINE;
  private last: Tick | undefined;
  private shown: Tick | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  tick(tick: Tick): void {
    this.last = tick;
    if (this.terminal.live) {
      const parts = [...partsOf(tick), ...timeLeft(tick.epoch, tick.seconds)];
      this.terminal.rewrite(liveLine(Math.min(1, tick.epoch), parts, this.terminal.columns - 1));
    } else if (tick.epoch >= this.next) {
      this.line(tick);
      while (this.next <= tick.epoch) this.next *= 2;
    }
  }

  end(): void {
    if (this.terminal.live) this.terminal.rewrite("");
    else if (this.last && this.last !== this.shown) this.line(this.last);
  }

  private line(tick: Tick): void {
    this.shown = tick;
    this.terminal.note(`${`${Math.floor(100 * Math.min(1, tick.epoch))} %`.padStart(6)}  ${partsOf(tick).join(" · ")}`);
  }
}

function partsOf({ draws, divergences, stepSize, rhat, elbo }: Tick): string[] {
  const number = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
  return [
    number(draws) && draws > 0 ? `${grouped(draws)} draws a chain` : "warm-up",
    ...(number(divergences) ? [`${grouped(divergences)} divergences`] : []),
    ...(number(stepSize) ? [`step ${significant(stepSize, 3)}`] : []),
    ...(number(rhat) ? [`R-hat ${rhat.toFixed(3)}`] : []),
    ...(number(elbo) ? [`ELBO ${significant(elbo, 5)}`] : []),
  ];
}
