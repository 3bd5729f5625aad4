/**
 * Derivatives of array programs, as array programs.
 *
 * `gradientsOf`: reverse mode, ∂output/∂wrt for a scalar output (or ⟨seed, output⟩ for any). `tangentsOf`: forward
 * mode, J·v, by transposing twice: u ↦ Jᵀu is linear, so the gradient of ⟨Jᵀu, v⟩ with respect to u is J·v. It does not
 * contain u. `hessianVector`: forward over reverse, ∂/∂ε ∇f(x + εv) at ε = 0. Derivatives of primitives consist of
 * primitives, so all of this can be repeated.
 */
import { assert } from "../../errors/errors.ts";
import { add, mul } from "../primitives/arithmetic.ts";
import { sum } from "../primitives/reductions.ts";
import { array, arrays, operation, optional } from "../signature.ts";
import { full } from "./operations/constants.ts";
import { joinedPlaces } from "./operations/places.ts";
import { arrayPrimitiveOf } from "./primitive.ts";
import { arraysBelow, internArray, type SymbolicArray, sameShape, shapeError, shapeText } from "./symbolic.ts";

/**
 * If at least this many slices of one array have adjoints, the adjoints are combined into one array. Fewer adjoints are
 * each added as an array of full size. For many slices, this would take quadratic time.
 */
const MANY_PARTS = 16;

/**
 * Accumulated adjoints. Each node collects a list of contributions. For a node with several results, there is one sum
 * per part.
 */
class Adjoints {
  readonly #flows = new Map<SymbolicArray, SymbolicArray[]>();
  readonly #parts = new Map<SymbolicArray, (SymbolicArray | undefined)[]>();

  add(node: SymbolicArray, flow: SymbolicArray): void {
    assert(sameShape(flow.shape, node.shape), `the adjoint of ${node.op} ${shapeText(node.shape)} has ${shapeText(flow.shape)}`);
    if (node.op === "part") {
      const parts = this.#parts.get(node.args[0]) ?? [];
      const i = node.attributes as number;
      const before = parts[i];
      parts[i] = before ? add(before, flow) : flow;
      this.#parts.set(node.args[0], parts);
      return;
    }
    const before = this.#flows.get(node);
    if (before) before.push(flow);
    else this.#flows.set(node, [flow]);
  }

  /** Returns the adjoint of a node. Call it only when all users of the node have contributed. */
  of = (node: SymbolicArray): SymbolicArray | undefined => {
    const flows = this.#flows.get(node);
    if (!flows) return undefined;
    const pieces = flows.filter(({ op, args }) => op === "place" && args.length === 1);
    const chosen = new Set(pieces);
    const all = pieces.length < MANY_PARTS ? flows : [...flows.filter((one) => !chosen.has(one)), ...joinedPlaces(pieces)];
    const adjoint = total(all);
    this.#flows.set(node, [adjoint]);
    return adjoint;
  };

  partsOf = (node: SymbolicArray): readonly (SymbolicArray | undefined)[] | undefined => this.#parts.get(node);
}

/**
 * Returns the gradient of ⟨seed, output⟩ for each of `wrts` (any nodes, not only inputs); the seed of a scalar is 1.
 */
export const gradientsOf = operation("gradientsOf", { output: array, wrts: arrays, seed: optional(array) }, gradientsOver);

function gradientsOver(output: SymbolicArray, wrts: readonly SymbolicArray[], seed?: SymbolicArray): SymbolicArray[] {
  if (seed && !sameShape(seed.shape, output.shape))
    throw shapeError("gradientsOf", `the seed is ${shapeText(seed.shape)}, but the output is ${shapeText(output.shape)}`);
  if (!seed && output.size !== 1)
    throw shapeError("gradient", `the output is ${shapeText(output.shape)}, but must be one number; use sum() or mean() of it`);
  const nodes = arraysBelow([output]);
  const reached = new Set<SymbolicArray>(wrts);
  for (const node of nodes) if (node.args.some((a) => reached.has(a))) reached.add(node);
  const adjoints = new Adjoints();
  if (reached.has(output)) adjoints.add(output, seed ?? full(1, output.shape));
  // A node precedes its parts in the order, so all parts have contributed when the reversed loop reaches the node.
  const ends = new Set(wrts);
  for (const node of nodes.reverse()) {
    if (!reached.has(node) || node.op === "part" || ends.has(node)) continue;
    flow(node, adjoints, reached);
  }
  return wrts.map((wrt) => partAdjoint(wrt, adjoints) ?? full(0, wrt.shape));
}

function partAdjoint(wrt: SymbolicArray, adjoints: Adjoints): SymbolicArray | undefined {
  return wrt.op === "part" ? adjoints.partsOf(wrt.args[0])?.[wrt.attributes as number] : adjoints.of(wrt);
}

function flow(node: SymbolicArray, adjoints: Adjoints, reached: ReadonlySet<SymbolicArray>): void {
  const primitive = node.args.length > 0 ? arrayPrimitiveOf(node) : undefined;
  const parts = adjoints.partsOf(node);
  if (parts && primitive?.derivativeOfParts) {
    const wanted = node.args.map((arg) => reached.has(arg));
    const flows = primitive.derivativeOfParts(parts, node, wanted);
    node.args.forEach((arg, i) => {
      const made = flows[i];
      if (made && wanted[i]) adjoints.add(arg, made);
    });
    return;
  }
  const adjoint = adjoints.of(node);
  if (!adjoint || !primitive) return;
  node.args.forEach((arg, i) => {
    const made = reached.has(arg) ? primitive.derivative(adjoint, node, i) : null;
    if (made) adjoints.add(arg, made);
  });
}

/** Returns J·v for each output: the derivative along `vectors`, one for each of `wrts`. */
export const tangentsOf = operation("tangentsOf", { outputs: arrays, wrts: arrays, vectors: arrays }, tangentsAlong);

function tangentsAlong(
  outputs: readonly SymbolicArray[],
  wrts: readonly SymbolicArray[],
  vectors: readonly SymbolicArray[],
): SymbolicArray[] {
  if (wrts.length !== vectors.length)
    throw shapeError("tangentsOf", `there are ${wrts.length} arrays, but ${vectors.length} directions; give one for each array`);
  if (wrts.length === 0 || outputs.length === 0) return outputs.map(({ shape }) => full(0, shape));
  wrts.forEach((wrt, i) => {
    if (!sameShape(wrt.shape, vectors[i].shape))
      throw shapeError("tangent", `the direction is ${shapeText(vectors[i].shape)}, but the array is ${shapeText(wrt.shape)}`);
  });
  // Placeholders for the adjoints of the outputs. `transposed` is linear in the placeholders, so the final gradient
  // does not contain them.
  const seeds = outputs.map((y, i) => internArray("input", [], y.shape, `seed ${i}`, `tangent seed ${i}`));
  const paired = total(outputs.map((y, i) => sum(mul(seeds[i], y))));
  const transposed = gradientsOf(paired, wrts);
  return gradientsOf(total(transposed.map((g, i) => sum(mul(g, vectors[i])))), seeds);
}

const total = (terms: readonly SymbolicArray[]): SymbolicArray => terms.reduce((a, b) => add(a, b));

/** Returns the part of H·v for each wrt, which is the derivative of ∂output/∂wrt along `vectors`. */
export const hessianVector = operation(
  "hessianVector",
  { output: array, wrts: arrays, vectors: arrays },
  (output: SymbolicArray, wrts: readonly SymbolicArray[], vectors: readonly SymbolicArray[]): SymbolicArray[] =>
    tangentsAlong(gradientsOver(output, wrts), wrts, vectors),
);
