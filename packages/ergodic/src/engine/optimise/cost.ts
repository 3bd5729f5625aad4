/**
 * What a rule costs beyond plain SGD, and how it meets a sparse gradient: both read off its equation, neither declared.
 *
 * Operations: machine operations a parameter of the fused pass (new parameter and states), less those of p − ηg. Passes: reductions
 * over all parameters that the step waits for; each reads the gradient once more.
 * Sparse: with g = 0 and the options' values put into the equation, a rule whose parameter and states stay as they are is exact on touched
 * coordinates alone. One where they move (momentum decays) is lazy: untouched coordinates wait, as in PyTorch's SparseAdam. Dense, so that
 * every coordinate must be seen, is one with a reduction whose terms do not vanish, or one that is evaluated at an average of its iterates,
 * which would lag behind where coordinates wait.
 */
import {
  type Expr,
  isConstant,
  mul,
  nodesOf,
  operations,
  reductionOf,
  scalar,
  sub,
  substitute,
  vector,
} from "../compiler/index.ts";
import type { EquationRule } from "./kinds.ts";
import type { Precision } from "./rule-program.ts";

/** What a step rule costs beyond plain SGD, read off its equation. */
export interface RuleCost {
  /** Vector states. */
  floatsPerParameter: number;
  /** Bytes of vector states per parameter at a precision. */
  stateBytesPerParameter(precision: Precision): number;
  /** Machine operations per parameter of the fused pass, less those of p − ηg. */
  operationsPerParameter: number;
  /** Reductions over all parameters that the step waits for; each reads the gradient once more. */
  extraPasses: number;
  /** Scalars of state, whatever the number of parameters. */
  scalars: number;
}

/**
 * How a rule treats a sparse gradient: "exact" on the touched coordinates alone, "lazy" (untouched coordinates wait), or
 * "dense" (all must be visited).
 */
export type SparseBehaviour = "exact" | "lazy" | "dense";

/** What a rule costs beyond plain SGD, read off its equation: states, operations and passes per parameter. */
export function ruleCost(rule: EquationRule): RuleCost {
  const g = vector("g");
  const p = vector("parameter");
  const { step, states, scalars } = rule.trace(g, p);
  const stored = [sub(p, step), ...states.filter((s) => s.next !== vector(s.name)).map((s) => s.next)];
  const plain = operations([sub(p, mul(scalar("rate"), g))]);
  return {
    floatsPerParameter: states.length,
    stateBytesPerParameter: (precision) => states.length * (precision === "f32" ? 4 : 8),
    operationsPerParameter: operations([...stored, ...scalars.map((s) => s.next)]) - plain,
    extraPasses: Math.max(...stored.map(reductionDepth)),
    scalars: scalars.length,
  };
}

/** Whether a rule is exact, lazy or dense on sparse gradients, read off its equation with g = 0. */
export function sparseBehaviour(rule: EquationRule): SparseBehaviour {
  const g = vector("g");
  const { step, states, scalars, inputs, evaluation } = rule.trace(g, vector("parameter"));
  const known = { g: 0, ...Object.fromEntries(inputs.map(({ name, value }) => [name, value])) };
  const without = (e: Expr): Expr => substitute(e, known);
  const roots = [step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)];
  const vanishes = (node: Expr): boolean => reductionOf(node) === undefined || isConstant(without(node.args[0]), 0);
  if (!nodesOf(roots).every(vanishes)) return "dense";
  const still = isConstant(without(step), 0) && states.every((s) => without(s.next) === vector(s.name));
  if (still) return "exact";
  return evaluation === null ? "lazy" : "dense";
}

/** Whether a step depends on sums or maxima over all parameters, this update's or, by a scalar state, a later one's. */
export function hasReduction(rule: EquationRule): boolean {
  const { step, states, scalars } = rule.trace(vector("g"), vector("parameter"));
  return nodesOf([step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)]).some(
    (node) => reductionOf(node) !== undefined,
  );
}

/** Whether a step depends on the loss. */
export function readsLoss(rule: EquationRule): boolean {
  const { step, states, scalars } = rule.trace(vector("g"), vector("parameter"));
  return nodesOf([step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)]).includes(scalar("loss"));
}

/** How many reductions stand one above another below `root`. */
function reductionDepth(root: Expr): number {
  const depths = new Map<Expr, number>();
  for (const node of nodesOf([root])) {
    const below = Math.max(0, ...node.args.map((a) => depths.get(a)!));
    depths.set(node, below + (reductionOf(node) ? 1 : 0));
  }
  return depths.get(root)!;
}
