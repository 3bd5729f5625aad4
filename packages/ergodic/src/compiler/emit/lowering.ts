/** Expressions → machine nodes, in one kind of lanes. Leaves are given by the caller; masks and numbers are converted where they meet. */
import { assert } from "../../base/errors.ts";
import type { Expr } from "../expression.ts";
import type { Node } from "../machine/graph.ts";
import type { Instructions } from "../machine/instructions.ts";
import { primitiveOf } from "../primitive.ts";

/** The node of a leaf, or of a value already at hand; undefined: compute it. */
export type Leaf = (expr: Expr) => Node | undefined;

export class Lowering {
  readonly lanes: Instructions;
  readonly #leaf: Leaf;
  readonly #known = new Map<Expr, { node: Node; isMask: boolean }>();

  constructor(lanes: Instructions, leaf: Leaf) {
    this.lanes = lanes;
    this.#leaf = leaf;
  }

  number(expr: Expr): Node {
    const { node, isMask } = this.#lower(expr);
    return isMask ? this.lanes.number(node) : node;
  }

  mask(expr: Expr): Node {
    const { node, isMask } = this.#lower(expr);
    return isMask ? node : this.lanes.condition(node);
  }

  #lower(expr: Expr): { node: Node; isMask: boolean } {
    const known = this.#known.get(expr);
    if (known) return known;
    const made = this.#make(expr);
    this.#known.set(expr, made);
    return made;
  }

  #make(expr: Expr): { node: Node; isMask: boolean } {
    if (expr.op === "constant") return { node: this.lanes.constant(expr.value), isMask: false };
    const leaf = this.#leaf(expr);
    if (leaf) return { node: leaf, isMask: false };
    const primitive = primitiveOf(expr);
    assert(primitive, `${expr.op} reached the code`);
    const args = expr.args.map((a, i) => (primitive.conditions?.includes(i) ? this.mask(a) : this.number(a)));
    return { node: primitive.code(this.lanes, ...args) as Node, isMask: primitive.condition === true };
  }
}
