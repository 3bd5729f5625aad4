/**
 * One rule's line in the cost ledger: predicted from its equation, and timed by running it.
 *
 * Rules without an equation act on the whole objective: their state is what they hold after 20 steps on a quadratic of 1000 parameters,
 * and no time is given, as the objective's own cost outweighs theirs.
 */
import { type HostRule, type Rule, RuleRunner, ruleCost, ruleEquation, rules, sparseBehaviour } from "ergodic";

export const SMALL = 100_000;
export const LARGE = 10_000_000;
const MEASURE_MS = 20;
const LEAST_UPDATES = 3;

export interface RuleCost {
  name: string;
  kind: Rule["kind"];
  summary: string;
  source: string;
  /** Default options; a schedule as its JSON. */
  options: Record<string, unknown>;
  equation: string | null;
  /** What a rule without an equation needs. */
  needs: string | null;
  /** At f32 (f64 for rules on the whole objective); null where it grows with every step. */
  stateBytesPerParameter: number | null;
  scalars: number | null;
  operationsPerParameter: number | null;
  extraPasses: number | null;
  sparse: string | null;
  nanosecondsPerParameter: number | null;
}

export async function ruleLedger(name: string, count: number): Promise<RuleCost> {
  const rule = rules[name].make();
  const { kind, summary, source, options } = rule;
  const line = {
    name,
    kind,
    summary,
    source,
    options,
    equation: null,
    needs: null,
    scalars: null,
    operationsPerParameter: null,
    extraPasses: null,
  };
  if (rule.kind === "host") {
    return { ...line, needs: rule.needs, stateBytesPerParameter: hostState(rule), sparse: null, nanosecondsPerParameter: null };
  }
  if (rule.kind === "search") {
    return {
      ...line,
      needs: "the loss of the same batch at trial points",
      stateBytesPerParameter: 0,
      sparse: null,
      nanosecondsPerParameter: null,
    };
  }
  const cost = ruleCost(rule);
  return {
    ...line,
    equation: ruleEquation(rule),
    stateBytesPerParameter: cost.stateBytesPerParameter("f32"),
    scalars: cost.scalars,
    operationsPerParameter: cost.operationsPerParameter,
    extraPasses: cost.extraPasses,
    sparse: sparseBehaviour(rule),
    nanosecondsPerParameter: await timed(rule, count),
  };
}

/** The fastest of several updates, ns a parameter. */
async function timed(rule: Parameters<typeof RuleRunner.open>[0], count: number): Promise<number> {
  using runner = await RuleRunner.open(rule, { count, precision: "f32" });
  const gradient = runner.gradient();
  const parameters = runner.parameters();
  for (let i = 0; i < count; i++) {
    gradient[i] = ((i % 97) - 48) / 48;
    parameters[i] = (i % 89) / 89;
  }
  runner.step(1);
  let best = Infinity;
  const begin = performance.now();
  for (let done = 0; done < LEAST_UPDATES || performance.now() - begin < MEASURE_MS; done++) {
    const start = performance.now();
    runner.step(1);
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1e6) / count;
}

function hostState(rule: HostRule): number | null {
  const count = 1000;
  const curvature = (i: number): number => 1 + (i % 50);
  const run = rule.start((x, gradient) => {
    let loss = 0;
    for (let i = 0; i < count; i++) {
      loss += 0.5 * curvature(i) * x[i] * x[i];
      if (gradient) gradient[i] = curvature(i) * x[i];
    }
    return loss;
  }, count);
  const x = Float64Array.from({ length: count }, (_, i) => 1 + (i % 7));
  const after = (steps: number): number => {
    for (let k = 0; k < steps; k++) if (run.step(x).stopped !== null) break;
    return run.stateBytes / count;
  };
  const half = after(20);
  const whole = after(20);
  return whole > half ? null : whole;
}
