/** `ergodic/rules`: step rules, schedules and variance reduction, with their equations and costs. */
import "./at-start.ts"; // left out by bundlers

export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "../engine/optimise/cost.ts";
export { ruleEquation } from "../engine/optimise/equation.ts";
export type { GradientDescent } from "../engine/optimise/fits.ts";
export { hostRule } from "../engine/optimise/host-rule.ts";
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
  type RuleEntry,
  radam,
  rmsprop,
  ruleFromJson,
  ruleRegistry,
  scheduleFreeAdam,
  scheduleFreeSgd,
  sgd,
  spsMax,
  stochasticLineSearch,
  strongWolfe,
  weightDecay,
} from "../engine/optimise/index.ts";
export type {
  EquationRule,
  HostReport,
  HostRule,
  HostRun,
  HostState,
  Objective,
  Rule,
  RuleJson,
  SearchRule,
} from "../engine/optimise/kinds.ts";
export { type LedgerRow, type MeasuredRule, measureRule, ruleLedger, ruleLedgerRow } from "../engine/optimise/ledger.ts";
export { chain, type RuleFactory, rule } from "../engine/optimise/rule.ts";
export { type RuleProgram, type RuleProgramOptions, ruleProgram } from "../engine/optimise/rule-program.ts";
export { RuleRunner, type RuleSnapshot } from "../engine/optimise/runner.ts";
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  optimalRate,
  type Schedule,
  type ScheduleJson,
  scheduleFromJson,
  scheduleNames,
  stepDecay,
  warmUp,
} from "../engine/optimise/schedule.ts";
export { sag, saga, svrg, type Variance, varianceFromJson } from "../engine/optimise/variance.ts";
