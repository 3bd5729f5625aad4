import { type Expr, nodesOf } from "./expression.ts";
import { hoist } from "./hoist.ts";
import { reductionOf } from "./primitive.ts";
import type { ProgramSpec } from "./program.ts";

export interface Plan {
  readonly stores: readonly { operand: string; value: Expr }[];
  readonly results: readonly { scalar: string; value: Expr }[];
  /**
   * Reductions that each pass computes. The last pass also stores. The list is empty if the program consists of scalar
   * arithmetic alone.
   */
  readonly passes: readonly (readonly Expr[])[];
  readonly usesCount: boolean;
  readonly usesIndex: boolean;
}

/**
 * Plans the passes over memory. A vector value that needs a sum() or maximum() is computed after the pass with that
 * reduction. A pass computes its reductions from the operands, and recomputes the values of earlier passes that it
 * needs. All stores happen in the last pass, because earlier passes must read the original values. Each reduction is
 * computed in the latest pass that its users allow. A reduction that only results need is computed in the last pass.
 */
export function plan(spec: ProgramSpec): Plan {
  const values = hoist([...spec.stores, ...spec.results].map((s) => s.value));
  const stores = spec.stores.map(({ operand }, i) => ({ operand, value: values[i] }));
  const results = spec.results.map(({ scalar }, i) => ({ scalar, value: values[spec.stores.length + i] }));
  const nodes = nodesOf(values);
  const depths = depthsOf(nodes);
  const reductions = nodes.filter((n) => reductionOf(n));
  const latest = [...stores.map((s) => depths.get(s.value)!), ...reductions.map((r) => depths.get(r)! - 1)];
  const last = latest.reduce((most, pass) => Math.max(most, pass), -1);
  const due = duePasses(
    nodes,
    reductions,
    stores.map((s) => s.value),
    last,
  );
  const passes = Array.from({ length: last + 1 }, (): Expr[] => []);
  for (const reduction of reductions) passes[due.get(reduction)!].push(reduction);
  return {
    stores,
    results,
    passes,
    usesCount: nodes.some((n) => n.op === "count"),
    usesIndex: nodes.some((n) => n.op === "index"),
  };
}

/**
 * Returns the nesting depth of reductions for each node: the largest number of reductions on any path that starts at
 * the node.
 */
function depthsOf(nodes: readonly Expr[]): Map<Expr, number> {
  const depths = new Map<Expr, number>();
  for (const node of nodes) {
    depths.set(node, Math.max(0, ...node.args.map((a) => depths.get(a)!)) + (reductionOf(node) ? 1 : 0));
  }
  return depths;
}

/** Returns the latest possible pass of each reduction. */
function duePasses(
  nodes: readonly Expr[],
  reductions: readonly Expr[],
  stored: readonly Expr[],
  last: number,
): Map<Expr, number> {
  // Pass in which each node's value is needed. Users are visited before their arguments.
  const wanted = new Map<Expr, number>();
  const want = (node: Expr, pass: number): void => void wanted.set(node, Math.min(pass, wanted.get(node) ?? Infinity));
  for (const value of stored) want(value, last);
  for (const node of [...nodes].reverse()) {
    // Values without users are results, which are computed after the last pass.
    const at = wanted.get(node) ?? last + 1;
    wanted.set(node, at);
    for (const arg of node.args) want(arg, reductionOf(node) ? at - 1 : at);
  }
  return new Map(reductions.map((r) => [r, wanted.get(r)! - 1]));
}
