import type { Algorithm, Plan, Prepared } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { resolvePlan } from "../../../engine/loop/plan.ts";
import { type Engine, openEngine } from "../../../engine/memory/engine.ts";
import { RowObjective } from "../../../engine/optimise/objective.ts";
import { turn } from "../../../engine/threads/turn.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import { type LinearModel, linearModel } from "../../models/linear/linear.ts";
import type { LinearProblem } from "../../models/linear/problem.ts";
import { newtonCholesky } from "../../newton/newton-cholesky.ts";
import { dealt, dealtByCount, type Rows } from "./held-rows.ts";
import { isQuadratic, noPenalty, observationsOf, type Strength } from "./no-penalty.ts";
import { quasiNewton } from "./quasi-newton.ts";
import { inRowSpan } from "./row-span.ts";

/**
 * Grid of strengths, in units of mean ‖x − m‖² / rows, where m is the mean row (0 without an intercept). Small strengths
 * are best if columns are nearly collinear, as in spectra. Below the smallest strength, rounding errors of the data
 * matter more than the penalty.
 */
const GRID = [10, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9];
/** Larger strengths are tried as long as the largest is the best, up to this one. Predictions are then nearly constant. */
const LARGEST = 1e5;
const FINER = Math.sqrt(10);
/** The search ends when this many successive grid points predict worse than the best one. */
const MOST_WORSE = 2;
/**
 * Maximum number of rows and of values up to which rows are replaced by their coordinates in the span of all rows. The
 * replacement saves time if there are few rows and many more columns.
 */
const SPAN = { rows: 400, numbers: 1e7 };
/** Maximum number of columns for which Newton's method is faster along the grid. */
const NEWTON_COLUMNS = 150;
/** Tolerance of the minima along the grid. More precise minima would not change the comparison of held-out losses. */
const NEAR = 1e-4;
/**
 * Tolerance of quasi-Newton minima. The first steps of a run gain little if the run starts at the minimum for another
 * strength. With the coarser tolerance NEAR, such runs ended before they reached the minimum for a smaller strength.
 */
const NEAR_BY_SLOPES = 1e-7;
const MOST_STEPS = 60;
/** Strength, in grid units, that is used if there are too few rows to hold any out. */
const UNTOLD = 1e-2;

/** Options of a run that affect the choice of strength. */
export interface StrengthOptions {
  readonly seed?: number | undefined;
  readonly deterministic?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Chooses the strength for `l2: "auto"`. The strength is 0 if the target is constant, or if the loss is squared or
 * Huber and there are at least 20 rows per column. Otherwise it is the strength with the least mean loss on held-out
 * rows. It is taken from a grid whose steps are refined from factors of 10 to √10. Each model starts from the
 * parameters of the previous model. Rows are assigned to five folds by `seed`, with targets spread evenly; large data
 * use a sample and fewer folds. The strength is then rescaled from the training rows to all rows, so that strength ×
 * rows stays constant, as it does for a prior.
 */
export async function chosenStrength(model: LinearModel, data: Dataset, options: StrengthOptions): Promise<Strength> {
  const none = noPenalty(model, data);
  if (none) return none;
  const { loss } = chooseLoss("linear", model.options.loss, data);
  const columns = model.options.features?.count ?? data.columnCount;
  const observations = observationsOf(data);
  const { deterministic = false, seed = 0, signal } = options;
  const engine = await openEngine({ deterministic, families: ["training", "hessian"] });
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
    const { share, edge } = await search(
      async (tried) => {
        let sum = 0;
        for (const fold of opened) sum += await fold.lossAt((tried * unit) / fold.rowCount, signal);
        return sum;
      },
      isQuadratic(loss) && rowCount > columns + 1,
    );
    const l2 = (share * unit) / data.rowCount;
    const held = observations === undefined ? "rows" : "observations, which weights count,";
    const limit = edge ? `, the ${edge} strength that is tried` : "";
    return { l2, why: `l2 is ${Number(l2.toPrecision(3))}, under which held-out ${held} are predicted best${limit}` };
  } finally {
    for (const fold of opened) fold.dispose();
  }
}

/**
 * Whether to replace rows by coordinates in their span, because the data have many columns. Rows are not replaced if
 * penalties differ by column, because such penalties have no meaning in the span. Rows are not replaced either if there
 * are class weights, because class weights need every class.
 */
function isWide({ options }: LinearModel, { rowCount }: Dataset, columns: number): boolean {
  const { penaltyWeights, classWeights } = options;
  return (
    columns > 2 * rowCount && rowCount <= SPAN.rows && columns * rowCount <= SPAN.numbers && !penaltyWeights && !classWeights
  );
}

async function strengthInSpan(model: LinearModel, data: Dataset, plan: Plan, options: StrengthOptions): Promise<Strength> {
  const { loss, intercept } = model.options;
  const prepared = model.prepare(data, plan);
  const spanned = inRowSpan(prepared.dataset, sizes(model, prepared.dataset).centre);
  prepared.dispose();
  try {
    const settings = { ...(loss === undefined ? {} : { loss }), ...(intercept === undefined ? {} : { intercept }) };
    return await chosenStrength(linearModel({ ...settings, standardise: false }), spanned, options);
  } finally {
    spanned.dispose();
  }
}

/**
 * Returns the strength with the least loss: a value of GRID, a larger power of ten, or a value between two neighbours.
 * `edge`: set if the best strength is at a limit of the search, so that a better one might lie beyond.
 */
async function search(
  lossOf: (share: number) => Promise<number>,
  mayBeNone: boolean,
): Promise<{ share: number; edge?: "smallest" | "largest" }> {
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
  while (best >= GRID[0] && best < LARGEST && (await isBetter(best * 10)));
  const middle = best;
  const smallest = GRID[GRID.length - 1];
  if (middle > 0 && !(middle > smallest && (await isBetter(middle / FINER))) && middle < LARGEST) await isBetter(middle * FINER);
  if (best === smallest) return { share: best, edge: "smallest" };
  return best >= LARGEST ? { share: best, edge: "largest" } : { share: best };
}

function untold(model: LinearModel, data: Dataset, plan: Plan): Strength {
  const prepared = model.prepare(data, plan);
  const l2 = (UNTOLD * meanSquare(model, prepared.dataset)) / data.rowCount;
  prepared.dispose();
  return { l2, why: `l2 is ${Number(l2.toPrecision(3))}, a weak one, since there are too few rows to hold any out` };
}

/**
 * Returns the size and the centre of each column: standard deviation and mean with an intercept, which makes centring a
 * change of the intercept alone; root mean square and 0 without one.
 */
function sizes({ options }: LinearModel, prepared: Dataset): { size: Float64Array; centre: Float64Array } {
  const { rootMeanSquare, deviation, mean } = prepared.columnMoments();
  return options.intercept === false ? { size: rootMeanSquare, centre: mean.fill(0) } : { size: deviation, centre: mean };
}

/** Mean w‖x − m‖², where m is the mean row (0 without an intercept). */
function meanSquare(model: LinearModel, prepared: Dataset): number {
  const square = sizes(model, prepared).size.reduce((sum, size) => sum + size * size, 0);
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

/** Models for the rows of one fold. Each model starts from the parameters of the previous model. */
class Fold {
  /** Mean w‖x − m‖² of the training rows. */
  readonly unit: number;
  readonly rowCount: number;
  private readonly parts: FoldParts;
  private readonly prepared: Prepared<Dataset>;
  private readonly held: RowObjective;
  private readonly made: { dispose(): void }[] = [];
  /** Starting point of the next model: weights output by output, then intercepts. */
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

  /** Returns the mean loss of the held-out rows under the model with this strength. */
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

/** Returns parameters in the layout of `from`. */
function vectorOf(x: Float64Array, { parts }: LinearProblem): Float64Array {
  const ranges = [...parts.weights, ...(parts.intercept ?? [])];
  const vector = new Float64Array(ranges.reduce((sum, [, count]) => sum + count, 0));
  let to = 0;
  for (const [first, count, unit = 1] of ranges) for (let j = first; j < first + count; j++) vector[to++] = x[j] * unit;
  return vector;
}
