import { type Expr, scalar, vector } from "../compiler/index.ts";
import { Registry } from "../contract/registry.ts";
import { refuse } from "../errors/checks.ts";
import { checkKeys, OptionError } from "../errors/errors.ts";
import { acceptedBy, checkOptions, type Range } from "../errors/options.ts";
import { shown } from "../errors/shown.ts";
import type {
  ByName,
  Defaults,
  EquationRule,
  Inputs,
  Options,
  OptionValue,
  Ranges,
  Resolved,
  Rule,
  RuleConformance,
  RuleDefinition,
  Traced,
} from "./kinds.ts";
import { isSchedule, type Schedule, type ScheduleJson } from "./schedule.ts";

export const positive: Range = { low: 0, open: true };
export const notNegative: Range = { low: 0 };
export const share: Range = { low: 0, high: 1 };

/** Names that the program of a rule uses for its own operands and scalars. */
export const reservedNames = [
  "values",
  "parameter",
  "share",
  "base",
  "reach",
  "rates",
  "scale",
  "refresh",
  "parameterScale",
  "l1",
  "l2",
  "t",
  "loss",
  "epochUpdates",
];

/**
 * Equation of a rule, as a function of symbols: (inputs, states, scalars, options) => { step, state, scalars }; see
 * `rule`.
 */
export type Formula<D extends Defaults> = (
  inputs: Inputs<D>,
  states: ByName<Expr>,
  scalars: ByName<Expr>,
  options: Resolved<D>,
) => { step: Expr; state?: Record<string, Expr | undefined>; scalars?: Record<string, Expr | undefined> };

/**
 * Facts about a rule that are not part of its equation. Numeric options are passed to the functions as numbers, and
 * schedules are passed as schedules.
 */
export interface Facts<D extends Defaults> {
  /** One-line description of what the rule does. */
  summary: string;
  /** Publication that introduced it. */
  source: string;
  /** Ranges of numeric options, and choices of string options. */
  ranges?: Ranges<D>;
  /** Returns the initial values of states. A value is a number, or "p" for a copy of the starting point. Default 0. */
  initial?: (options: Resolved<D>) => Record<string, number | "p">;
  /** Returns the point at which the model is evaluated. Present if this point is not p. */
  evaluation?: (inputs: Pick<Inputs<D>, keyof D> & { p: Expr }, states: ByName<Expr>) => Expr;
  /**
   * Whether the rule tracks the parameter's value rather than gradients. Such a rule must be the last link of a chain.
   */
  last?: boolean;
  /** Whether the rule can only be a link of a chain, because it has no rate. */
  link?: boolean;
  /** Options with which conformance tests run it. Every built-in rule defines them. */
  conformance?: RuleConformance;
}
/**
 * Makes a rule from options. The options are any subset of the rule's `defaults`, and numeric options also accept a
 * Schedule.
 */
export type RuleFactory<D extends Defaults> = ((options?: Options<D>) => EquationRule) & RuleDefinition<D>;

/** Every defined rule, by its name in files. Only rules that were made by rule() or hostRule() are included. */
export const definedRules = new Registry<(options: Record<string, OptionValue | Schedule>) => Rule>("rule");

/**
 * Makes the factory of a rule from its equation, and defines the rule under its name.
 *
 * Step rules have the form p ← p − step(g, p, state, scalars), written once as an equation over symbols. A formula
 * receives four records:
 * - inputs. Vectors: g (gradient) and p (parameter). Scalars: t (update number, from 1), loss (mean loss of the batch
 *   at p), epochUpdates (updates per epoch) and every numeric option. Booleans and strings stay JavaScript values, so
 *   that they can select the structure of the equation.
 * - vector states by name.
 * - scalar states by name. A state exists if the formula returns its next value (undefined: it does not exist). States
 *   start at 0, or at `initial`: a number, or "p" for the starting point.
 * - the options as given, for numbers that select the structure (no buffer if momentum is 0).
 *
 * chain(a, b, …): the step of a is the g of b; p, t and loss are the same for all. A Schedule can replace the number of
 * a numeric option. A defined rule is identified by its name, so a checkpoint can be resumed in any program that makes
 * the same definition.
 *
 * @throws OptionError for an unknown option, an option out of range, a name that is taken, or a meaningless chain
 *
 * @example
 * ```ts
 * rule("adagrad", { rate: 0.01, epsilon: 1e-10 }, ({ g, rate, epsilon }, { r }) => {
 *   const sum = add(r, square(g));
 *   return { state: { r: sum }, step: div(mul(rate, g), add(sqrt(sum), epsilon)) };
 * }, facts)
 * ```
 */
export function rule<const N extends string, D extends Defaults>(
  name: N,
  defaults: D,
  formula: Formula<D>,
  facts: Facts<D>,
): RuleFactory<D> {
  checkFacts(name, facts, '{ summary: "steps of one size", source: "own" }');
  const make = (given: Options<D> = {}): EquationRule => {
    const options = resolve(name, defaults, given, facts.ranges ?? {});
    return {
      kind: "equation",
      name,
      options,
      parts: [],
      last: facts.last ?? false,
      link: facts.link ?? false,
      summary: facts.summary,
      source: facts.source,
      trace: (g, p, names = new Set(reservedNames)) => traceFormula(name, options as Resolved<D>, formula, facts, g, p, names),
      toJSON: () => ({ rule: name, options: optionsToJson(options) }),
    };
  };
  definedRules.define(name, (options) => make(options as Options<D>));
  return Object.assign(make, definitionOf(name, defaults, facts));
}

/** Returns the definition that the factory of a rule carries. */
export function definitionOf<D extends Defaults>(
  name: string,
  defaults: D,
  facts: { readonly ranges?: Ranges<D>; readonly conformance?: RuleConformance },
): RuleDefinition<D> {
  const { ranges, conformance } = facts;
  return { defaults, declaration: { name, options: acceptedBy(defaults, ranges) }, conformance };
}

/** Checks the facts when a rule is defined, so that a missing fact is reported before the rule is made. */
export function checkFacts(where: string, facts: unknown, example: string): void {
  if (typeof facts !== "object" || facts === null) refuse(where, "the description of the rule", facts, "its facts", example);
}

/**
 * Returns the rate of a rule as an expression in the scalars of its program. For a chain, returns the rate of the first
 * link that has one.
 */
export function rateOf(rule: EquationRule): Expr | undefined {
  for (const link of rule.parts.length ? rule.parts : [rule]) {
    const { rate } = link.options;
    if (isSchedule(rate)) return rate.value(scalar("t"));
    if (typeof rate === "number") return scalar("rate");
  }
  return undefined;
}

/** Applies several rules in turn, in one fused pass. The step of each rule is the gradient of the next rule. */
export function chain(...parts: EquationRule[]): EquationRule {
  for (const [i, part] of parts.entries()) {
    if (part?.kind !== "equation") {
      throw new OptionError(
        "chain",
        `part ${i + 1} is ${typeof part?.name === "string" ? part.name : shown(part)}, but only rules with an equation can be chained`,
        "RULE_CHAIN",
      );
    }
    if (part.last && i < parts.length - 1) {
      const next = parts[i + 1].name;
      throw new OptionError(
        "chain",
        `${part.name} comes before ${next}, but acts on the parameter itself; put it last`,
        "RULE_CHAIN",
      );
    }
  }
  if (parts.length === 0) throw new OptionError("chain", "no rules were given, but at least one is needed", "RULE_CHAIN");
  const links = parts.flatMap((part) => (part.parts.length ? part.parts : [part]));
  return {
    kind: "equation",
    name: `chain(${links.map((l) => l.name).join(", ")})`,
    options: {},
    parts: links,
    last: links[links.length - 1].last,
    link: links.every((l) => l.link),
    summary: `in sequence: ${links.map((l) => l.name).join(", ")}`,
    source: [...new Set(links.map((l) => l.source))].join("; "),
    trace: (g, p, names = new Set(reservedNames)) => traceChain(links, g, p, names),
    toJSON: () => ({ rule: "chain", parts: links.map((l) => l.toJSON()) }),
  };
}

/** Fills in defaults and checks every option. Shared by the three kinds of rule. */
export function resolve<D extends Defaults>(
  where: string,
  defaults: D,
  given: Options<D>,
  ranges: Ranges<D>,
  schedulable = true,
): Readonly<Record<string, OptionValue | Schedule>> {
  checkKeys(where, given, Object.keys(defaults));
  const isChecked = ([name, value]: [string, unknown]): boolean =>
    !(schedulable && typeof defaults[name] === "number" && isSchedule(value));
  const checked = Object.fromEntries(Object.entries(given).filter(isChecked));
  checkOptions(where, checked, { options: acceptedBy(defaults, ranges) });
  const filled = Object.entries(defaults).map(([name, fallback]) => [name, given[name] ?? fallback]);
  return Object.freeze(Object.fromEntries(filled));
}

export function optionsToJson(
  options: Readonly<Record<string, OptionValue | Schedule>>,
): Record<string, OptionValue | ScheduleJson> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, isSchedule(value) ? value.toJSON() : value]));
}

function traceFormula<D extends Defaults>(
  where: string,
  options: Resolved<D>,
  formula: Formula<D>,
  facts: Facts<D>,
  g: Expr,
  p: Expr,
  names: Set<string>,
): Traced {
  const renamed = new Map<string, string>();
  const unique = (name: string): string => {
    if (!renamed.has(name)) {
      let candidate = name;
      for (let n = 2; names.has(candidate); n++) candidate = `${name}${n}`;
      names.add(candidate);
      renamed.set(name, candidate);
    }
    return renamed.get(name)!;
  };
  const t = scalar("t");
  const inputs: Traced["inputs"] = [];
  const symbols: Record<string, Expr | boolean | string> = {};
  for (const [key, value] of Object.entries(options) as [string, OptionValue | Schedule][]) {
    if (isSchedule(value)) symbols[key] = value.value(t);
    else if (typeof value === "number") {
      inputs.push({ name: unique(key), value });
      symbols[key] = scalar(unique(key));
    } else symbols[key] = value;
  }
  const states = named((name) => vector(unique(name)));
  const scalars = named((name) => scalar(unique(name)));
  const all = { ...symbols, g, p, t, loss: scalar("loss"), epochUpdates: scalar("epochUpdates") } as unknown as Inputs<D>;
  const update = formula(all, states, scalars, options);
  const initial = facts.initial?.(options) ?? {};
  const start = (name: string): number => {
    const value = initial[name] ?? 0;
    if (value === "p") throw new OptionError(where, `scalar state ${name} starts at "p", but only a vector can`, "RULE_STATE");
    return value;
  };
  return {
    step: update.step,
    states: given(update.state).map(([name, next]) => ({ name: unique(name), initial: initial[name] ?? 0, next })),
    scalars: given(update.scalars).map(([name, next]) => ({ name: unique(name), initial: start(name), next })),
    inputs,
    evaluation: facts.evaluation?.(all, states) ?? null,
  };
}

function traceChain(links: readonly EquationRule[], g: Expr, p: Expr, names: Set<string>): Traced {
  const whole: Traced = { step: g, states: [], scalars: [], inputs: [], evaluation: null };
  for (const link of links) {
    const part = link.trace(whole.step, p, names);
    whole.step = part.step;
    whole.states.push(...part.states);
    whole.scalars.push(...part.scalars);
    whole.inputs.push(...part.inputs);
    whole.evaluation = part.evaluation ?? whole.evaluation;
  }
  return whole;
}

function given(values: Record<string, Expr | undefined> = {}): [string, Expr][] {
  return Object.entries(values).filter((entry): entry is [string, Expr] => entry[1] !== undefined);
}

function named(make: (name: string) => Expr): ByName<Expr> {
  return new Proxy({}, { get: (_, name) => (typeof name === "string" ? make(name) : undefined) });
}
