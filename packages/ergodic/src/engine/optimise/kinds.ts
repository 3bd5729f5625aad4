/**
 * The three kinds of rule: an equation per coordinate, a search on the same batch, or a procedure on the whole
 * objective.
 */

import type { Expr } from "../compiler/index.ts";
import { holds, made } from "../errors/checks.ts";
import type { Declaration, Range } from "../errors/options.ts";
import type { Schedule, ScheduleJson } from "./schedule.ts";

/**
 * Step rule, as made by `adam()` and similar functions: an equation, a search on the same batch, or a procedure on the
 * whole objective.
 */
export type Rule = EquationRule | SearchRule | HostRule;

export type OptionValue = number | boolean | string;

export type Defaults = Record<string, OptionValue>;

/** Options that a user can give: any subset of the defaults, where a schedule can replace any number. */
export type Options<D extends Defaults> = {
  [K in keyof D]?: D[K] extends number ? number | Schedule : D[K] extends boolean ? boolean : string;
};

export type Ranges<D extends Defaults> = { [K in keyof D]?: Range | readonly string[] };

/**
 * Options with which conformance tests run a rule. The two test problems are a convex problem with slope 1 and a
 * problem with coordinates that differ 1000-fold in scale. A link also states whether it is the first or the last link
 * in a chain with sgd().
 */
export interface RuleConformance {
  /** Options for the convex problem. Default: none. */
  readonly convex?: Readonly<Record<string, OptionValue>>;
  /** Options for the problem whose coordinates differ in scale. Default: those in `convex`. */
  readonly scaled?: Readonly<Record<string, OptionValue>>;
  /** Position in a chain, for a link. */
  readonly link?: "first" | "last";
}

/** Defaults and declaration that the factory of a rule carries. */
export interface RuleDefinition<D extends Defaults> {
  /** Default values of its options. */
  readonly defaults: D;
  /** Name of the rule, and the values that its options accept. */
  readonly declaration: Declaration;
  /** Options with which conformance tests run the rule. */
  readonly conformance?: RuleConformance;
}

/** A rule as JSON, as returned by `rule.toJSON()`. `ruleFromJson` rebuilds the rule from this JSON. */
export type RuleJson =
  | { rule: string; options: Record<string, OptionValue | ScheduleJson> }
  | { rule: "chain"; parts: RuleJson[] };

/** Properties that every kind of rule has. */
export interface RuleBase {
  /** Name of the rule. */
  readonly name: string;
  /** Options with defaults filled in. */
  readonly options: Readonly<Record<string, OptionValue | Schedule>>;
  /** One-line description of what it does. */
  readonly summary: string;
  /** Publication that introduced it. */
  readonly source: string;
  /** Returns JSON from which `ruleFromJson` rebuilds the same rule. */
  toJSON(): RuleJson;
}

/**
 * A rule whose step is an equation per coordinate. Such a rule takes gradients of rows, batches or all data, and can be
 * chained.
 */
export interface EquationRule extends RuleBase {
  /** Discriminates the three kinds of rule. */
  readonly kind: "equation";
  /** Links of a chain; [] for a single rule. */
  readonly parts: readonly EquationRule[];
  /**
   * Whether the rule tracks the value of the parameter and not gradients. Such a rule must be the last link of a chain.
   */
  readonly last: boolean;
  /** Whether the rule must be chained with another rule, because it only changes gradients or watches steps. */
  readonly link: boolean;
  /**
   * Returns the equation in terms of the given symbols. `names` makes the names of states and options distinct in a
   * chain.
   */
  trace(g: Expr, p: Expr, names?: Set<string>): Traced;
}

export interface Traced {
  step: Expr;
  states: { name: string; initial: number | "p"; next: Expr }[];
  scalars: { name: string; initial: number; next: Expr }[];
  /** Numeric options as scalars of the program, so that the same code works for every value. */
  inputs: { name: string; value: number }[];
  /**
   * Point at which the model is evaluated, as an expression in p and the states after the update. Null if this point is
   * p itself.
   */
  evaluation: Expr | null;
}

export type ByName<V> = Readonly<Record<string, V>>;

export type Inputs<D extends Defaults> = {
  readonly g: Expr;
  readonly p: Expr;
  readonly t: Expr;
  readonly loss: Expr;
  readonly epochUpdates: Expr;
} & {
  readonly [K in keyof D]: D[K] extends number ? Expr : D[K] extends boolean ? boolean : string;
};

export type Resolved<D extends Defaults> = {
  readonly [K in keyof D]: D[K] extends number ? number | Schedule : D[K] extends boolean ? boolean : string;
};

/** A function of a parameter vector, in the form that rules on the whole objective use. */
export interface Objective {
  /** Returns the value at x. Fills `gradient` unless it is null. */
  (x: Float64Array, gradient: Float64Array | null): number;
  /**
   * Returns dᵀ∇²f(x)d. Present if f is quadratic or the model can compute this product. With this product, an exact
   * line search has a closed form.
   */
  curvature?: (x: Float64Array, direction: Float64Array) => number;
}

/** Report on one step of a rule on the whole objective. */
export interface HostReport {
  /**
   * Value of f after the step. If `lossBefore` is true, this is the value before the step, for rules that compute no
   * other value.
   */
  loss: number;
  /** Whether `loss` is the value at x before the step. */
  lossBefore?: true;
  /** Step size as a multiple of the direction, or 0 if the rule did not move. */
  stepSize: number;
  /** Number of evaluations of the objective in this step, each of which is a pass over the data. */
  evaluations: number;
  /** Reason why no further step can help, or null if the run should continue. */
  stopped: string | null;
}

/** Copy of the state of a rule on the whole objective: numbers and vectors by name. */
export interface HostState {
  /** Numbers by name. */
  numbers: Record<string, number>;
  /** Lists of vectors by name. */
  arrays: Record<string, Float64Array[]>;
}

/**
 * Computation that requests evaluations of the objective from its caller. The computation yields a point and an array
 * for the gradient, and receives the value at the point.
 */
export type Evaluations<T> = Generator<{ readonly x: Float64Array; readonly gradient: Float64Array }, T, number>;

/** A running rule on the whole objective; see `hostRule`. */
export interface HostRun {
  /** Makes one step: changes x in place. */
  step(x: Float64Array): HostReport;
  /**
   * Makes the same step, but leaves the evaluation of the objective to the caller. The caller can then use workers, and
   * wait between evaluations.
   */
  steps?(x: Float64Array): Evaluations<HostReport>;
  /** Bytes of state, excluding x. */
  readonly stateBytes: number;
  /** Returns a copy of the state. */
  snapshot(): HostState;
  /**
   * Describes a part of the state that this rule cannot have written, so that the file must be damaged. Returns
   * undefined if the state fits.
   */
  misfit?(state: HostState): string | undefined;
  /** Continues from a state, bit for bit. */
  restore(state: HostState): void;
}

/** Stated cost of a rule that has no equation. Where a number does not suffice, the cost is text. */
export interface StatedCost {
  /** Number of floats that the rule stores per parameter, or null if the number grows with the number of updates. */
  floatsPerParameter: number | null;
  perStep: string;
}

/** A rule that needs the whole objective: line searches and L-BFGS. Runs on batch: "all". */
export interface HostRule extends RuleBase {
  /** Discriminates the three kinds of rule. */
  readonly kind: "host";
  /** Returns text for an error message: the reason why the rule refuses a minibatch, and what to use instead. */
  needs(rowCount: number): string;
  /** Cost of a step. */
  readonly cost: StatedCost;
  /** Starts the rule on an objective of `count` parameters. */
  start(objective: Objective, count: number): HostRun;
}

export interface SearchOptions {
  c: number;
  shrink: number;
  initial: number;
  growth: number;
  maxTrials: number;
  fallback: number;
}

/** A rule that searches for its step size by evaluating losses on the same batch: stochasticLineSearch(). */
export interface SearchRule extends RuleBase {
  /** Discriminates the three kinds of rule. */
  readonly kind: "search";
  readonly options: RuleBase["options"] & Readonly<SearchOptions>;
  /** Cost of a step. */
  readonly cost: StatedCost;
}

/** Returns the rule if it has an equation. @throws OptionError for anything else, such as a rule that runs on the host */
export const withEquation = (where: string, rule: EquationRule): EquationRule =>
  made(where, rule, "trace", "a step rule with an equation", "adam() or another rule of ergodic/rules");

const kinds: readonly unknown[] = ["equation", "search", "host"];

/** Returns whether a value is a rule of any kind. */
export function isRule(value: unknown): value is Rule {
  return holds(value, "kind") && kinds.includes((value as Rule).kind) && holds(value, "toJSON");
}
