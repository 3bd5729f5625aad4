/**
 * Descent on the full objective, with one step per epoch. Equation rules use the full gradient. Host rules (line
 * searches, L-BFGS) evaluate the objective.
 *
 * Host rules choose the next evaluation point, so they run on the calling thread, in float64. L2 is part of their
 * objective. For equation rules, and for host rules that expose their evaluations, workers can share the computation of
 * a gradient. The group penalty is a proximal step after each update. The reported loss excludes penalties. Rules that
 * read `loss` see the loss with L1 and L2 penalties.
 */

import { evaluateScalar } from "../compiler/index.ts";
import type { Advance, ChangeOfVariables, Penalty, Progression, Snapshot, Tensor } from "../contract/index.ts";
import { isText, KeptPart } from "../loop/kept-part.ts";
import { Arena } from "../memory/arena.ts";
import type { Engine } from "../memory/engine.ts";
import { groupBlock } from "./group.ts";
import type { EquationRule, HostReport, HostRule, HostRun, HostState } from "./kinds.ts";
import type { FullObjective } from "./objective.ts";
import { rateOf } from "./rule.ts";
import { RuleRunner } from "./runner.ts";

export interface FullOptions {
  objective: FullObjective;
  rule: EquationRule | HostRule;
  penalty: Penalty | undefined;
  /** Step rate of each coordinate, and number of trained coordinates: see RowGradient (contract/row-gradients.ts). */
  rates?: Float64Array;
  trainedCount?: number;
  precision: "f32" | "f64";
  workers: number;
  deterministic: boolean;
  /** Variables in which a host rule makes its steps. Default: the parameters. */
  variables?: ChangeOfVariables | undefined;
  /**
   * Runner of a rule, if several racing lanes share one runner. The caller that creates the runner also disposes of it.
   * Default: the descent creates its own.
   */
  runner?: RuleRunner;
}

export function fullDescent(options: FullOptions, engine: Engine): Progression {
  return options.rule.kind === "host" ? new HostDescent(options, options.rule) : new FullDescent(options, options.rule, engine);
}

/** Descent by an equation rule, with one step per epoch on the full gradient. */
export class FullDescent implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  readonly converged = false;
  step = 0;
  private readonly options: FullOptions;
  private readonly rule: EquationRule;
  readonly runner: RuleRunner;
  private readonly gradient: Float64Array;
  /** Point at which the gradient was evaluated. */
  private point = new Float64Array(0);
  private readonly arena: Arena;
  /** Proximal step of the group penalty at a given rate. */
  private readonly shrink: ((rate: number) => void) | undefined;

  constructor(options: FullOptions, rule: EquationRule, engine: Engine) {
    const { objective, penalty } = options;
    this.options = options;
    this.rule = rule;
    this.gradient = new Float64Array(objective.count);
    this.runner = options.runner ?? runnerOf(options, rule, engine);
    this.arena = new Arena(engine.memory, "group penalty");
    this.shrink = penalty && penalty.group > 0 ? this.shrinkage(penalty, engine) : undefined;
  }

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    if (steps < 1) return { updates: 0, lossSum: 0, rows: 0 };
    return this.apply(await this.evaluate());
  }

  /** Evaluates the objective at the current parameters. Returns the loss and stores the gradient for `apply`. */
  async evaluate(update = this.step): Promise<number> {
    const { objective, workers } = this.options;
    this.point = Float64Array.from(this.runner.parameters());
    return workers > 1 || objective.waits
      ? objective.evaluateOnWorkers(this.point, this.gradient, update)
      : objective.evaluate(this.point, this.gradient, update);
  }

  /** Applies the rule to the last evaluated gradient. */
  apply(loss: number): Advance {
    const { objective, penalty, trainedCount = objective.count } = this.options;
    this.runner.gradient().set(this.gradient);
    this.runner.step(loss + penaltyAt(penalty, this.point), { l1: penalty?.l1, l2: penalty?.l2, touched: trainedCount });
    this.shrink?.(this.rate());
    this.step++;
    return { updates: 1, lossSum: loss * objective.rows, rows: objective.rows };
  }

  parameters(): Float64Array {
    const point = Float64Array.from(this.runner.evaluationPoint());
    // Coordinates that the rule does not update are copied unchanged.
    const { trainedCount = point.length } = this.options;
    point.set(this.runner.parameters().subarray(trainedCount), trainedCount);
    return point;
  }

  report(): Record<string, number> {
    const rate = rateOf(this.rule) ? this.rate() : undefined;
    return rate === undefined ? {} : { rate };
  }

  snapshot(): Snapshot {
    const { t, scalars, vectors } = this.runner.snapshot();
    const tensors: Record<string, Tensor> = { scalars: Float64Array.from(Object.values(scalars)) };
    for (const name of Object.keys(vectors)) tensors[`vector.${name}`] = this.runner.vector(name).slice();
    const state = { step: this.step, t, names: Object.keys(scalars) };
    return withCarried(this.options.objective, { tensors, state });
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the rule", snapshot);
    const { scalars, vectors } = this.runner.snapshot();
    const names = Object.keys(scalars);
    const values = kept.floats("scalars", names.length);
    const known = kept.list("names", isText, names.length);
    if (names.some((name) => !known.includes(name))) kept.refuse(`it holds ${known.join(", ")}, not ${names.join(", ")}`);
    const bytes = (name: string): Uint8Array => {
      const view = this.runner.vector(name);
      const found = kept.tensor(`vector.${name}`, view.constructor as new (length: number) => typeof view, view.length);
      return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
    };
    this.runner.restore({
      t: kept.count("t"),
      scalars: Object.fromEntries(known.map((name, i) => [name, values[i]])),
      vectors: Object.fromEntries(Object.keys(vectors).map((name) => [name, bytes(name)])),
    });
    this.step = kept.count("step");
    restoreCarried(this.options.objective, kept);
  }

  adopt(snapshot: Snapshot): void {
    const kept = new KeptPart("the rule", snapshot);
    const own = this.runner.snapshot();
    const known = kept.list("names", isText);
    const values = kept.floats("scalars", known.length);
    for (const [i, name] of known.entries()) if (name in own.scalars) own.scalars[name] = values[i];
    for (const name of Object.keys(own.vectors)) {
      if (name === "parameter") continue;
      const view = this.runner.vector(name);
      const found = kept.tensor(`vector.${name}`, view.constructor as new (length: number) => typeof view, view.length);
      own.vectors[name] = new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
    }
    this.runner.restore({ ...own, t: kept.count("t") });
  }

  dispose(): void {
    this.arena.dispose();
    if (!this.options.runner) this.runner.dispose();
    this.options.objective.dispose();
  }

  private shrinkage(penalty: Penalty, engine: Engine): (rate: number) => void {
    const { deterministic, precision } = this.options;
    const at = this.arena.take(8);
    const parameters = this.runner.parameters().byteOffset;
    const block = groupBlock(this.arena, penalty, { parameters, type: precision, rate: at });
    const kernel = engine.kernel("groupShrink", deterministic);
    return (rate) => {
      this.arena.setF64(at, 0, rate);
      kernel(block);
    };
  }

  private rate(): number {
    const inputs = Object.fromEntries(this.runner.program.inputs.map(({ name, value }) => [name, value]));
    return evaluateScalar(rateOf(this.rule)!, { scalars: { ...inputs, t: this.runner.t } });
  }
}

/** Returns a runner of the rule on the objective's parameters, beginning at the objective's starting point. */
export function runnerOf({ objective, penalty, rates, precision }: FullOptions, rule: EquationRule, engine: Engine): RuleRunner {
  const { count, start } = objective;
  const [l1, l2] = [(penalty?.l1 ?? 0) > 0, (penalty?.l2 ?? 0) > 0];
  const runner = new RuleRunner(rule, { count, start, precision, share: l1 || l2, rates: rates !== undefined, l1, l2 }, engine);
  if (penalty && (l1 || l2)) runner.vector("share").set(penalty.weights);
  if (rates) runner.vector("rates").set(rates);
  return runner;
}

/**
 * Product of the numbers of rows and parameters above which a pass over an objective can take a millisecond. Longer
 * passes are distributed over workers and yield regularly, so that the thread can do other work.
 */
const LONG_PASS = 2 ** 20;
/** Largest number of vectors under one name in a checkpoint, for example of a history. */
const MOST_ARRAYS = 2 ** 20;

class HostDescent implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  converged: boolean | string = false;
  readonly converges = true;
  step = 0;
  private readonly options: FullOptions;
  private readonly run: HostRun;
  /** The rule's variables: the parameters, or u of a change of variables. */
  private readonly x: Float64Array;
  /** Parameters at which the objective was evaluated last, if there is a change of variables. */
  private readonly point: Float64Array;
  private stepSize = 0;
  private evaluations = 0;

  constructor(options: FullOptions, rule: HostRule) {
    const { objective, variables } = options;
    this.options = options;
    const start = objective.start?.slice() ?? new Float64Array(objective.count);
    this.point = new Float64Array(variables ? objective.count : 0);
    this.x = variables ? variables.fromParameters(start) : start;
    this.run = rule.start((x, gradient) => {
      const p = this.parametersAt(x);
      return this.finished(p, gradient, objective.evaluate(p, gradient));
    }, objective.count);
  }

  /** Returns the parameters of the rule's variables. The result is valid until the next call. */
  private parametersAt(x: Float64Array): Float64Array {
    const { variables } = this.options;
    variables?.toParameters(x, this.point);
    return variables ? this.point : x;
  }

  /** Adds the penalty to the loss and to its gradient, and converts the gradient to the rule's variables. */
  private finished(p: Float64Array, gradient: Float64Array | null, loss: number): number {
    const { penalty, variables } = this.options;
    const sum = penalised(penalty, p, gradient, loss);
    if (gradient) variables?.toGradient(gradient);
    return sum;
  }

  get updates(): number {
    return this.step;
  }

  async advance(): Promise<Advance> {
    const before = this.x.slice();
    const report = await this.makeStep();
    this.stepSize = report.stepSize;
    this.evaluations += report.evaluations;
    this.step++;
    const { objective, penalty } = this.options;
    const loss = report.loss - penaltyAt(penalty, this.parametersAt(report.lossBefore ? before : this.x));
    this.converged = report.stopped !== null && (objective.endless?.(loss) ?? true);
    return { updates: 1, lossSum: loss * objective.rows, rows: objective.rows };
  }

  private async makeStep(): Promise<HostReport> {
    const { objective } = this.options;
    const steps = objective.rows * objective.count > LONG_PASS ? this.run.steps?.(this.x) : undefined;
    if (!steps) return this.run.step(this.x);
    let next = steps.next();
    while (!next.done) {
      const { x, gradient } = next.value;
      const p = this.parametersAt(x);
      next = steps.next(this.finished(p, gradient, await objective.evaluateOnWorkers(p, gradient)));
    }
    return next.value;
  }

  parameters(): Float64Array {
    return this.parametersAt(this.x).slice();
  }

  report(): Record<string, number> {
    return { stepSize: this.stepSize, evaluations: this.evaluations };
  }

  snapshot(): Snapshot {
    const { numbers, arrays } = this.run.snapshot();
    const tensors: Record<string, Tensor> = { x: this.x.slice(), numbers: Float64Array.from(Object.values(numbers)) };
    for (const [name, list] of Object.entries(arrays)) {
      for (const [i, a] of list.entries()) tensors[`array.${name}.${i}`] = a;
    }
    const counts = Object.fromEntries(Object.entries(arrays).map(([name, list]) => [name, list.length]));
    const { step, evaluations, stepSize, converged } = this;
    const state = { step, evaluations, stepSize, converged, names: Object.keys(numbers), counts };
    return withCarried(this.options.objective, { tensors, state });
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the rule", snapshot);
    const own = this.run.snapshot();
    const names = Object.keys(own.numbers);
    const values = kept.floats("numbers", names.length);
    const known = kept.list("names", isText, names.length);
    if (names.some((name) => !known.includes(name))) kept.refuse(`it holds ${known.join(", ")}, not ${names.join(", ")}`);
    const counts = new KeptPart("the rule", { tensors: {}, state: kept.object("counts") });
    const arrays: HostState["arrays"] = {};
    for (const name of Object.keys(own.arrays)) {
      const each = (i: number): Float64Array => kept.floats(`array.${name}.${i}`, this.x.length);
      const { length } = own.arrays[name];
      // Lists of vectors that exist from the start keep their length, but histories grow.
      arrays[name] = Array.from({ length: counts.count(name, length, MOST_ARRAYS) }, (_, i) => each(i));
    }
    const state = { numbers: Object.fromEntries(known.map((name, i) => [name, values[i]])), arrays };
    const misfit = this.run.misfit?.(state);
    if (misfit !== undefined) kept.refuse(misfit);
    this.run.restore(state);
    kept.into(this.x, "x");
    this.step = kept.count("step");
    this.evaluations = kept.count("evaluations");
    this.stepSize = kept.number("stepSize");
    const { converged } = kept.state;
    this.converged = typeof converged === "string" ? converged : kept.flag("converged");
    // Older checkpoints do not contain the state of the objective.
    if (kept.state.objective !== undefined) restoreCarried(this.options.objective, kept);
  }

  dispose(): void {
    this.options.objective.dispose();
  }
}

/** Adds the state that an objective carries between evaluations to the snapshot of a rule. */
function withCarried(objective: FullObjective, { tensors, state }: Snapshot): Snapshot {
  const carried = objective.snapshot?.();
  if (!carried) return { tensors, state };
  const named = Object.entries(carried.tensors).map(([name, tensor]) => [`objective.${name}`, tensor]);
  return { tensors: { ...tensors, ...Object.fromEntries(named) }, state: { ...state, objective: carried.state } };
}

function restoreCarried(objective: FullObjective, kept: KeptPart): void {
  objective.restore?.(kept.part("the objective", "objective.", kept.object("objective")).snapshot);
}

/** Returns l1 Σ w|p| + l2/2 Σ w p². */
export function penaltyAt(penalty: Penalty | undefined, x: Float64Array): number {
  if (!penalty || (penalty.l1 === 0 && penalty.l2 === 0)) return 0;
  const { l1, l2, weights } = penalty;
  return x.reduce((sum, p, i) => sum + weights[i] * (l1 * Math.abs(p) + 0.5 * l2 * p * p), 0);
}

/** Adds l2/2 Σ w p² to the loss, and its gradient to `gradient`. Host rules have no L1. */
function penalised(penalty: Penalty | undefined, x: Float64Array, gradient: Float64Array | null, loss: number): number {
  if (!penalty || penalty.l2 === 0) return loss;
  if (gradient) for (let i = 0; i < x.length; i++) gradient[i] += penalty.l2 * penalty.weights[i] * x[i];
  return loss + penaltyAt(penalty, x);
}
