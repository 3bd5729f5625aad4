import { KeptPart } from "../../base/kept-part.ts";
import type { Advance, ColumnTarget, Plan, Progression, Snapshot } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import { follow } from "./calls.ts";
import { ColumnSolver, type Strength } from "./column-solver.ts";

/** Coordinate descent on working sets as a run: a step is a round (column-solver.ts), until the gap is as small as was asked. */
export class WorkingSets implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  converged: boolean | string = false;
  private readonly solver: ColumnSolver;
  private readonly strength: Strength;
  private readonly tolerance: number;
  private readonly run: Parameters<typeof follow>[1];

  constructor(target: ColumnTarget, tolerance: number, plan: Plan, engine: Engine) {
    this.solver = new ColumnSolver(target, engine);
    this.strength = { l1: target.penalty.l1, l2: target.penalty.l2 };
    this.tolerance = tolerance;
    this.run = (calls) => engine.run(calls, { workers: 1, deterministic: plan.deterministic });
  }

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    const { solver } = this;
    let made = 0;
    if (this.step === 0) {
      await follow(solver.open(), this.run);
      await follow(solver.begin(this.strength), this.run);
    }
    for (; made < steps && !this.converged; made++) {
      this.converged = await follow(solver.round(this.tolerance), this.run);
      this.step++;
    }
    return { updates: made, lossSum: made * solver.rowCount * solver.loss, rows: made * solver.rowCount };
  }

  parameters(): Float64Array {
    return this.solver.parameters();
  }

  report(): Record<string, number> {
    const { primal, dual, relative, violation, nonZeros, members, screened, passes } = this.solver.state;
    const certificate: Record<string, number> = Number.isNaN(relative) ? { violation } : { gap: relative, dual };
    return { objective: primal, ...certificate, nonZeros, members, screened, passes };
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.solver.snapshot();
    return { tensors, state: { ...state, step: this.step, converged: this.converged } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the working sets", snapshot);
    const { converged } = kept.state;
    const step = kept.count("step");
    if (step > 0) this.solver.restore(snapshot);
    this.step = step;
    this.converged = typeof converged === "string" ? converged : kept.flag("converged");
  }

  dispose(): void {
    this.solver.dispose();
  }
}
