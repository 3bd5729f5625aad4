import type { Advance, Conditionals, FactorTables, Json, Progression, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { isFlag, isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { atOnce, inTurns, Pauses } from "../../engine/threads/steps.ts";
import { turn } from "../../engine/threads/turn.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../parts/algorithm.ts";
import { type Component, type Reduction, reducing } from "../parts/reduction.ts";
import { bestSoFar, leavesOpen } from "./best-so-far.ts";
import { type Effort, effortFor, roughAnswer, roughMarginals } from "./rough-answer.ts";
import { unreduced } from "./unreduced.ts";

/** Position of a part in the graph, and the part's answer. */
export interface FoundPart {
  /** Graph variable of each of the part's variables. */
  readonly variables: readonly number[];
  /** Remaining states of each of the part's variables, as indices in the graph. */
  readonly states: readonly (readonly number[])[];
  readonly answer: PartAnswer;
}

/**
 * Largest duration of one call in milliseconds. Time limits must hold even if stretches suddenly become much longer.
 */
const MOST_MS = 50;

/**
 * Number of consecutive stretches that a part runs before the next part has its turn. Small parts end within one turn
 * and free their memory.
 */
const TURN = 64;

/**
 * Inference on a graph, as a progression that the run loop advances. The graph is reduced, and its connected parts take
 * turns. An algorithm can end or improve its answer indefinitely. A step is one stretch of work on one part.
 */
export class Inference implements Progression {
  readonly stepsPerEpoch = Number.MAX_SAFE_INTEGER;
  readonly updatesPerStep = 1;
  step = 0;
  readonly reduction: Reduction;
  private readonly plan: InferencePlan;
  /** The whole graph in columns, if it is a single part. */
  private readonly columns: Conditionals | undefined;
  private readonly parts: PartInference[];
  /**
   * Indices of the running parts. `next` is the position of the part that has its turn. The `gone` parts that ended in
   * this round remain in the list, in front of `next`.
   */
  private running: number[];
  private next = 0;
  private gone = 0;
  /** Number of consecutive stretches that the current part has had. */
  private turn = 0;
  /** Summed reports of the ended parts. */
  private ended: Record<string, number> = {};
  /** Parts that had ended before the checkpoint. The snapshots of these parts need not contain an answer. */
  private endedBefore: ReadonlySet<number> = new Set();

  /**
   * Opens the inference on a graph. `signal` can abort the reduction of a large graph.
   *
   * @throws the reason of an aborted `signal`
   */
  static async open(
    graph: FactorTables | Conditionals,
    algorithm: InferenceAlgorithm,
    plan: InferencePlan,
    engine: Engine,
    signal?: AbortSignal,
  ): Promise<Inference> {
    if (!("factors" in graph)) return new Inference(unreduced(graph), plan, [algorithm.startWhole!(graph, plan, engine)], graph);
    const reduction = await inTurns(reducing(graph), signal);
    const parts = await inTurns(starting(reduction.components, algorithm, plan, engine), signal);
    return new Inference(reduction, plan, parts);
  }

  private constructor(reduction: Reduction, plan: InferencePlan, parts: PartInference[], columns?: Conditionals) {
    this.reduction = reduction;
    this.plan = plan;
    this.columns = columns;
    this.parts = parts;
    this.running = [...parts.keys()];
  }

  get updates(): number {
    return this.step;
  }

  get converged(): boolean {
    return this.left === 0;
  }

  /** Number of parts still running. */
  private get left(): number {
    return this.running.length - this.gone;
  }

  /** Returns the best answer so far for each part. */
  found(): FoundPart[] {
    return atOnce(this.finding());
  }

  /**
   * Same as `found()`, but yields every few milliseconds. An ended part has its algorithm's own answer. Other parts get
   * a rough answer (rough-answer.ts), unless it cannot improve on the part's own answer (best-so-far.ts).
   */
  *finding(): Generator<void, FoundPart[]> {
    const { components } = this.reduction;
    const pauses = new Pauses();
    const own: (PartAnswer | undefined)[] = [];
    for (const part of this.parts) {
      if (pauses.due()) yield;
      own.push(part.answering ? yield* part.answering() : part.answer());
    }
    const open = [...own.keys()].filter((i) => !own[i] || (!this.parts[i].ended && leavesOpen(own[i])));
    const effort = effortFor(
      open.map((i) => components[i]),
      this.plan.seconds,
    );
    const answers = [...own];
    for (const i of open) {
      if (pauses.due()) yield;
      answers[i] = bestSoFar(own[i], yield* this.rough(i, effort));
    }
    return components.map(({ variables, states }, i) => ({ variables, states, answer: answers[i]! }));
  }

  private rough(i: number, effort: Effort): Generator<void, PartAnswer> {
    const { task, seed } = this.plan;
    const why = this.parts[i].ended ? "its algorithm found no answer" : "the run ended before its algorithm had an answer";
    if (this.columns) return roughMarginals(this.columns, { seed, why });
    return roughAnswer(this.reduction.components[i], { task, seed, ...effort, why });
  }

  async advance(steps: number): Promise<Advance> {
    const before = this.step;
    const start = performance.now();
    for (let i = 0; i < steps && this.left > 0 && performance.now() - start < MOST_MS; i++) {
      const part = this.parts[this.running[this.next]];
      await part.advance();
      this.step++;
      if (part.ended) {
        this.gone++;
        this.next++;
        this.turn = 0;
        addTo(this.ended, part.report());
      } else if (++this.turn === TURN) {
        this.turn = 0;
        this.next++;
      }
      if (this.next === this.running.length) this.newRound();
    }
    return { updates: this.step - before, lossSum: 0, rows: 0 };
  }

  /**
   * Recomputes the answers of parts that had ended before the checkpoint. The checkpoint has already counted that work.
   *
   * @throws the reason of an aborted `signal`
   */
  async completeEnded(signal?: AbortSignal): Promise<void> {
    for (const i of this.endedBefore) {
      while (!this.parts[i].ended) {
        await this.parts[i].advance();
        await turn();
        signal?.throwIfAborted();
      }
    }
  }

  private newRound(): void {
    this.running = this.running.filter((i) => !this.parts[i].ended);
    this.gone = 0;
    this.next = 0;
  }

  parameters(): Float64Array {
    return new Float64Array(0);
  }

  report(): Record<string, number> {
    const sums = { parts: this.parts.length, left: this.left, ...this.ended };
    for (const i of this.running) if (!this.parts[i].ended) addTo(sums, this.parts[i].report());
    return sums;
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    const parts: Json[] = this.parts.map((part, i) => {
      const { state, tensors: own } = part.snapshot();
      for (const [name, tensor] of Object.entries(own)) tensors[`${i}.${name}`] = tensor;
      return state;
    });
    const ended = this.parts.map((part, i) => part.ended || this.endedBefore.has(i));
    const reports = Object.entries(this.ended).map(([name, value]): [string, Json] => [
      name,
      Number.isFinite(value) ? value : null,
    ]);
    const { step, next, gone, turn } = this;
    return { tensors, state: { step, next: next - gone, turn, parts, ended, reports: Object.fromEntries(reports) } };
  }

  restore({ tensors, state }: Snapshot): void {
    const kept = new KeptPart("inference", { tensors, state });
    this.step = kept.count("step");
    kept.list("parts", isObject, this.parts.length).forEach((own, i) => {
      this.parts[i].restore(kept.part("a part", `${i}.`, own).snapshot);
    });
    // Older checkpoints lack `ended` and `reports`.
    const ended =
      state.ended === undefined ? this.parts.map((part) => part.ended) : kept.list("ended", isFlag, this.parts.length);
    this.ended = state.reports === undefined ? {} : reportsOf(kept);
    this.endedBefore = new Set([...ended.keys()].filter((i) => ended[i]));
    this.running = [...ended.keys()].filter((i) => !ended[i]);
    this.next = kept.count("next", 0, Math.max(0, this.running.length - 1));
    this.turn = kept.count("turn", 0, TURN - 1);
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}

/**
 * Starts a run on each part. If a run fails to start or the signal aborts, all runs that were already started are
 * disposed of.
 */
function* starting(
  components: readonly Component[],
  algorithm: InferenceAlgorithm,
  plan: InferencePlan,
  engine: Engine,
): Generator<void, PartInference[]> {
  const pauses = new Pauses();
  const parts: PartInference[] = [];
  try {
    for (const part of components) {
      if (pauses.due()) yield;
      if (algorithm.prepare) yield* algorithm.prepare(part);
      parts.push(algorithm.start(part, plan, engine));
    }
    return parts;
  } finally {
    if (parts.length < components.length) for (const part of parts) part.dispose();
  }
}

function reportsOf(kept: KeptPart): Record<string, number> {
  const reports = kept.part("the reports", "", kept.object("reports"));
  return Object.fromEntries(Object.keys(reports.state).map((name) => [name, reports.numberOr(name, Number.NaN)]));
}

function addTo(sums: Record<string, number>, report: Record<string, number>): void {
  for (const [name, value] of Object.entries(report)) sums[name] = (sums[name] ?? 0) + value;
}
