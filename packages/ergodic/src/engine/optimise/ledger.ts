/**
 * The cost ledger: for every rule of the registry, at its defaults, what it costs beyond plain SGD, predicted from its equation (or stated,
 * where a rule has none), and on demand measured.
 */
import { checkNumber, OptionError } from "../errors/errors.ts";
import { ruleCost, type SparseBehaviour, sparseBehaviour } from "./cost.ts";
import { optionSigns, ruleEquation } from "./equation.ts";
import { type RuleEntry, ruleRegistry } from "./index.ts";
import type { EquationRule, Rule } from "./kinds.ts";
import type { Precision } from "./rule-program.ts";
import { RuleRunner } from "./runner.ts";

/** One rule of the cost ledger: its equation, states and operations, at its defaults. */
export interface LedgerRow {
  /** The rule's name. */
  rule: string;
  /** Its kind. */
  kind: Rule["kind"];
  /** A link of chains; its figures are over p − ηg all the same. */
  transformation: boolean;
  /** One line on what it does. */
  summary: string;
  /** Where it was published. */
  source: string;
  /** The defaults. */
  options: Rule["options"];
  /** By option its sign in the equation, where that is not the option's name: `optimum` is f*. */
  signs: Readonly<Record<string, string>>;
  /** Its printed equation; null where it has none. */
  equation: string | null;
  /** Beside the parameter and its gradient; null: it grows with the updates. */
  floatsPerParameter: number | null;
  /** The same as a rule runs by default: f32, but f64 where it acts on the whole objective. */
  stateBytesPerParameter: number | null;
  /** Numbers of state, whatever the number of parameters; null where there is no equation. */
  scalars: number | null;
  /** Over plain SGD's 2; null where a step is not one pass. */
  operationsPerParameter: number | null;
  /** Reductions over all parameters that the step waits for; null where there is no equation. */
  extraPasses: number | null;
  /** How it treats sparse gradients; null where there is no equation. */
  sparse: SparseBehaviour | null;
  /** What else a step costs, as text. */
  perStep: string | null;
}

/** The cost ledger: for every rule of the registry, what it costs beyond plain SGD, predicted from its equation. */
export function ruleLedger(): LedgerRow[] {
  return Object.entries(ruleRegistry).map(([name, entry]) => row(name, entry, entry.make()));
}

/**
 * The row of one rule, with the options that it has: `ruleLedgerRow(rmsprop({ momentum: 0.9 }))` is written with momentum.
 *
 * @throws OptionError for a chain, and for a rule that is not the library's
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

/** What `measureRule` found. */
export interface MeasuredRule {
  /** Median time of an update, per parameter. */
  nanosecondsPerParameter: number;
  /** Allocated for states. */
  stateBytesPerParameter: number;
}

const MEASURE_MS = 20;

/** The median time of a full update of `count` parameters on this thread, over at least `updates` of them and at least 20 ms. */
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
