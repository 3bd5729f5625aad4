import type { EquationRule, RuleJson } from "../../algorithms/gradient/kinds.ts";
import type { OnlineDescent } from "../../algorithms/gradient/online.ts";
import { assert, DataError } from "../../base/errors.ts";
import { exp } from "../../base/exp.ts";
import { isObject } from "../../base/kept-part.ts";
import { turn } from "../../base/turn.ts";
import type { JsonObject, Problem, SavedModel, Snapshot, Tensor } from "../../contract.ts";
import type { Pipeline } from "../../data/dataset.ts";
import type { RawRows } from "../../data/raw.ts";
import type { Engine } from "../../host/engine.ts";
import { readCheckpoint } from "../../loop/checkpoint.ts";
import type { AnyPredictor } from "../../predict/load.ts";
import type { HeldRows } from "./held-rows.ts";
import { decodeRows, encodeRows, type PreparedRows } from "./prepared-rows.ts";
import { RowReader } from "./row-reader.ts";

/** How long learning may hold up the event loop. */
const PAUSE_EVERY_MS = 10;

/** What was learnt from rows: sums, of which means are made by `weight`. */
export interface OnlineLearnt {
  /** Rows. */
  readonly rows: number;
  /** Sum of their weights. */
  readonly weight: number;
  /** Mean loss before the updates, by weights (those of classes included). */
  readonly loss: number;
  /** Of classes: the weight of rows whose class was predicted before their update. */
  readonly right?: number;
  /** Of numbers: weighted sums of squared and of absolute errors of predictions before the update. */
  readonly squares?: number;
  readonly absolute?: number;
}

export interface OnlineParts {
  readonly engine: Engine;
  readonly held: HeldRows;
  readonly problem: Problem & { readonly target: number; readonly weights: number };
  readonly descent: OnlineDescent;
  readonly pipeline: Pipeline;
  readonly rule: EquationRule;
  readonly batch: number;
  readonly seed: number;
  readonly task: string;
  readonly outputs: number;
  /** What the two classes of a target of numbers are called. */
  readonly levels: readonly string[] | null;
  readonly classWeights: Float64Array | undefined;
  save(parameters: Float64Array): SavedModel;
  predictor(saved: SavedModel): AnyPredictor;
  checkpoint(snapshot: Snapshot, loop: JsonObject): Uint8Array;
}

/** A trained model that learns from rows as they come, as `online` makes it. */
export class OnlineRun implements Disposable {
  /** The step rule, as JSON. */
  readonly rule: RuleJson;
  /** Rows an update. */
  readonly batch: number;
  /** Seed of what updates draw at random. */
  readonly seed: number;
  readonly #parts: OnlineParts;
  readonly #reader: RowReader;
  /** Since what was kept: what to repeat where later rows are refused. */
  #since: PreparedRows[] = [];
  #sinceBytes = 0;
  readonly #stateBytes: number;
  /** A saved model whose numbers are parameters as they are, once that is known: others are made of it with little work. */
  #saved: SavedModel | undefined;
  #isLearning = false;

  /** @internal */
  constructor(parts: OnlineParts) {
    const { rule, batch, seed, descent, pipeline, task, levels } = parts;
    this.#parts = parts;
    this.rule = rule.toJSON();
    this.batch = batch;
    this.seed = seed;
    this.#reader = new RowReader(pipeline, task, levels);
    this.#stateBytes = descent.bytes;
    descent.keep();
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#parts.descent.updates;
  }

  /**
   * Rows, their targets and weights through the model's pipeline, as bytes that `learn` takes, on this run or on another one on the same model.
   * Nothing is learnt. `targets`: class names, or numbers. `weights`: one a row, finite and >= 0; default all 1.
   *
   * @throws DataError for rows that the model cannot take, and for targets that are no class or number of its kind
   */
  read(
    rows: RawRows,
    targets: ArrayLike<string | number | boolean>,
    { weights }: { weights?: ArrayLike<number> } = {},
  ): Uint8Array {
    return encodeRows(this.#reader.read(rows, targets, weights));
  }

  /**
   * Learns rows, in their order; each is predicted before the update that it is part of. Lets the event loop run every few milliseconds; one call
   * must end before the next.
   *
   * @throws DataError where the loss, a parameter or the rule's state would not be finite: then nothing has changed, bit for bit
   */
  async learn(prepared: Uint8Array): Promise<OnlineLearnt> {
    assert(!this.#isLearning, "rows were given before those that came before were learnt");
    const { columnCount, format, type } = this.#parts.pipeline.shape;
    const rows = decodeRows(prepared, { columnCount, isSparse: format === "sparse", isDouble: type === "f64" });
    this.#refuseLong(rows);
    this.#isLearning = true;
    try {
      const learnt = await this.#apply(rows);
      this.#since.push(rows);
      this.#sinceBytes += prepared.length;
      // Copying costs as much as what was repeated would: no more than a share of learning, whatever the model's size.
      if (4 * this.#sinceBytes >= this.#stateBytes) this.#keep();
      return learnt;
    } catch (error) {
      await this.#takeBack();
      throw error;
    } finally {
      this.#isLearning = false;
    }
  }

  /** The model as it is now. @throws DataError for numbers that are not finite */
  predictor(): AnyPredictor {
    return this.#parts.predictor(this.#save());
  }

  /** All that another run needs to go on bit for bit: `online(bytes)`. `loop`: anything more, for whoever keeps it. */
  checkpoint(loop: JsonObject = {}): Uint8Array {
    return this.#parts.checkpoint(this.#parts.descent.snapshot(), loop);
  }

  /** Returns to a checkpoint of this run, bit for bit; what was kept with it. @throws DataError for one of another run */
  async restore(checkpoint: Uint8Array): Promise<JsonObject> {
    const { snapshot, loop, recipe } = await readCheckpoint(checkpoint, "the checkpoint");
    const own = this.#parts.checkpoint({ tensors: {}, state: {} }, {});
    const same = await readCheckpoint(own, "this run");
    if (!isObject(loop.online) || JSON.stringify(recipe) !== JSON.stringify(same.recipe))
      throw new DataError(
        "online",
        "the checkpoint is of another run; give one that this run's checkpoint() gave",
        "CHECKPOINT_KIND",
      );
    try {
      this.#parts.descent.restore(snapshot);
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    this.#keep();
    return loop;
  }

  /** Gives memory back. */
  dispose(): void {
    const { descent, problem, held } = this.#parts;
    descent.dispose();
    problem.dispose();
    held.dataset.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #keep(): void {
    this.#parts.descent.keep();
    this.#since = [];
    this.#sinceBytes = 0;
  }

  /** All that was learnt whole is there again, and nothing else. */
  async #takeBack(): Promise<void> {
    this.#parts.descent.putBack();
    for (const earlier of this.#since) await this.#apply(earlier);
    this.#keep();
  }

  /** Before anything changes. */
  #refuseLong(rows: PreparedRows): void {
    const { held, batch } = this.#parts;
    const { starts, rowCount } = rows;
    if (!starts) return;
    for (let first = 0; first < rowCount; first += batch) {
      const count = Math.min(batch, rowCount - first);
      const values = starts[first + count] - starts[first];
      if (values + count <= held.entryCount) continue;
      const which = count > 1 ? `rows ${first + 1} to ${first + count} have` : `row ${first + 1} has`;
      throw new DataError(
        "online",
        `${which} ${values} values, more than ${held.entryCount - count}; drop rare columns`,
        "DATA_SHAPE",
      );
    }
  }

  async #apply(rows: PreparedRows): Promise<OnlineLearnt> {
    const { descent, held, batch } = this.#parts;
    const { rowCount } = rows;
    const tally = new Tally(this.#parts, rows);
    let paused = performance.now();
    for (let first = 0; first < rowCount; ) {
      const count = held.fitting(rows, first, batch);
      const columns = held.write(rows, first, count);
      this.#writeTargets(rows, first, count);
      descent.take(count);
      tally.open();
      for (let row = 0; row < count; row += batch) {
        const loss = descent.learn(row);
        if (loss - loss !== 0) throw overflow(first + row, "the loss is no finite number");
        tally.add(loss, first + row, Math.min(batch, count - row));
      }
      if (!descent.isFinite(columns)) throw overflow(first + count - 1, "the model's numbers would not be finite");
      first += count;
      if (first >= rowCount || performance.now() - paused < PAUSE_EVERY_MS) continue;
      await turn();
      paused = performance.now();
    }
    return tally.result();
  }

  /** Coded as the problem has them: it made its own of those that it was bound to. */
  #writeTargets({ targets, weights }: PreparedRows, first: number, count: number): void {
    const { engine, problem, task, outputs, classWeights } = this.#parts;
    const [y, w] = [engine.memory.f64(problem.target, count), engine.memory.f64(problem.weights, count)];
    const isCoded = task === "binary" && outputs === 1;
    for (let i = 0; i < count; i++) {
      const target = targets[first + i];
      y[i] = isCoded ? (target > 0 ? 1 : -1) : target;
      w[i] = (weights ? weights[first + i] : 1) * (classWeights ? classWeights[target] : 1);
    }
  }

  #save(): SavedModel {
    const { descent, save } = this.#parts;
    const parameters = descent.parameters();
    if (this.#saved) return this.#cut(this.#saved, parameters);
    const saved = save(parameters);
    // Networks may be saved with numbers that are worked out of several: other parameters show whether these are.
    const others = parameters.map((p) => p + 1);
    const [wanted, cut] = [save(others).tensors, this.#cut(saved, others).tensors];
    const isAlike = Object.entries(wanted).every(([name, values]) => values.every((x, i) => x === cut[name][i]));
    if (isAlike) this.#saved = saved;
    return saved;
  }

  /** The same model at other parameters. */
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
  new DataError(
    "online",
    `${what} at row ${row + 1}: a value or target of it is too large for this model; nothing of the request was learnt: drop the row, or lower the rule's rate`,
    "DATA_OVERFLOW",
  );

/** What was predicted before updates, against what came. */
class Tally {
  readonly #parts: OnlineParts;
  readonly #rows: PreparedRows;
  #z: Float32Array | Float64Array = new Float64Array(0);
  #loss = 0;
  #weight = 0;
  #lossWeight = 0;
  #right = 0;
  #squares = 0;
  #absolute = 0;

  constructor(parts: OnlineParts, rows: PreparedRows) {
    this.#parts = parts;
    this.#rows = rows;
  }

  /** Before updates, wherever memory may have been replaced. */
  open(): void {
    const { engine, descent, problem, pipeline, outputs, batch } = this.#parts;
    const type = problem.name === "linear" ? "f64" : pipeline.shape.type;
    this.#z = engine.memory[type](descent.outputsAt, outputs * batch);
  }

  add(loss: number, first: number, count: number): void {
    const { task, outputs, classWeights } = this.#parts;
    const { targets, weights } = this.#rows;
    const z = this.#z;
    this.#loss += loss;
    for (let i = 0; i < count; i++) {
      const y = targets[first + i];
      const weight = weights ? weights[first + i] : 1;
      this.#weight += weight;
      this.#lossWeight += weight * (classWeights ? classWeights[y] : 1);
      if (task === "regression" || task === "count") {
        const error = (task === "count" ? exp(z[i]) : z[i]) - y;
        this.#squares += weight * error * error;
        this.#absolute += weight * Math.abs(error);
      } else if (outputs === 1) {
        if (z[i] > 0 === y > 0) this.#right += weight;
      } else {
        let best = 0;
        for (let k = 1; k < outputs; k++) if (z[i * outputs + k] > z[i * outputs + best]) best = k;
        if (best === y) this.#right += weight;
      }
    }
  }

  result(): OnlineLearnt {
    const { task } = this.#parts;
    const isNumber = task === "regression" || task === "count";
    return {
      rows: this.#rows.rowCount,
      weight: this.#weight,
      loss: this.#lossWeight > 0 ? this.#loss / this.#lossWeight : 0,
      ...(isNumber ? { squares: this.#squares, absolute: this.#absolute } : { right: this.#right }),
    };
  }
}
