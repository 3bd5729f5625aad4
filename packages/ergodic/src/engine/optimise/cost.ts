/**
 * Cost of a rule in addition to the cost of plain SGD, and its behaviour on a sparse gradient. Both are derived from
 * the rule's equation rather than declared.
 *
 * Operations: machine operations per parameter in the fused pass, which computes the new parameter and states. The
 * operations of plain SGD are subtracted. Passes are reductions over all parameters that must end before the step. Each
 * reads the gradient once more.
 * For sparse behaviour, the equation is evaluated with g = 0 and the values of the options. If the parameter and all
 * states keep their values, the rule is exact when only touched coordinates are updated. If any of them changes
 * (momentum decays, for example), the rule is lazy: untouched coordinates are not updated, as in PyTorch's SparseAdam.
 * A rule is dense if every coordinate has to be visited. This is the case if the terms of a reduction do not vanish. A
 * rule that is evaluated at an average of its iterates is also dense, because the averages of coordinates without
 * updates would lag behind.
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
import { type EquationRule, withEquation } from "./kinds.ts";
import type { Precision } from "./rule-program.ts";

/** Cost of a step rule in addition to the cost of plain SGD, derived from the rule's equation. */
export interface RuleCost {
  /** Number of vector states. */
  floatsPerParameter: number;
  /** Returns the bytes of vector states per parameter at a precision. */
  stateBytesPerParameter(precision: Precision): number;
  /** Number of machine operations per parameter in the fused pass, in addition to those of plain SGD, p − ηg. */
  operationsPerParameter: number;
  /** Number of reductions over all parameters that must end before the step. Each reads the gradient once more. */
  extraPasses: number;
  /** Number of scalar states, which does not depend on the number of parameters. */
  scalars: number;
}

/**
 * Behaviour of a rule on a sparse gradient: "exact" (updating only touched coordinates gives the dense result), "lazy"
 * (untouched coordinates are not updated), or "dense" (all coordinates must be visited).
 */
export type SparseBehaviour = "exact" | "lazy" | "dense";

/**
 * Returns how much more a rule costs than plain SGD, derived from the rule's equation: states, operations and passes
 * per parameter.
 */
export function ruleCost(rule: EquationRule): RuleCost {
  const g = vector("g");
  const p = vector("parameter");
  const { step, states, scalars } = withEquation("ruleCost", rule).trace(g, p);
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

/**
 * Returns whether a rule is exact, lazy or dense on sparse gradients. This is derived from the rule's equation with g =
 * 0.
 */
export function sparseBehaviour(rule: EquationRule): SparseBehaviour {
  const g = vector("g");
  const { step, states, scalars, inputs, evaluation } = withEquation("sparseBehaviour", rule).trace(g, vector("parameter"));
  const known = { g: 0, ...Object.fromEntries(inputs.map(({ name, value }) => [name, value])) };
  const without = (e: Expr): Expr => substitute(e, known);
  const roots = [step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)];
  const vanishes = (node: Expr): boolean => reductionOf(node) === undefined || isConstant(without(node.args[0]), 0);
  if (!nodesOf(roots).every(vanishes)) return "dense";
  const still = isConstant(without(step), 0) && states.every((s) => without(s.next) === vector(s.name));
  if (still) return "exact";
  return evaluation === null ? "lazy" : "dense";
}

/**
 * Returns whether a step depends on a sum or maximum over all parameters. The sum can come from this update or, through
 * a scalar state, from an earlier update.
 */
export function hasReduction(rule: EquationRule): boolean {
  const { step, states, scalars } = rule.trace(vector("g"), vector("parameter"));
  return nodesOf([step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)]).some(
    (node) => reductionOf(node) !== undefined,
  );
}

/** Returns whether a step depends on the loss. */
export function readsLoss(rule: EquationRule): boolean {
  const { step, states, scalars } = rule.trace(vector("g"), vector("parameter"));
  return nodesOf([step, ...states.map((s) => s.next), ...scalars.map((s) => s.next)]).includes(scalar("loss"));
}

/** Returns the largest nesting depth of reductions below `root`. */
function reductionDepth(root: Expr): number {
  const depths = new Map<Expr, number>();
  for (const node of nodesOf([root])) {
    const below = Math.max(0, ...node.args.map((a) => depths.get(a)!));
    depths.set(node, below + (reductionOf(node) ? 1 : 0));
  }
  return depths.get(root)!;
}
