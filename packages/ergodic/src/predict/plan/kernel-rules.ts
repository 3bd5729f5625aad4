import { DataError } from "../../engine/errors/errors.ts";
import type { PlanArgument, PlanCall } from "../../engine/memory/array-plan.ts";
import { CIRCULANT_LONGEST, CIRCULANT_SHORTEST, circulantScratchBytes } from "../../engine/memory/circulant.ts";
import {
  bandScratchBytes,
  type ConvolutionShape,
  checkConvolution,
  convolutionScratchBytes,
  convolutionShapeOf,
  isDepthwise,
} from "../../engine/memory/convolution.ts";
import { CONV_BYTES } from "../../engine/memory/fields.ts";
import { gemmScratchBytes } from "../../engine/memory/gemm.ts";
import { keptWith } from "../../engine/memory/kept-with.ts";
import { damaged } from "./format.ts";

/**
 * Largest count in a plan. The kernels count with i32 numbers that grow by up to a few hundred per step. Half of the
 * i32 range leaves room for the last step of a counter and for the sum of two counts.
 */
export const MOST_COUNT = 2 ** 30;

/**
 * Work of moving one element, or of applying one operation to it. The unit of work is one multiply-add of a matrix
 * product.
 */
export const ELEMENT = 4;

/** Work of locating a row in a window or in a table. */
const WINDOW = 64;
/** Work of trying one phase of a stride. */
const PHASE = 16;
/** Work of each group after the first group, per row of a window. */
const GROUP = 16;
/** Work of writing one row of a circulant block. */
const BLOCK_ROW = 32;

export interface Touched {
  /**
   * Number of elements that the call can access, starting at the address in each argument; 0 for arguments that are not
   * arrays.
   */
  readonly elements: readonly number[];
  readonly scratchBytes: number;
  readonly work: number;
}

/** Role of an argument: a count, an array that is read, an array that is written, a CONV block, or scratch. */
type Role = "count" | "reads" | "writes" | "shape" | "scratch";

interface Sizes {
  /** Sizes of the arrays, in the order of the arguments. */
  readonly arrays: readonly number[];
  readonly scratch?: number;
  readonly work: number;
}

interface KernelRule {
  readonly roles: readonly Role[];
  /**
   * Computes the sizes from the shape and from the counts, in the order of the arguments. Undefined if these are not
   * valid.
   */
  readonly sizes: (counts: readonly number[], elementBytes: 4 | 8, shape: ConvolutionShape | undefined) => Sizes | undefined;
}

/**
 * Number of iterations of nested loops. A count of 0 is treated as 1, because the outer loops run even if an inner loop
 * has no iterations.
 */
const times = (...counts: readonly number[]): number => counts.reduce((product, count) => product * Math.max(1, count), 1);

const counts = (count: number): Role[] => new Array<Role>(count).fill("count");

function counted(
  roles: readonly Role[],
  sizes: (counts: readonly number[], elementBytes: 4 | 8) => Sizes | undefined,
): KernelRule {
  return { roles, sizes };
}

/** Rule of a kernel with windows. Array sizes follow from the sizes of x, y and W. */
function windowed(
  roles: readonly Role[],
  sizes: (sizes: { x: number; y: number; shape: ConvolutionShape; elementBytes: 4 | 8 }) => Sizes | undefined,
): KernelRule {
  return {
    roles: ["shape", ...roles],
    sizes(_, elementBytes, shape) {
      if (!shape || !isCountable(shape)) return undefined;
      const { batch, inHeight, inWidth, inChannels, outHeight, outWidth } = shape;
      return sizes({ x: batch * inHeight * inWidth * inChannels, y: batch * outHeight * outWidth, shape, elementBytes });
    },
  };
}

/** Whether all positions and cell counts stay within the range of the kernels' counters. */
function isCountable(shape: ConvolutionShape): boolean {
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, kernelHeight, kernelWidth } = shape;
  const farthest = [
    outHeight * shape.strideHeight + kernelHeight * shape.dilationHeight + shape.padTop + inHeight,
    // Kernels also visit the numbers in a row of cells one by one.
    (outWidth * shape.strideWidth + kernelWidth * shape.dilationWidth + shape.padLeft + inWidth) * Math.max(1, inChannels),
  ];
  const cells = [
    times(batch, outHeight, outWidth),
    times(batch, inHeight, inWidth),
    times(kernelHeight, kernelWidth, inChannels),
    times(kernelHeight, kernelWidth, outChannels),
  ];
  return [...farthest, ...cells].every((count) => count <= MOST_COUNT);
}

/**
 * Work over all windows. For every output cell, this is the number of cells in its window times the number of channels
 * that are summed per cell.
 */
const windowWork = ({ batch, outHeight, outWidth, kernelHeight, kernelWidth }: ConvolutionShape, ...each: number[]): number =>
  times(batch, outHeight, outWidth, kernelHeight) * (times(kernelWidth, ...each) + WINDOW);

type ConvolutionName = "" | "Input" | "Weight";
const operandsOf: Readonly<Record<ConvolutionName, readonly ("x" | "y" | "w")[]>> = {
  "": ["x", "w", "y"],
  Input: ["y", "w", "x"],
  Weight: ["x", "y", "w"],
};

function convolution(name: ConvolutionName): KernelRule {
  return windowed(["reads", "reads", "writes", "scratch"], ({ x, y, shape, elementBytes }) => {
    const { kernelHeight, kernelWidth, inChannels, outChannels, groups } = shape;
    // If there are no channels, the shape does not limit the number of groups.
    if (groups > Math.max(1, inChannels)) return undefined;
    const inside = inChannels / groups;
    const sizes = { x, y: y * outChannels, w: kernelHeight * kernelWidth * inside * outChannels };
    return {
      arrays: operandsOf[name].map((operand) => sizes[operand]),
      scratch: bandScratchBytes(shape, elementBytes),
      work:
        windowWork(shape, inside, outChannels) +
        windowWork(shape, inChannels) +
        x +
        GROUP * (groups - 1) * times(shape.batch, shape.outHeight, shape.outWidth, kernelHeight),
    };
  });
}

function depthwise(name: ConvolutionName): KernelRule {
  return windowed(["reads", "reads", "writes", "scratch"], ({ x, y, shape, elementBytes }) => {
    const { kernelHeight, kernelWidth, inChannels, strideHeight, strideWidth } = shape;
    if (!isDepthwise(shape)) return undefined;
    const sizes = { x, y: y * inChannels, w: kernelHeight * kernelWidth * inChannels };
    return {
      arrays: operandsOf[name].map((operand) => sizes[operand]),
      scratch: convolutionScratchBytes(shape, elementBytes),
      // The adjoint traverses the cells of the image and finds its phases by trial. Each row is traversed phase by
      // phase.
      work:
        windowWork(shape, inChannels) +
        x +
        (name === "Input" ? WINDOW * times(shape.batch, shape.inHeight, shape.inWidth) : 0) +
        PHASE * (strideHeight ** 2 + strideWidth ** 2) +
        PHASE * times(shape.batch, shape.inHeight, strideWidth),
    };
  });
}

function pool(roles: readonly Role[], sizes: (x: number, y: number) => readonly number[]): KernelRule {
  return windowed(roles, ({ x, y, shape }) => ({
    arrays: sizes(x, y * shape.inChannels),
    work: ELEMENT * (windowWork(shape, shape.inChannels) + x),
  }));
}

function patches(isInput: boolean): KernelRule {
  return windowed(["reads", "writes"], ({ x, y, shape }) => {
    const columns = y * shape.kernelHeight * shape.kernelWidth * shape.inChannels;
    return { arrays: isInput ? [columns, x] : [x, columns], work: ELEMENT * (windowWork(shape, shape.inChannels) + x) };
  });
}

function circulant(operands: (x: number, w: number, y: number) => readonly number[]): KernelRule {
  return counted([...counts(4), "reads", "reads", "writes", "scratch"], ([rows, p, q, k], elementBytes) => {
    if (k < 1) return undefined;
    const arrays = operands(rows * q * k, p * q * k, rows * p * k);
    const isSpectral = Number.isInteger(Math.log2(k)) && k >= CIRCULANT_SHORTEST && k <= CIRCULANT_LONGEST;
    const transforms = times(Math.log2(k), k) * (times(rows, p) + times(rows, q) + times(p, q));
    const work = isSpectral
      ? times(rows, p, q, k) + ELEMENT * transforms
      : times(rows + 1, p, q, k, k) + BLOCK_ROW * times(p, q, k);
    return { arrays, scratch: circulantScratchBytes(rows, p, q, k, elementBytes), work };
  });
}

/** Number of elements that a matrix with row stride `between` spans, including the gaps between rows. */
const matrix = (rows: number, columns: number, between: number): number =>
  rows === 0 || columns === 0 ? 0 : (rows - 1) * between + columns;

const gemm = counted(
  [...counts(5), "reads", "count", "reads", "count", "writes", "count", "count", "scratch"],
  ([transA, transB, m, n, k, lda, ldb, ldc], elementBytes) => {
    const a = transA ? [k, m] : [m, k];
    const b = transB ? [n, k] : [k, n];
    if (lda < a[1] || ldb < b[1] || ldc < n) return undefined;
    return {
      arrays: [matrix(a[0], a[1], lda), matrix(b[0], b[1], ldb), matrix(m, n, ldc)],
      scratch: gemmScratchBytes(m, n, k, elementBytes),
      work: times(m, n, k) + ELEMENT * (times(m, n) + times(m, k) + times(k, n)),
    };
  },
);

/**
 * Rules by the name of the kernel, without F32 or F64. A map is used because an object would also have inherited
 * properties.
 */
const rules: ReadonlyMap<string, KernelRule> = new Map<string, KernelRule>([
  ["gemm", gemm],
  [
    "gatherRows",
    counted([...counts(2), "reads", "count", "reads", "writes"], ([count, columns, rows]) => ({
      arrays: [rows * columns, count, count * columns],
      work: count * WINDOW + ELEMENT * times(count, columns),
    })),
  ],
  [
    "scatterRows",
    counted([...counts(2), "reads", "reads", "writes", "count"], ([count, columns, rows]) => ({
      arrays: [count * columns, count, rows * columns],
      work: count * WINDOW + ELEMENT * (times(count, columns) + times(rows, columns)),
    })),
  ],
  [
    "cumulativeSum",
    counted([...counts(3), "reads", "writes", "count"], ([outer, n, inner]) => ({
      arrays: [outer * n * inner, outer * n * inner],
      work: ELEMENT * times(outer, n, inner),
    })),
  ],
  ["cholesky", counted(["count", "reads", "writes"], ([n]) => ({ arrays: [n * n, n * n], work: ELEMENT * times(n, n, n) }))],
  [
    "triangularSolve",
    counted([...counts(2), "reads", ...counts(2), "reads", "writes"], ([n, m]) => ({
      arrays: [n * n, n * m, n * m],
      work: ELEMENT * times(n, n, m),
    })),
  ],
  [
    "luFactor",
    counted(["count", "reads", "writes"], ([n]) => ({ arrays: [n * n, (n + 1) * n], work: ELEMENT * times(n, n, n) })),
  ],
  [
    "luSolve",
    counted([...counts(2), "reads", "count", "reads", "writes"], ([n, m]) => ({
      arrays: [(n + 1) * n, n * m, n * m],
      work: ELEMENT * times(n, n, m),
    })),
  ],
  ["convolution", convolution("")],
  ["convolutionInput", convolution("Input")],
  ["convolutionWeight", convolution("Weight")],
  ["depthwise", depthwise("")],
  ["depthwiseInput", depthwise("Input")],
  ["depthwiseWeight", depthwise("Weight")],
  ["maxPool", pool(["reads", "writes"], (x, y) => [x, y])],
  ["maxPoolInput", pool(["reads", "reads", "reads", "writes"], (x, y) => [x, y, y, x])],
  ["averagePool", pool(["reads", "writes", "count"], (x, y) => [x, y])],
  ["averagePoolInput", pool(["reads", "writes", "count"], (x, y) => [y, x])],
  ["patches", patches(false)],
  ["patchesInput", patches(true)],
  ["circulant", circulant((x, w, y) => [x, w, y])],
  ["circulantInput", circulant((x, w, y) => [y, w, x])],
  ["circulantWeight", circulant((x, w, y) => [x, y, w])],
]);

/**
 * Names of the kernels that a plan may call. For each call, the table gives the number of elements that it reads and
 * writes from each address on, its scratch memory, and its work (in the unit of work.ts). Kernels do not check their
 * arguments, so all calls are checked against this table before anything runs.
 *
 * Sizes follow the kernels' contracts (kernels/*.ts). An inner loop with a count of 0 does nothing, but the loop around
 * it can still run often, so `work` takes a count of 0 as 1.
 *
 * @throws DataError for calls that no kernel accepts
 *
 * Exported for tests that visit all kernels.
 */
export const planKernels = (): string[] => [...rules.keys()];

export function rolesOf(name: string, where: string): readonly Role[] {
  const rule = rules.get(name);
  if (rule) return rule.roles;
  throw new DataError(where, `uses the kernel "${name}", which this library does not have; update ergodic`, "MODEL_VERSION");
}

/**
 * Whether a round of the call overwrites its whole result and ignores the previous content. All calls except products
 * that add to the result or leave gaps in it do so.
 */
export function fillsResult({ kernel, args }: PlanCall<number>): boolean {
  if (kernel !== "gemm") return true;
  const [, , , n, , , , ldc, adds] = args.flatMap((arg) => (arg.kind === "number" ? [arg.value] : []));
  return adds === 0 && ldc === n;
}

/**
 * Whether the call writes no element. Such a call must be skipped, because only the size of the result limits the
 * counts of a kernel.
 */
export function writesNothing(call: PlanCall<number>, elementBytes: 4 | 8, where: string): boolean {
  const { elements } = touchedBy(call, elementBytes, where);
  return rolesOf(call.kernel, where).every((role, i) => role !== "writes" || elements[i] === 0);
}

/**
 * Returns the elements, scratch and work of one round of the call. The result is cached, because it is needed to check
 * a plan, to compute its work and memory, and to make its program.
 */
export const touchedBy: (call: PlanCall<number>, elementBytes: 4 | 8, where: string) => Touched = keptWith(touched);

function touched({ kernel, args }: PlanCall<number>, elementBytes: 4 | 8, where: string): Touched {
  const roles = rolesOf(kernel, where);
  const refused = (): DataError =>
    damaged(where, `calls ${kernel} with arguments that it does not accept: ${args.map(shown).join(", ")}`);
  if (args.length !== roles.length || !roles.every((role, i) => fits(role, args[i]))) throw refused();
  const numbers = args.flatMap((arg) => (arg.kind === "number" ? [arg.value] : []));
  const block = args.find((arg) => arg.kind === "indices");
  const sizes = rules.get(kernel)!.sizes(numbers, elementBytes, block && shapeOf(block.values));
  if (!sizes) throw refused();
  const { arrays, scratch = 0, work } = sizes;
  const places = roles.flatMap((role, i) => (role === "reads" || role === "writes" ? [i] : []));
  const elements = new Array<number>(args.length).fill(0);
  for (const [i, place] of places.entries()) elements[place] = arrays[i];
  return { elements, scratchBytes: scratch, work };
}

function fits(role: Role, arg: PlanArgument<number>): boolean {
  if (role === "count") return arg.kind === "number" && isCount(arg.value);
  if (role === "shape") return arg.kind === "indices" && arg.values.length === CONV_BYTES / 4;
  return arg.kind === (role === "scratch" ? "scratch" : "value");
}

const isCount = (x: number): boolean => Number.isInteger(x) && x >= 0 && x <= MOST_COUNT;

function shapeOf(block: readonly number[]): ConvolutionShape | undefined {
  const shape = convolutionShapeOf(block);
  try {
    checkConvolution("plan", shape);
    return shape;
  } catch {
    return undefined;
  }
}

const shown = (arg: PlanArgument<number>): string => ("value" in arg && arg.kind !== "value" ? String(arg.value) : arg.kind);
