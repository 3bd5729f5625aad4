/**
 * The registry of this library's step rules: each by name, with options under which the conformance suite holds it to the family's promises.
 * A new rule is one file in rules/ and one entry here. Rules that users define are known by name, too (definedRules in rule.ts).
 */
import { checkNamedJson, checkOptionsJson, refuse } from "../errors/checks.ts";
import { OptionError } from "../errors/errors.ts";
import type { EquationRule, OptionValue, Rule, RuleJson } from "./kinds.ts";
import { chain, definedRules } from "./rule.ts";
import { adadelta } from "./rules/adadelta.ts";
import { adagrad } from "./rules/adagrad.ts";
import { adagradHistory } from "./rules/adagrad-history.ts";
import { adam } from "./rules/adam.ts";
import { adamax } from "./rules/adamax.ts";
import { adamw } from "./rules/adamw.ts";
import { aliG } from "./rules/ali-g.ts";
import { amsgrad } from "./rules/amsgrad.ts";
import { averaging } from "./rules/averaging.ts";
import { backtracking } from "./rules/backtracking.ts";
import { clipNorm } from "./rules/clip-norm.ts";
import { clipValue } from "./rules/clip-value.ts";
import { exactLineSearch } from "./rules/exact-line-search.ts";
import { lbfgs } from "./rules/lbfgs.ts";
import { lion } from "./rules/lion.ts";
import { momentum } from "./rules/momentum.ts";
import { nadam } from "./rules/nadam.ts";
import { nesterov } from "./rules/nesterov.ts";
import { polyak } from "./rules/polyak.ts";
import { polyakEstimated } from "./rules/polyak-estimated.ts";
import { prodigy } from "./rules/prodigy.ts";
import { radam } from "./rules/radam.ts";
import { rmsprop } from "./rules/rmsprop.ts";
import { scheduleFreeAdam } from "./rules/schedule-free-adam.ts";
import { scheduleFreeSgd } from "./rules/schedule-free-sgd.ts";
import { sgd } from "./rules/sgd.ts";
import { spsMax } from "./rules/sps-max.ts";
import { stochasticLineSearch } from "./rules/stochastic-line-search.ts";
import { strongWolfe } from "./rules/strong-wolfe.ts";
import { weightDecay } from "./rules/weight-decay.ts";
import { type Schedule, type ScheduleJson, scheduleFromJson } from "./schedule.ts";

export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "./cost.ts";
export { ruleEquation } from "./equation.ts";
export { hostRule } from "./host-rule.ts";
export type {
  EquationRule,
  HostReport,
  HostRule,
  HostRun,
  HostState,
  Objective,
  Rule,
  RuleJson,
  SearchOptions,
  SearchRule,
} from "./kinds.ts";
export { chain, type RuleFactory, rule } from "./rule.ts";
export { evaluationProgram, type Precision, type RuleProgram, type RuleProgramOptions, ruleProgram } from "./rule-program.ts";
export { RuleRunner, type RuleSnapshot } from "./runner.ts";
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  optimalRate,
  type Schedule,
  scheduleFromJson,
  scheduleNames,
  stepDecay,
  warmUp,
} from "./schedule.ts";
export {
  adadelta,
  adagrad,
  adagradHistory,
  adam,
  adamax,
  adamw,
  aliG,
  amsgrad,
  averaging,
  backtracking,
  clipNorm,
  clipValue,
  exactLineSearch,
  lbfgs,
  lion,
  momentum,
  nadam,
  nesterov,
  polyak,
  polyakEstimated,
  prodigy,
  radam,
  rmsprop,
  scheduleFreeAdam,
  scheduleFreeSgd,
  sgd,
  spsMax,
  stochasticLineSearch,
  strongWolfe,
  weightDecay,
};

type RuleOptions = Record<string, OptionValue | Schedule>;

/** A rule of the registry: its factory, and options under which it solves the conformance problems. */
export interface RuleEntry {
  /** The factory. */
  make(options?: RuleOptions): Rule;
  /** For a link of chains, which is not a rule on its own: puts it into a chain. */
  inChain?: (link: EquationRule) => EquationRule;
  /** Options that solve the conformance problems: a convex one of slope 1, and one whose coordinates differ 1000-fold in scale. */
  convex: RuleOptions;
  /** Options for the problem with coordinates that differ 1000-fold in scale. */
  scaled: RuleOptions;
}

const before = (link: EquationRule): EquationRule => chain(link, sgd({ rate: 0.5 }));
const entry = (make: unknown, convex: RuleOptions, scaled: RuleOptions = convex, inChain?: RuleEntry["inChain"]): RuleEntry => ({
  make: make as RuleEntry["make"],
  convex,
  scaled,
  inChain,
});

/** The library's step rules by name: `ruleRegistry.adam.make({ rate: 0.01 })`. */
export const ruleRegistry: Readonly<Record<string, RuleEntry>> = {
  sgd: entry(sgd, { rate: 0.5 }),
  polyak: entry(polyak, {}),
  polyakEstimated: entry(polyakEstimated, {}),
  spsMax: entry(spsMax, {}, { maximum: 1000 }),
  aliG: entry(aliG, { maximum: 1 }),
  exactLineSearch: entry(exactLineSearch, {}),
  backtracking: entry(backtracking, {}),
  strongWolfe: entry(strongWolfe, {}),
  stochasticLineSearch: entry(stochasticLineSearch, {}),
  momentum: entry(momentum, { rate: 0.1 }),
  nesterov: entry(nesterov, { rate: 0.1 }),
  adagrad: entry(adagrad, { rate: 0.5 }),
  adagradHistory: entry(adagradHistory, { rate: 0.5 }),
  adadelta: entry(adadelta, { epsilon: 1e-4 }),
  rmsprop: entry(rmsprop, { rate: 0.01 }),
  adam: entry(adam, { rate: 0.05 }),
  amsgrad: entry(amsgrad, { rate: 0.05 }),
  adamw: entry(adamw, { rate: 0.05, decay: 0 }),
  nadam: entry(nadam, { rate: 0.05 }),
  radam: entry(radam, { rate: 0.05 }),
  adamax: entry(adamax, { rate: 0.05 }),
  lion: entry(lion, { rate: 0.005 }),
  scheduleFreeSgd: entry(scheduleFreeSgd, { rate: 0.5 }),
  scheduleFreeAdam: entry(scheduleFreeAdam, { rate: 0.05 }),
  prodigy: entry(prodigy, {}),
  lbfgs: entry(lbfgs, {}),
  clipNorm: entry(clipNorm, { norm: 10 }, undefined, before),
  clipValue: entry(clipValue, { value: 10 }, undefined, before),
  weightDecay: entry(weightDecay, { decay: 1e-6 }, undefined, before),
  averaging: entry(averaging, { start: 2 }, { start: 5000 }, (link) => chain(sgd({ rate: 0.5 }), link)),
};

/** Keeps the names of all rules so far for this library. */
export const reserveRules = (): void => definedRules.reserve(...Object.keys(ruleRegistry), "chain");

/** Rebuilds what toJSON() gave: schedules and chains, too, and rules that were defined here before. */
export function ruleFromJson(json: RuleJson): Rule {
  if (typeof json === "object" && json !== null && "parts" in json) {
    if (!Array.isArray(json.parts)) refuse("ruleFromJson", "parts", json.parts, "a list of rules as JSON", "[rule.toJSON()]");
    return chain(...json.parts.map((part) => ruleFromJson(part) as EquationRule));
  }
  checkNamedJson("ruleFromJson", json, "rule", "a rule");
  checkOptionsJson("ruleFromJson", json.options);
  const make = Object.hasOwn(ruleRegistry, json.rule) ? ruleRegistry[json.rule].make : definedRules.get(json.rule);
  if (!make) {
    const known = [...Object.keys(ruleRegistry), "chain"];
    const own = definedRules.names().filter((name) => !known.includes(name));
    throw new OptionError(
      "rule",
      `"${json.rule}" is not a rule of this version, nor one defined so far; if it is yours, import what defines it first (known: ${[...known, ...own].join(", ")})`,
      "RULE_UNKNOWN",
    );
  }
  const options = Object.entries(json.options).map(([key, value]): [string, OptionValue | Schedule] => [
    key,
    typeof value === "object" ? scheduleFromJson(value as ScheduleJson) : value,
  ]);
  return make(Object.fromEntries(options));
}
