import type { Algorithm, Plan, Prepared } from "../../../engine/contract/index.ts";
import { storedCount } from "../../../engine/data/conversion.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import type { StandardiseStep } from "../../../engine/data/transformations/standardise.ts";
import { resolvePlan } from "../../../engine/loop/plan.ts";
import { type Engine, openEngine } from "../../../engine/memory/engine.ts";
import { RowObjective } from "../../../engine/optimise/objective.ts";
import { stream } from "../../../engine/random/stream.ts";
import { turn } from "../../../engine/threads/turn.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import { type LinearModel, linearModel } from "../../models/linear/linear.ts";
import type { LinearProblem } from "../../models/linear/problem.ts";
import { newtonCholesky } from "../../newton/newton-cholesky.ts";
import { quasiNewton } from "./quasi-newton.ts";
import { inRowSpan } from "./row-span.ts";

/** Strength × rows over mean ‖x‖², from strong to weak: from a prior under which rows predict next to nothing to none. */
const GRID = [10, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5];
const FINER = Math.sqrt(10);
/** Along the grid the search ends after so many strengths in a row that predict worse than one before. */
const MOST_WORSE = 2;
/** Rows that the strength is chosen by: at most so many, and fewer, where they hold more numbers than that, but no fewer than the least. */
const ROWS = { most: 5000, least: 1000, numbers: 1e6 };
const FOLDS = 5;
/** Rows held out, over all folds: so many tell the strengths apart. */
const HELD_OUT = 1000;
/** Rows for each column from which squared losses need no penalty. */
const AMPLE = 20;
/** Whole weights of at least this mean are counts: a row is then many observations, of which some are held out, not all. */
const COUNTED = 10;
/** Observations that are dealt one by one; of more each fold takes its share. */
const MOST_DEALT = 1e6;
/** Few rows of many more columns are held out in what they span, where that is found in a moment: at most so many rows, and numbers. */
const SPAN = { rows: 400, numbers: 1e7 };
/** Columns up to which Newton's steps are the shorter way along the grid. */
const NEWTON_COLUMNS = 150;
/** The grid wants minima as near as held-out losses can tell apart. */
const NEAR = 1e-4;
/** Quasi-Newton steps from another strength's minimum gain little at first: where they were ended by NEAR, no weaker strength was ever reached. */
const NEAR_BY_SLOPES = 1e-7;
const MOST_STEPS = 60;
/** Where there are too few rows to hold any out. */
const UNTOLD = 1e-2;

/** A strength of the L2 penalty, and why that one. */
export interface Strength {
  readonly l2: number;
  readonly why: string;
}

/** What of a run's options has a say. */
export interface StrengthOptions {
  readonly seed?: number | undefined;
  readonly deterministic?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `l2: "auto"`: 0 where squared losses have 20 rows for each column, or a target that is the same in all rows; elsewhere the strength under which models predict held-out rows with the
 * least mean loss, on a grid by tens and then by √10, each model starting from the last one's parameters. Rows are dealt to five folds by `seed`,
 * evenly over the targets; where they are many, a sample of them and fewer folds do. A strength is carried over to all rows as a prior is:
 * strength × rows stays.
 */
export async function chosenStrength(model: LinearModel, data: Dataset, options: StrengthOptions): Promise<Strength> {
  const { loss } = chooseLoss("linear", model.options.loss, data);
  const columns = model.options.features?.count ?? data.columnCount;
  const quadratic = loss.name === "squared" || loss.name === "huber";
  const observations = observationsOf(data);
  if (quadratic && (observations ?? data.rowCount) >= AMPLE * (columns + 1))
    return { l2: 0, why: `l2 is 0, since there are ${AMPLE} rows or more for each column` };
  if (quadratic && isConstant(model, data)) return { l2: 0, why: "l2 is 0, since the target is the same in all rows" };
  const { deterministic = false, seed = 0, signal } = options;
  const engine = await openEngine({ deterministic, families: ["training", "coordinate"] });
  const plan = resolvePlan("fit", { deterministic, seed, precision: "f64" }, engine.describe(), { batch: "all" });
  if (observations === undefined && isWide(model, data, columns)) return strengthInSpan(model, data, plan, options);
  const folds = observations === undefined ? dealt(data, seed, loss.task === "binary") : dealtByCount(data, seed);
  if (folds.length === 0) return untold(model, data, plan);
  const newton = !loss.joint && columns <= NEWTON_COLUMNS;
  const near = { changeTolerance: NEAR_BY_SLOPES, gradientTolerance: NEAR_BY_SLOPES };
  const solver = newton ? newtonCholesky({ tolerance: NEAR }) : quasiNewton(loss, data, near);
  const opened: Fold[] = [];
  try {
    for (const rows of folds) opened.push(new Fold({ model, data, plan, engine, solver }, rows));
    const { unit, rowCount } = opened[0];
    const share = await search(
      async (tried) => {
        let sum = 0;
        for (const fold of opened) sum += await fold.lossAt((tried * unit) / fold.rowCount, signal);
        return sum;
      },
      quadratic && rowCount > columns + 1,
    );
    const l2 = (share * unit) / data.rowCount;
    const held = observations === undefined ? "rows" : "observations, which weights count,";
    return { l2, why: `l2 is ${Number(l2.toPrecision(3))}, under which held-out ${held} are predicted best` };
  } finally {
    for (const fold of opened) fold.dispose();
  }
}

/** Its mean is met by the intercept alone, whatever the strength. */
const isConstant = ({ options }: LinearModel, { target: { values }, layout }: Dataset): boolean =>
  options.intercept !== false && !layout.offset && values.every((value) => value === values[0]);

/** Penalties that differ by columns have no meaning in a span, and weights by class want every class. */
function isWide({ options }: LinearModel, { rowCount }: Dataset, columns: number): boolean {
  const { penaltyWeights, classWeights } = options;
  return (
    columns > 2 * rowCount && rowCount <= SPAN.rows && columns * rowCount <= SPAN.numbers && !penaltyWeights && !classWeights
  );
}

async function strengthInSpan(model: LinearModel, data: Dataset, plan: Plan, options: StrengthOptions): Promise<Strength> {
  const { loss, intercept } = model.options;
  const prepared = model.prepare(data, plan);
  const spanned = inRowSpan(prepared.dataset, asDense(model, prepared.dataset).centre);
  prepared.dispose();
  try {
    const settings = { ...(loss === undefined ? {} : { loss }), ...(intercept === undefined ? {} : { intercept }) };
    return await chosenStrength(linearModel({ ...settings, standardise: false }), spanned, options);
  } finally {
    spanned.dispose();
  }
}

/** The share of GRID, or between two, with the least loss. */
async function search(lossOf: (share: number) => Promise<number>, mayBeNone: boolean): Promise<number> {
  let best = GRID[0];
  let least = Infinity;
  const isBetter = async (share: number): Promise<boolean> => {
    const loss = await lossOf(share);
    if (!(loss < least)) return false;
    best = share;
    least = loss;
    return true;
  };
  let worse = 0;
  for (const share of mayBeNone ? [...GRID, 0] : GRID) {
    worse = (await isBetter(share)) ? 0 : worse + 1;
    if (worse === MOST_WORSE) break;
  }
  const middle = best;
  if (middle > 0 && !(await isBetter(middle / FINER))) await isBetter(middle * FINER);
  return best;
}

/** Rows by which the strength is chosen: those that are held out, and those that models are fitted to. */
interface Rows {
  readonly train: Uint32Array;
  readonly held: Uint32Array;
  /** Of rows that count observations: how many of each are on either side. */
  readonly counts?: { readonly train: Float64Array; readonly held: Float64Array };
}

/** The sum of the weights, where they count observations; undefined where they do not. */
function observationsOf({ weights, rowCount }: Dataset): number | undefined {
  if (!weights?.every(Number.isInteger)) return undefined;
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum >= COUNTED * rowCount ? sum : undefined;
}

/** Each observation goes to a fold by chance, so that a fold holds out some of a row. Rows are as many as a choice takes (`ROWS.most`), by chance. */
function dealtByCount(data: Dataset, seed: number): Rows[] {
  const draws = stream(seed, "strength").at(0);
  const all = Uint32Array.from({ length: data.rowCount }, (_, i) => i);
  const count = Math.min(data.rowCount, ROWS.most);
  for (let i = 0; i < count; i++) {
    const j = i + draws.integer(data.rowCount - i);
    [all[i], all[j]] = [all[j], all[i]];
  }
  const taken = all.slice(0, count).sort();
  const weights = Float64Array.from(taken, (row) => data.weights![row]);
  const one = weights.reduce((a, b) => a + b, 0) <= MOST_DEALT;
  const held = Array.from({ length: FOLDS }, () => new Float64Array(count));
  for (const [k, weight] of weights.entries()) {
    if (one) for (let n = 0; n < weight; n++) held[draws.integer(FOLDS)][k]++;
    else for (const fold of held) fold[k] = weight / FOLDS;
  }
  const side = (of: Float64Array) => ({ rows: taken.filter((_, k) => of[k] > 0), counts: of.filter((n) => n > 0) });
  return held.flatMap((own) => {
    const [train, out] = [side(weights.map((weight, k) => weight - own[k])), side(own)];
    if (train.rows.length === 0 || out.rows.length === 0) return [];
    return [{ train: train.rows, held: out.rows, counts: { train: train.counts, held: out.counts } }];
  });
}

/** Rows in random order, sorted by target and dealt in turn, so that each fold has as many of each. None where there are too few. */
function dealt(data: Dataset, seed: number, binary: boolean): Rows[] {
  const { rowCount, target } = data;
  const wanted = (ROWS.numbers * rowCount) / Math.max(1, storedCount(data.layout));
  const most = Math.max(ROWS.least, Math.min(ROWS.most, Math.floor(wanted)));
  const order = Uint32Array.from({ length: rowCount }, (_, i) => i);
  const draws = stream(seed, "strength").at(0);
  const count = Math.min(rowCount, most);
  for (let i = 0; i < count; i++) {
    const j = i + draws.integer(rowCount - i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const { values } = target;
  const taken = order.subarray(0, count).sort((a, b) => values[a] - values[b]);
  const positive = taken.reduce((n, row) => n + (values[row] > 0 ? 1 : 0), 0);
  const parts = Math.min(FOLDS, count, binary ? Math.min(positive, count - positive) : count);
  if (parts < 2) return [];
  const folds = Math.min(parts, Math.ceil((HELD_OUT * parts) / count));
  return Array.from({ length: folds }, (_, f) => ({
    train: taken.filter((_, k) => k % parts !== f).sort(),
    held: taken.filter((_, k) => k % parts === f).sort(),
  }));
}

function untold(model: LinearModel, data: Dataset, plan: Plan): Strength {
  const prepared = model.prepare(data, plan);
  const l2 = (UNTOLD * meanSquare(model, prepared.dataset)) / data.rowCount;
  prepared.dispose();
  return { l2, why: `l2 is ${Number(l2.toPrecision(3))}, a weak one, since there are too few rows to hold any out` };
}

/**
 * Columns as dense rows have them: the square root of their mean square, and what is subtracted for it. Sparse rows are standardised without a centre where they
 * need not have an entry, which with an intercept is the same model, but of longer rows: by their ‖x‖² another grid would be tried.
 */
function asDense({ options }: LinearModel, prepared: Dataset): { size: Float64Array; centre: Float64Array } {
  const { intercept, standardise } = options;
  const { rootMeanSquare: size, deviation, mean, indicator } = prepared.columnMoments();
  const last = prepared.pipeline.steps.filter(({ kind }) => kind !== "numberType").at(-1) as StandardiseStep | undefined;
  const isCentred = intercept !== false && prepared.format === "sparse" && last?.by === "sd";
  const centre = mean.map((m, j) => (isCentred && (standardise === true || indicator[j] === 0) ? m : 0));
  return { size: size.map((s, j) => (centre[j] === 0 ? s : deviation[j])), centre };
}

/** Mean w‖x‖², the intercept apart. */
function meanSquare(model: LinearModel, prepared: Dataset): number {
  const square = asDense(model, prepared).size.reduce((sum, size) => sum + size * size, 0);
  const { weights } = prepared;
  return weights ? (square * weights.reduce((a, b) => a + b, 0)) / weights.length : square;
}

interface FoldParts {
  readonly model: LinearModel;
  readonly data: Dataset;
  readonly plan: Plan;
  readonly engine: Engine;
  readonly solver: Algorithm;
}

/** The models of the rows of one fold, each from where the last one was. */
class Fold {
  /** Mean w‖x‖² of the rows that models are fitted to. */
  readonly unit: number;
  readonly rowCount: number;
  private readonly parts: FoldParts;
  private readonly prepared: Prepared<Dataset>;
  private readonly held: RowObjective;
  private readonly made: { dispose(): void }[] = [];
  /** Weights output by output, then intercepts: where the next model starts. */
  private vector: Float64Array | undefined;

  constructor(parts: FoldParts, { train, held, counts }: Rows) {
    const { model, data, plan, engine } = parts;
    this.parts = parts;
    this.rowCount = train.length;
    const keep = <T extends { dispose(): void }>(made: T): T => {
      this.made.push(made);
      return made;
    };
    const part = (of: Uint32Array, weights: Float64Array | undefined): Dataset => {
      const made = keep(data.select(of));
      if (weights) engine.memory.f64(made.layout.weights, weights.length).set(weights);
      return made;
    };
    const rows = part(train, counts?.train);
    this.prepared = keep(model.prepare(rows, plan));
    this.unit = meanSquare(model, this.prepared.dataset);
    const others = part(held, counts?.held);
    const followed = others.follow(this.prepared.dataset.pipeline);
    if (followed !== others) keep(followed);
    const problem = keep(linearModel({ ...model.options, l2: 0 }).bind(followed.as(plan.precision.data), plan, engine));
    this.held = keep(new RowObjective(problem, problem.rowGradient, plan, engine));
  }

  /** The mean loss of the held-out rows under the model of this strength. */
  async lossAt(l2: number, signal: AbortSignal | undefined): Promise<number> {
    const { model, plan, engine, solver } = this.parts;
    const beginning = this.vector && { numbers: { vector: this.vector }, reset: [] };
    const problem = linearModel({ ...model.options, l2 }, beginning).bind(this.prepared.dataset, plan, engine);
    const progression = await solver.start(problem, plan, engine);
    try {
      while (progression.step < MOST_STEPS && progression.converged === false) {
        signal?.throwIfAborted();
        await progression.advance(1);
        await turn();
      }
      const x = progression.parameters();
      this.vector = vectorOf(x, problem);
      return this.held.evaluate(x, null);
    } finally {
      progression.dispose();
      problem.dispose();
    }
  }

  dispose(): void {
    for (const each of this.made.reverse()) each.dispose();
  }
}

/** Parameters as `from` takes them. */
function vectorOf(x: Float64Array, { parts }: LinearProblem): Float64Array {
  const ranges = [...parts.weights, ...(parts.intercept ?? [])];
  const vector = new Float64Array(ranges.reduce((sum, [, count]) => sum + count, 0));
  let to = 0;
  for (const [first, count, unit = 1] of ranges) for (let j = first; j < first + count; j++) vector[to++] = x[j] * unit;
  return vector;
}
