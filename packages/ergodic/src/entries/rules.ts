/** `ergodic/rules`: step rules, schedules and variance reduction, with their equations and costs. */
import "../engine/optimise/at-start.ts"; // left out by bundlers

export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "../engine/optimise/cost.ts";
export { ruleEquation } from "../engine/optimise/equation.ts";
export type { GradientDescent } from "../engine/optimise/fits.ts";
export { hostRule } from "../engine/optimise/host-rule.ts";
export { type RuleEntry, ruleFromJson, ruleRegistry } from "../engine/optimise/index.ts";
export type {
  EquationRule,
  HostReport,
  HostRule,
  HostRun,
  HostState,
  Objective,
  Rule,
  RuleConformance,
  RuleDefinition,
  RuleJson,
  SearchRule,
} from "../engine/optimise/kinds.ts";
export { type LedgerRow, type MeasuredRule, measureRule, ruleLedger, ruleLedgerRow } from "../engine/optimise/ledger.ts";
export { chain, type RuleFactory, rule } from "../engine/optimise/rule.ts";
export { type RuleProgram, type RuleProgramOptions, ruleProgram } from "../engine/optimise/rule-program.ts";
export * from "../engine/optimise/rules/index.ts";
export { RuleRunner, type RuleSnapshot } from "../engine/optimise/runner.ts";
export type { Schedule, ScheduleFactory, ScheduleJson } from "../engine/optimise/schedule.ts";
export { scheduleFromJson, scheduleNames } from "../engine/optimise/schedules/by-name.ts";
export * from "../engine/optimise/schedules/index.ts";
export { sag, saga, svrg, type Variance, varianceFromJson } from "../engine/optimise/variance.ts";
