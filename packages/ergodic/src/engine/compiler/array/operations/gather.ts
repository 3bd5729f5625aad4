import { CompileError } from "../../../errors/errors.ts";
import { sum } from "../../primitives/reductions.ts";
import { and, equal, floor, less, lessEqual, where } from "../../primitives/selection.ts";
import { array, number, operand, operation, optional, whole } from "../../signature.ts";
import { checkIndices } from "../indices.ts";
import { arrayPrimitive, type CallArgument } from "../primitive.ts";
import { type ArrayLikeOperand, axisOf, type SymbolicArray, sameShape, shapeError, shapeText } from "../symbolic.ts";
import { range, toArray } from "./constants.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

const MOST_F32_ROWS = 2 ** 24;

const rowOf = (index: number, rows: number): number => (index >= 0 && index < rows ? Math.floor(index) : -1);

function checkRows(name: string, rows: number, type: "f32" | "f64"): void {
  if (type === "f32" && rows > MOST_F32_ROWS)
    throw new CompileError(
      name,
      `the table has ${rows} rows, but float32 counts only to ${MOST_F32_ROWS} without gaps; compile in float64 or split the table`,
      "COMPILE_INDEX",
    );
}

const count = (value: number): CallArgument => ({ kind: "number", value });
const argument = (index: number): CallArgument => ({ kind: "argument", index });

const makeGather = arrayPrimitive({
  name: "gather",
  evaluate(node, [table, indices]) {
    const rows = node.args[0].shape[0];
    const columns = table.length / rows;
    const y = new Float64Array(node.size).fill(NaN);
    indices.forEach((index, i) => {
      const row = rowOf(index, rows);
      if (row >= 0) y.set(table.subarray(row * columns, (row + 1) * columns), i * columns);
    });
    return y;
  },
  derivative(adjoint, { args: [table, indices] }, i) {
    if (i === 1) return null;
    const rows = reshape(adjoint, [indices.size, table.size / table.shape[0]]);
    return reshape(makeScatter([rows, reshape(indices, [indices.size])], [table.shape[0], rows.shape[1]]), table.shape);
  },
  rebuild: (_, [table, indices]) => gatherUnseen(table, indices),
  code: {
    form: "kernel",
    calls({ args: [table, indices] }, _, type) {
      const rows = table.shape[0];
      checkRows("gather", rows, type);
      const args = [count(indices.size), count(table.size / rows), argument(0), count(rows), argument(1)];
      return [{ kernel: "gatherRows", args: [...args, { kind: "result" }] }];
    },
  },
});

const makeScatter = arrayPrimitive({
  name: "scatter",
  evaluate(node, [values, indices]) {
    const columns = values.length / indices.length;
    const y = new Float64Array(node.size);
    indices.forEach((index, i) => {
      const row = rowOf(index, node.shape[0]);
      if (row < 0) return;
      for (let j = 0; j < columns; j++) y[row * columns + j] += values[i * columns + j];
    });
    return y;
  },
  derivative(adjoint, { shape: [rows], args: [values, indices] }, i) {
    if (i === 1) return null;
    const names = and(lessEqual(0, indices), less(indices, rows));
    const taken = gatherUnseen(adjoint, where(names, indices, 0));
    const spread = reshape(names, [...names.shape, ...values.shape.slice(1).map(() => 1)]);
    return where(spread, taken, 0);
  },
  rebuild: (node, args) => makeScatter(args, node.shape),
  describe: (node) => `${node.shape[0]} rows`,
  code: {
    form: "kernel",
    calls({ args: [values, indices], shape: [rows] }, _, type) {
      checkRows("scatter", rows, type);
      const args = [count(indices.size), count(values.size / indices.size), argument(0), argument(1)];
      return [{ kernel: "scatterRows", args: [...args, { kind: "result" }, count(rows)] }];
    },
  },
});

/** Same as `gather`, but does not check the indices. The caller has checked the indices or handles invalid ones. */
export const gatherUnseen = (table: SymbolicArray, indices: SymbolicArray): SymbolicArray =>
  makeGather([table, indices], [...indices.shape, ...table.shape.slice(1)]);

/** Indices as users pass them. */
export type Indices = ArrayLikeOperand | ArrayLike<number>;

/**
 * Rows by index: y[i…, :] = table[indices[i…], :]. The adjoint is scatter: y[r, :] = Σ values[i, :] over indices[i] =
 * r. table: [rows, …rest]; indices: any shape. Returns [...indices, …rest].
 *
 * Indices are whole numbers from 0 to rows − 1. If constants or a model's data contain any other value, an error is
 * thrown. If indices depend on parameters, their fractions are dropped. An index out of range then gathers NaN and is
 * not scattered. Indices have no derivative. In float32 a table has at most 2^24 rows, because larger integers are not
 * exact. Code: kernels/engine/arrays/gather.ts.
 * @throws CompileError if the table has no axis, or an index is out of range
 */
export const gather = operation(
  "gather",
  { table: array, indices: operand },
  (table: SymbolicArray, indices: Indices): SymbolicArray => {
    if (table.rank === 0) throw shapeError("gather", `the table is ${shapeText(table.shape)}, but needs rows`);
    return taken("gather", table, toArray(indices));
  },
);

function taken(name: string, table: SymbolicArray, indices: SymbolicArray): SymbolicArray {
  checkIndices(name, indices, table.shape[0]);
  return gatherUnseen(table, indices);
}

/**
 * Adds values to rows by index. values: [count, …rest]; indices: [count]. Returns [rows, …rest]. A row to which nothing
 * is added is 0.
 * @throws CompileError if shapes do not fit, or an index is out of range
 */
export const scatter = operation(
  "scatter",
  { values: array, indices: operand, rows: number },
  (values: SymbolicArray, indices: Indices, rows: number): SymbolicArray => {
    const numbers = toArray(indices);
    if (numbers.rank !== 1 || values.rank === 0 || values.shape[0] !== numbers.size || !Number.isInteger(rows) || rows < 1)
      throw shapeError(
        "scatter",
        `values are ${shapeText(values.shape)}, indices ${shapeText(numbers.shape)} and rows ${rows}, but one index for each row of the values and at least one row are wanted`,
      );
    checkIndices("scatter", numbers, rows);
    return makeScatter([values, numbers], [rows, ...values.shape.slice(1)]);
  },
);

/**
 * Elements of x by index along an axis. In the result, the axes of `indices` replace this axis.
 * @throws CompileError for an index out of range
 */
export const take = operation(
  "take",
  { x: array, indices: operand, axis: optional(whole) },
  (x: SymbolicArray, indices: Indices, axis = 0): SymbolicArray => {
    const along = axisOf("take", axis, x.rank);
    const numbers = toArray(indices);
    if (along === 0) return taken("take", x, numbers);
    const others = x.shape.map((_, i) => i).filter((i) => i !== along);
    const rows = taken("take", transpose(x, [along, ...others]), numbers);
    // Moves the axes of the indices from the front to the position of the axis.
    const before = Array.from({ length: along }, (_, i) => numbers.rank + i);
    const own = numbers.shape.map((_, i) => i);
    const after = Array.from({ length: x.rank - 1 - along }, (_, i) => numbers.rank + along + i);
    return transpose(rows, [...before, ...own, ...after]);
  },
);

/**
 * One-hot encoding, [...indices, classes]: 1 if the position on the last axis equals the index, else 0. If an index
 * depends on parameters and is out of range, all its entries are 0.
 */
export const oneHot = operation(
  "oneHot",
  { indices: operand, classes: number },
  (indices: Indices, classes: number): SymbolicArray => {
    if (!Number.isInteger(classes) || classes < 1)
      throw shapeError("oneHot", `classes is ${classes}, but must be a whole number from 1 on`);
    const numbers = toArray(indices);
    checkIndices("oneHot", numbers, classes);
    return oneHotUnseen(numbers, classes);
  },
);

const oneHotUnseen = (indices: SymbolicArray, classes: number): SymbolicArray =>
  equal(reshape(floor(indices), [...indices.shape, 1]), range(classes));

/**
 * One element of each row: x[…, indices[…]]. x: [...indices, classes].
 * @throws CompileError for an index out of range
 */
export const pick = operation("pick", { x: array, indices: operand }, (x: SymbolicArray, indices: Indices): SymbolicArray => {
  const numbers = toArray(indices);
  if (!sameShape(x.shape.slice(0, -1), numbers.shape) || x.rank === 0)
    throw shapeError(
      "pick",
      `the array is ${shapeText(x.shape)} and the indices ${shapeText(numbers.shape)}, but they must agree in all axes except the last`,
    );
  checkIndices("pick", numbers, x.shape[x.rank - 1]);
  return pickUnseen(x, numbers);
});

/** Same as `pick` without a check of the indices: gives 0 for an index out of range. */
export const pickUnseen = (x: SymbolicArray, indices: SymbolicArray): SymbolicArray =>
  sum(where(oneHotUnseen(indices, x.shape[x.rank - 1]), x, 0), { axis: -1 });
