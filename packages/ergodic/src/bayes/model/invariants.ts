/**
 * Moves work that does not depend on a model's parameters out of the compiled programs. The result is computed once,
 * when the data are given, and becomes an input. A mask becomes a single number if it has the same value everywhere,
 * for example because all counts are valid. This removes the branch that the mask guards.
 */
import { arrayPrimitiveOf } from "../../engine/compiler/array/primitive.ts";
import { substituteArrays } from "../../engine/compiler/array/substitute.ts";
import { arraysBelow, full, input, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";

/** Inputs by name: the data, and results computed from them. */
export type Fixed = Map<string, Float64Array>;

/** Computes the values of arrays from inputs by name. */
export type Evaluate = (arrays: readonly SymbolicArray[], inputs: Fixed) => Float64Array[];

const interpreted: Evaluate = (arrays, inputs) => interpret(arrays, Object.fromEntries(inputs));

/** Results found so far for each `Fixed` map. All programs of a model share these results. */
const found = new WeakMap<Fixed, Map<SymbolicArray, SymbolicArray>>();

/**
 * Removes work that does not depend on parameters from the computation of the roots, and adds the results of this work
 * to `fixed`. Returns the new roots. `isMoved`: whether an input belongs to a parameter.
 */
export function withoutInvariants(
  roots: readonly SymbolicArray[],
  fixed: Fixed,
  isMoved: (input: SymbolicArray) => boolean,
  evaluate: Evaluate = interpreted,
): SymbolicArray[] {
  const wanted = unmovedBelow(roots, isMoved);
  if (wanted.size === 0) return [...roots];
  const known = found.get(fixed) ?? new Map<SymbolicArray, SymbolicArray>();
  found.set(fixed, known);
  const list = [...wanted].filter((node) => !known.has(node));
  const values = list.length > 0 ? evaluate(list, fixed) : [];
  for (const [i, node] of list.entries()) known.set(node, standIn(node, values[i], fixed));
  return substituteArrays(roots, new Map([...wanted].map((node) => [node, known.get(node)!])));
}

/**
 * Returns the boundary nodes. A boundary node depends on no moved input. Every boundary node is either a root, or an
 * operand of a node that depends on a moved input.
 */
export function unmovedBelow(roots: readonly SymbolicArray[], isMoved: (input: SymbolicArray) => boolean): Set<SymbolicArray> {
  const nodes = arraysBelow(roots);
  const moved = new Set<SymbolicArray>();
  for (const node of nodes) if (node.op === "input" ? isMoved(node) : node.args.some((arg) => moved.has(arg))) moved.add(node);
  const wanted = new Set<SymbolicArray>();
  const look = (node: SymbolicArray): void => {
    if (moved.has(node) || node.op === "input" || node.op === "full" || node.op === "constant") return;
    // A view costs nothing, so only its underlying array is stored, and only once.
    if (arrayPrimitiveOf(node).code.form === "view") look(node.args[0]);
    else wanted.add(node);
  };
  for (const node of nodes) if (moved.has(node)) node.args.forEach(look);
  roots.forEach(look);
  return wanted;
}

function standIn(node: SymbolicArray, values: Float64Array, fixed: Fixed): SymbolicArray {
  if (values.every((x) => Object.is(x, values[0]))) return full(values[0], node.shape);
  const name = `fixed ${fixed.size}`;
  fixed.set(name, values);
  return input(name, node.shape);
}
