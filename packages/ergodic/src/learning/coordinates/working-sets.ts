import type { Advance, ColumnTarget, Plan, Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type Calls, LongStep } from "./calls.ts";
import { ColumnSolver, type Strength } from "./column-solver.ts";

/**
 * A run of coordinate descent on working sets. A step is a round of column-solver.ts. The run ends when the gap is at
 * most `tolerance`.
 */
export class WorkingSets implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  converged: boolean | string = false;
  readonly converges = true;
  private readonly solver: ColumnSolver;
  private readonly strength: Strength;
  private readonly tolerance: number;
  private readonly rounds: LongStep<boolean | string>;

  constructor(target: ColumnTarget, tolerance: number, plan: Plan, engine: Engine) {
    this.solver = new ColumnSolver(target, engine);
    this.strength = { l1: target.penalty.l1, l2: target.penalty.l2 };
    this.tolerance = tolerance;
    const { deterministic } = plan;
    this.rounds = new LongStep(
      (calls) => engine.run(calls, { workers: 1, deterministic }),
      () => this.whole(),
    );
  }

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    const { solver } = this;
    const start = this.step;
    let within = false;
    while (!within && this.step - start < steps && !this.converged) {
      const outcome = await this.rounds.advance(() => [this.round()]);
      within = outcome === undefined;
      if (!outcome) continue;
      [this.converged] = outcome;
      this.step++;
    }
    const updates = this.step - start;
    // At the start of the first round, the loss is not yet known.
    const measured = updates || (within && Number.isFinite(solver.loss) ? 1 : 0);
    const rows = measured * solver.rowCount;
    return { updates, lossSum: rows === 0 ? 0 : rows * solver.loss, rows, within };
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
    return this.rounds.snapshot();
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

  private *round(): Calls<boolean | string> {
    const { solver } = this;
    if (this.step === 0) {
      yield* solver.open();
      yield* solver.begin(this.strength);
    }
    return yield* solver.round(this.tolerance);
  }

  /** Snapshot of the whole run. Before the first step, the snapshot does not contain a solver. */
  private whole(): Snapshot {
    const { step, converged } = this;
    const { tensors, state } = step > 0 ? this.solver.snapshot() : { tensors: {}, state: {} };
    return { tensors, state: { ...state, step, converged } };
  }
}
