import type { Advance, Progression, Snapshot, Tensor } from "../contract/index.ts";
import { isObject, isWhole, KeptPart } from "../loop/kept-part.ts";
import type { Engine } from "../memory/engine.ts";
import { averageReplicas } from "./average.ts";
import { FullDescent, type FullOptions, runnerOf } from "./full.ts";
import type { EquationRule } from "./kinds.ts";
import type { FullObjective } from "./objective.ts";
import type { RuleRunner } from "./runner.ts";

export interface FullLanesOptions extends Omit<FullOptions, "objective" | "rule" | "runner"> {
  /**
   * One objective per lane. Each objective estimates the gradient of the same loss with its own random draws, and uses
   * at most one worker at a time.
   */
  readonly objectives: readonly FullObjective[];
  readonly rule: EquationRule;
  /**
   * Whether the lanes update one shared copy of the parameters; otherwise each has its own copy, and the copies are
   * averaged.
   */
  readonly racing: boolean;
  /** Number of epochs between averages. */
  readonly averageEvery: number;
}

/**
 * Several sequences of full steps that run concurrently, each with its own gradient estimates. For random objectives,
 * these sequences have the role that minibatch lanes (lanes.ts) have for rows. An epoch is one step per lane.
 *
 * Replicas wait for each other at the end of an epoch. Replicas and their rule states are averaged at fixed epochs, so
 * the result does not depend on the number of workers. Racing lanes never wait. Each lane reads the current parameters,
 * computes on its worker while other lanes step, and then makes its own step. A lane's gradient is therefore up to
 * (lanes − 1) steps old, which introduces a bias, and the order of steps varies between runs. Racing lanes continue to
 * compute while the loop takes a snapshot, so a lane can be in the middle of its random draws.
 */
export class FullLanes implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep: number;
  readonly converged = false;
  step = 0;
  private readonly options: FullLanesOptions;
  private readonly engine: Engine;
  private readonly lanes: readonly FullDescent[];
  private readonly shared: RuleRunner | undefined;
  private readonly stepsPerAverage: number;
  /** For each racing lane, the number of evaluations that have begun, and the current evaluation. */
  private readonly begun: number[];
  private readonly flying: (Promise<{ readonly l: number; readonly loss: number }> | undefined)[] = [];

  constructor(options: FullLanesOptions, engine: Engine) {
    const { objectives, rule, racing, averageEvery } = options;
    this.options = options;
    this.engine = engine;
    this.updatesPerStep = objectives.length;
    this.shared = racing ? runnerOf({ ...options, objective: objectives[0] }, rule, engine) : undefined;
    this.lanes = objectives.map(
      (objective) => new FullDescent({ ...options, objective, ...(this.shared ? { runner: this.shared } : {}) }, rule, engine),
    );
    this.begun = objectives.map(() => 0);
    this.stepsPerAverage = racing ? Infinity : Math.max(1, Math.round(averageEvery));
  }

  get updates(): number {
    return this.step * this.lanes.length;
  }

  async advance(steps: number): Promise<Advance> {
    if (steps < 1) return { updates: 0, lossSum: 0, rows: 0 };
    const made = this.shared ? await this.race() : await this.each();
    this.step++;
    if (this.step % this.stepsPerAverage === 0) this.average();
    return made;
  }

  /** Advances each replica by one step, on the available workers. */
  private async each(): Promise<Advance> {
    const { lanes } = this;
    const made: Advance[] = [];
    const strand = async (first: number, by: number): Promise<void> => {
      for (let l = first; l < lanes.length; l += by) made[l] = await lanes[l].advance(1);
    };
    const strands = Math.min(this.options.workers, lanes.length);
    const ended = await Promise.allSettled(Array.from({ length: strands }, (_, w) => strand(w, strands)));
    // By now no worker is computing on a lane.
    for (const outcome of ended) if (outcome.status === "rejected") throw outcome.reason;
    return made.reduce(sum);
  }

  /** Makes as many steps as there are lanes, each on the next lane that finishes its evaluation. */
  private async race(): Promise<Advance> {
    const { lanes, flying } = this;
    let made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    for (const l of lanes.keys()) flying[l] ??= this.fly(l);
    while (made.updates < lanes.length) {
      const { l, loss } = (await Promise.race(flying))!;
      made = sum(made, lanes[l].apply(loss));
      flying[l] = this.fly(l);
    }
    return made;
  }

  private fly(l: number): Promise<{ readonly l: number; readonly loss: number }> {
    const flight = this.lanes[l].evaluate(this.begun[l]++).then((loss) => ({ l, loss }));
    // Nothing awaits this promise after the run has ended.
    flight.catch(() => {});
    return flight;
  }

  private average(): void {
    const { lanes, engine } = this;
    const viewsOf = (l: number) => {
      const { runner } = lanes[l];
      return ["parameter", ...runner.program.states.map(({ name }) => name)].map((name) => runner.vector(name));
    };
    averageReplicas(lanes.length, viewsOf, engine, this.options.deterministic);
  }

  parameters(): Float64Array {
    const [first, ...others] = this.lanes;
    const mean = first.parameters();
    if (this.shared) return mean;
    const share = 1 / this.lanes.length;
    for (let i = 0; i < mean.length; i++) mean[i] *= share;
    for (const lane of others) {
      const point = lane.parameters();
      for (let i = 0; i < mean.length; i++) mean[i] += point[i] * share;
    }
    return mean;
  }

  report(): Record<string, number> {
    return this.lanes[0].report();
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    const states = this.lanes.map((lane, l) => {
      const kept = lane.snapshot();
      for (const [name, tensor] of Object.entries(kept.tensors)) tensors[`lane.${l}.${name}`] = tensor;
      return kept.state;
    });
    return { tensors, state: { step: this.step, begun: [...this.begun], lanes: states } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the lanes", snapshot);
    const count = this.lanes.length;
    const states = kept.list("lanes", isObject, count);
    for (const [l, lane] of this.lanes.entries()) lane.restore(kept.part("a lane", `lane.${l}.`, states[l]).snapshot);
    this.step = kept.count("step");
    for (const [l, begun] of kept.list("begun", isWhole, count).entries()) this.begun[l] = begun;
  }

  dispose(): void {
    const free = (): void => {
      for (const lane of this.lanes) lane.dispose();
      this.shared?.dispose();
    };
    const flying = this.flying.filter((flight) => flight !== undefined);
    // Workers still write to this memory.
    if (flying.length > 0) void Promise.allSettled(flying).then(free);
    else free();
  }
}

const sum = (a: Advance, b: Advance): Advance => ({
  updates: a.updates + b.updates,
  lossSum: a.lossSum + b.lossSum,
  rows: a.rows + b.rows,
});
