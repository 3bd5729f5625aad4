/** Registry of step rules by name, and their construction from JSON. */
import { byName } from "../contract/registry.ts";
import { checkNamedJson, checkOptionsJson, refuse } from "../errors/checks.ts";
import { OptionError } from "../errors/errors.ts";
import type { Defaults, EquationRule, OptionValue, Rule, RuleConformance, RuleDefinition, RuleJson } from "./kinds.ts";
import { chain, definedRules } from "./rule.ts";
import * as rules from "./rules/index.ts";
import type { Schedule } from "./schedule.ts";
import { ruleOptionsFromJson } from "./schedules/by-name.ts";

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
export * from "./rules/index.ts";
export { RuleRunner, type RuleSnapshot } from "./runner.ts";
export type { Schedule } from "./schedule.ts";
export { scheduleFromJson, scheduleNames } from "./schedules/by-name.ts";
export * from "./schedules/index.ts";

type RuleOptions = Record<string, OptionValue | Schedule>;

/** Entry of a rule in the registry: the rule's factory, and its options for conformance tests. */
export interface RuleEntry {
  /** Makes the rule from its options. */
  make(options?: RuleOptions): Rule;
  /** Puts the rule into a chain. Present if the rule can only be a link. */
  inChain?: (link: EquationRule) => EquationRule;
  /** Options with which the rule solves the convex test problem, whose slope is 1. */
  convex: RuleOptions;
  /** Options for the test problem whose coordinates differ 1000-fold in scale. */
  scaled: RuleOptions;
}

type Defined = ((options?: RuleOptions) => Rule) & RuleDefinition<Defaults>;
const isDefined = (value: unknown): value is Defined => typeof value === "function" && "declaration" in value;

const inChain = (place: RuleConformance["link"]): RuleEntry["inChain"] =>
  place && ((link) => (place === "first" ? chain(link, rules.sgd({ rate: 0.5 })) : chain(rules.sgd({ rate: 0.5 }), link)));

function entryOf(make: Defined): RuleEntry {
  const { convex = {}, scaled = convex, link } = make.conformance ?? {};
  return { make, convex, scaled, inChain: inChain(link) };
}

/** Built-in step rules by name, e.g. `ruleRegistry.adam.make({ rate: 0.01 })`. */
export const ruleRegistry: Readonly<Record<string, RuleEntry>> = Object.fromEntries(
  Object.entries(byName(rules, isDefined, ({ declaration }) => declaration.name)).map(([name, make]) => [name, entryOf(make)]),
);

/** Reserves the names of all built-in rules. */
export const reserveRules = (): void => definedRules.reserve(...Object.keys(ruleRegistry), "chain");

/** Rebuilds a rule from its `toJSON()`, including schedules, chains and rules that the user has defined. */
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
      `"${json.rule}" is neither a rule of this version nor one defined so far; if it is yours, first import the module that defines it (known: ${[...known, ...own].join(", ")})`,
      "RULE_UNKNOWN",
    );
  }
  return make(ruleOptionsFromJson(json.options));
}
