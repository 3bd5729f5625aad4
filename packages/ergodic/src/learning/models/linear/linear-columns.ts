/**
 * A linear model by columns. A compiled program computes the loss over all rows. kernels/learning/columns.ts reads X.
 */

import type { ColumnBinding, ColumnTarget, Penalty } from "../../../engine/contract/index.ts";
import { elementBytes } from "../../../engine/data/layout.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import * as field from "../../../engine/memory/fields.ts";
import { lossOfRows } from "../loss-of-rows.ts";
import type { LinearParts } from "./parts.ts";

const smooth = "squared, huber, logistic, squaredHinge, poisson, multinomial";

export function linearColumns(parts: LinearParts, penalty: Penalty): ColumnTarget {
  const { data, engine, options } = parts;
  const { rowCount, columnCount } = data;
  const { loss, outputs, intercept, deterministic } = options;
  const rowWeights = new Float64Array(rowCount).fill(1 / rowCount);
  if (parts.weights) {
    const given = engine.memory.f64(parts.weights, rowCount);
    for (let i = 0; i < rowCount; i++) rowWeights[i] *= given[i];
  }
  return {
    rowCount,
    columnCount,
    outputs,
    intercept,
    nonNegative: options.nonNegative,
    penalty,
    rowWeights,
    one: data.layout.one,
    quadratic: loss.quadratic === true,
    ...(loss.curvature === undefined ? {} : { curvature: loss.curvature }),
    joint: loss.joint === true,
    bind(weights) {
      if (loss.curvature === undefined && !loss.conjugate)
        throw new CapabilityError(
          "linear",
          `loss "${loss.name}" has kinks, where its curvature is undefined; use dualCoordinateDescent(), or one of ${smooth}`,
          "MODEL_CAPABILITY",
        );
      return bind(parts, weights, outputs, deterministic);
    },
  };
}

function bind(parts: LinearParts, weights: Float64Array, outputs: number, deterministic: boolean): ColumnBinding {
  const { data, engine, options } = parts;
  const arena = new Arena(engine.memory, "columns of a linear model");
  const { rowCount } = data;
  const rows = { z: 0, slopes: 0, curvatures: 0 };
  for (const name of ["z", "slopes", "curvatures"] as const) rows[name] = arena.take(outputs * rowCount * 8);
  const at = { ...rows, weights: arena.copy(weights) };
  const { loss } = options;
  const slot = (kernel: string): number => engine.kernelSlot(`column${kernel}${suffix(parts)}`, deterministic);
  return {
    columns: describeColumns(arena, parts),
    entryCount: data.columns().entryCount,
    slots: {
      ...{ dot: slot("Dot"), add: slot("Add"), addWeighted: slot("AddWeighted"), spread: slot("Spread") },
      products: data.columns().format === "sparse" ? slot("Products") : 0,
    },
    ...at,
    ...lossOfRows(arena, { engine, data, loss, outputs, target: parts.target }, at),
    here: (kernel) => engine.kernel(kernel, deterministic),
    dispose: () => arena.dispose(),
  };
}

function suffix({ data }: LinearParts): string {
  const { format, type } = data.columns();
  return `${format === "dense" ? "Dense" : "Sparse"}${type.toUpperCase()}`;
}

function describeColumns(arena: Arena, { data }: LinearParts): number {
  const columns = data.columns();
  const { layout } = data;
  const block = arena.block(field.COLUMNS_BYTES, [
    [field.COLUMNS_VALUES, columns.values],
    [field.COLUMNS_STRIDE, columns.stride * elementBytes[columns.type]],
    [field.COLUMNS_START, columns.columnStart],
    [field.COLUMNS_ROWS, columns.rowIndex],
    [field.COLUMNS_ROW_COUNT, columns.rowCount],
    ...(layout.format === "sparse"
      ? ([
          [field.COLUMNS_ROW_START, layout.rowStart],
          [field.COLUMNS_ROW_COLUMNS, layout.columnIndex],
          [field.COLUMNS_ROW_VALUES, layout.values],
        ] as const)
      : []),
  ]);
  arena.setF64(block, field.COLUMNS_SCALE_F64, columns.scale);
  return block;
}
