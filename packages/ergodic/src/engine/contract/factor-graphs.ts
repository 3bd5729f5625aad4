/** Capabilities of factor graphs, and certificates of answers about them. */

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
