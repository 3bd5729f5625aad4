/**
 * The cost ledger lists the cost of every registered rule with default options, in addition to the cost of plain SGD.
 * The ledger predicts this cost from the rule's equation, and can also measure it. Rules without an equation state
 * their cost themselves.
 */
import { checkNumber, OptionError } from "../errors/errors.ts";
import { ruleCost, type SparseBehaviour, sparseBehaviour } from "./cost.ts";
import { optionSigns, ruleEquation } from "./equation.ts";
import { type RuleEntry, ruleRegistry } from "./index.ts";
import type { EquationRule, Rule } from "./kinds.ts";
import type { Precision } from "./rule-program.ts";
import { RuleRunner } from "./runner.ts";

/** Row of the cost ledger: equation, states and operations of one rule with default options. */
export interface LedgerRow {
  /** Name of the rule. */
  rule: string;
  /** Kind of the rule. */
  kind: Rule["kind"];
  /** Whether the rule is a link of chains. Even in this case, the figures are relative to p − ηg. */
  transformation: boolean;
  /** One-line description of what it does. */
  summary: string;
  /** Publication that introduced it. */
  source: string;
  /** Default options. */
  options: Rule["options"];
  /** Symbols of options in the equation, where they differ from the options' names: `optimum` is f*. */
  signs: Readonly<Record<string, string>>;
  /** Printed equation, or null if the rule has no equation. */
  equation: string | null;
  /** Number of floats that the rule stores per parameter; null if it grows with the number of updates. */
  floatsPerParameter: number | null;
  /**
   * Number of bytes that these floats take per parameter. The floats are f32 by default, and f64 for rules on the whole
   * objective.
   */
  stateBytesPerParameter: number | null;
  /** Number of scalar states, which does not depend on the number of parameters. Null without an equation. */
  scalars: number | null;
  /** Number of operations in addition to the 2 operations of plain SGD. Null if a step is not a single pass. */
  operationsPerParameter: number | null;
  /** Number of reductions over all parameters that must end before the step. Null without an equation. */
  extraPasses: number | null;
  /** Behaviour on sparse gradients; null without an equation. */
  sparse: SparseBehaviour | null;
  /** Description of any further cost of a step. */
  perStep: string | null;
}

/** Returns the cost ledger, which predicts the cost of every registered rule in addition to the cost of plain SGD. */
export function ruleLedger(): LedgerRow[] {
  return Object.entries(ruleRegistry).map(([name, entry]) => row(name, entry, entry.make()));
}

/**
 * Returns the row of one rule with the options that it was given: `ruleLedgerRow(rmsprop({ momentum: 0.9 }))` includes
 * momentum.
 *
 * @throws OptionError for a chain, and for a rule that is not built in
 */
export function ruleLedgerRow(rule: Rule): LedgerRow {
  const entry = Object.hasOwn(ruleRegistry, rule.name) ? ruleRegistry[rule.name] : undefined;
  if (!entry)
    throw new OptionError(
      "ruleLedgerRow",
      `the rule is ${rule.name}, but must be one of ${Object.keys(ruleRegistry).join(", ")}; of a chain, ask for each link`,
      "OPTION_RANGE",
    );
  return row(rule.name, entry, rule);
}

/** Result of `measureRule`. */
export interface MeasuredRule {
  /** Median time of an update in nanoseconds, per parameter. */
  nanosecondsPerParameter: number;
  /** Bytes allocated for states, per parameter. */
  stateBytesPerParameter: number;
}

const MEASURE_MS = 20;

/**
 * Measures full updates of `count` parameters on this thread. Makes at least `updates` updates, for at least 20 ms.
 * Returns the median time.
 */
export async function measureRule(
  rule: EquationRule,
  { count = 10_000_000, precision = "f32" as Precision, updates = 7 } = {},
): Promise<MeasuredRule> {
  checkNumber("measureRule", "count", count, { low: 1, integer: true });
  checkNumber("measureRule", "updates", updates, { low: 1, integer: true });
  const runner = await RuleRunner.open(rule, { count, precision });
  try {
    const gradient = runner.gradient();
    for (let i = 0; i < count; i++) gradient[i] = ((i % 17) - 8) / 100;
    runner.step(1);
    const times: number[] = [];
    const begin = performance.now();
    while (times.length < updates || performance.now() - begin < MEASURE_MS) {
      const start = performance.now();
      runner.step(1);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return {
      nanosecondsPerParameter: (times[times.length >> 1] * 1e6) / count,
      stateBytesPerParameter: runner.stateBytes / count,
    };
  } finally {
    runner.dispose();
  }
}

function row(name: string, { inChain }: RuleEntry, rule: Rule): LedgerRow {
  const { kind, summary, source, options } = rule;
  const signs = kind === "equation" ? optionSigns(options) : {};
  const common = { rule: name, kind, transformation: inChain !== undefined, summary, source, options, signs };
  if (rule.kind !== "equation") {
    const { floatsPerParameter, perStep } = rule.cost;
    return {
      ...common,
      equation: null,
      floatsPerParameter,
      stateBytesPerParameter: floatsPerParameter === null ? null : floatsPerParameter * (kind === "host" ? 8 : 4),
      scalars: null,
      operationsPerParameter: null,
      extraPasses: null,
      sparse: null,
      perStep,
    };
  }
  const cost = ruleCost(inChain?.(rule) ?? rule);
  return {
    ...common,
    equation: ruleEquation(rule),
    floatsPerParameter: cost.floatsPerParameter,
    stateBytesPerParameter: cost.stateBytesPerParameter("f32"),
    scalars: cost.scalars,
    operationsPerParameter: cost.operationsPerParameter,
    extraPasses: cost.extraPasses,
    sparse: sparseBehaviour(rule),
    perStep: null,
  };
}
