import { range, reshape, type SymbolicArray } from "../../../engine/compiler/array/index.ts";
import { full } from "../../../engine/compiler/array/operations/constants.ts";
import { mapArrays } from "../../../engine/compiler/array/operations/map-reduce.ts";
import { type Expr, equal, maximum, nodesOf, scalar, sum, vector, where } from "../../../engine/compiler/index.ts";
import { rebuild } from "../../../engine/compiler/primitive.ts";
import { assert } from "../../../engine/errors/errors.ts";
import type { Loss } from "../loss.ts";

/**
 * Evaluates a loss (models/loss.ts) on a batch: z [batch, outputs], y [batch] → losses [batch].
 *
 * A joint loss covers all outputs of a row. The vectors of a joint loss lie along axis 1, and its reductions sum over
 * axis 1. Other losses with several outputs are one-vs-rest: y = k means a target of +1 for output k and of −1 for all
 * other outputs. The losses of a row's outputs are added.
 */
export function lossOnArrays(loss: Loss, z: SymbolicArray, y: SymbolicArray): SymbolicArray {
  const [batch, outputs] = z.shape;
  const column = reshape(y, [batch, 1]);
  if (loss.joint) return reshape(evaluate(loss.expression, z, column), [batch]);
  const coded = outputs === 1 ? column : where(equal(column, range(outputs)), 1, -1);
  return sum(evaluate(loss.expression, z, coded), { axis: 1 });
}

function evaluate(expression: Expr, z: SymbolicArray, y: SymbolicArray): SymbolicArray {
  const known = new Map<Expr, SymbolicArray>();
  for (const node of nodesOf([expression])) {
    const args = node.args.map((arg) => known.get(arg)!);
    known.set(node, onArrays(node, args, z, y));
  }
  return known.get(expression)!;
}

function onArrays(node: Expr, args: readonly SymbolicArray[], z: SymbolicArray, y: SymbolicArray): SymbolicArray {
  if (node.op === "constant") return full(node.value);
  if (node === vector("z")) return z;
  if (node === vector("y") || node === scalar("y")) return y;
  if (node.op === "index") return range(z.shape[1]);
  if (node.op === "sum") return sum(args[0], { axis: 1, keep: true });
  if (node.op === "maximum") return maximum(args[0], { axis: 1, keep: true });
  assert(args.length > 0, `a loss cannot hold ${node.op}`);
  return mapArrays(
    rebuild(
      node,
      args.map((_, i) => scalar(String(i))),
    ),
    args,
  );
}
