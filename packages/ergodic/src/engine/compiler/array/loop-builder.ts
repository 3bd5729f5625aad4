import { assert } from "../../errors/errors.ts";
import { constant, type Expr, scalar } from "../expression.ts";
import { substitute } from "../rebuild.ts";
import type { Access, LoopStep } from "./lowered.ts";
import { expressionOf } from "./operations/map-reduce.ts";
import type { Layout } from "./primitive.ts";
import { type Shape, type SymbolicArray, sameShape, sizeOf, stridesOf } from "./symbolic.ts";

/**
 * Builds the expressions of one loop from its loads: arrays in memory are loaded, and all other element-wise work is
 * inlined.
 */
export class LoopBuilder {
  readonly loads: Access[] = [];
  readonly #shape: Shape;
  readonly #isKept: (node: SymbolicArray) => boolean;
  readonly #access: (node: SymbolicArray) => Access;
  readonly #known = new Map<SymbolicArray, Expr>();

  constructor(shape: Shape, isKept: (node: SymbolicArray) => boolean, access: (node: SymbolicArray) => Access) {
    this.#shape = shape;
    this.#isKept = isKept;
    this.#access = access;
  }

  /** Returns the value of an array that the loop loads or has computed. */
  expression(node: SymbolicArray): Expr {
    const known = this.#known.get(node);
    if (known) return known;
    const made = (node.op === "map" || node.op === "full") && !this.#isKept(node) ? this.#inline(node) : this.#load(node);
    this.#known.set(node, made);
    return made;
  }

  /** Computes a stored node in this loop instead of loading the node. */
  computed(node: SymbolicArray): Expr {
    const made = this.#inline(node);
    this.#known.set(node, made);
    return made;
  }

  #inline(node: SymbolicArray): Expr {
    if (node.op === "full") return constant(node.attributes as number);
    const args = Object.fromEntries(node.args.map((arg, i) => [String(i), this.expression(arg)]));
    return substitute(expressionOf(node), args);
  }

  #load(node: SymbolicArray): Expr {
    const access = this.#access(node);
    const same = (other: Access): boolean =>
      other.value === access.value && other.offset === access.offset && sameShape(other.strides, access.strides);
    const at = this.loads.findIndex(same);
    assert(access.strides.length === this.#shape.length, "a load has the loop's axes");
    return scalar(String(at >= 0 ? at : this.loads.push(access) - 1));
  }
}

export function copyStep(shape: Shape, from: Access | number, to: Access): LoopStep {
  const isNumber = typeof from === "number";
  return {
    kind: "loop",
    shape,
    reduced: [0, 0],
    loads: isNumber ? [] : [from],
    stores: [{ to, expr: isNumber ? constant(from) : scalar("0") }],
    reductions: [],
  };
}

/**
 * Largest number of copies that one loop can join, and the largest number of elements that such a copy can have. Copies
 * of single numbers are joined, because separate loops would be mostly overhead.
 */
const MOST_COPIES = 16;
const SMALL_COPY = 16;

/** Joins adjacent copies of the same shape into one loop. */
export function joinedCopies(copies: readonly LoopStep[]): LoopStep[] {
  const joined: LoopStep[] = [];
  for (const copy of copies) {
    const last = joined.at(-1);
    if (!last || last.stores.length >= MOST_COPIES || sizeOf(copy.shape) > SMALL_COPY || !sameShape(last.shape, copy.shape)) {
      joined.push(copy);
      continue;
    }
    const [{ to, expr }] = copy.stores;
    const read = copy.loads.length > 0 ? scalar(String(last.loads.length)) : expr;
    joined[joined.length - 1] = {
      ...last,
      loads: [...last.loads, ...copy.loads],
      stores: [...last.stores, { to, expr: read }],
    };
  }
  return joined;
}

export function isContiguous(shape: Shape, { strides }: Layout): boolean {
  const wanted = stridesOf(shape);
  return shape.every((extent, axis) => extent === 1 || strides[axis] === wanted[axis]);
}
