/** What a model's function is given, and what is known of a model once it has run. */

import type { WatchedSolution } from "../../engine/compiler/array/operations/ode/watch.ts";
import type { ArrayLikeOperand, Shape, SymbolicArray } from "../../engine/compiler/index.ts";
import type { Distribution } from "../distributions/index.ts";
import type { Transform } from "../transforms/index.ts";
import type { ParameterConstraint } from "./constraints.ts";
import type { DataField, DataFields, DataOf, Extent, ModelData, ReadField } from "./fields.ts";
import type { Marginal, States, StateTerms } from "./marginalise.ts";
import type { NonCentred } from "./non-centred.ts";

/** Options of `param` in a model. */
export interface ParameterOptions {
  /**
   * Extents: numbers or names of sizes. With a distribution of vectors or matrices those in front of one value's; else the whole shape. Default:
   * what the distribution's parameters broadcast to.
   */
  readonly shape?: Extent | readonly Extent[];
  /**
   * false: the parameter is location + scale · z, with z of the standard distribution, which samples better with little data.
   * Default true.
   */
  readonly centred?: boolean;
  /** A lower bound, or several, narrower than the distribution's support. The density is not scaled up for what is cut off. */
  readonly lower?: ArrayLikeOperand;
  /** An upper bound, or several, narrower than the distribution's support. The density is not scaled up for what is cut off. */
  readonly upper?: ArrayLikeOperand;
  /** A constraint by its word, e.g. "positive" or "ordered", narrower than the distribution's support. */
  readonly constraint?: ParameterConstraint;
}

type ObservedValue = SymbolicArray | number;

/** Options of `marginalise` in a model. */
export interface MarginaliseOptions {
  /** What the terms are the distributions of; several by name or in a list, if the terms are such too. Needed where terms are distributions. */
  readonly value?: ObservedValue | readonly ObservedValue[] | Readonly<Record<string, ObservedValue>>;
  /** Name of the pointwise log densities, and of predictive draws of `value`; of several values of the log densities alone. */
  readonly name?: string;
}

/** What a model's function is given. */
export interface ModelContext extends ModelTools {
  /** Data by name: arrays are symbolic, single numbers are numbers. */
  data<const F extends DataFields>(fields: F): DataOf<F>;
}

/** What a model's function describes parameters, observations and quantities with. */
export interface ModelTools {
  /** The extent of that name. */
  size(name: string): number;
  /**
   * A parameter with a prior, or with a constraint alone: a flat prior on the constrained scale. One with a prior of whole
   * numbers is discrete: it may index arrays by `take`, and is drawn by Gibbs steps.
   */
  param(name: string, prior: Distribution | ParameterConstraint, options?: ParameterOptions): SymbolicArray;
  /** Adds log p(value). `name` is that of its predictive draws; default: the data's. */
  observe(value: SymbolicArray | number | ArrayLike<number>, distribution: Distribution, name?: string): void;
  /**
   * Adds log Σ_k P(k) p(· | k), a discrete latent variable summed out (marginalise.ts): `terms` gives log p(· | k), or with `value` its distribution.
   * Part of the likelihood; `name` is that of its pointwise log densities, and of predictive draws of `value`.
   */
  marginalise(states: States, terms: StateTerms, options?: MarginaliseOptions): Marginal;
  /** A function of parameters that draws report, and the rest of the model may use. */
  transformed(name: string, value: SymbolicArray): SymbolicArray;
  /** A quantity of each draw: a function of parameters, or a draw of a distribution. */
  generated(name: string, value: SymbolicArray | Distribution): void;
  /** Adds the sum of a term in nats to the log density. Where prior and likelihood are separated, it counts with the prior. */
  target(term: SymbolicArray): void;
}

export interface TracedParameter {
  readonly name: string;
  readonly shape: Shape;
  readonly value: SymbolicArray;
  readonly prior: Distribution | undefined;
  readonly transform: Transform;
  readonly nonCentred: NonCentred | undefined;
  /** The input of the unconstrained numbers, and their place in u. */
  readonly unconstrained: SymbolicArray;
  readonly offset: number;
  /** Whether its constraint is narrower than its prior's support. */
  readonly narrowed: boolean;
  readonly bounds: { readonly low?: SymbolicArray; readonly high?: SymbolicArray } | undefined;
  /** Of integers, which stand in u as they are: the bounds that hold whatever the other parameters are. */
  readonly discrete: { readonly low: number; readonly high: number } | undefined;
}

export interface TracedQuantity {
  readonly name: string;
  readonly kind: "transformed" | "generated";
  readonly value: SymbolicArray;
}

export interface TracedDraw {
  readonly name: string;
  readonly shape: Shape;
  readonly distribution: Pick<Distribution, "sampler">;
  readonly batch: Shape;
}

/** What was observed, and draws values like it. */
export interface TracedReplicate extends TracedDraw {
  readonly value: SymbolicArray;
}

/** What was observed, with its log densities one by one. `chained`: each given those before it, as of a hidden Markov chain. */
export interface TracedObservation extends TracedReplicate {
  readonly pointwise: SymbolicArray;
  readonly chained: boolean;
}

/** A part of the log density, one by one: what is asked where no start is finite. */
export interface TracedTerm {
  readonly kind: "param" | "observe" | "marginalise" | "target";
  readonly name: string;
  readonly density: SymbolicArray;
  readonly distribution?: Distribution;
  /** What it is the density of. */
  readonly value?: SymbolicArray;
}

/** What draws report of a model that says so itself: an array, and the names of what stands in it, one after another. */
export interface TracedReport {
  readonly places: readonly { readonly name: string; readonly shape: Shape }[];
  readonly kind: "parameter" | "transformed" | "generated";
  readonly value: SymbolicArray;
}

/** Rows of a model that reads them itself. */
export interface TracedNewRows {
  /** What a row must have. */
  readonly columns: readonly string[];
  /** Those of them that were texts. */
  readonly texts: readonly string[];
  /** The model's function on rows that it may not know. It may have parameters behind the model's own, not centred, which are drawn from their priors. */
  again(data: ModelData): TracedModel;
  /** Numbers of a row by field. @throws DataError */
  numbers(row: unknown, where: string): Readonly<Record<string, Float64Array>>;
  /** Names of the levels of what is observed, by its name: of numbers that are places in a list. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
}

/** Indices, and of how many places the operation `where` takes those that they name. */
export interface TracedIndices {
  readonly where: string;
  readonly indices: SymbolicArray;
  readonly extent: number;
}

export interface TracedModel {
  readonly dimension: number;
  readonly parameters: readonly TracedParameter[];
  readonly quantities: readonly TracedQuantity[];
  readonly observed: readonly TracedObservation[];
  /** What was observed, in the order in which it must be drawn: values that share a log density included. */
  readonly replicated: readonly TracedReplicate[];
  /** Summed-out terms that are of no one distribution, or of several values at once, one by one. */
  readonly marginal: readonly Pick<TracedObservation, "name" | "pointwise" | "chained">[];
  /** Generated ones that are drawn. */
  readonly drawn: readonly TracedDraw[];
  /** Whether target() was used: the prior is not only that of the parameters. */
  readonly hasTarget: boolean;
  /** Of the unconstrained numbers, log |J| of all transforms included. */
  readonly logDensity: SymbolicArray;
  /** Its parts: priors, `target` terms and log |J|; what is observed. */
  readonly logPrior: SymbolicArray;
  readonly logLikelihood: SymbolicArray;
  /** Of the constrained values: without any log |J|. */
  readonly logDensityOfValues: SymbolicArray;
  /** In the order of the model. */
  readonly terms: readonly TracedTerm[];
  /** What is probably not meant. */
  readonly hints: readonly Hint[];
  readonly data: ReadonlyMap<string, Float64Array>;
  /** What the model asked for of its data, and what it was given. */
  readonly fields: ReadonlyMap<string, DataField & ReadField>;
  /** Indices that are no constants. */
  readonly taken: readonly TracedIndices[];
  /** Of differential equations. */
  readonly solutions: readonly WatchedSolution[];
  /** Single numbers among the data, which may be sizes. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The same function on other data. */
  again(data: ModelData): TracedModel;
  /** What draws report, in the place of all parameters and quantities. */
  readonly reports?: readonly TracedReport[];
  /** How new rows are read. Default: by the fields of data. */
  readonly newRows?: TracedNewRows;
}

export interface Hint {
  readonly code: "jacobian" | "observedParameter" | "unbounded";
  /** What was found, with the line. */
  readonly text: string;
  readonly advice: string;
}
