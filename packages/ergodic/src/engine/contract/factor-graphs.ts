/** Capabilities of factor graphs, and certificates for answers. */

/**
 * Capability: p(x) ∝ Π_f φ_f(x_f) over discrete variables, with each factor stored as a table. Used by variable
 * elimination, message passing and search over states.
 */
export interface FactorTables {
  /** Number of states of each variable, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /**
   * Number of variables in the user's model. They come first. Later variables are auxiliary: they keep tables small and
   * are summed out.
   */
  readonly variableCount: number;
  /** Factors with their scopes and values. */
  readonly factors: readonly TableFactor[];
  /** Observed state of each variable, or −1. */
  readonly observed: Int32Array;
  /** Weights from which the tables were computed, by weight index. */
  readonly weightValues?: Float64Array;
  /** Returns the name of a variable, for errors and answers. */
  name(variable: number): string;
  /** Returns the name of a state. */
  state(variable: number, state: number): string;
}

/** A factor φ(x) ≥ 0, as a table. */
export interface TableFactor {
  /** Distinct variables, in any order. */
  readonly scope: ArrayLike<number>;
  /** φ for each joint state of the scope, with the last variable varying fastest. Finite and ≥ 0. */
  readonly values: Float64Array;
  /** Whether the values are ln φ instead, to avoid overflow. They are finite, or −∞ for φ = 0. */
  readonly logs?: boolean;
}

/**
 * Capability: ln p(x) = Σ_f θ_f g_f(x_f) − ln Z over discrete variables, stored in columns for graphs of any size. Used
 * by samplers that change one variable at a time. θ_f is the factor's weight times its feature; g_f is its shape, a
 * function that factors can share.
 */
export interface Conditionals {
  /** Number of states of each variable, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /** Number of variables in the user's model. They come first. Later variables are summed out. */
  readonly variableCount: number;
  /** Observed state of each variable, or −1. */
  readonly observed: Int32Array;
  /** Soft labels of unobserved variables: probabilities of their states, used only for learning. */
  readonly labels?: ReadonlyMap<number, Float64Array>;
  /** End of each factor's edges. The edges of a factor begin where those of the previous factor end. */
  readonly ends: Uint32Array;
  /** Variable of each edge. The variables of one factor are distinct. */
  readonly variables: Uint32Array;
  /** For counting shapes: the state that satisfies each edge's literal. */
  readonly literals: Uint32Array;
  /** Shape index and weight index of each factor. A weight index of −1 means a fixed weight of 1. */
  readonly shapes: Uint32Array;
  readonly weights: Int32Array;
  /** Feature of each factor. If absent, all are 1. */
  readonly features?: Float64Array;
  /** Value of each weight. `weightFixed` is 1 for weights that learning must not change. */
  readonly weightValues: Float64Array;
  readonly weightFixed: Uint8Array;
  /** Start of each shape's values, followed by the total number of values. */
  readonly shapeBegins: Uint32Array;
  /**
   * Kind of each shape. 1: g depends on whether the head holds and on the number of satisfied body literals: values
   * [2][body literals + 1], indexed first by the head. The last literal is the head; all others are the body. 0: g
   * depends on the joint state of the factor's variables, with the last variable varying fastest.
   */
  readonly counting: Uint8Array;
  /** Values g. A factor without a weight can have values of −∞, which make the probability 0. */
  readonly shapeValues: Float64Array;
  /** Returns the name of a variable, for errors and answers. */
  name(variable: number): string;
  /** Returns the name of a state. */
  state(variable: number, state: number): string;
}

/** Known bound on the error of an answer. For marginals, lists have one entry per state. */
export type Certificate =
  /** Exact up to rounding. */
  | { readonly exact: true }
  /** Proven bounds: the true value lies between them. */
  | { readonly lower: number | readonly number[]; readonly upper: number | readonly number[] }
  /** Confidence interval: the true value lies outside with a probability of at most 1 − level. */
  | { readonly interval: readonly [number, number] | readonly (readonly [number, number])[]; readonly level: number }
  /** For chains: Monte Carlo standard errors, R̂ and the effective sample size. */
  | { readonly mcse: readonly number[]; readonly rhat: number; readonly ess: number }
  /** For importance weights: Pareto tail shape k̂ from PSIS, and the effective sample size. */
  | { readonly khat: number; readonly ess: number }
  /** No guarantee, with the reason. */
  | { readonly none: string };

/**
 * Final states and variances of the chains of a run. Another run can start from them, even if the graph has grown
 * since.
 */
export interface EndedChains {
  /** States of the variables in each chain; −1 if unknown. */
  readonly states: readonly Int16Array[];
  /**
   * For each variable, the variance of the estimated mean, multiplied by the number of draws. The state with the
   * largest variance is used. NaN if unknown.
   */
  readonly variances: Float64Array;
  /** Number of states of each variable in the graph that was sampled. Absent in older answers. */
  readonly cardinalities?: Uint32Array;
  /** Number of sweeps per chain, including warm-up, and number of sweeps from which the variances were estimated. */
  readonly sweeps: number;
  readonly kept: number;
}
