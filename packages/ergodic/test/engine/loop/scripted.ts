/** A progression that only counts, so that the calls of the loop can be checked exactly. */
import type { Advance, Progression, Snapshot } from "../../../src/engine/contract/index.ts";

export interface Script {
  stepsPerEpoch?: number;
  /** Updates of each step of an epoch. Default: one each. */
  updatesAt?: (stepInEpoch: number) => number;
  /** Mean loss of a step, with 0 as the first. */
  lossAt?: (step: number) => number;
  parametersAt?: (step: number) => number[];
  convergesAt?: number;
  /** Whether the progression converges. */
  converges?: boolean;
  onAdvance?: (steps: number, from: number) => void | Promise<void>;
}

export class Scripted implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep: number;
  step = 0;
  updates = 0;
  disposed = 0;
  /** Steps requested by each call. */
  readonly asked: number[] = [];
  private readonly script: Script;

  constructor(script: Script = {}) {
    this.script = script;
    this.stepsPerEpoch = script.stepsPerEpoch ?? 10;
    const { updatesAt } = script;
    this.updatesPerStep = updatesAt ? Math.max(...Array.from({ length: this.stepsPerEpoch }, (_, s) => updatesAt(s))) : 1;
  }

  get converges(): boolean {
    return this.script.converges ?? false;
  }

  get converged(): boolean {
    return this.step >= (this.script.convergesAt ?? Infinity);
  }

  async advance(steps: number): Promise<Advance> {
    this.asked.push(steps);
    await this.script.onAdvance?.(steps, this.step);
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    const to = this.step + Math.min(steps, this.stepsPerEpoch - (this.step % this.stepsPerEpoch));
    for (; this.step < to; this.step++) {
      made.updates += this.updatesOf(this.step % this.stepsPerEpoch);
      made.lossSum += this.script.lossAt?.(this.step) ?? 1;
      made.rows++;
    }
    this.updates += made.updates;
    return made;
  }

  parameters(): Float64Array {
    return Float64Array.from(this.script.parametersAt?.(this.step) ?? [this.step]);
  }

  report(): Record<string, number> {
    return { rate: 1 / (1 + this.step) };
  }

  snapshot(): Snapshot {
    return { tensors: { p: this.parameters() }, state: { step: this.step, updates: this.updates } };
  }

  restore({ state }: Snapshot): void {
    this.step = Number(state.step);
    this.updates = Number(state.updates);
  }

  dispose(): void {
    this.disposed++;
  }

  private updatesOf(step: number): number {
    return this.script.updatesAt?.(step) ?? 1;
  }
}
