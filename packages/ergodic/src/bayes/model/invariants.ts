/**
 * What does not depend on a model's parameters is computed once, when the data are given, and stands in the compiled programs as inputs.
 *
 * A mask that is the same everywhere (all counts are counts) becomes one number, so that the branch that it guards is gone.
 */
import { arrayPrimitiveOf } from "../../engine/compiler/array/primitive.ts";
import { substituteArrays } from "../../engine/compiler/array/substitute.ts";
import { arraysBelow, full, input, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";

/** Inputs by name, of data and of what was made of them. */
export type Fixed = Map<string, Float64Array>;

/** The values of arrays, from inputs by name. */
export type Evaluate = (arrays: readonly SymbolicArray[], inputs: Fixed) => Float64Array[];

const interpreted: Evaluate = (arrays, inputs) => interpret(arrays, Object.fromEntries(inputs));

/** What has been found for each map, so that programs of one model share it. */
const found = new WeakMap<Fixed, Map<SymbolicArray, SymbolicArray>>();

/** The roots without fixed work; its results are added to `fixed`. `isMoved`: whether an input is a parameter's. */
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

/** What is computed without anything that moves, where something that moves reads it, and roots that nothing moves. */
export function unmovedBelow(roots: readonly SymbolicArray[], isMoved: (input: SymbolicArray) => boolean): Set<SymbolicArray> {
  const nodes = arraysBelow(roots);
  const moved = new Set<SymbolicArray>();
  for (const node of nodes) if (node.op === "input" ? isMoved(node) : node.args.some((arg) => moved.has(arg))) moved.add(node);
  const wanted = new Set<SymbolicArray>();
  const look = (node: SymbolicArray): void => {
    if (moved.has(node) || node.op === "input" || node.op === "full" || node.op === "constant") return;
    // A view costs nothing: what it shows is kept, once.
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
