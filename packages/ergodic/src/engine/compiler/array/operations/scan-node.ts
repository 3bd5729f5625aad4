/**
 * The node of scan.ts, its parts, and its derivative.
 *
 * Parts, in this order: the final carries; the outputs, [T, …], where step t has index t in both directions; the
 * histories, [T, …], which are the carries before each step t. The derivative is a scan in the opposite direction. The
 * derivative's scan runs over the histories, the scanned arrays, and the adjoints of outputs and histories.
 * A step can add AᵀB to the adjoint of a constant. If one of the factors A and B is an input of the step, the other
 * factor is written as an output of the scan. After the loop, one long product then replaces T short products and their
 * sum. The adjoints of a nested scan are still summed step by step, because otherwise checkpoints would save no memory.
 *
 * A loop that ends early (`end`, schedule-scan.ts) has at most `length` steps; its derivative has as many steps as the
 * loop had.
 */
import { add, mul, sub } from "../../primitives/arithmetic.ts";
import { sum } from "../../primitives/reductions.ts";
import { noteUse } from "../conditions.ts";
import { gradientsOf } from "../derive.ts";
import { arrayPrimitive, type Surroundings } from "../primitive.ts";
import type { ScanAttributes } from "../schedule-scan.ts";
import { substituteArrays } from "../substitute.ts";
import { arraysBelow, internArray, type Shape, type SymbolicArray, sizeOf } from "../symbolic.ts";
import { full } from "./constants.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

const makeScan = arrayPrimitive({
  name: "scan",
  evaluate: (node, args, around) => evaluateScan(node.attributes as ScanAttributes, args, around),
  derivative: () => null,
  derivativeOfParts: (adjoints, node, wanted) => reversed(node, adjoints, wanted),
  rebuild: (node, args) => scanOf(node.attributes as ScanAttributes, args),
  describe(node) {
    const { length, reverse, end } = node.attributes as ScanAttributes;
    return `${end ? "at most " : ""}${length} steps${reverse ? ", reverse" : ""}`;
  },
  code: { form: "special" },
});

const makePart = arrayPrimitive({
  name: "part",
  evaluate(node, [whole]) {
    const shapes = partShapes(node.args[0].attributes as ScanAttributes);
    const from = shapes.slice(0, node.attributes as number).reduce((total, shape) => total + sizeOf(shape), 0);
    return whole.slice(from, from + node.size);
  },
  // Derivatives of parts flow to the whole node; see derive.ts.
  derivative: () => null,
  rebuild: (node, [whole]) => partOf(whole, node.attributes as number),
  describe: (node) => String(node.attributes),
  code: { form: "special" },
});

function partShapes({ length, next, outputs, carries }: ScanAttributes): Shape[] {
  const along = (x: SymbolicArray): Shape => [length, ...x.shape];
  return [...next.map((x) => x.shape), ...outputs.map(along), ...carries.map(along)];
}

const partOf = (node: SymbolicArray, index: number): SymbolicArray =>
  makePart([node], partShapes(node.attributes as ScanAttributes)[index], index);

function scanOf(attributes: ScanAttributes, args: readonly SymbolicArray[]): SymbolicArray {
  const { length, reverse, end, next, outputs } = attributes;
  const ids = [...next, ...outputs, ...(end?.smooth ?? [])].map((x) => x.id).join(" ");
  const size = partShapes(attributes).reduce((total, shape) => total + sizeOf(shape), 0);
  const counts = `${attributes.carries.length} ${attributes.over.length}`;
  const ending = end ? ` ${end.place} ${end.control}` : "";
  return makeScan(args, [size], attributes, `${length} ${reverse} ${counts} ${next.length}${ending} ${ids}`);
}

function evaluateScan(scan: ScanAttributes, args: readonly Float64Array[], around: Surroundings): Float64Array {
  const { length, reverse, end, carries, over, constants, next, outputs } = scan;
  const first = carries.length;
  const inputs = new Map<SymbolicArray, Float64Array>();
  carries.forEach((leaf, i) => void inputs.set(leaf, args[i]));
  constants.forEach((leaf, i) => void inputs.set(leaf, args[first + over.length + i]));
  const stacked = [...outputs, ...carries].map((x) => new Float64Array(length * x.size));
  const last = end?.place === "counted" ? args[0][0] - 1 : length - 1;
  for (let step = 0; step < length; step++) {
    if (end && !(inputs.get(carries[0])![0] > 0)) break;
    const t = end?.place === "kept" ? inputs.get(carries[1])![0] : reverse ? last - step : step;
    over.forEach((leaf, i) => void inputs.set(leaf, args[first + i].subarray(t * leaf.size, (t + 1) * leaf.size)));
    carries.forEach((leaf, i) => void stacked[outputs.length + i].set(inputs.get(leaf)!, t * leaf.size));
    const made = around.run([...next, ...outputs], inputs);
    outputs.forEach((output, i) => void stacked[i].set(made[first + i], t * output.size));
    carries.forEach((leaf, i) => void inputs.set(leaf, made[i]));
  }
  const parts = [...carries.map((leaf) => inputs.get(leaf)!), ...stacked];
  const whole = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let from = 0;
  for (const part of parts) {
    whole.set(part, from);
    from += part.length;
  }
  return whole;
}

/** Results of a scan. */
export interface Scanned {
  /** Carries after the last step. */
  readonly carries: SymbolicArray[];
  /** Outputs of the steps, [T, …]. */
  readonly outputs: SymbolicArray[];
  /** Carries before each step t, [T, …]. */
  readonly histories: SymbolicArray[];
}

let leafCount = 0;
/** Returns a placeholder that differs from every other node, so that only this body depends on it. */
export function freshLeaf(shape: Shape): SymbolicArray {
  const name = `scan leaf ${leafCount++}`;
  return internArray("input", [], shape, name, name);
}

export type OpenScan = Omit<ScanAttributes, "constants">;

/**
 * Makes the scan of a body that may use outside arrays, which become constants. Leaves are named by their position, so
 * that equal scans become the same node. Arrays that the body does not use are dropped from the scanned arrays. The
 * reason is that a tangent, which is linear in the adjoints, must not depend on the values of unused arrays.
 */
export function closeScan(open: OpenScan, starts: readonly SymbolicArray[], elements: readonly SymbolicArray[]): Scanned {
  const { length, reverse, end, carries, next, outputs } = open;
  const results = [...next, ...outputs, ...(end?.smooth ?? [])];
  noteUse(results);
  const seen = new Set(arraysBelow(results));
  const over = open.over.filter((leaf) => seen.has(leaf));
  const args = [...starts, ...elements.filter((_, i) => seen.has(open.over[i]))];
  const captured = capturedBy(results, new Set([...carries, ...over]));
  const named = (kind: string, nodes: readonly SymbolicArray[]): SymbolicArray[] =>
    nodes.map((x, i) => internArray("input", [], x.shape, `${kind} ${i}`, `${kind} ${i}`));
  const leaves = { carries: named("carry", carries), over: named("over", over), constants: named("constant", captured) };
  const replacements = new Map<SymbolicArray, SymbolicArray>();
  for (const [from, to] of [
    [carries, leaves.carries],
    [over, leaves.over],
    [captured, leaves.constants],
  ])
    from.forEach((node, i) => void replacements.set(node, to[i]));
  const made = substituteArrays(results, replacements);
  const between = (from: number, count: number): SymbolicArray[] => made.slice(from, from + count);
  const smooth = end?.smooth && between(next.length + outputs.length, end.smooth.length);
  const node = scanOf(
    {
      length,
      reverse,
      ...(end && { end: { ...end, ...(smooth && { smooth }) } }),
      ...leaves,
      next: between(0, next.length),
      outputs: between(next.length, outputs.length),
    },
    [...args, ...captured],
  );
  return {
    carries: carries.map((_, i) => partOf(node, i)),
    outputs: outputs.map((_, i) => partOf(node, carries.length + i)),
    histories: carries.map((_, i) => partOf(node, carries.length + outputs.length + i)),
  };
}

/** Returns the topmost nodes that do not depend on a leaf. Plain numbers are not listed. */
function capturedBy(roots: readonly SymbolicArray[], leaves: ReadonlySet<SymbolicArray>): SymbolicArray[] {
  const moving = new Set<SymbolicArray>(leaves);
  const nodes = arraysBelow(roots);
  for (const node of nodes) if (node.args.some((arg) => moving.has(arg))) moving.add(node);
  const found = new Set<SymbolicArray>();
  const look = (node: SymbolicArray): void => {
    if (!moving.has(node) && node.op !== "full" && node.op !== "constant") found.add(node);
  };
  roots.forEach(look);
  for (const node of nodes) if (moving.has(node)) node.args.forEach(look);
  return [...found];
}

/** Returns the adjoints of the arguments that are `wanted`. */
function reversed(
  node: SymbolicArray,
  adjoints: readonly (SymbolicArray | undefined)[],
  wanted: readonly boolean[],
): (SymbolicArray | null)[] {
  const { length, reverse, end, carries, over, constants, outputs } = node.attributes as ScanAttributes;
  const [count, last] = [carries.length, carries.length + over.length];
  const control = end?.control ?? 0;
  const starts = carries.slice(control).map((leaf, i) => adjoints[control + i] ?? full(0, leaf.shape));
  const histories = carries.map((_, i) => partOf(node, count + outputs.length + i));
  const known = [...histories, ...node.args.slice(count, last)];
  const flows = adjoints.slice(count);
  const elements = [...known, ...flows.filter((flow) => flow !== undefined)];
  const leaves = elements.map((x) => freshLeaf(x.shape.slice(1)));
  const state = starts.map((x) => freshLeaf(x.shape));
  let next = known.length;
  const seeds = [...state, ...flows.map((flow) => (flow ? leaves[next++] : undefined))];
  const step = stepBack(node, leaves.slice(0, known.length), seeds, wanted);
  const passed = over.map((_, i) => i).filter((i) => wanted[count + i]);
  // If a loop ends early, its histories are not filled beyond the last step, so a product over all entries of the
  // histories is impossible.
  const term = (slope: SymbolicArray): Term => (end ? { kind: "sum", of: slope } : termOf(slope, leaves));
  const terms = constants.map((_, i) => (wanted[last + i] ? term(step.constants[i]) : undefined));
  const sums = terms.filter((term) => term?.kind === "sum");
  const factors = terms.flatMap((term) => (term?.kind === "product" ? [term.a, term.b] : []));
  // Scanned arrays are still available after the loop, so they need not be written as outputs.
  const written = factors.filter((x) => !leaves.includes(x));
  const totals = sums.map(({ of }) => freshLeaf(of.shape));
  // Number of steps made. A counted loop starts with this number as its first carry.
  const left = end ? [freshLeaf([])] : [];
  const steps = end?.place === "kept" ? partOf(node, 1) : node.args[0];
  const made = closeScan(
    {
      length,
      reverse: !reverse,
      ...(end && { end: { place: "counted", control: 1 } }),
      carries: [...left, ...state, ...totals],
      over: leaves,
      next: [...left.map((x) => sub(x, 1)), ...step.carries, ...sums.map(({ of }, i) => add(totals[i], of))],
      outputs: [...passed.map((i) => step.over[i]), ...written],
    },
    [...left.map(() => steps), ...starts, ...totals.map((x) => full(0, x.shape))],
    elements,
  );
  const adjointOf = made.carries.slice(left.length);
  const all = (x: SymbolicArray): SymbolicArray =>
    leaves.includes(x) ? elements[leaves.indexOf(x)] : made.outputs[passed.length + written.indexOf(x)];
  const ofConstant = (term: Term | undefined): SymbolicArray | null => {
    if (term?.kind === "sum") return adjointOf[starts.length + sums.indexOf(term)];
    if (!term) return null;
    const [rows, columns] = term.shape;
    return matmul(transpose(reshape(all(term.a), [-1, rows])), reshape(all(term.b), [-1, columns]));
  };
  return [
    ...carries.slice(0, control).map(() => null),
    ...adjointOf.slice(0, starts.length),
    ...over.map((_, i) => made.outputs[passed.indexOf(i)] ?? null),
    ...terms.map(ofConstant),
  ];
}

interface StepBack {
  readonly carries: SymbolicArray[];
  readonly over: SymbolicArray[];
  readonly constants: SymbolicArray[];
}

/**
 * Returns the adjoints of a step's inputs, given the adjoints of its results. `known` are the step's carries and
 * elements. Inputs that are not wanted get adjoints of zero.
 */
function stepBack(
  node: SymbolicArray,
  known: readonly SymbolicArray[],
  seeds: readonly (SymbolicArray | undefined)[],
  wanted: readonly boolean[],
): StepBack {
  const { end, carries, over, constants, next, outputs } = node.attributes as ScanAttributes;
  const last = known.length;
  const control = end?.control ?? 0;
  // Placeholders replace the constants, so that adjoints do not flow through the body into the arrays on which the
  // constants depend.
  const stands = constants.map((leaf) => freshLeaf(leaf.shape));
  const own = [...known, ...stands];
  const body = substituteArrays(
    [...(end?.smooth ?? next.slice(control)), ...outputs],
    new Map([...carries, ...over, ...constants].map((leaf, i) => [leaf, own[i]])),
  );
  const paired = body.flatMap((x, i) => (seeds[i] ? [sum(mul(seeds[i], x))] : []));
  const total = paired.reduce((a, b) => add(a, b), full(0));
  const back = new Map(stands.map((leaf, i) => [leaf, node.args[last + i]]));
  const asked = own.filter((_, i) => i >= control && (i < carries.length || wanted[i]));
  const found = new Map(substituteArrays(gradientsOf(total, asked), back).map((slope, i) => [asked[i], slope]));
  const adjoint = (x: SymbolicArray): SymbolicArray => found.get(x) ?? full(0, x.shape);
  return {
    carries: carries.slice(control).map((_, i) => {
      const direct = seeds[body.length + control + i];
      return direct ? add(adjoint(own[control + i]), direct) : adjoint(own[control + i]);
    }),
    over: own.slice(carries.length, last).map(adjoint),
    constants: stands.map(adjoint),
  };
}

/**
 * Contribution of one step to the adjoint of a constant: an array, or the product AᵀB of two factors that have one row
 * per example.
 */
type Term =
  | { readonly kind: "sum"; readonly of: SymbolicArray }
  | { readonly kind: "product"; readonly a: SymbolicArray; readonly b: SymbolicArray; readonly shape: Shape };

function termOf(slope: SymbolicArray, leaves: readonly SymbolicArray[]): Term {
  if (slope.op !== "matmul" || slope.rank !== 2) return { kind: "sum", of: slope };
  const [a, b] = [withoutReshape(transpose(slope.args[0])), withoutReshape(slope.args[1])];
  const isPart = a.op === "part" || b.op === "part";
  // One factor must be available outside this loop. Parts of another loop are excluded, because a part formally depends
  // on all inputs of its loop. The tangent must be linear in the adjoints, but would then depend on the values of such
  // inputs.
  return isPart || !(leaves.includes(a) || leaves.includes(b))
    ? { kind: "sum", of: slope }
    : { kind: "product", a, b, shape: slope.shape };
}

const withoutReshape = (x: SymbolicArray): SymbolicArray => (x.op === "reshape" ? x.args[0] : x);
