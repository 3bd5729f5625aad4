/**
 * The cost ledger: for every registered rule, at its defaults, what it costs beyond plain SGD, predicted from its equation (or stated,
 * where a rule has none), and on demand measured.
 */
import { checkNumber } from "../../base/errors.ts";
import { ruleCost, type SparseBehaviour, sparseBehaviour } from "./cost.ts";
import { ruleEquation } from "./equation.ts";
import { type RuleEntry, rules } from "./index.ts";
import type { Rule } from "./kinds.ts";
import type { EquationRule } from "./rule.ts";
import type { Precision } from "./rule-program.ts";
import { RuleRunner } from "./runner.ts";

export interface LedgerRow {
  rule: string;
  kind: Rule["kind"];
  /** A link of chains; its figures are over p − ηg all the same. */
  transformation: boolean;
  summary: string;
  source: string;
  equation: string | null;
  /** Beside the parameter and its gradient; null: it grows with the updates. */
  floatsPerParameter: number | null;
  /** Over plain SGD's 2; null where a step is not one pass. */
  operationsPerParameter: number | null;
  extraPasses: number | null;
  sparse: SparseBehaviour | null;
  /** What else a step costs, in words. */
  perStep: string | null;
}

export function ruleLedger(): LedgerRow[] {
  return Object.entries(rules).map(([name, entry]) => row(name, entry));
}

export interface Measured {
  nsPerParameter: number;
  /** Allocated for states. */
  stateBytesPerParameter: number;
}

/**
 * The median time of `updates` full updates of `count` parameters on this thread. A transformation is measured with the plain SGD that
 * it stands before or after.
 */
export async function measureRule(
  rule: EquationRule,
  { count = 10_000_000, precision = "f32" as Precision, updates = 7 } = {},
): Promise<Measured> {
  checkNumber("measureRule", "count", count, { low: 1, integer: true });
  checkNumber("measureRule", "updates", updates, { low: 1, integer: true });
  using runner = await RuleRunner.open(rule, { count, precision });
  const gradient = runner.gradient();
  for (let i = 0; i < count; i++) gradient[i] = ((i % 17) - 8) / 100;
  runner.step(1);
  const times = Array.from({ length: updates }, () => {
    const start = performance.now();
    runner.step(1);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { nsPerParameter: (times[updates >> 1] * 1e6) / count, stateBytesPerParameter: runner.stateBytes / count };
}

function row(name: string, { make, inChain }: RuleEntry): LedgerRow {
  const rule = make();
  const { kind, summary, source } = rule;
  const common = { rule: name, kind, transformation: inChain !== undefined, summary, source };
  if (rule.kind !== "equation") {
    const { floatsPerParameter, perStep } = rule.cost;
    return {
      ...common,
      equation: null,
      floatsPerParameter,
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
    operationsPerParameter: cost.operationsPerParameter,
    extraPasses: cost.extraPasses,
    sparse: sparseBehaviour(rule),
    perStep: null,
  };
}
