import { assert } from "../../../errors/errors.ts";
import { gemmScratchBytes } from "../../../memory/gemm.ts";
import { array, operation } from "../../signature.ts";
import { arrayPrimitive, type CallArgument, type KernelCall, type Layout } from "../primitive.ts";
import { broadcastShapes, type Shape, type SymbolicArray, shapeError, shapeText, sizeOf, stridesOf } from "../symbolic.ts";
import { full } from "./constants.ts";
import { sumTo } from "./map-reduce.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

const makeMatmul = arrayPrimitive({
  name: "matmul",
  evaluate(node, [a, b]) {
    const { m, n, k, batch } = sizes(node);
    const y = new Float64Array(node.size);
    const aSteps = batchSteps(node.args[0].shape, stridesOf(node.args[0].shape), batch);
    const bSteps = batchSteps(node.args[1].shape, stridesOf(node.args[1].shape), batch);
    const at = stridesOf(batch);
    for (let which = 0; which < sizeOf(batch); which++) {
      const place = at.map((stride, axis) => Math.floor(which / stride) % batch[axis]);
      const aFrom = place.reduce((sum, i, axis) => sum + i * aSteps[axis], 0);
      const bFrom = place.reduce((sum, i, axis) => sum + i * bSteps[axis], 0);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let total = 0;
          for (let p = 0; p < k; p++) total += a[aFrom + i * k + p] * b[bFrom + p * n + j];
          y[(which * m + i) * n + j] = total;
        }
    }
    return y;
  },
  derivative(adjoint, node, i) {
    const [a, b] = node.args;
    const flow = i === 0 ? matmul(adjoint, matrixTranspose(b)) : matmul(matrixTranspose(a), adjoint);
    return sumTo(flow, node.args[i].shape);
  },
  rebuild: (_, [a, b]) => matmul(a, b),
  code: {
    form: "kernel",
    accepts: (node, index, { strides }) => matrixLayout(node.args[index].shape, strides) !== undefined,
    calls: (node, layouts, type) => [productCall(node, layouts, type === "f32" ? 4 : 8)],
  },
});

/**
 * Matrix product a b, as in numpy's matmul: y[…, i, j] = Σ_p a[…, i, p] b[…, p, j]; axes before the last two broadcast.
 * A vector on the left counts as a row, and a vector on the right counts as a column. The result does not have the axis
 * that was added to a vector. a: [batch…, m, k] or [k]. b: [batch…, k, n] or [k].
 *
 * If b is one matrix for a whole batch, the batch axes of a become rows. A single product then suffices for the result,
 * and another one for the derivative with respect to b. Code: kernels/engine/arrays/gemm.ts. This kernel reads
 * transposed operands, and rows with gaps, without copying them.
 * @throws CompileError unless the inner extents agree and the batch axes broadcast
 */
export const matmul = operation("matmul", { a: array, b: array }, (a: SymbolicArray, b: SymbolicArray): SymbolicArray => {
  const inner = a.shape[a.rank - 1];
  if (a.rank === 0 || b.rank === 0 || inner !== b.shape[Math.max(0, b.rank - 2)])
    throw shapeError(
      "matmul",
      `shapes are ${shapeText(a.shape)} and ${shapeText(b.shape)}, but the last extent of the first must equal the second-to-last extent of the second; transpose one of them`,
    );
  if (a.rank === 1) return withoutAxis(matmul(reshape(a, [1, inner]), b), b.rank === 1 ? -1 : -2);
  if (b.rank === 1) return withoutAxis(matmul(a, reshape(b, [inner, 1])), -1);
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const [m, n] = [a.shape[a.rank - 2], b.shape[b.rank - 1]];
  if (isZero(a) || isZero(b)) return full(0, [...batch, m, n]);
  // The batch axes of a transposed a cannot become rows without a copy.
  if (a.rank > 2 && sizeOf(b.shape.slice(0, -2)) === 1 && a.op !== "transpose") {
    const rows = matmul(reshape(a, [-1, inner]), reshape(b, [inner, n]));
    return reshape(rows, [...batch, m, n]);
  }
  return makeMatmul([a, b], [...batch, m, n]);
});

/** Inner product Σ a_i b_i of two vectors of the same length. */
export const dot = operation("dot", { a: array, b: array }, (a: SymbolicArray, b: SymbolicArray): SymbolicArray => {
  if (a.rank !== 1 || b.rank !== 1 || a.size !== b.size)
    throw shapeError(
      "dot",
      `shapes are ${shapeText(a.shape)} and ${shapeText(b.shape)}, but two vectors of one length are wanted`,
    );
  return matmul(a, b);
});

/** Exchanges the last two axes. */
export const matrixTranspose = operation("matrixTranspose", { x: array }, (x: SymbolicArray): SymbolicArray => {
  const order = x.shape.map((_, i) => i);
  [order[x.rank - 2], order[x.rank - 1]] = [x.rank - 1, x.rank - 2];
  return transpose(x, order);
});

const isZero = (x: SymbolicArray): boolean => x.op === "full" && x.attributes === 0;

const withoutAxis = (x: SymbolicArray, axis: number): SymbolicArray =>
  reshape(
    x,
    x.shape.filter((_, i) => i !== x.rank + axis),
  );

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: Shape;
}

function sizes(node: SymbolicArray): Sizes {
  const [m, n] = node.shape.slice(-2);
  return { m, n, k: node.args[0].shape[node.args[0].rank - 1], batch: node.shape.slice(0, -2) };
}

/**
 * Returns an operand's strides along the batch axes of the result. The stride is 0 along an axis on which the operand
 * is repeated.
 */
function batchSteps(shape: Shape, strides: readonly number[], batch: Shape): number[] {
  const missing = batch.length - (shape.length - 2);
  return batch.map((_, i) => (i < missing || shape[i - missing] === 1 ? 0 : strides[i - missing]));
}

/**
 * Returns the form in which the kernel reads a matrix: plain or transposed, with `between` elements between the starts
 * of stored rows. Returns undefined if the kernel cannot read the matrix.
 */
function matrixLayout(shape: Shape, strides: readonly number[]): { transposed: number; between: number } | undefined {
  const [rows, columns] = shape.slice(-2);
  const [down, across] = strides.slice(-2);
  if ((columns === 1 || across === 1) && (rows === 1 || down >= columns))
    return { transposed: 0, between: rows === 1 ? columns : down };
  if ((rows === 1 || down === 1) && (columns === 1 || across >= rows))
    return { transposed: 1, between: columns === 1 ? rows : across };
  return undefined;
}

function productCall(node: SymbolicArray, layouts: readonly Layout[], elementBytes: number): KernelCall {
  const { m, n, k, batch } = sizes(node);
  const [a, b] = node.args.map(({ shape }, i) => {
    const layout = matrixLayout(shape, layouts[i].strides);
    assert(layout, "a matrix product got a layout that it did not accept");
    return layout;
  });
  const count = (value: number): CallArgument => ({ kind: "number", value });
  const steps = node.args.map(({ shape }, i) => batchSteps(shape, layouts[i].strides, batch));
  const own = stridesOf(node.shape);
  const repeat = batch.flatMap((times, axis) =>
    times === 1 ? [] : [{ count: times, steps: [0, 0, 0, 0, 0, steps[0][axis], 0, steps[1][axis], 0, own[axis], 0, 0, 0] }],
  );
  return {
    kernel: "gemm",
    args: [
      count(a.transposed),
      count(b.transposed),
      count(m),
      count(n),
      count(k),
      { kind: "argument", index: 0 },
      count(a.between),
      { kind: "argument", index: 1 },
      count(b.between),
      { kind: "result" },
      count(n),
      count(0),
      { kind: "scratch", bytes: gemmScratchBytes(m, n, k, elementBytes) },
    ],
    ...(repeat.length > 0 ? { repeat } : {}),
  };
}
