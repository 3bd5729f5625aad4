/**
 * The types that every part shares. Data flows one way: data → (model × algorithm) → loop → predict.
 *
 * A model, bound to data, is a `Problem` that *offers* capabilities (gradients of rows, coordinates, columns, duals, factors).
 * An algorithm *needs* some and turns a problem into a `Progression`: something that the loop can advance, watch, keep and
 * resume without knowing what it is.
 */

import type { Engine } from "../memory/engine.ts";
import type { Family } from "../memory/families.ts";
import type { Call } from "../memory/pool.ts";
import type { Draws, Stream } from "../random/stream.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A JSON object. */
export type JsonObject = { [key: string]: Json };
/** Types of stored data. */
export type ElementType = "f32" | "f64" | "i16" | "i8";
/** Parameters: i16 is fixed point with unbiased rounding (Buckwild), within ±16; a run in which one reaches that ends with MODEL_SATURATED. */
export type ParameterType = "f32" | "f64" | "i16";
/** Typed arrays that files and checkpoints hold. */
export type Tensor = Float32Array | Float64Array | Int16Array | Int32Array | Uint32Array;

/** How a run executes; the same object for every algorithm. */
export interface Plan {
  /** Threads. */
  workers: number;
  /** "shared": the workers race on one model (Hogwild). A number: that many copies, averaged; the same answer at any number of workers. */
  replicas: "shared" | number;
  /** "sharded": each replica sees its own rows; "replicated": each sees all. */
  data: "sharded" | "replicated";
  /** Types of the data and of the parameters. */
  precision: { data: ElementType; model: ParameterType };
  /** How rows are picked: uniformly with replacement; each once an epoch in random order; in blocks stored together; as stored. */
  schedule: "replacement" | "shuffled" | "blocks" | "ordered";
  /** Rows of a block, for schedule "blocks". */
  blockRows: number;
  /** Rows an update; "all" is the full gradient. */
  batch: number | "all";
  /** Replicas are averaged every so many epochs (fractions allowed). */
  averageEvery: number;
  /** The plain SIMD build and fixed orders: the same bytes on any machine. */
  deterministic: boolean;
  /** Seed of all random numbers. */
  seed: number;
}

/** A run's bytes: what a checkpoint holds. */
export interface Snapshot {
  /** Arrays by name. */
  tensors: Record<string, Tensor>;
  /** Everything else, as JSON. */
  state: JsonObject;
}

/** What steps of a run did. */
export interface Advance {
  /** Updates made, over all lanes. */
  updates: number;
  /** Σ of the mean losses, each weighted by its rows, and those rows. */
  lossSum: number;
  /** Rows that the losses are of. */
  rows: number;
  /** It stopped within a step that takes long: of that, the losses are what is known so far, and `snapshot` gives what was before it. */
  within?: boolean;
  /** What was measured on rows before they were learnt from, where that is now complete: a tick tells of it. */
  validation?: Record<string, number>;
}

/**
 * A run in progress, as the loop sees it. Time is counted in steps: a step is one update of every lane (worker or replica).
 * The result never depends on how steps are grouped into calls.
 */
export interface Progression {
  /** Steps of one pass over the data. */
  readonly stepsPerEpoch: number;
  /** The most updates that one step makes: lanes. */
  readonly updatesPerStep: number;
  /** Steps made so far. */
  readonly step: number;
  /** Updates made so far, over all lanes. */
  readonly updates: number;
  /**
   * Makes at most `steps` steps, not passing the end of an epoch. Never cut short by a signal, so that what was asked to be kept at its end can be; the work of
   * samplers between transitions takes steps, too, after which a run may be at an earlier one.
   */
  advance(steps: number): Promise<Advance>;
  /** Parameters at the point to be evaluated (an average, where the rule keeps one), without padding conventions: as the problem lays them out. */
  parameters(): Float64Array;
  /** Once the algorithm itself has ended: true, or why, as text. */
  readonly converged: boolean | string;
  /** It ends at a minimum, so that a run of it that ends otherwise says that it has not come there. Absent: it does not. */
  readonly converges?: boolean;
  /** A copy of all that changes. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /** Takes over the state of the optimiser from a snapshot of a run on other data (moments, and how many updates they are of), while counting from 0. */
  adopt?(snapshot: Snapshot): void;
  /** Parts of the run's description that are chosen while it goes. Absent: none. */
  readonly settled?: Promise<JsonObject>;
  /** Numbers worth watching, for ticks. */
  report(): Record<string, number>;
  /** Gives memory back. */
  dispose(): void;
}

/** Some parameters: their first place, how many they are, and what the numbers of files are times them (absent: 1). */
export type ParameterRange = readonly [from: number, count: number, factor?: number];

/** A model bound to a dataset. */
export interface Problem {
  /** The model's name, for errors. */
  readonly name: string;
  /** Rows of data. */
  readonly rowCount: number;
  /** Floats in one copy of the parameters, padding included. */
  readonly parameterCount: number;
  /** Gradients of rows, if the problem offers them. */
  readonly rowGradient?: RowGradient;
  /** Moves along coordinates, if the problem offers them. */
  readonly coordinates?: Coordinates;
  /** Its dual, if the problem offers it. */
  readonly duals?: Duals;
  /** Loss and penalty column by column, if the problem offers them. */
  readonly byColumns?: ColumnTarget;
  /** Its Hessian, if the problem offers it. */
  readonly curvature?: Curvature;
  /** Two sides of factors, if the problem offers them. */
  readonly factors?: Factors;
  /** What 1 of its losses is in the units of the target, in which runs report: problems may rescale the target, so that steps do not go by its unit. Absent: 1. */
  readonly lossUnit?: number;
  /** Why there is no minimum, where a mean loss as small as this one shows it. */
  endless?(loss: number): string | undefined;
  /** Where the parameters start; zeros if absent. */
  readonly start?: Float64Array | undefined;
  /** Its numbers as a file names them: each one or several ranges of the parameters, so that a model can begin from a checkpoint's. Absent: none can. */
  readonly parts?: Readonly<Record<string, readonly ParameterRange[]>>;
  /** Gives memory back. */
  dispose(): void;
}

/** Capability: the mean loss of listed rows and its gradient, as pieces (memory/fields.ts), from a kernel in the table. */
export interface RowGradient {
  /** Derivatives of one row that determine its gradient (its outputs), where it is derivative × row: control variates need this. */
  readonly derivativesPerRow?: number;
  /** Whether rows are sparse. */
  readonly sparse: boolean;
  /** What is added to the mean loss. */
  readonly penalty: Penalty;
  /** Largest curvature of the loss along one row, where known: sup ℓ'' max w‖x‖². SAG's and SAGA's default step sizes use it. */
  readonly smoothness?: number | undefined;
  /** Scratch memory and model block for one lane. `buffered`: single rows, too, give a dense gradient. `outputs`: networks leave them, too, in their parameters' type. */
  bind(lane: { batch: number; buffered: boolean; purpose: string; lane?: number; outputs?: boolean }): LaneBinding;
  /** Probability that a row touches each coordinate, laid out like the parameters; 1 where dense, 0 in padding. */
  readonly density: Float64Array;
  /** Multiplies the step of each coordinate, laid out like the parameters; absent: 1. */
  readonly rates?: Float64Array | undefined;
  /**
   * Numbers at the start of the parameters that gradients are for; absent: all. What follows is state that the model itself updates in place
   * (running statistics) or keeps (frozen layers): copied, averaged and kept with the parameters, but no rule touches it.
   */
  readonly trainedCount?: number;
  /** Gradients draw random numbers, by `updateAt` of a binding: the loss at a point is another one in each update. */
  readonly draws?: boolean;
}

/** Gradients of rows bound to memory for one lane. */
export interface LaneBinding {
  /** Kernels: (model, parameters, rows, count, control, pieces) → mean loss; (model, parameters, rows, count) → mean loss. */
  readonly gradientSlot: number;
  /** In the table: (model, rows, count) → mean loss, without a gradient. */
  readonly objectiveSlot: number;
  /** (model, rows, count) → anything: reads rows ahead of their use. */
  readonly touchSlot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Address of the pieces of a gradient. */
  readonly pieces: number;
  /** Where the objective leaves the outputs of a batch (f64). */
  readonly outputsAt: number;
  /** Address of the f64 by which the model multiplies its parameters. */
  readonly scaleAt: number;
  /** What the pieces hold. */
  readonly piece: { type: ElementType; indexed: boolean };
  /** Address of an f64 that takes the lane's number of each update, where the model draws random numbers by it. */
  readonly updateAt?: number;
  /** Gives memory back. */
  dispose(): void;
}

/** Capability: F(x) = f(x) + Σ_b φ_b(x_b), f smooth, moved one coordinate or block at a time. */
export interface Coordinates {
  /** Numbers in x. */
  readonly count: number;
  /** Coordinates that are moved together; absent: each is a block of its own. */
  readonly blocks?: readonly (readonly number[])[];
  /** Partial derivatives can be estimated on some of the problem's rows. */
  readonly estimates?: boolean;
  /** At the problem's start. */
  open(plan: Plan, engine: Engine): CoordinateState;
}

/** A point x, and whatever makes its moves cheap (the outputs or residuals at x). */
export interface CoordinateState {
  /** L_b > 0: a bound on f's curvature along each block, where known. Steps of 1/L_b and picks by importance need it. */
  readonly curvature?: Float64Array;
  /** F(x). */
  value(): number;
  /** Moves the listed blocks, one after another. */
  move(blocks: Uint32Array, how: CoordinateMove): void;
  /** Where the model can keep a second vector alongside x: accelerated descent needs it. */
  readonly companion?: Companion;
  /** By block, how far 0 is from the subdifferential of F: 0 at a minimum. A pass over all data. */
  violations(): Float64Array;
  /** A certificate, where the model knows its dual. */
  gap?(): Gap;
  /** A copy of x. */
  point(): Float64Array;
  /** Moves to another point. */
  moveTo(x: Float64Array): void;
  /** x as the problem lays out its parameters. */
  parameters(): Float64Array;
  /** Enough to resume bit for bit, the companion's vector too. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /** Gives memory back. */
  dispose(): void;
}

/** How blocks are moved. */
export interface CoordinateMove {
  /** To the minimum along the block (closed form, or a safeguarded one-dimensional Newton), or prox of a step of 1/L_b along the partial derivative. */
  step: "exact" | "lipschitz";
  /** The partial derivative is estimated on random rows instead, and the step of move k is rates[k]/L_b; its draws are those of update first + k. */
  estimate?: { rows: number; rates: Float64Array; stream: Stream; first: number };
}

/** A second vector u, laid out like x, 0 when the state is opened or moved to a point; all else that a state says is of x alone. */
export interface Companion {
  /** Block by block: x_b moves by t, the prox of a step of steps[k]/L_b along f's partial derivative at x + scales[k] u; then u_b moves by ratios[k] t. */
  move(blocks: Uint32Array, how: { scales: Float64Array; steps: Float64Array; ratios: Float64Array }): void;
  /** x ← x + scale u, u ← 0. */
  merge(scale: number): void;
}

/** primal − dual ≥ primal − minimum, whatever the point; `relative` to the objective's size at the null model. */
export interface Gap {
  /** The objective. */
  primal: number;
  /** A lower bound of the minimum. */
  dual: number;
  /** primal − dual, relative to the objective's size. */
  relative: number;
}

/** Capability: F(P, Q) over users' rows P and items' rows Q, quadratic in either with the other held: rows of a side are minimised independently. */
export interface Factors {
  /** By side (users, items): u32[rows + 1], the number of ratings before each row. */
  readonly ratingStart: readonly [Uint32Array, Uint32Array];
  /** Memory for both sides. `residuals`: one f64 a rating, kept on each side, for updates by components. */
  bind(options: { residuals: boolean; purpose: string }): FactorBinding;
}

/** Factors bound to memory. */
export interface FactorBinding {
  /** By side: the block that its kernels take, and the stored rows. */
  readonly blocks: readonly [number, number];
  /** By side: stored rows. */
  readonly rows: readonly [number, number];
  /** Numbers in a stored row, padding included, and their type. */
  readonly stride: number;
  /** Type of the stored numbers. */
  readonly type: "f32" | "f64";
  /** (block, scratch, from, to) → rows without a solution: rows [from, to) to their minimum. */
  readonly solveSlot: number;
  /** (block, scratch, from, to, inner) → 0: the same rows, `inner` rounds of one coordinate after another. */
  readonly sweepSlot: number;
  /** (block, from, to, loss) → the penalty of rows [from, to), and with loss = 1 the loss of their ratings. Writes residuals. */
  readonly objectiveSlot: number;
  /** (block, component, parts of the pass, from, to) → 0; absent where every cell counts. Parts: 1 open, 2 update, 4 close (kernels/learning/factors.ts). */
  readonly componentSlot?: number;
  /** Components of a row: its factors, and the bias. */
  readonly components: readonly number[];
  /** (block, from, to, target) → 0: Σ p pᵀ over the side's own rows, lower triangle, f64[stride²]; absent where only rated cells count. */
  readonly gramSlot?: number;
  /** By side: where its block expects the other side's Σ q qᵀ, both triangles. */
  readonly grams?: readonly [number, number];
  /** By side, or 0: f64[ratings]. */
  readonly residuals: readonly [number, number];
  /** Bytes of scratch memory for each lane. */
  readonly scratchBytes: number;
  /** Parameters as the problem lays them out. */
  load(parameters: Float64Array): void;
  /** Parameters as the problem lays them out; a copy. */
  parameters(): Float64Array;
  /** Gives memory back. */
  dispose(): void;
}

/** Capability: the dual of F(p) = mean_i w_i ℓ_i(x_i·p) + l2/2 ‖p‖² over one number β_i a row, p = Σ_i β_i x_i; one problem an output. */
export interface Duals {
  /**
   * Memory, and what fills it, which may have to be loaded first. The intercept is the weight of a column of `interceptScaling`s, and penalised.
   * @throws CapabilityError where loss or penalty has no such dual
   */
  bind(options: { interceptScaling: number; deterministic: boolean }): Promise<DualBinding>;
}

/** Dual variables bound to memory. */
export interface DualBinding {
  /** By output a DUAL block (learning/fields.ts): rows, targets and the loss, for kernels/learning/dual.ts. */
  readonly outputs: readonly number[];
  /** Strength of the L2 penalty. */
  readonly l2: number;
  /** ‖p‖² = Σ_j weight_j p_j² over one output's parameters, padding and all, as the problem lays them out. */
  readonly normWeights: Float64Array;
  /** True where the dual also keeps log(α/(C − α)), α = |β|. */
  readonly interior: boolean;
  /** Fills in where the ascent of an output starts. */
  start(output: number, betas: Float64Array, logits: Float64Array): void;
  /** Gives memory back. */
  dispose(): void;
}

/** Capability: F = Σ_i c_i ℓ(z_i, y_i) + penalty, z_k = X β_k + b_k for each output k, column by column. */
export interface ColumnTarget {
  /** Rows of data. */
  readonly rowCount: number;
  /** Columns of data. */
  readonly columnCount: number;
  /** Outputs z per row. */
  readonly outputs: number;
  /** Whether there is an intercept. */
  readonly intercept: boolean;
  /** β ≥ 0. */
  readonly nonNegative: boolean;
  /** What is added to the loss. */
  readonly penalty: Penalty;
  /** c: the rows' weights in the mean. */
  readonly rowWeights: Float64Array;
  /** What a stored intercept's parameter is multiplied with: nearly 1 for data of 8 and 16 bits. */
  readonly one: number;
  /** A quadratic loss of curvature c. */
  readonly quadratic: boolean;
  /** sup ∂²ℓ/∂z², where bounded. */
  readonly curvature?: number;
  /** Outputs share one loss, so that each one's slopes depend on all. */
  readonly joint: boolean;
  /** With row weights of its own: folds of cross-validation are rows of weight 0. */
  bind(rowWeights: Float64Array): ColumnBinding;
}

/** Addresses; arrays over rows are f64[outputs][rows]. */
export interface ColumnBinding {
  /** COLUMNS block (memory/fields.ts), and the slots of kernels/learning/columns.ts on its format. */
  readonly columns: number;
  /** Stored numbers of all columns. */
  readonly entryCount: number;
  /** Slots of kernels/learning/columns.ts on the columns' format; `products` is 0 where they are dense. */
  readonly slots: Readonly<Record<"dot" | "add" | "addWeighted" | "spread" | "products", number>>;
  /** Address of the outputs. */
  readonly z: number;
  /** Address of c ∂ℓ/∂z. */
  readonly slopes: number;
  /** Address of c ∂²ℓ/∂z². */
  readonly curvatures: number;
  /** f64[rows]: c. */
  readonly weights: number;
  /** Fill slopes c ∂ℓ/∂z and curvatures c ∂²ℓ/∂z² from z, one call an output, or one in all where the loss is joint; then `loss()` is Σ c ℓ. */
  readonly evaluation: readonly Call[];
  /** Σ c ℓ of the last evaluation. */
  loss(): number;
  /** A kernel, called on this thread: for what is less than a call to a worker. */
  here(kernel: string): (...args: number[]) => number;
  /** Σ c ℓ*(−α v/c) over the rows of v = −slopes, f64[outputs][rows] at `v`; absent where the loss states no conjugate. */
  readonly conjugate?: { calls(v: number, alpha: number): readonly Call[]; value(results: readonly number[]): number };
  /** Gives memory back. */
  dispose(): void;
}

/** Capability: the mean loss, penalties apart, with its gradient and Hessian, where parameters fall into parts that share no curvature. */
export interface Curvature {
  /** Memory, and what fills it, which may be loaded first. @throws CapabilityError where this loss has no Hessian */
  bind(): Promise<CurvatureBinding>;
}

/** Of parameters that share curvature: the loss, its gradient, and the lower triangle of its Hessian, rows `width` numbers apart. To be read at once. */
export interface Curved {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

/** The loss and its Hessian, bound to memory. What takes long yields every few milliseconds. */
export interface CurvatureBinding {
  /** Parameters that share curvature, side by side. */
  readonly parts: readonly { readonly first: number; readonly count: number }[];
  /** Of a Hessian's rows; at least the largest part's count. */
  readonly width: number;
  /** The mean loss at x, of all parts. What it has found out is kept for `at` of the same x, to the same bits. */
  value(x: Float64Array): Generator<void, number>;
  /** Part k's share of the mean loss at x, its gradient, and its Hessian. */
  at(x: Float64Array, k: number): Generator<void, Curved>;
  /** Gives memory back. */
  dispose(): void;
}

/**
 * Capability: log p(u) in nats, up to a constant, over unconstrained numbers u, and its gradient: what samplers, mode finders and variational
 * approximations move on.
 */
export interface LogDensity {
  /** Numbers in u. */
  readonly dimension: number;
  /** false: bindings write no gradient (a plain function without one). */
  readonly hasGradient?: boolean;
  /** true: evaluations run on the calling thread alone (a function of JavaScript). */
  readonly onThisThread?: boolean;
  /** Where the numbers of each parameter are in u, if parameters have names. */
  readonly parameters?: readonly ParameterPlace[];
  /** Coordinates of u that hold integers: low … high, which may be infinite. Gradients are 0 there. */
  readonly discrete?: readonly DiscretePlace[];
  /** Values by name at u, and u of the parameters' values. */
  constrain?(u: ArrayLike<number>): Record<string, Float64Array>;
  /** u of the parameters' values. */
  unconstrain?(values: Readonly<Record<string, number | ArrayLike<number>>>): Float64Array;
  /** Memory for one lane: bindings of different lanes may run at the same time. `gradient: false`: none is wanted, which may be cheaper. */
  bind(options: BindOptions): DensityBinding;
  /** Prior and likelihood apart, where they are known. */
  bindTempered?(options: BindOptions): TemperedBinding;
  /** false: the likelihood is the same everywhere, so that powers of it are no help. */
  readonly hasLikelihood?: boolean;
  /** u drawn from the prior, where there is one. @throws CapabilityError */
  drawPrior?(draws: Draws): Float64Array;
  /** A starting point: u of each parameter from its prior, or uniform in (−2, 2) if it has none that is proper. Absent: there are no priors. */
  drawStart?(draws: Draws): Float64Array;
  /** Which part of it is not finite at these points, as text: for a start that fails. */
  explain?(points: readonly Float64Array[]): string | undefined;
  /** Estimates on some rows of the data, if `rows` named the size that counts them. */
  readonly minibatches?: Minibatches;
}

/** Capability of a log density: ℓ_B(u) = log prior(u) + N/n Σ_{i in B} log likelihood of row i, whose mean over random rows is ℓ(u). */
export interface Minibatches {
  /** N. */
  readonly rowCount: number;
  /** Memory for one lane. `batch`: n, from 1 to N. */
  bind(options: BindOptions & { batch: number }): MinibatchBinding;
}

/** Evaluations are those of a DensityBinding, on the rows that were last gathered. */
export interface MinibatchBinding extends DensityBinding {
  /** Address of u32[n]: the rows to gather, which may repeat. Rows are numbered in a random order: those that follow each other are as good as any. */
  readonly rows: number;
  /** In the table: (block) → anything; brings the rows to where the evaluations read them. */
  readonly gatherSlot: number;
  /** The block that `gatherSlot` takes. */
  readonly gatherBlock: number;
}

/** Where a parameter's numbers are in u. */
export interface ParameterPlace {
  /** The parameter's name. */
  readonly name: string;
  /** Its first number in u. */
  readonly offset: number;
  /** Its numbers in u. */
  readonly size: number;
}

/** The place of a discrete parameter, with its least and greatest value. */
export interface DiscretePlace extends ParameterPlace {
  /** The least value, which may be −∞. */
  readonly low: number;
  /** The greatest value, which may be ∞. */
  readonly high: number;
}

/** How memory is bound for one lane. */
export interface BindOptions {
  /** Number of the lane, from 0: those of different lanes may run at the same time. */
  lane: number;
  /** What the memory is for, for errors. */
  purpose: string;
  /** false: no gradient is wanted, which may be cheaper. Default true. */
  gradient?: boolean;
}

/** A log density bound to memory: a function in the engine's table. */
export interface DensityBinding {
  /** In the table: (model u32, x u32 → f64[dimension], gradient u32 → f64[dimension], written unless not wanted) → f64, the log density at x. */
  readonly slot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Gives memory back. */
  dispose(): void;
}

/** log p_β(u) = log prior(u) + β log likelihood(u), log |J| counted with the prior. */
export interface TemperedBinding extends DensityBinding {
  /** Address of β, f64: read at each evaluation. */
  readonly power: number;
  /** Address of the log likelihood, f64: written at each evaluation. */
  readonly likelihood: number;
}

/** Added to the mean loss: l1 Σ w_j|p_j| + l2/2 Σ w_j p_j² + group Σ_g √|g| ‖p_g‖. */
export interface Penalty {
  /** Strength of Σ w|p|. */
  l1: number;
  /** Strength of Σ w p²/2. */
  l2: number;
  /** Strength of Σ_g √|g| ‖p_g‖. */
  group: number;
  /** w, laid out like the parameters; 0 for the intercept and padding. */
  weights: Float64Array;
  /** Columns of each group. */
  groups: number[][];
  /** Coefficients must not be negative. */
  nonNegative: boolean;
  /** Vectors of parameters, one after another. */
  outputs: number;
  /** Floats of one such vector. */
  stride: number;
}

/**
 * Capability: p(x) ∝ Π_f φ_f(x_f) over discrete variables, each factor a table: what elimination, message passing and searches over states work on.
 */
export interface FactorTables {
  /** By variable, the number of its states, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /** The first so many variables are the model's own. Those that follow were added to keep tables small, and are summed out. */
  readonly variableCount: number;
  /** Each with its scope and values. */
  readonly factors: readonly TableFactor[];
  /** By variable, the state that was observed, or −1. */
  readonly observed: Int32Array;
  /** By number, the weights that the tables were made with. */
  readonly weightValues?: Float64Array;
  /** The variable's name, for errors and answers. */
  name(variable: number): string;
  /** What a state is called. */
  state(variable: number, state: number): string;
}

/** A factor φ(x) ≥ 0 as a table. */
export interface TableFactor {
  /** Different variables, in any order. */
  readonly scope: ArrayLike<number>;
  /** φ by the states of the scope, the last variable fastest; finite and ≥ 0. */
  readonly values: Float64Array;
  /** The values are ln φ instead, at most finite, with −∞ for 0: what would overflow otherwise. */
  readonly logs?: boolean;
}

/**
 * Capability: ln p(x) = Σ_f θ_f g_f(x_f) − ln Z over discrete variables, in columns, however many there are: what samplers that change one variable after
 * another work on. θ_f: the factor's weight times its feature; g_f: a shape, which factors share.
 */
export interface Conditionals {
  /** By variable, the number of its states, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /** The first so many variables are the model's own; those that follow are summed out. */
  readonly variableCount: number;
  /** By variable, the state that was observed, or −1. */
  readonly observed: Int32Array;
  /** By variable that was not observed, probabilities of its states that a label gives: for learning alone. */
  readonly labels?: ReadonlyMap<number, Float64Array>;
  /** By factor, where its edges end; they begin where those of the factor before end. */
  readonly ends: Uint32Array;
  /** By edge, its variable; a factor's are different. */
  readonly variables: Uint32Array;
  /** By edge, the state that satisfies its literal: of counting shapes. */
  readonly literals: Uint32Array;
  /** By factor, the numbers of its shape and of its weight; −1: a weight of 1, which nobody learns. */
  readonly shapes: Uint32Array;
  readonly weights: Int32Array;
  /** By factor; absent: all 1. */
  readonly features?: Float64Array;
  /** By weight, its value, and 1 where learning leaves it as it is. */
  readonly weightValues: Float64Array;
  readonly weightFixed: Uint8Array;
  /** By shape, where its values begin, and a last entry for where all end. */
  readonly shapeBegins: Uint32Array;
  /**
   * By shape, 1: g is by how many literals of the body hold, all but the last one, the head's: values [2][literals of the body + 1], by whether the
   * head holds; 0: by the states of the factor's variables, the last fastest.
   */
  readonly counting: Uint8Array;
  /** g; −∞ where the product of the factors is 0, of factors without a weight. */
  readonly shapeValues: Float64Array;
  /** The variable's name, for errors and answers. */
  name(variable: number): string;
  /** What a state is called. */
  state(variable: number, state: number): string;
}

/** What is known of how far an answer is from the truth. Of marginals, lists have an entry for each state. */
export type Certificate =
  /** Right up to rounding. */
  | { readonly exact: true }
  /** Proved: the truth is not outside. */
  | { readonly lower: number | readonly number[]; readonly upper: number | readonly number[] }
  /** The truth is outside with a probability of at most 1 − level. */
  | { readonly interval: readonly [number, number] | readonly (readonly [number, number])[]; readonly level: number }
  /** Of chains: Monte Carlo standard errors, R̂ and the effective sample size. */
  | { readonly mcse: readonly number[]; readonly rhat: number; readonly ess: number }
  /** Of importance weights: the shape of their tail by PSIS, and the effective sample size. */
  | { readonly khat: number; readonly ess: number }
  /** No guarantee, and why. */
  | { readonly none: string };

/** Where the chains of a run ended, and how much they vary: another run, also on the graph as it has grown since, may begin there. */
export interface EndedChains {
  /** By chain, the states of variables; −1: unknown. */
  readonly states: readonly Int16Array[];
  /** By variable, the variance of a mean times its draws, the largest of its states; NaN: unknown. */
  readonly variances: Float64Array;
  /** By variable, how many states it has in the graph that they are of. Absent in older answers. */
  readonly cardinalities?: Uint32Array;
  /** Sweeps of each chain, from the first on, and those that variances are from. */
  readonly sweeps: number;
  readonly kept: number;
}

/** Parts of plan and stopping that suit an algorithm. */
export interface AlgorithmDefaults {
  /** Rows per update. */
  batch?: number | "all";
  /** Order of rows. */
  schedule?: Plan["schedule"];
  /** The algorithm computes in this type whatever the type of the data. */
  precision?: "f64";
  /** Passes over the data. */
  epochs?: number;
  /** Gradients of everything are estimates by draws, so that replicas and racing workers have something to share: `batch: "all"` does not exclude them. */
  draws?: boolean;
}

/** HOW a model is updated. */
export interface Algorithm {
  /** The algorithm's name, as its JSON has it. */
  readonly name: string;
  /** The verb that it is for. */
  readonly verb: "fit";
  /** JSON from which the registry makes the same algorithm again. */
  toJSON(): JsonObject;
  /** What holds where the user says nothing. */
  readonly defaults?: AlgorithmDefaults;
  /** Of the kernels that it and what it needs of problems call. Default: "training" and "coordinate". */
  readonly families?: readonly Family[];
  /** Whether it begins where the problem says. Absent: where it likes, as algorithms do that find a minimum from anywhere. */
  readonly takesStart?: boolean;
  /** Throws CapabilityError when the problem does not offer what is needed or the plan has no meaning for it. A promise where code is loaded for it. */
  start(problem: Problem, plan: Plan, engine: Engine): Progression | Promise<Progression>;
}

/** What a run reports while it goes: `for await (const tick of fit(…))`. */
export interface Tick {
  /** Updates made so far. */
  update: number;
  /** Passes over the data so far, with fractions. */
  epoch: number;
  /** Seconds of training so far, without set-up and validation. */
  seconds: number;
  /** Updates per second since the last tick. */
  updatesPerSecond: number;
  /** Mean training loss over the updates since the last tick, each measured before its update. */
  loss: number;
  /** Numbers measured on held-out rows, where this tick has any. */
  validation?: Record<string, number>;
  /** What the algorithm reports, e.g. its rate. */
  [name: string]: number | Record<string, number> | undefined;
}

/**
 * From a model's outputs z to predictions.
 *
 * "identity" z; "exp" eᶻ (a count's mean); "sigmoid" 1/(1+e⁻ᶻ) of one output; "softmax" over several; "sign": the class alone, no
 * probability (margins are passed on as they are); "sigmoidNormalised": one-against-rest probabilities, scaled to sum to 1.
 */
export type Link = "identity" | "exp" | "sigmoid" | "softmax" | "sign" | "sigmoidNormalised";

/** What is predicted: the name of a class, a number, a number >= 0. All three where the compiler does not know it. */
export type PredictionKind = "class" | "number" | "count";

/** A trained model as plain data: what a file holds and what predict/ reads. `kind` names the predictor. */
export interface SavedModel {
  /** The kind of predictor: "linear", "network", "factorisation". */
  kind: string;
  /** Everything but the numbers. */
  description: JsonObject;
  /** The numbers, by name. */
  tensors: Record<string, Tensor>;
}

/** Data made for one run; `dispose` gives back what was made in addition to the user's own. */
export interface Prepared<D> extends Disposable {
  /** The data as the model sees them. */
  readonly dataset: D;
  /** Gives back what was made in addition to the user's own. */
  dispose(): void;
}

/** WHAT is updated. `D`: its data. */
export interface Model<D = unknown> {
  /** The model's kind, e.g. "linear". */
  readonly name: string;
  /** JSON from which the registry makes the same model again. */
  toJSON(): JsonObject;
  /** The data as the model sees them: standardised, mapped, numbers in the plan's type. */
  prepare(data: D, plan: Plan): Prepared<D>;
  /** The model on prepared data, as a problem for algorithms. */
  bind(prepared: D, plan: Plan, engine: Engine): Problem;
  /** The trained model as plain data; `parameters` as the problem lays them out. */
  save(prepared: D, parameters: Float64Array): SavedModel;
  /** The same model, whose problems start at another one's numbers, on data prepared as that one's were. Absent: such models begin anew. */
  startingAt?(beginning: Beginning): Model<D>;
}

/** What a model takes over from one that was trained before. */
export interface Beginning {
  /** Of that one: how raw rows became its columns and targets; as `SavedModel` or a checkpoint has it. Absent where numbers alone were given. */
  readonly description?: JsonObject | undefined;
  /** Its numbers: by name, as a file has them, or in the order that `fit` documents. Absent: none. */
  readonly numbers?: { readonly tensors: SavedModel["tensors"] } | { readonly vector: Float64Array } | undefined;
  /** Parts that begin anew, by their paths. */
  readonly reset: readonly string[];
}
