import { assert } from "../../errors/errors.ts";
import { type Expr, nodesOf } from "../expression.ts";
import type { Node } from "../machine/graph.ts";
import type { Instructions } from "../machine/instructions.ts";
import { primitiveOf } from "../primitive.ts";

/**
 * Returns the node of a leaf, or of a value that is already available. Returns undefined if the value must be computed.
 */
export type Leaf = (expr: Expr) => Node | undefined;

interface Lowered {
  readonly node: Node;
  readonly isMask: boolean;
}

/**
 * Lowers expressions to machine nodes, in one kind of lanes. The caller provides the leaves. A mask is converted to a
 * number, or a number to a mask, if an operation needs the other form.
 */
export class Lowering {
  readonly lanes: Instructions;
  readonly #leaf: Leaf;
  readonly #pairs: ReadonlyMap<Expr, Expr>;
  readonly #known = new Map<Expr, Lowered>();
  /** Expressions that were examined. An examined expression that is missing from `#known` is not a leaf. */
  readonly #opened = new Set<Expr>();

  /**
   * `pairs`: pairs of scalar calls of the same function that are combined into a single call. Each call maps to its
   * partner.
   */
  constructor(lanes: Instructions, leaf: Leaf, pairs: ReadonlyMap<Expr, Expr> = new Map()) {
    this.lanes = lanes;
    this.#leaf = leaf;
    this.#pairs = pairs;
  }

  number(expr: Expr): Node {
    const { node, isMask } = this.#lower(expr);
    return isMask ? this.lanes.number(node) : node;
  }

  mask(expr: Expr): Node {
    const { node, isMask } = this.#lower(expr);
    return isMask ? node : this.lanes.condition(node);
  }

  #lower(expr: Expr): Lowered {
    // Lowers arguments first, without recursion.
    const waiting = [expr];
    for (let top = waiting.at(-1); top; top = waiting.at(-1)) {
      const missing = this.#known.has(top) ? [] : this.#missing(top);
      for (let i = missing.length - 1; i >= 0; i--) waiting.push(missing[i]);
      if (missing.length > 0) continue;
      if (!this.#known.has(top)) this.#known.set(top, this.#make(top));
      waiting.pop();
    }
    return this.#known.get(expr)!;
  }

  /**
   * Returns the arguments of the expression that have not been lowered yet. If the expression is a leaf, its node is
   * made instead.
   */
  #missing(expr: Expr): Expr[] {
    const isNew = !this.#opened.has(expr);
    this.#opened.add(expr);
    if (isNew) {
      const leaf = expr.op === "constant" ? this.lanes.constant(expr.value) : this.#leaf(expr);
      if (leaf) this.#known.set(expr, { node: leaf, isMask: false });
      if (leaf) return [];
    }
    const taken = [...expr.args, ...(this.#pairs.get(expr)?.args ?? [])];
    return taken.filter((arg) => !this.#known.has(arg));
  }

  /** Makes the node of an expression whose arguments have been lowered. */
  #make(expr: Expr): Lowered {
    const primitive = primitiveOf(expr);
    assert(primitive, `${expr.op} reached the code`);
    const partner = this.#pairs.get(expr);
    if (partner) {
      const [node, other] = this.lanes.callPair(
        expr.op,
        expr.args.map((a) => this.number(a)),
        partner.args.map((a) => this.number(a)),
      );
      this.#known.set(partner, { node: other, isMask: false });
      return { node, isMask: false };
    }
    const args = expr.args.map((a, i) => (primitive.conditions?.includes(i) ? this.mask(a) : this.number(a)));
    return { node: primitive.code(this.lanes, ...args) as Node, isMask: primitive.condition === true };
  }
}

/**
 * Finds pairs of scalar calls to the same function below the roots. A call computes two lanes anyway. With few
 * parameters, the powers of β₁ and β₂ (bias corrections) are most of the cost of an update. Two calls are paired only
 * if equally many calls are nested below both, so that no pair depends on itself.
 */
export function pairsBelow(roots: readonly Expr[], isCalled: (op: string) => boolean): Map<Expr, Expr> {
  const pairs = new Map<Expr, Expr>();
  const heights = new Map<Expr, number>();
  const single = new Map<string, Expr>();
  for (const node of nodesOf(roots)) {
    const below = Math.max(0, ...node.args.map((a) => heights.get(a)!));
    const isCandidate = node.rank === 0 && isCalled(node.op);
    heights.set(node, isCandidate ? below + 1 : below);
    if (!isCandidate) continue;
    const key = `${node.op} ${below}`;
    const partner = single.get(key);
    if (partner) pairs.set(node, partner).set(partner, node);
    if (partner) single.delete(key);
    else single.set(key, node);
  }
  return pairs;
}
