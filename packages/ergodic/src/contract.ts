/**
 * The types that every part shares. Data flows one way: data → (model × algorithm) → loop → predict.
 *
 * A model, bound to data, is a `Problem` that *offers* capabilities (today: gradients of rows). An algorithm *needs* some and turns a
 * problem into a `Progression`: something that the loop can advance, watch, keep and resume without knowing what it is.
 */
import type { Engine } from "./host/engine.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type ElementType = "f32" | "f64" | "i16" | "i8";
/** Parameters: i16 is fixed point with unbiased rounding (Buckwild), within ±16; a run in which one reaches that ends with MODEL_SATURATED. */
export type ParameterType = "f32" | "f64" | "i16";
export type Tensor = Float32Array | Float64Array | Int16Array | Int32Array | Uint32Array;

/** How a run executes; the same object for every algorithm. */
export interface Plan {
  /** Threads. */
  workers: number;
  /** "shared": the workers race on one model (Hogwild). A number: that many copies, averaged; the same answer at any number of workers. */
  replicas: "shared" | number;
  /** "sharded": each replica sees its own rows; "replicated": each sees all. */
  data: "sharded" | "replicated";
  precision: { data: ElementType; model: ParameterType };
  /** How rows are picked: uniformly with replacement; each once an epoch in random order; in blocks stored together; as stored. */
  schedule: "replacement" | "shuffled" | "blocks" | "ordered";
  blockRows: number;
  /** Rows an update; "all" is the full gradient. */
  batch: number | "all";
  /** Replicas are averaged every so many epochs (fractions allowed). */
  averageEvery: number;
  /** The plain SIMD build and fixed orders: the same bytes on any machine. */
  deterministic: boolean;
  seed: number;
}

/** A run's bytes: what a checkpoint holds. */
export interface Snapshot {
  tensors: Record<string, Tensor>;
  state: JsonObject;
}

export interface Advance {
  /** Updates made, over all lanes. */
  updates: number;
  /** Σ of the mean losses, each weighted by its rows, and those rows. */
  lossSum: number;
  rows: number;
}

/**
 * A run in progress, as the loop sees it. Time is counted in steps: a step is one update of every lane (worker or replica).
 * The result never depends on how steps are grouped into calls.
 */
export interface Progression {
  readonly stepsPerEpoch: number;
  /** The most updates that one step makes: lanes. */
  readonly updatesPerStep: number;
  readonly step: number;
  /** Updates made so far, over all lanes. */
  readonly updates: number;
  /** Makes at most `steps` steps, not passing the end of an epoch. Never cut short, so that what was asked to be kept at its end can be. */
  advance(steps: number): Promise<Advance>;
  /** Parameters at the point to be evaluated (an average, where the rule keeps one), without padding conventions: as the problem lays them out. */
  parameters(): Float64Array;
  /** True once the algorithm itself has converged. */
  readonly converged: boolean;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  /** Numbers worth watching, for ticks. */
  report(): Record<string, number>;
  dispose(): void;
}

/** A model bound to a dataset. */
export interface Problem {
  readonly name: string;
  readonly rowCount: number;
  /** Floats in one copy of the parameters, padding included. */
  readonly parameterCount: number;
  readonly rowGradient?: RowGradient;
  /** Where the parameters start; zeros if absent. */
  readonly start?: Float64Array;
  dispose(): void;
}

/** Capability: the mean loss of listed rows and its gradient, as pieces (host/fields.ts), from a kernel in the table. */
export interface RowGradient {
  /** Derivatives of one row that determine its gradient (its outputs), where it is derivative × row: control variates need this. */
  readonly derivativesPerRow?: number;
  readonly sparse: boolean;
  readonly penalty: Penalty;
  /** Largest curvature of the loss along one row, where known: sup ℓ'' max w‖x‖². SAG's and SAGA's default step sizes use it. */
  readonly smoothness?: number;
  /** Scratch memory and model block for one lane. `buffered`: single rows, too, give a dense gradient. */
  bind(lane: { batch: number; buffered: boolean; purpose: string }): LaneBinding;
  /** Probability that a row touches each coordinate, laid out like the parameters; 1 where dense, 0 in padding. */
  readonly density: Float64Array;
}

export interface LaneBinding {
  /** Kernels: (model, parameters, rows, count, control, pieces) → mean loss; (model, parameters, rows, count) → mean loss. */
  readonly gradientSlot: number;
  readonly objectiveSlot: number;
  /** (model, rows, count) → anything: reads rows ahead of their use. */
  readonly touchSlot: number;
  readonly model: number;
  readonly pieces: number;
  /** Where the objective leaves the outputs of a batch (f64). */
  readonly outputsAt: number;
  /** Address of the f64 by which the model multiplies its parameters. */
  readonly scaleAt: number;
  /** What the pieces hold. */
  readonly piece: { type: ElementType; indexed: boolean };
  dispose(): void;
}

/** Added to the mean loss: l1 Σ w_j|p_j| + l2/2 Σ w_j p_j² + group Σ_g √|g| ‖p_g‖. */
export interface Penalty {
  l1: number;
  l2: number;
  group: number;
  /** w, laid out like the parameters; 0 for the intercept and padding. */
  weights: Float64Array;
  /** Columns of each group. */
  groups: number[][];
  outputs: number;
  stride: number;
}

/** HOW a model is updated. */
export interface Algorithm {
  readonly name: string;
  /** JSON from which the registry makes the same algorithm again. */
  toJson(): JsonObject;
  /** Throws CapabilityError when the problem does not offer what is needed or the plan has no meaning for it. */
  start(problem: Problem, plan: Plan, engine: Engine): Progression;
}

export interface Tick {
  update: number;
  epoch: number;
  /** Seconds of training so far, without set-up and validation. */
  seconds: number;
  updatesPerSecond: number;
  /** Mean training loss over the updates since the last tick, each measured before its update. */
  loss: number;
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
  kind: string;
  description: JsonObject;
  tensors: Record<string, Tensor>;
}

/** WHAT is updated. */
export interface Model {
  readonly name: string;
  /** JSON from which the registry makes the same model again. */
  toJson(): JsonObject;
}
