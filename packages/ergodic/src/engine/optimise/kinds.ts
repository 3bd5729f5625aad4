/** The three kinds of rule: an equation over each coordinate, a search on the same batch, a procedure on the whole objective. */

import type { Expr } from "../compiler/index.ts";
import { holds } from "../errors/checks.ts";
import type { Declaration, Range } from "../errors/options.ts";
import type { Schedule, ScheduleJson } from "./schedule.ts";

/**
 * A step rule, as `adam()` and its kind make it: an equation, a search on the same batch, or a procedure on the whole
 * objective.
 */
export type Rule = EquationRule | SearchRule | HostRule;

export type OptionValue = number | boolean | string;

export type Defaults = Record<string, OptionValue>;

/** What a user may give: any subset, a schedule in the place of any number. */
export type Options<D extends Defaults> = {
  [K in keyof D]?: D[K] extends number ? number | Schedule : D[K] extends boolean ? boolean : string;
};

export type Ranges<D extends Defaults> = { [K in keyof D]?: Range | readonly string[] };

/**
 * How conformance tests run a rule: options that solve a convex problem of slope 1, and one whose coordinates differ 1000-fold in scale. A link
 * of chains says whether it is the first or the last link of a chain with sgd().
 */
export interface RuleConformance {
  /** Options for the convex problem. Default: none. */
  readonly convex?: Readonly<Record<string, OptionValue>>;
  /** Options for the problem whose coordinates differ in scale. Default: those of `convex`. */
  readonly scaled?: Readonly<Record<string, OptionValue>>;
  /** For a link: its place in a chain. */
  readonly link?: "first" | "last";
}

/** The name, defaults and declaration that a rule's factory carries. */
export interface RuleDefinition<D extends Defaults> {
  /** The rule's name. */
  readonly ruleName: string;
  /** Defaults of its options. */
  readonly defaults: D;
  /** Its name, and values that its options accept. */
  readonly declaration: Declaration;
  /** How conformance tests run it. */
  readonly conformance?: RuleConformance;
}

/** A rule as JSON, as `rule.toJSON()` gives it; `ruleFromJson` makes the rule again. */
export type RuleJson =
  | { rule: string; options: Record<string, OptionValue | ScheduleJson> }
  | { rule: "chain"; parts: RuleJson[] };

/** What every rule carries, whatever its kind. */
export interface RuleBase {
  /** The rule's name. */
  readonly name: string;
  /** Resolved: defaults filled in. */
  readonly options: Readonly<Record<string, OptionValue | Schedule>>;
  /** One line on what it does. */
  readonly summary: string;
  /** Where it was published. */
  readonly source: string;
  /** JSON from which `ruleFromJson` makes the same rule again. */
  toJSON(): RuleJson;
}

/**
 * A rule whose step is an equation over each coordinate: it takes gradients of rows, of batches or of all data. Can be chained.
 */
export interface EquationRule extends RuleBase {
  /** Tells the three kinds of rule apart. */
  readonly kind: "equation";
  /** The links of a chain; [] for a single rule. */
  readonly parts: readonly EquationRule[];
  /** True for what must end a chain, as it keeps track of the parameter itself. */
  readonly last: boolean;
  /** True for what changes gradients or watches steps, and needs another rule in its chain. */
  readonly link: boolean;
  /** The equation over given symbols; `names` keeps the names of states and options apart when rules are chained. */
  trace(g: Expr, p: Expr, names?: Set<string>): Traced;
}

export interface Traced {
  step: Expr;
  states: { name: string; initial: number | "p"; next: Expr }[];
  scalars: { name: string; initial: number; next: Expr }[];
  /** Numeric options, as scalars of the program: the same code serves every value. */
  inputs: { name: string; value: number }[];
  /** Where to evaluate, over p and the states as the update left them; null: at p itself. */
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

/** A function of a vector of parameters, as rules on the whole objective see it. */
export interface Objective {
  /** The value at x; fills `gradient` unless it is null. */
  (x: Float64Array, gradient: Float64Array | null): number;
  /** dᵀ∇²f(x)d, where f is quadratic or the model can give it: makes exact line search a closed form. */
  curvature?: (x: Float64Array, direction: Float64Array) => number;
}

/** What one step of a rule on the whole objective did. */
export interface HostReport {
  /** f at the x that the step left; with `lossBefore` at the x it started from, where the rule computes no other value. */
  loss: number;
  /** Whether `loss` is that of the x that the step started from. */
  lossBefore?: true;
  /** Multiple of the direction that was walked; 0 if the rule stayed. */
  stepSize: number;
  /** Evaluations of the objective in this step: each is a pass over the data. */
  evaluations: number;
  /** Why no further step can help; null to continue. */
  stopped: string | null;
}

/** The state of a rule on the whole objective, as copies: numbers and vectors by name. */
export interface HostState {
  /** Numbers by name. */
  numbers: Record<string, number>;
  /** Lists of vectors by name. */
  arrays: Record<string, Float64Array[]>;
}

/** Work that asks for the objective: each point comes with where its gradient goes, the answer is the value there. */
export type Evaluations<T> = Generator<{ readonly x: Float64Array; readonly gradient: Float64Array }, T, number>;

/** A rule on the whole objective at work; see `hostRule`. */
export interface HostRun {
  /** Makes one step: changes x in place. */
  step(x: Float64Array): HostReport;
  /** The same step, of rules that leave evaluations to who asks: these may then be made on workers, and wait in between. */
  steps?(x: Float64Array): Evaluations<HostReport>;
  /** Bytes of state, not counting x. */
  readonly stateBytes: number;
  /** A copy of the state. */
  snapshot(): HostState;
  /** What in a state is not this rule's, as text: a file that holds it is damaged. */
  misfit?(state: HostState): string | undefined;
  /** Continues from a state, bit for bit. */
  restore(state: HostState): void;
}

/** What a rule without an equation costs, in words where a number would not do. */
export interface StatedCost {
  /** Beside the parameters; null: it grows with the updates. */
  floatsPerParameter: number | null;
  perStep: string;
}

/** A rule that needs the whole objective: line searches and L-BFGS. Runs on batch: "all". */
export interface HostRule extends RuleBase {
  /** Tells the three kinds of rule apart. */
  readonly kind: "host";
  /** Why it refuses a minibatch, and what to take instead, for the error that does so. */
  needs(rowCount: number): string;
  /** What a step costs. */
  readonly cost: StatedCost;
  /** The rule on an objective of so many parameters. */
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

/** A rule that searches its step size on the losses of the same batch: stochasticLineSearch(). */
export interface SearchRule extends RuleBase {
  /** Tells the three kinds of rule apart. */
  readonly kind: "search";
  readonly options: RuleBase["options"] & Readonly<SearchOptions>;
  /** What a step costs. */
  readonly cost: StatedCost;
}

const kinds: readonly unknown[] = ["equation", "search", "host"];

/** Whether something is a rule, of whichever kind. */
export function isRule(value: unknown): value is Rule {
  return holds(value, "kind") && kinds.includes((value as Rule).kind) && holds(value, "toJSON");
}
