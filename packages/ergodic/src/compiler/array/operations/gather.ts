/**
 * Rows by number: y[i…, :] = table[indices[i…], :], and the adjoint scatter, y[r, :] = Σ values[i, :] over indices[i] = r.
 *
 * Indices are numbers in [0, rows), whose fraction is dropped; any other names no row: gathered NaN, scattered nowhere. They have no
 * derivative. Code: kernels/gather.ts. In float32 a table has at most 2^24 rows, since larger numbers are not exact.
 */
import { CompileError } from "../../../base/errors.ts";
import { sum } from "../../primitives/reductions.ts";
import { and, equal, floor, less, lessEqual, where } from "../../primitives/selection.ts";
import { arrayPrimitive, type CallArgument } from "../primitive.ts";
import { axisOf, type SymbolicArray, sameShape, shapeError, shapeText } from "../symbolic.ts";
import { range } from "./constants.ts";
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
    return reshape(scatter(rows, reshape(indices, [indices.size]), table.shape[0]), table.shape);
  },
  rebuild: (_, [table, indices]) => gather(table, indices),
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
    const taken = gather(adjoint, where(names, indices, 0));
    const spread = reshape(names, [...names.shape, ...values.shape.slice(1).map(() => 1)]);
    return where(spread, taken, 0);
  },
  rebuild: (node, [values, indices]) => scatter(values, indices, node.shape[0]),
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

/** table: [rows, …rest]; indices: any shape. Gives [...indices, …rest]. @throws CompileError if the table has no axis */
export function gather(table: SymbolicArray, indices: SymbolicArray): SymbolicArray {
  if (table.rank === 0) throw shapeError("gather", `the table is ${shapeText(table.shape)}, but needs rows`);
  return makeGather([table, indices], [...indices.shape, ...table.shape.slice(1)]);
}

/** values: [count, …rest]; indices: [count]. Gives [rows, …rest]; rows that no index names are 0. @throws CompileError */
export function scatter(values: SymbolicArray, indices: SymbolicArray, rows: number): SymbolicArray {
  if (indices.rank !== 1 || values.rank === 0 || values.shape[0] !== indices.size || !Number.isInteger(rows) || rows < 1)
    throw shapeError(
      "scatter",
      `values are ${shapeText(values.shape)}, indices ${shapeText(indices.shape)} and rows ${rows}, but one index for each row of the values and at least one row are wanted`,
    );
  return makeScatter([values, indices], [rows, ...values.shape.slice(1)]);
}

/** Elements of x by number along an axis: that axis is replaced by the axes of `indices`. */
export function take(x: SymbolicArray, indices: SymbolicArray, axis = 0): SymbolicArray {
  const along = axisOf("take", axis, x.rank);
  if (along === 0) return gather(x, indices);
  const others = x.shape.map((_, i) => i).filter((i) => i !== along);
  const taken = gather(transpose(x, [along, ...others]), indices);
  // Back: the axes of the indices stand in front, and belong where the axis was.
  const before = Array.from({ length: along }, (_, i) => indices.rank + i);
  const own = indices.shape.map((_, i) => i);
  const after = Array.from({ length: x.rank - 1 - along }, (_, i) => indices.rank + along + i);
  return transpose(taken, [...before, ...own, ...after]);
}

/** 1 where the last axis's place is the index, else 0: [...indices, classes]. An index outside gives zeros alone. */
export function oneHot(indices: SymbolicArray, classes: number): SymbolicArray {
  if (!Number.isInteger(classes) || classes < 1)
    throw shapeError("oneHot", `classes is ${classes}, but must be a whole number from 1 on`);
  return equal(reshape(floor(indices), [...indices.shape, 1]), range(classes));
}

/** x[…, indices[…]]: one element of each row, 0 where the index names none. x: [...indices, classes]. */
export function pick(x: SymbolicArray, indices: SymbolicArray): SymbolicArray {
  if (!sameShape(x.shape.slice(0, -1), indices.shape) || x.rank === 0)
    throw shapeError(
      "pick",
      `the array is ${shapeText(x.shape)} and the indices ${shapeText(indices.shape)}, but they must agree but for the last axis`,
    );
  return sum(where(oneHot(indices, x.shape[x.rank - 1]), x, 0), { axis: -1 });
}
