/** Capabilities of factor graphs, and certificates for answers. */

/**
 * Capability: p(x) ∝ Π_f φ_f(x_f) over discrete variables, with each factor stored as a table. Variable elimination,
 * message passing and search over states use this capability.
 */
export interface FactorTables {
  /** Number of states of each variable, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /**
   * Number of variables in the user's model. These variables precede all auxiliary variables. Auxiliary variables keep
   * tables small and are summed out.
   */
  readonly variableCount: number;
  /** Factors with their scopes and values. */
  readonly factors: readonly TableFactor[];
  /** Observed state of each variable, or −1. */
  readonly observed: Int32Array;
  /** Weights with which the tables were computed, by weight index. */
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
  /** Whether `values` contains ln φ instead of φ, to avoid overflow. They are finite, or −∞ for φ = 0. */
  readonly logs?: boolean;
}

/**
 * Capability: ln p(x) = Σ_f θ_f g_f(x_f) − ln Z over discrete variables, stored in columns for graphs of any size.
 * Samplers that change one variable at a time use this capability. θ_f is the factor's weight times its feature; g_f is
 * its shape, a function that factors can share.
 */
export interface Conditionals {
  /** Number of states of each variable, ≥ 1. */
  readonly cardinalities: Uint32Array;
  /** Number of variables in the user's model. All later variables are auxiliary and are summed out. */
  readonly variableCount: number;
  /** Observed state of each variable, or −1. */
  readonly observed: Int32Array;
  /** Soft labels of unobserved variables: the probability of each state. Only learning uses them. */
  readonly labels?: ReadonlyMap<number, Float64Array>;
  /** End of each factor's edges. The first edge of a factor follows the last edge of the previous factor. */
  readonly ends: Uint32Array;
  /** Variable of each edge. All variables of a factor are distinct. */
  readonly variables: Uint32Array;
  /** State that satisfies the literal of each edge, for counting shapes. */
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
   * [2][body literals + 1], indexed first by the head. The last literal is the head, and all other literals form the
   * body. 0: g depends on the joint state of the factor's variables, with the last variable varying fastest.
   */
  readonly counting: Uint8Array;
  /** Values g. In a factor without a weight, a value of −∞ makes the probability 0. */
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
  /** Proven lower and upper bounds on the true value. */
  | { readonly lower: number | readonly number[]; readonly upper: number | readonly number[] }
  /** Confidence interval. The probability that the true value lies outside is at most 1 − level. */
  | { readonly interval: readonly [number, number] | readonly (readonly [number, number])[]; readonly level: number }
  /** For chains: Monte Carlo standard errors, R̂ and the effective sample size. */
  | { readonly mcse: readonly number[]; readonly rhat: number; readonly ess: number }
  /** For importance weights: Pareto tail shape k̂ from PSIS, and the effective sample size. */
  | { readonly khat: number; readonly ess: number }
  /** No guarantee, with the reason. */
  | { readonly none: string };

/**
 * Final states of a run's chains, and the variances that the run estimated. Another run can start from these states,
 * even if the graph has grown since.
 */
export interface EndedChains {
  /** States of the variables in each chain. A state of −1 is unknown. */
  readonly states: readonly Int16Array[];
  /**
   * For each variable, the variance of its estimated mean, multiplied by the number of draws. If a variable has several
   * states, the largest of the states' variances is used. NaN if unknown.
   */
  readonly variances: Float64Array;
  /** Number of states of each variable in the graph from which the chains were sampled. Absent in older answers. */
  readonly cardinalities?: Uint32Array;
  /** Number of sweeps per chain, including warm-up, and number of sweeps from which the variances were estimated. */
  readonly sweeps: number;
  readonly kept: number;
}
