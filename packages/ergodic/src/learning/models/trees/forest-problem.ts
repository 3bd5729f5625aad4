import type { Plan, Tensor, TreeGrowth, TreeState } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError, DataError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { stream } from "../../../engine/random/stream.ts";
import { outputsOf } from "../../../predict/trees/walks.ts";
import * as field from "../../fields.ts";
import { weightsOfRows } from "../rows-coded.ts";
import { type Binned, binned, levelsRight } from "./bins.ts";
import { columnsPerSplit, type ForestSettings } from "./forest-settings.ts";
import { appendTree, type MeanNode, meanEnsemble, treeStarts } from "./forest-vector.ts";
import { Numbers } from "./numbers.ts";
import { prunedLeaves, withLeaves } from "./pruning.ts";
import { TreeProblem } from "./tree-problem.ts";

/** Trees that grow at the same time take at most this many bytes together. */
const GROWING_BYTES = 2 ** 28;
/** Threshold of a division of present from missing values: the largest float32. */
const MOST = 3.4028234663852886e38;

/** −1 as u32: the feature of leaves. */
const LEAF = 0xffffffff;

interface Parts {
  readonly outputs: number;
  readonly settings: ForestSettings;
  readonly classWeights: Float64Array | undefined;
  /** Trees of an earlier model, to which this run adds. */
  readonly start: Float64Array | undefined;
}

/** Rows bound to trees with means in their leaves. The parameters are those of forest-vector.ts. */
export class ForestProblem extends TreeProblem<Parts> {
  protected static readonly typeName: string = "ForestProblem";
  readonly forest: TreeGrowth = this;

  constructor(data: Dataset, engine: Engine, parts: Parts) {
    super(parts.settings.kind, data, engine, parts);
    const { kind } = parts.settings;
    if (data.layout.offset && data.target.levels)
      throw new CapabilityError(
        kind,
        "the rows have an offset, but the predictions are shares of classes, to which nothing is added; leave it out",
        "MODEL_CAPABILITY",
      );
  }

  open(plan: Plan): TreeState {
    return new Grown(this.data, this.engine, this.given, plan);
  }
}

/** Memory of one tree that grows. */
interface Slot {
  readonly block: number;
  readonly nodes: number;
  readonly values: number;
  readonly sets: number;
}

class Grown implements TreeState {
  rounds = 0;
  readonly samples: boolean;
  private readonly data: Dataset;
  private readonly engine: Engine;
  private readonly given: Parts;
  private readonly plan: Plan;
  private readonly arena: Arena;
  private readonly binned: Binned;
  private readonly block: number;
  private readonly slots: readonly Slot[];
  private readonly targets: Float64Array;
  private readonly weights: Float64Array;
  /** Sums over the trees, f64[rows][outputs]: of all trees, and of trees that did not draw the row; u32[rows]: their number. */
  private readonly at: { readonly z: number; readonly out: number; readonly outCounts: number };
  private numbers: Numbers;
  /** Number of trees of the earlier model. */
  private readonly earlier: number;
  /** Slots with trees that have grown but are not part of the model yet, with their numbers of nodes. */
  private ahead: { slot: Slot; nodes: number }[] = [];
  private readonly base: number;
  private leaves = 0;
  private oob: number | undefined;

  constructor(data: Dataset, engine: Engine, parts: Parts, plan: Plan) {
    this.data = data;
    this.engine = engine;
    this.given = parts;
    this.plan = plan;
    const { settings, outputs } = parts;
    const { rowCount, columnCount } = data;
    this.samples = settings.kind !== "tree";
    const arena = new Arena(engine.memory, settings.kind);
    this.arena = arena;
    const weights = weightsOfRows(data, parts.classWeights);
    this.weights = weights ?? new Float64Array(rowCount).fill(1);
    this.binned = binned(data, settings.bins, weights, engine, arena);
    const isClasses = data.target.levels !== null && data.target.levels !== undefined;
    const { offset } = data;
    const targets = data.target.values.map((y, i) => (isClasses ? y : y - (offset?.[i] ?? 0)));
    this.base = parts.start?.[0] ?? (isClasses ? 0 : meanOf(targets, this.weights));
    this.targets = isClasses ? targets : targets.map((y) => y - this.base);
    const bytes = outputs * rowCount * 8;
    this.at = { z: arena.take(bytes), out: arena.take(bytes), outCounts: arena.take(rowCount * 4) };
    const copied = (values: Uint8Array): number => {
      const pointer = arena.take(values.length);
      engine.memory.u8(pointer, values.length).set(values);
      return pointer;
    };
    const { columns } = this.binned;
    const { key } = stream(plan.seed, settings.kind);
    this.block = arena.block(field.FOREST_BYTES, [
      [field.FOREST_BINS, this.binned.bins],
      [field.FOREST_ROWS, rowCount],
      [field.FOREST_COLUMNS, columnCount],
      [field.FOREST_BIN_COUNTS, copied(new Uint8Array(Uint32Array.from(columns, ({ count }) => count).buffer))],
      [field.FOREST_KINDS, copied(Uint8Array.from(columns, ({ kind }) => Number(kind === "category")))],
      [field.FOREST_TARGETS, arena.copy(this.targets)],
      [field.FOREST_WEIGHTS, arena.copy(this.weights)],
      [field.FOREST_OUTPUTS, outputs],
      [field.FOREST_PER_SPLIT, Math.min(columnCount, columnsPerSplit(settings, columnCount, isClasses))],
      [field.FOREST_DRAWS, settings.rows === 0 ? 0 : Math.max(1, Math.round(settings.rows * rowCount))],
      [field.FOREST_RANDOM, Number(settings.kind === "extraTrees")],
      [field.FOREST_DEPTH, settings.depth],
      [field.FOREST_MIN_ROWS, settings.minRows],
      [field.FOREST_KEY_LOW, key[0]],
      [field.FOREST_KEY_HIGH, key[1]],
    ]);
    arena.setF64(this.block, field.FOREST_MIN_GAIN_F64, settings.minGain / this.gainFactor);
    this.slots = this.slotsFor(settings.kind === "tree" ? 1 : plan.workers);
    this.earlier = parts.start ? treeStarts(parts.start, outputs).length - 1 : 0;
    this.numbers = new Numbers(parts.start ?? new Float64Array(outputs).fill(this.base));
    if (this.earlier > 0) this.addEarlier(parts.start!);
  }

  async round(): Promise<{ loss: number; divides: boolean; ends?: string }> {
    if (this.ahead.length === 0) await this.growAhead();
    const { slot, nodes } = this.ahead.shift()!;
    const { at, engine, given, data } = this;
    const { settings } = given;
    const { kind, alpha } = settings;
    const grown = this.nodesOf(slot, nodes);
    const leaves = alpha > 0 ? prunedLeaves(grown, alpha) : new Set<number>();
    // The kernel adds the values of the pruned tree.
    for (const n of leaves) engine.memory.u32(slot.nodes + n * field.GROWN_NODE_BYTES + field.GROWN_NODE_FEATURE, 1)[0] = LEAF;
    engine.kernel("forestsAdd", true)(this.block, slot.block, at.z, settings.rows > 0 ? at.out : 0, at.outCounts);
    const tree = withLeaves(grown, leaves);
    this.leaves = (tree.length + 1) / 2;
    appendTree(this.numbers, tree);
    this.rounds++;
    if (settings.rows > 0) this.oob = this.outOfBag();
    const loss = this.loss() / data.rowCount;
    return { loss, divides: tree.length > 1, ...(kind === "tree" ? { ends: "the tree has grown" } : {}) };
  }

  parameters(): Float64Array {
    return this.numbers.values();
  }

  sums(): Record<string, Tensor> {
    const { engine, at, given, data } = this;
    const { rowCount } = data;
    const all = engine.memory.f64(at.z, given.outputs * rowCount).slice();
    if (given.settings.rows === 0) return { all };
    const out = engine.memory.f64(at.out, given.outputs * rowCount).slice();
    return { all, out, outCounts: engine.memory.u32(at.outCounts, rowCount).slice() };
  }

  restore(parameters: Float64Array, rounds: number, tensors: Readonly<Record<string, Tensor>>): void {
    const { engine, at, given, data } = this;
    const own = this.sums();
    for (const [name, { length }] of Object.entries(own))
      if (tensors[name]?.length !== length)
        throw new DataError(
          given.settings.kind,
          `the checkpoint has no sums "${name}" of ${length} numbers; use another checkpoint`,
          "CHECKPOINT_FORMAT",
        );
    engine.memory.f64(at.z, own.all.length).set(tensors.all);
    if (own.out) engine.memory.f64(at.out, own.out.length).set(tensors.out);
    if (own.outCounts) engine.memory.u32(at.outCounts, data.rowCount).set(tensors.outCounts);
    this.numbers = new Numbers(parameters);
    this.rounds = rounds;
    this.ahead = [];
    const starts = treeStarts(parameters, given.outputs);
    this.leaves = starts.length > 1 ? (parameters[starts[starts.length - 2]] + 1) / 2 : 0;
    if (own.out) this.oob = this.outOfBag();
  }

  report(): Record<string, number> {
    return { leaves: this.leaves, ...(this.oob === undefined ? {} : { oob: this.oob }) };
  }

  dispose(): void {
    this.arena.dispose();
  }

  /** With two classes, one output represents both, and the gain counts both. */
  private get gainFactor(): number {
    return this.given.outputs === 1 && this.data.target.levels ? 2 : 1;
  }

  private slotsFor(workers: number): Slot[] {
    const { arena, data, given, binned: cells } = this;
    const { settings, outputs } = given;
    const { rowCount, columnCount } = data;
    const leaves = Math.max(1, Math.min(Math.floor(rowCount / settings.minRows), 2 ** Math.min(31, settings.depth)));
    const nodes = 2 * leaves - 1;
    const hasSets = cells.columns.some(({ kind }) => kind === "category");
    const sizes = {
      nodes: nodes * field.GROWN_NODE_BYTES,
      values: nodes * outputs * 8,
      sets: hasSets ? nodes * 32 : 0,
      rows: rowCount * 4,
    };
    const bytes = sizes.nodes + sizes.values + sizes.sets + 3 * sizes.rows;
    const count = Math.max(1, Math.min(workers, Math.floor(GROWING_BYTES / bytes)));
    return Array.from({ length: count }, (): Slot => {
      const own = {
        nodes: arena.take(sizes.nodes),
        values: arena.take(sizes.values),
        sets: hasSets ? arena.take(sizes.sets) : 0,
      };
      const block = arena.block(field.GROWING_BYTES, [
        [field.GROWING_COUNTS, arena.take(sizes.rows)],
        [field.GROWING_LIST, arena.take(sizes.rows)],
        [field.GROWING_OTHER, arena.take(sizes.rows)],
        [field.GROWING_NODES, own.nodes],
        [field.GROWING_VALUES, own.values],
        [field.GROWING_SETS, own.sets],
        [field.GROWING_HISTOGRAM, arena.take(256 * (outputs + 2) * 8)],
        [field.GROWING_SUMS, arena.take(2 * (outputs + 2) * 8)],
        [field.GROWING_ORDER, arena.take(1024)],
        [field.GROWING_SHUFFLED, arena.take(columnCount * 4)],
        [field.GROWING_TABLE, arena.take(512)],
      ]);
      return { block, ...own };
    });
  }

  /** Grows as many trees as there are slots. Trees that the run does not need any more are discarded. */
  private async growAhead(): Promise<void> {
    const { slots, engine, block, plan } = this;
    const first = this.earlier + this.rounds;
    const calls = slots.map((slot, k) => ({ kernel: "forestsGrow", args: [block, slot.block, first + k] }));
    const counts = await engine.run(calls, { workers: plan.workers, deterministic: true });
    this.ahead = slots.map((slot, k) => ({ slot, nodes: counts[k] }));
  }

  private nodesOf({ nodes: at, values, sets }: Slot, count: number): MeanNode[] {
    const { engine, given, binned: cells, gainFactor } = this;
    const { outputs } = given;
    const { memory } = engine;
    const size = field.GROWN_NODE_BYTES;
    const [ints, floats] = [memory.u32(at, (count * size) / 4), memory.f64(at, (count * size) / 8)];
    const means = memory.f64(values, count * outputs);
    return Array.from({ length: count }, (_, n): MeanNode => {
      const of = (place: number): number => ints[(n * size + place) / 4];
      const feature = of(field.GROWN_NODE_FEATURE) | 0;
      const column = feature < 0 ? undefined : cells.columns[feature];
      const bin = of(field.GROWN_NODE_BIN);
      const bytes = column?.kind === "category" ? memory.u8(sets + 32 * n, 32) : undefined;
      const isRight = (b: number): boolean => ((bytes![b >>> 3] >>> (b & 7)) & 1) === 1;
      return {
        feature,
        threshold: column?.kind === "number" ? (column.cuts[bin] ?? MOST) : 0,
        left: feature < 0 ? 0 : of(field.GROWN_NODE_LEFT),
        missingLeft: of(field.GROWN_NODE_MISSING_LEFT) === 1,
        gain: gainFactor * floats[(n * size + field.GROWN_NODE_GAIN_F64) / 8],
        cover: floats[(n * size + field.GROWN_NODE_COVER_F64) / 8],
        set: column?.kind === "category" ? levelsRight(column, isRight) : undefined,
        values: means.slice(n * outputs, (n + 1) * outputs),
      };
    });
  }

  /** Adds the outputs of an earlier model's trees to the sums. */
  private addEarlier(vector: Float64Array): void {
    const { data, engine, at, given, earlier } = this;
    const { outputs } = given;
    const ensemble = { ...meanEnsemble(vector, outputs), base: new Float64Array(outputs) };
    const means = outputsOf(ensemble, data.columnCount, data.rows().open(), data.rowCount);
    const z = engine.memory.f64(at.z, means.length);
    for (let i = 0; i < z.length; i++) z[i] = earlier * means[i];
  }

  /** Returns half the weighted sum of squared errors of the mean over the trees, for all outputs. Two classes are two. */
  private loss(): number {
    const { engine, at, given, data, targets, weights, earlier, rounds } = this;
    const { outputs } = given;
    const z = engine.memory.f64(at.z, outputs * data.rowCount);
    let sum = 0;
    for (let i = 0; i < targets.length; i++)
      for (let k = 0; k < outputs; k++) {
        const wanted = outputs === 1 ? targets[i] : Number(targets[i] === k);
        sum += weights[i] * (z[i * outputs + k] / (earlier + rounds) - wanted) ** 2;
      }
    return (this.gainFactor * sum) / 2;
  }

  /**
   * Returns the error of predictions for rows by the trees that did not draw them: the share of wrong classes, or the
   * root mean squared error. Undefined if every tree drew every row.
   */
  private outOfBag(): number | undefined {
    const { engine, at, given, data, targets, weights } = this;
    const { outputs } = given;
    const { levels } = data.target;
    const out = engine.memory.f64(at.out, outputs * data.rowCount);
    const counts = engine.memory.u32(at.outCounts, data.rowCount);
    let [sum, total] = [0, 0];
    for (let i = 0; i < targets.length; i++) {
      if (counts[i] === 0) continue;
      total += weights[i];
      const own = out.subarray(i * outputs, (i + 1) * outputs);
      if (!levels) sum += weights[i] * (own[0] / counts[i] - targets[i]) ** 2;
      else if (targets[i] !== (outputs === 1 ? Number(2 * own[0] > counts[i]) : own.indexOf(Math.max(...own)))) sum += weights[i];
    }
    if (!(total > 0)) return undefined;
    return levels ? sum / total : Math.sqrt(sum / total);
  }
}

function meanOf(values: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += weights[i] * values[i];
    total += weights[i];
  }
  return total > 0 ? sum / total : 0;
}
