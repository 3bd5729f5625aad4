import type { Plan, TreeGrowth, TreeState } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError, DataError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import type { Ensemble } from "../../../predict/trees/ensemble.ts";
import { outputsOf } from "../../../predict/trees/walks.ts";
import type { Loss } from "../loss.ts";
import { type LossOfRows, lossOfRows } from "../loss-of-rows.ts";
import { codedTarget, weightsOfRows } from "../rows-coded.ts";
import { binned } from "./bins.ts";
import { ensembleOf, treeNumbers } from "./ensemble-vector.ts";
import { TreeGrower, type TreeRows } from "./grow.ts";
import { Numbers } from "./numbers.ts";
import { quantileOf, weightedQuantile } from "./quantile-leaves.ts";
import { boundOf, refuseFlat } from "./second-derivative.ts";
import type { TreesSettings } from "./settings.ts";
import { TreeProblem } from "./tree-problem.ts";

/** Newton steps for the base, at most. */
const BASE_STEPS = 100;
/** The base is accurate enough if a step is at most this share of its size. */
const BASE_TOLERANCE = 1e-12;

interface Parts {
  readonly loss: Loss;
  readonly outputs: number;
  readonly settings: TreesSettings;
  readonly classWeights: Float64Array | undefined;
  /** Trees of an earlier model, to which this run adds. */
  readonly start: Float64Array | undefined;
}

/** Rows bound to an ensemble of trees. The parameters are those of ensemble-vector.ts. */
export class TreesProblem extends TreeProblem<Parts> {
  protected static readonly typeName: string = "TreesProblem";
  readonly trees: TreeGrowth = this;

  constructor(data: Dataset, engine: Engine, parts: Parts) {
    super("trees", data, engine, parts);
    refuseFlat(parts.loss);
    if (data.layout.offset && parts.outputs > 1)
      throw new CapabilityError(
        "trees",
        `the rows have an offset, which is added to one output, but there are ${parts.outputs}; leave it out, or predict two classes or a number`,
        "MODEL_CAPABILITY",
      );
  }

  open(plan: Plan): TreeState {
    return new Boosted(this.data, this.engine, this.given, plan);
  }
}

class Boosted implements TreeState {
  rounds = 0;
  readonly samples: boolean;
  private readonly data: Dataset;
  private readonly engine: Engine;
  private readonly given: Parts;
  private readonly arena: Arena;
  private readonly grower: TreeGrower;
  private readonly losses: LossOfRows;
  private readonly at: { readonly z: number; readonly slopes: number; readonly curvatures: number; readonly weights: number };
  private readonly weights: Float64Array;
  private readonly draws: { readonly rows: Stream; readonly columns: Stream };
  private numbers: Numbers;
  private leaves = 0;
  private readonly leafValue: TreeRows["leafValue"];

  constructor(data: Dataset, engine: Engine, parts: Parts, { seed, workers, deterministic }: Plan) {
    this.data = data;
    this.engine = engine;
    this.given = parts;
    const { settings, loss, outputs, classWeights } = parts;
    this.samples = settings.rows < 1 || settings.columns < 1;
    const { rowCount } = data;
    const arena = new Arena(engine.memory, "trees");
    this.arena = arena;
    const given = weightsOfRows(data, classWeights);
    this.weights = given ?? new Float64Array(rowCount).fill(1);
    const cells = binned(data, settings.bins, given, engine, arena);
    const bytes = outputs * rowCount * 8;
    this.at = {
      z: arena.take(bytes),
      slopes: arena.take(bytes),
      curvatures: arena.take(bytes),
      weights: arena.copy(this.weights),
    };
    const target = codedTarget("trees", data, parts, arena);
    this.losses = lossOfRows(arena, { engine, data, loss, outputs, target }, this.at);
    const monotone = monotoneOf(data, settings, parts);
    this.grower = new TreeGrower({ engine, binned: cells, rowCount, monotone, workers, deterministic }, settings, arena);
    this.draws = { rows: stream(seed, "trees", "rows"), columns: stream(seed, "trees", "columns") };
    const tau = quantileOf(loss);
    if (tau !== undefined) this.leafValue = (rows) => this.quantile(rows, tau);
    this.numbers = new Numbers(parts.start ?? (tau === undefined ? this.base() : this.quantileBase(tau)));
    this.moveTo(ensembleOf(this.parameters(), outputs));
  }

  async round(): Promise<{ loss: number; divides: boolean }> {
    const { data, given: parts, grower } = this;
    const { outputs, settings } = parts;
    const { rowCount, columnCount } = data;
    const loss = this.evaluate();
    const drawn = settings.rows < 1 ? this.drawn(rowCount, settings.rows, this.draws.rows, this.rounds) : null;
    let divides = false;
    for (let k = 0; k < outputs; k++) {
      const shift = k * rowCount * 8;
      const tree = await grower.grow(k, {
        slopes: this.at.slopes + shift,
        curvatures: this.at.curvatures + shift,
        z: this.at.z + shift,
        drawn,
        columns: settings.columns < 1 ? this.columns(columnCount, this.rounds * outputs + k) : null,
        leafValue: this.leafValue,
      });
      divides ||= tree.nodes.length > 1;
      this.leaves = (tree.nodes.length + 1) / 2;
      this.numbers.append(treeNumbers(tree));
    }
    this.rounds++;
    return { loss: loss / rowCount, divides };
  }

  parameters(): Float64Array {
    return this.numbers.values();
  }

  restore(parameters: Float64Array, rounds: number): void {
    this.numbers = new Numbers(parameters);
    this.rounds = rounds;
    this.moveTo(ensembleOf(parameters, this.given.outputs));
  }

  report(): Record<string, number> {
    return { leaves: this.leaves };
  }

  dispose(): void {
    this.arena.dispose();
  }

  /** Computes slopes and curvatures at z. Returns the sum of the losses. */
  private evaluate(): number {
    const { engine, losses, at, given: parts, weights, data } = this;
    for (const { kernel, args } of losses.evaluation)
      if (typeof kernel === "number") engine.atSlot(kernel)(...args);
      else engine.kernel(kernel, true)(...args);
    const bound = boundOf(parts.loss);
    if (bound !== undefined) {
      const { rowCount } = data;
      for (let k = 0; k < parts.outputs; k++) {
        const h = engine.memory.f64(at.curvatures + k * rowCount * 8, rowCount);
        for (let i = 0; i < rowCount; i++) h[i] = bound * weights[i];
      }
    }
    const least = engine.kernel("treesSmallest", true)(at.curvatures, parts.outputs * data.rowCount);
    if (least < 0)
      throw new CapabilityError(
        "trees",
        `the second derivative of loss "${parts.loss.name}" is ${least} in a row, but trees need one >= 0; give the loss a bound on its curvature and write it in pieces, or use another loss`,
        "MODEL_CAPABILITY",
      );
    const loss = losses.loss();
    if (Number.isFinite(loss)) return loss;
    throw new DataError(
      "trees",
      `the loss is ${loss} in round ${this.rounds + 1}; scale the target, or lower rate`,
      "RUN_DIVERGED",
    );
  }

  /** Returns the constant outputs with the smallest loss: safeguarded Newton steps from 0 for each output. */
  private base(): Float64Array {
    const { outputs } = this.given;
    const { rowCount } = this.data;
    const { memory } = this.engine;
    const base = new Float64Array(outputs);
    const at = (): number => {
      for (let k = 0; k < outputs; k++) memory.f64(this.at.z + k * rowCount * 8, rowCount).fill(base[k]);
      return this.evaluate();
    };
    let loss = at();
    for (let n = 0; n < BASE_STEPS; n++) {
      const steps = base.map((_, k) => {
        const sum = (from: number): number => memory.f64(from + k * rowCount * 8, rowCount).reduce((all, x) => all + x, 0);
        const h = sum(this.at.curvatures);
        return h > 0 ? -sum(this.at.slopes) / h : 0;
      });
      const before = base.slice();
      let share = 1;
      let next = Infinity;
      for (; share > 1e-3; share /= 2) {
        for (let k = 0; k < outputs; k++) base[k] = before[k] + share * steps[k];
        next = at();
        if (next <= loss) break;
      }
      if (!(next <= loss)) {
        base.set(before);
        break;
      }
      loss = next;
      if (steps.every((step, k) => Math.abs(step) <= BASE_TOLERANCE * (1 + Math.abs(base[k])))) break;
    }
    return base;
  }

  /** Returns the weighted quantile of the residuals of some rows. */
  private quantile(rows: Uint32Array, tau: number): number {
    const { data, engine, at, weights } = this;
    const z = engine.memory.f64(at.z, data.rowCount);
    const offset = data.layout.offset ? engine.memory.f64(data.layout.offset, data.rowCount) : undefined;
    const { values } = data.target;
    const residuals = Float64Array.from(rows, (i) => values[i] - z[i] - (offset?.[i] ?? 0));
    return weightedQuantile(
      residuals,
      Float64Array.from(rows, (i) => weights[i]),
      tau,
    );
  }

  private quantileBase(tau: number): Float64Array {
    return Float64Array.of(this.quantile(Uint32Array.from(this.weights.keys()), tau));
  }

  /** Sets z to the outputs of an ensemble. */
  private moveTo(ensemble: Ensemble): void {
    const { data, engine, at, given: parts } = this;
    const { outputs } = parts;
    const { rowCount, columnCount } = data;
    if (ensemble.outputOf.length === 0) {
      for (let k = 0; k < outputs; k++) engine.memory.f64(at.z + k * rowCount * 8, rowCount).fill(ensemble.base[k]);
      return;
    }
    const given = outputsOf(ensemble, columnCount, data.rows().open(), rowCount);
    const z = engine.memory.f64(at.z, outputs * rowCount);
    for (let k = 0; k < outputs; k++) for (let i = 0; i < rowCount; i++) z[k * rowCount + i] = given[i * outputs + k];
  }

  /** Draws a share of `count` numbers without replacement, in ascending order. At least one. */
  private drawn(count: number, share: number, from: Stream, update: number): Uint32Array {
    const size = Math.max(1, Math.round(share * count));
    const draws = from.at(update);
    const chosen = new Uint32Array(size);
    // Selection sampling: each number is taken with the probability that leaves exactly `size` numbers.
    for (let i = 0, taken = 0; taken < size; i++) if (draws.uniform() * (count - i) < size - taken) chosen[taken++] = i;
    return chosen;
  }

  private columns(count: number, update: number): Uint8Array {
    const active = new Uint8Array(count);
    for (const j of this.drawn(count, this.given.settings.columns, this.draws.columns, update)) active[j] = 1;
    return active;
  }
}

/** @throws CapabilityError for a column that does not exist or is a category, for several outputs, or for quantiles */
function monotoneOf(data: Dataset, { monotone }: TreesSettings, { outputs, loss }: Parts): Int8Array {
  const ways = new Int8Array(data.columnCount);
  const names = Object.keys(monotone);
  if (names.length > 0 && outputs > 1)
    throw new CapabilityError(
      "trees",
      "monotone needs one output, but there are several classes; leave it out",
      "MODEL_CAPABILITY",
    );
  if (names.length > 0 && quantileOf(loss) !== undefined)
    throw new CapabilityError(
      "trees",
      "monotone cannot be kept with the quantile loss, whose leaves are quantiles of residuals; leave it out",
      "MODEL_CAPABILITY",
    );
  for (const name of names) {
    const j = data.names.indexOf(name);
    if (j < 0 || data.pipeline.shape.cells?.[j].kind === "category")
      throw new CapabilityError(
        "trees",
        `monotone names "${name}", which is ${j < 0 ? "not a column of the data" : "a category"}; name columns of numbers: ${data.names.slice(0, 8).join(", ")}`,
        "OPTION_COLUMN",
      );
    ways[j] = monotone[name];
  }
  return ways;
}
