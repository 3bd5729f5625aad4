import type { Tick } from "ergodic";
import type { Terminal } from "../terminal.ts";
import { counted, grouped, significant } from "./numbers.ts";
import { liveLine, timeLeft } from "./progress.ts";

const FIRST_SHARE = 1 / 16;
const FIRST_UPDATES = 64;

/** Description of a run before it begins. */
export interface SamplingDescription {
  model: string;
  dimension: number;
  algorithm: { algorithm: string; particles?: number };
  plan: { chains: number; warmup: number; draws: number; seed: number };
}

const endsByItself = new Set(["pathfinder", "meanField", "fullRank", "svgd", "sequentialMonteCarlo"]);

/** Formats "schools: 10 unconstrained numbers · nuts · 4 chains of 1,000 warm-up + 1,000 draws · seed 1". */
export function samplingHeader(described: SamplingDescription): string {
  const { model, dimension, algorithm, plan } = described;
  return `${model}: ${counted(dimension, "unconstrained number")} · ${algorithm.algorithm} · ${amount(described)} · seed ${plan.seed}`;
}

function amount({ algorithm: { algorithm, particles }, plan: { chains, warmup, draws } }: SamplingDescription): string {
  if (algorithm === "svgd") return counted(particles ?? 0, "particle");
  if (algorithm === "sequentialMonteCarlo") return `${counted(chains, "population")} of ${grouped(particles ?? draws)}`;
  if (algorithm === "prior") return `${counted(chains, "chain")} of ${grouped(draws)}`;
  if (endsByItself.has(algorithm)) return counted(chains * draws, "draw");
  return `${counted(chains, "chain")} of ${grouped(warmup)} warm-up + ${counted(draws, "draw")}`;
}

/**
 * Progress of sampling on standard error. On a terminal, one line is rewritten. Otherwise, a line is printed each time
 * progress has doubled, and at the end.
 *
 * Chains report the share of their transitions that is done. Approximations run until they converge, and particle
 * samplers until they reach the posterior, so the progress of both is shown in updates.
 */
export class SamplingProgress {
  private readonly terminal: Terminal;
  private readonly open: boolean;
  private next: number;
  private last: Tick | undefined;
  private shown: Tick | undefined;

  constructor(terminal: Terminal, { algorithm: { algorithm } }: SamplingDescription) {
    this.terminal = terminal;
    this.open = endsByItself.has(algorithm);
    this.next = this.open ? FIRST_UPDATES : FIRST_SHARE;
  }

  tick(tick: Tick): void {
    this.last = tick;
    const done = this.open ? tick.update : tick.epoch;
    if (this.terminal.live) this.terminal.rewrite(this.live(tick));
    else if (done >= this.next) {
      this.line(tick);
      while (this.next <= done) this.next *= 2;
    }
  }

  end(): void {
    if (this.terminal.live) this.terminal.rewrite("");
    else if (this.last && this.last !== this.shown) this.line(this.last);
  }

  private live(tick: Tick): string {
    const room = this.terminal.columns - 1;
    if (this.open) return [counted(tick.update, "update"), ...openParts(tick)].join(" · ").slice(0, room);
    return liveLine(Math.min(1, tick.epoch), [...chainParts(tick), ...timeLeft(tick.epoch, tick.seconds)], room);
  }

  private line(tick: Tick): void {
    this.shown = tick;
    const share = `${`${Math.floor(100 * Math.min(1, tick.epoch))} %`.padStart(6)}  ${chainParts(tick).join(" · ")}`;
    this.terminal.note(this.open ? `  ${[counted(tick.update, "update"), ...openParts(tick)].join(" · ")}` : share);
  }
}

const finite = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function chainParts({ draws, divergences, stepSize, rhat }: Tick): string[] {
  return [
    finite(draws) && draws > 0 ? `${grouped(draws)} draws per chain` : "warm-up",
    ...(finite(divergences) ? [`${grouped(divergences)} divergences`] : []),
    ...(finite(stepSize) ? [`step ${significant(stepSize, 3)}`] : []),
    ...(finite(rhat) ? [`R-hat ${rhat.toFixed(3)}`] : []),
  ];
}

function openParts({ elbo, paretoK, flow, power, acceptance }: Tick): string[] {
  return [
    ...(finite(elbo) ? [`ELBO ${significant(elbo, 5)}`] : []),
    ...(finite(flow) ? [`flow ${significant(flow, 3)}`] : []),
    ...(finite(power) ? [`power ${significant(power, 3)}`] : []),
    ...(finite(acceptance) ? [`acceptance ${significant(acceptance, 2)}`] : []),
    ...(typeof paretoK === "number" ? [`Pareto k ${finite(paretoK) ? paretoK.toFixed(2) : "∞"}`] : []),
  ];
}
