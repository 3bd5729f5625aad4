import type { JsonObject, Plan, Problem, SavedModel, Snapshot, Tensor } from "../../engine/contract/index.ts";
import type { Pipeline } from "../../engine/data/dataset.ts";
import { assert, DataError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { isObject } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { EquationRule } from "../../engine/optimise/kinds.ts";
import { turn } from "../../engine/threads/turn.ts";
import type { AnyPredictor } from "../../predict/any-predictor.ts";
import type { OnlineDescent } from "../descent/online.ts";
import type { HeldRows } from "./held-rows.ts";
import type { OnlineRows, OnlineRun, OnlineWatch } from "./types.ts";

/** Longest time that learning blocks the event loop, in milliseconds. */
const PAUSE_EVERY_MS = 10;

export interface OnlineParts {
  readonly engine: Engine;
  readonly plan: Plan;
  readonly held: HeldRows;
  readonly problem: Problem & { readonly target: number; readonly weights: number };
  readonly descent: OnlineDescent;
  readonly pipeline: Pipeline;
  readonly rule: EquationRule;
  readonly batch: number;
  readonly seed: number;
  readonly task: string;
  readonly outputs: number;
  readonly levels: readonly string[] | null;
  readonly classWeights: Float64Array | undefined;
  save(parameters: Float64Array): SavedModel;
  predictor(saved: SavedModel): AnyPredictor;
  checkpoint(snapshot: Snapshot, loop: JsonObject): Uint8Array;
}

export class RowLearner implements OnlineRun {
  readonly pipeline: OnlineRun["pipeline"];
  readonly rule: OnlineRun["rule"];
  readonly batch: number;
  readonly seed: number;
  readonly task: string;
  readonly outputs: number;
  readonly levels: readonly string[] | null;
  readonly classWeights: Float64Array | undefined;
  readonly #parts: OnlineParts;
  /** Rows learnt since the last saved state. If later rows are refused, these rows are replayed. */
  #since: OnlineRows[] = [];
  #sinceBytes = 0;
  readonly #stateBytes: number;
  /**
   * A saved model. It is set when its tensors are known to be plain copies of the parameters. The saved model then
   * serves as a template for models with other parameters.
   */
  #saved: SavedModel | undefined;
  #isLearning = false;
  /** Number of rows still in memory: the last chunk that was learnt. */
  #heldRows = 0;

  constructor(parts: OnlineParts) {
    this.#parts = parts;
    this.pipeline = parts.pipeline;
    this.rule = parts.rule.toJSON();
    this.batch = parts.batch;
    this.seed = parts.seed;
    this.task = parts.task;
    this.outputs = parts.outputs;
    this.levels = parts.levels;
    this.classWeights = parts.classWeights;
    this.#stateBytes = parts.descent.bytes;
    parts.descent.keep();
  }

  get updates(): number {
    return this.#parts.descent.updates;
  }

  async learn(rows: OnlineRows, watch: OnlineWatch = () => undefined): Promise<void> {
    assert(!this.#isLearning, "rows were given before those that came before were learnt");
    this.#refuseLong(rows);
    this.#isLearning = true;
    try {
      await this.#apply(rows, watch);
      this.#since.push(rows);
      this.#sinceBytes += rows.values.byteLength + rows.targets.byteLength;
      // Save the state as soon as replaying the rows would cost about as much as copying the state. For any model size,
      // copying then takes only a share of the learning time.
      if (4 * this.#sinceBytes >= this.#stateBytes) this.#keep();
    } catch (error) {
      await this.#takeBack();
      throw error;
    } finally {
      this.#isLearning = false;
    }
  }

  predictor(parameters = this.parameters()): AnyPredictor {
    return this.#parts.predictor(this.#save(parameters));
  }

  checkpoint(loop: JsonObject = {}): Uint8Array {
    return this.#parts.checkpoint(this.#parts.descent.snapshot(), loop);
  }

  parameters(): Float64Array {
    return this.#parts.descent.parameters();
  }

  report(): Record<string, number> {
    return this.#parts.descent.report();
  }

  /**
   * Returns a finding if the loss of the last rows is larger with the current parameters than with the initial ones.
   */
  async worseThan(start: Float64Array): Promise<Finding[]> {
    const { worseThanStreamStart } = await import("../fit/training-findings.ts");
    return worseThanStreamStart(this.#parts, { start, end: this.parameters(), held: this.#heldRows });
  }

  /** Returns a copy of all changing state. `kept` can turn it into a checkpoint at any later time. */
  snapshot(): Snapshot {
    return this.#parts.descent.snapshot();
  }

  kept(snapshot: Snapshot, loop: JsonObject): Uint8Array {
    return this.#parts.checkpoint(snapshot, loop);
  }

  /** Restores a snapshot of this run. */
  putBack(snapshot: Snapshot): void {
    this.#parts.descent.restore(snapshot);
    this.#keep();
  }

  async restore(checkpoint: Uint8Array): Promise<JsonObject> {
    const { snapshot, loop, recipe } = await readCheckpoint(checkpoint, "the checkpoint");
    const same = await readCheckpoint(this.#parts.checkpoint({ tensors: {}, state: {} }, {}));
    if (!isObject(loop.online) || JSON.stringify(recipe) !== JSON.stringify(same.recipe))
      throw new DataError("online", "the checkpoint is of another run; give one of this run", "CHECKPOINT_KIND");
    try {
      this.#parts.descent.restore(snapshot);
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    this.#keep();
    return loop;
  }

  dispose(): void {
    const { descent, problem, held } = this.#parts;
    descent.dispose();
    problem.dispose();
    held.dataset.dispose();
  }

  #keep(): void {
    this.#parts.descent.keep();
    this.#since = [];
    this.#sinceBytes = 0;
  }

  /** Rolls back to the state after the last complete call of `learn`. */
  async #takeBack(): Promise<void> {
    this.#parts.descent.putBack();
    for (const earlier of this.#since) await this.#apply(earlier, () => undefined);
    this.#keep();
  }

  /** Throws if a row has too many values. Nothing has changed at that point. */
  #refuseLong({ starts, rowCount }: OnlineRows): void {
    const { held } = this.#parts;
    for (let first = 0; starts && first < rowCount; first += held.rowCount) {
      const end = Math.min(first + held.rowCount, rowCount);
      const values = starts[end] - starts[first];
      if (values + end - first <= held.entryCount) continue;
      throw new DataError("online", `row ${first + 1} has too many values (${values}); drop rare columns`, "DATA_SHAPE");
    }
  }

  async #apply(rows: OnlineRows, watch: OnlineWatch): Promise<void> {
    const { descent, held, batch, engine, problem, pipeline, outputs } = this.#parts;
    const type = problem.name === "linear" ? "f64" : pipeline.shape.type;
    const { rowCount } = rows;
    let paused = performance.now();
    for (let first = 0; first < rowCount; ) {
      const count = Math.min(held.rowCount, rowCount - first);
      const columns = held.write(rows, first, count);
      this.#writeTargets(rows, first, count);
      descent.take(count);
      const z = engine.memory[type](descent.outputsAt, outputs * batch);
      for (let row = 0; row < count; row += batch) {
        const loss = descent.learn(row);
        if (loss - loss !== 0) throw overflow(first + row, "the loss is not finite");
        watch(loss, z, first + row, Math.min(batch, count - row));
      }
      if (!descent.isFinite(columns)) throw overflow(first + count - 1, "a parameter would not be finite");
      this.#heldRows = count;
      first += count;
      if (first >= rowCount || performance.now() - paused < PAUSE_EVERY_MS) continue;
      await turn();
      paused = performance.now();
    }
  }

  /**
   * Encodes targets and weights in the way in which the problem stores them. The problem itself encoded only the data
   * with which it was created.
   */
  #writeTargets({ targets, weights }: OnlineRows, first: number, count: number): void {
    const { engine, problem, task, outputs, classWeights } = this.#parts;
    const [y, w] = [engine.memory.f64(problem.target, count), engine.memory.f64(problem.weights, count)];
    const isCoded = task === "binary" && outputs === 1;
    for (let i = 0; i < count; i++) {
      const target = targets[first + i];
      y[i] = isCoded ? (target > 0 ? 1 : -1) : target;
      w[i] = (weights ? weights[first + i] : 1) * (classWeights ? classWeights[target] : 1);
    }
  }

  #save(parameters: Float64Array): SavedModel {
    const { save } = this.#parts;
    if (this.#saved) return this.#cut(this.#saved, parameters);
    const saved = save(parameters);
    // Saved networks can contain numbers that are computed from several parameters. To find out whether this network
    // contains such numbers, it is saved once more with other parameters.
    const others = parameters.map((p) => p + 1);
    const [wanted, cut] = [save(others).tensors, this.#cut(saved, others).tensors];
    const isAlike = Object.entries(wanted).every(([name, values]) => values.every((x, i) => x === cut[name][i]));
    if (isAlike) this.#saved = saved;
    return saved;
  }

  /** Returns a copy of the saved model with other parameters. */
  #cut(saved: SavedModel, parameters: Float64Array): SavedModel {
    const { parts = {} } = this.#parts.problem;
    const tensors = Object.entries(saved.tensors).map(([name, values]): [string, Tensor] => {
      if (!Object.hasOwn(parts, name)) return [name, values];
      const numbers = new (values.constructor as Float64ArrayConstructor)(values.length);
      let at = 0;
      for (const [from, count, factor = 1] of parts[name])
        for (let i = from; i < from + count; i++) numbers[at++] = factor * parameters[i];
      return [name, numbers];
    });
    return { ...saved, tensors: Object.fromEntries(tensors) };
  }
}

const overflow = (row: number, what: string): DataError =>
  new DataError("online", `${what} at row ${row + 1}, so no row was learnt; drop the row, or lower the rate`, "DATA_OVERFLOW");
