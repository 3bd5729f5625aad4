/** Tools that a model's function receives, and the result of tracing it. */

import type { WatchedSolution } from "../../engine/compiler/array/operations/ode/watch.ts";
import type { ArrayLikeOperand, Shape, SymbolicArray } from "../../engine/compiler/index.ts";
import type { Remark } from "../../engine/data/table.ts";
import type { Distribution } from "../distributions/index.ts";
import type { Transform } from "../transforms/index.ts";
import type { ParameterConstraint } from "./constraints.ts";
import type { DataField, DataFields, DataOf, Extent, ModelData, ReadField } from "./fields.ts";
import type { Marginal, States, StateTerms } from "./marginalise.ts";
import type { NonCentred } from "./non-centred.ts";

/** Options of `param` in a model. */
export interface ParameterOptions {
  /**
   * Extents: numbers or names of sizes. With a distribution of vectors or matrices, `shape` counts the vectors or
   * matrices and excludes the extents of each: `param("p", dirichlet([1, 1, 1]), { shape: 4 })` is [4, 3]. With other
   * distributions and with a constraint word, `shape` is the whole shape. Default: the shape to which the
   * distribution's parameters broadcast.
   */
  readonly shape?: Extent | readonly Extent[];
  /**
   * Whether the parameter itself is sampled. If false, the parameter is location + scale · z, and samplers move z,
   * which has the standard distribution. Samplers mix better in this form if there are few data. Default true.
   */
  readonly centred?: boolean;
  /**
   * Lower bound (a number or an array), inside the distribution's support. The density is not renormalised to the
   * remaining part of the support.
   */
  readonly lower?: ArrayLikeOperand;
  /**
   * Upper bound (a number or an array), inside the distribution's support. The density is not renormalised to the
   * remaining part of the support.
   */
  readonly upper?: ArrayLikeOperand;
  /** Constraint word that narrows the distribution's support, such as "positive" or "ordered". */
  readonly constraint?: ParameterConstraint;
}

type ObservedValue = SymbolicArray | number;

/** Options of `marginalise` in a model. */
export interface MarginaliseOptions {
  /**
   * Observed value. The value is required if each term is a distribution of this value given a state. If each term is a
   * record or list of distributions, give a record or list of values.
   */
  readonly value?: ObservedValue | readonly ObservedValue[] | Readonly<Record<string, ObservedValue>>;
  /**
   * Name of the pointwise log densities, and of predictive draws of `value`. With several values, the name applies only
   * to the log densities.
   */
  readonly name?: string;
}

/** Argument of a model's function. */
export interface ModelContext extends ModelTools {
  /** Declares data by name and returns them: arrays are symbolic, single numbers are numbers. */
  data<const F extends DataFields>(fields: F): DataOf<F>;
}

/** Functions with which a model describes parameters, observations and quantities. */
export interface ModelTools {
  /** Extent with the given name. */
  size(name: string): number;
  /**
   * Declares a parameter with a prior. If only a constraint is given, the prior is flat on the constrained scale. A
   * parameter with a prior over whole numbers is discrete: it can index arrays in `take`, and is updated by Gibbs
   * steps.
   */
  param(name: string, prior: Distribution | ParameterConstraint, options?: ParameterOptions): SymbolicArray;
  /** Adds log p(value). `name`: name of the predictive draws; default: the name of the data. */
  observe(value: SymbolicArray | number | ArrayLike<number>, distribution: Distribution, name?: string): void;
  /**
   * Adds log Σ_k P(k) p(· | k), which sums out a discrete latent variable (marginalise.ts). `terms` returns log p(· |
   * k), or its distribution if `value` is given. The term is part of the likelihood. `name`: name of the pointwise log
   * densities, and of the predictive draws of `value`.
   */
  marginalise(states: States, terms: StateTerms, options?: MarginaliseOptions): Marginal;
  /** Names a function of parameters. Draws report the result, and the rest of the model can use it. */
  transformed(name: string, value: SymbolicArray): SymbolicArray;
  /** Adds a quantity to each draw. The quantity is a function of parameters, or a draw from a distribution. */
  generated(name: string, value: SymbolicArray | Distribution): void;
  /**
   * Adds the sum of all elements of a term, in nats, to the log density. If prior and likelihood are treated
   * separately, the term belongs to the prior.
   */
  target(term: SymbolicArray): void;
}

export interface TracedParameter {
  readonly name: string;
  readonly shape: Shape;
  readonly value: SymbolicArray;
  readonly prior: Distribution | undefined;
  readonly transform: Transform;
  readonly nonCentred: NonCentred | undefined;
  /** Input of the unconstrained numbers, and their offset in u. */
  readonly unconstrained: SymbolicArray;
  readonly offset: number;
  /** Whether the parameter's constraint is narrower than its prior's support. */
  readonly narrowed: boolean;
  readonly bounds: { readonly low?: SymbolicArray; readonly high?: SymbolicArray } | undefined;
  /**
   * Bounds of a whole-number parameter. The bounds are valid for all values of the other parameters. Such a parameter
   * is stored in u unchanged.
   */
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

/** An observed value with a sampler for replications of it. */
export interface TracedReplicate extends TracedDraw {
  readonly value: SymbolicArray;
}

/**
 * An observed value with its pointwise log densities. `chained`: each log density is conditional on the earlier values,
 * as in a hidden Markov chain.
 */
export interface TracedObservation extends TracedReplicate {
  readonly pointwise: SymbolicArray;
  readonly chained: boolean;
}

/** Elements of one term of the log density. Used to explain why no start is finite. */
export interface TracedTerm {
  readonly kind: "param" | "observe" | "marginalise" | "target";
  readonly name: string;
  readonly density: SymbolicArray;
  readonly distribution?: Distribution;
  /** Value to which the density refers. */
  readonly value?: SymbolicArray;
}

/** Custom report of a model: an array, and the names and shapes of the quantities concatenated in it. */
export interface TracedReport {
  readonly places: readonly { readonly name: string; readonly shape: Shape }[];
  readonly kind: "parameter" | "transformed" | "generated";
  readonly value: SymbolicArray;
}

/** Row reader for a model that parses rows itself. */
export interface TracedNewRows {
  /** Columns that a row must have. */
  readonly columns: readonly string[];
  /** Columns that held strings. */
  readonly texts: readonly string[];
  /**
   * Traces the model on rows that might contain unknown groups. The trace can have additional non-centred parameters
   * after the model's own. Such additional parameters are drawn from their priors.
   */
  again(data: ModelData): TracedModel;
  /** Returns the numbers of a row by field. @throws DataError */
  numbers(row: unknown, where: string): Readonly<Record<string, Float64Array>>;
  /** Returns a remark for each group that is new in some of the rows. */
  newGroups(rows: readonly Readonly<Record<string, unknown>>[]): Remark[];
  /** Level names by observed quantity, if its values are indices into a list of levels. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
}

/** Indices of the operation `where`, and the extent of the axis that they index. */
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
  /** Observed values in the order in which they must be drawn. The list includes values that share a log density. */
  readonly replicated: readonly TracedReplicate[];
  /**
   * Summed-out terms without a single distribution: terms that are given as log densities, and terms for several values
   * together.
   */
  readonly marginal: readonly Pick<TracedObservation, "name" | "pointwise" | "chained">[];
  /** Generated quantities that are drawn from a distribution. */
  readonly drawn: readonly TracedDraw[];
  /**
   * Whether target() was used. If target() was used, the prior contains terms in addition to the priors of the
   * parameters.
   */
  readonly hasTarget: boolean;
  /** Log density of the unconstrained numbers, including log |J| of all transforms. */
  readonly logDensity: SymbolicArray;
  /** The two parts of `logDensity`: the prior (priors, `target` terms and log |J|) and the likelihood. */
  readonly logPrior: SymbolicArray;
  readonly logLikelihood: SymbolicArray;
  /** Log density of the constrained values, without any log |J|. */
  readonly logDensityOfValues: SymbolicArray;
  /** Objective of mode searches: `logDensityOfValues`, and the terms that choose among points of the same value. */
  readonly modeObjective: SymbolicArray;
  /** Terms in the order of the model. */
  readonly terms: readonly TracedTerm[];
  /** Valid constructs that are probably mistakes. */
  readonly hints: readonly Hint[];
  readonly data: ReadonlyMap<string, Float64Array>;
  /** Declared data fields with the data given for them. */
  readonly fields: ReadonlyMap<string, DataField & ReadField>;
  /** Indices that are not constants. */
  readonly taken: readonly TracedIndices[];
  /** Solutions of differential equations. */
  readonly solutions: readonly WatchedSolution[];
  /** Single numbers among the data, which can be sizes. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Traces the same function on other data. */
  again(data: ModelData): TracedModel;
  /** Report that replaces all other parameters and quantities in draws. */
  readonly reports?: readonly TracedReport[];
  /** Reader of new rows. Default: by the data fields. */
  readonly newRows?: TracedNewRows;
}

export interface Hint {
  readonly code: "jacobian" | "observedParameter" | "unbounded";
  /** Description of the finding, with the line in the model. */
  readonly text: string;
  readonly advice: string;
}
