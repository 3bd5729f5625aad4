import { constant, type Expr, nodesOf } from "./expression.ts";
import { primitiveOf, reductionOf } from "./primitive.ts";
import { add } from "./primitives/arithmetic.ts";
import { sum } from "./primitives/reductions.ts";

/**
 * Returns the reverse-mode derivative of an expression, as an expression.
 *
 * For a scalar output, this is ∂output/∂wrt, element by element if wrt is a vector. A vector output counts as the sum
 * of its elements. For element-wise programs, the result is therefore the element-wise derivative. `wrt` can be any
 * node, not only a leaf. If a scalar is combined with a vector, the scalar's adjoint is the sum of the vector's
 * adjoint.
 */
export function derive(output: Expr, wrt: Expr): Expr {
  return gradients(output, [wrt])[0];
}

/** Same as `derive`, for several inputs. The inputs share adjoints. `seed`: adjoint of the output. */
export function gradients(output: Expr, wrts: readonly Expr[], seed: Expr = constant(1)): Expr[] {
  const nodes = nodesOf([output]);
  const reached = new Set<Expr>(wrts);
  for (const node of nodes) if (node.args.some((a) => reached.has(a))) reached.add(node);
  const adjoints = new Map<Expr, Expr>([[output, seed]]);
  for (const node of nodes.reverse()) {
    const adjoint = adjoints.get(node);
    if (!adjoint || !reached.has(node)) continue;
    node.args.forEach((arg, i) => {
      if (!reached.has(arg)) return;
      const reduced = reductionOf(node);
      const flow = reduced ? reduced.derivative(adjoint, node) : primitiveOf(node)!.derivative(adjoint, node, i);
      if (!flow) return;
      const contribution = node.rank === 1 && arg.rank === 0 ? sum(flow) : flow;
      const known = adjoints.get(arg);
      adjoints.set(arg, known ? add(known, contribution) : contribution);
    });
  }
  return wrts.map((wrt) => (reached.has(output) ? (adjoints.get(wrt) ?? constant(0)) : constant(0)));
}
