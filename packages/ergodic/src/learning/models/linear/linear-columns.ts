/**
 * A linear model by columns. A compiled program computes the loss over all rows. kernels/learning/columns.ts reads X.
 */

import { linkProgram, type ProgramSpec } from "../../../engine/compiler/index.ts";
import type { ColumnBinding, ColumnTarget, Penalty } from "../../../engine/contract/index.ts";
import { elementBytes } from "../../../engine/data/layout.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import * as field from "../../../engine/memory/fields.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { conjugateProgram, curvedProgram } from "../loss.ts";
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
  const evaluator = options.loss.joint ? jointLoss : separateLosses;
  const slot = (kernel: string): number => engine.kernelSlot(`column${kernel}${suffix(parts)}`, deterministic);
  return {
    columns: describeColumns(arena, parts),
    entryCount: data.columns().entryCount,
    slots: {
      ...{ dot: slot("Dot"), add: slot("Add"), addWeighted: slot("AddWeighted"), spread: slot("Spread") },
      products: data.columns().format === "sparse" ? slot("Products") : 0,
    },
    ...at,
    ...evaluator(arena, parts, at),
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

interface Arrays {
  z: number;
  slopes: number;
  curvatures: number;
  weights: number;
}

type Evaluator = Pick<ColumnBinding, "evaluation" | "loss" | "conjugate">;

/** For separate losses, calls one program per output, which covers all rows. */
function separateLosses(arena: Arena, parts: LinearParts, at: Arrays): Evaluator {
  const { data, options } = parts;
  const { rowCount, layout } = data;
  const outputs = Array.from({ length: options.outputs }, (_, k) => k);
  const offset = (k: number): number => k * rowCount * 8;
  const targets = outputs.map((k) =>
    options.outputs > 1 ? arena.copy(data.target.values.map((y) => (y === k ? 1 : -1))) : parts.target,
  );
  const losses = outputs.map((k) =>
    place(arena, parts, curvedProgram(options.loss, layout.offset !== 0), {
      z: at.z + offset(k),
      dz: at.slopes + offset(k),
      d2z: at.curvatures + offset(k),
      y: targets[k],
      weight: at.weights,
      offset: layout.offset,
    }),
  );
  const spec = conjugateProgram(options.loss, layout.offset !== 0);
  const own = { v: 0, weight: at.weights, offset: layout.offset };
  const conjugates = spec && outputs.map((k) => place(arena, parts, spec, { ...own, y: targets[k] }));
  return {
    evaluation: losses.map(({ slot, block }) => ({ kernel: slot, args: [rowCount, block] })),
    loss: () => losses.reduce((sum, l) => sum + arena.getF64(l.block, l.program.scalars.loss), 0),
    ...(conjugates
      ? {
          conjugate: {
            calls: (v, alpha) =>
              conjugates.map(({ program, slot, block }, k) => {
                arena.set(block, program.pointers.v, v + offset(k));
                arena.setF64(block, program.scalars.alpha, alpha);
                return { kernel: slot, args: [rowCount, block] };
              }),
            value: () => conjugates.reduce((sum, c) => sum + arena.getF64(c.block, c.program.scalars.value), 0),
          },
        }
      : {}),
  };
}

/** For a joint loss, calls one program over the outputs of a row for each row. */
function jointLoss(arena: Arena, parts: LinearParts, at: Arrays): Evaluator {
  const { data, options } = parts;
  const own = { z: 0, dz: 0, d2z: 0 };
  for (const name of ["z", "dz", "d2z"] as const) own[name] = arena.take(options.outputs * 8);
  const loss = place(arena, parts, curvedProgram(options.loss), own);
  const sweep = (block: number): Call => ({ kernel: "lossRows", args: [block] });
  const joint = (program: Placed, result: number, fields: readonly (readonly [number, number])[]): number =>
    arena.block(field.JOINT_BYTES, [
      [field.JOINT_UPDATE, program.slot],
      [field.JOINT_BLOCK, program.block],
      [field.JOINT_AT_Y, program.program.scalars.y],
      [field.JOINT_AT_WEIGHT, program.program.scalars.weight],
      [field.JOINT_AT_RESULT, result],
      [field.JOINT_Y, data.layout.target],
      [field.JOINT_WEIGHTS, at.weights],
      [field.JOINT_ROWS, data.rowCount],
      [field.JOINT_OUTPUTS, options.outputs],
      ...fields,
    ]);
  const { slopes, curvatures, z } = at;
  const evaluate = joint(loss, loss.program.scalars.loss, [
    [field.JOINT_IN, own.z],
    [field.JOINT_OUT_A, own.dz],
    [field.JOINT_OUT_B, own.d2z],
    [field.JOINT_Z, z],
    [field.JOINT_A, slopes],
    [field.JOINT_B, curvatures],
  ]);
  const total = arena.take(8);
  const spec = conjugateProgram(options.loss);
  const v = arena.take(options.outputs * 8);
  const conjugate = spec && place(arena, parts, spec, { v });
  const dual = conjugate && joint(conjugate, conjugate.program.scalars.value, [[field.JOINT_IN, v]]);
  return {
    evaluation: [{ kernel: "lossRowsInto", args: [evaluate, total] }],
    loss: () => arena.getF64(total, 0),
    ...(conjugate && dual !== undefined
      ? {
          conjugate: {
            calls(from, alpha) {
              arena.set(dual, field.JOINT_Z, from);
              arena.setF64(conjugate.block, conjugate.program.scalars.alpha, alpha);
              return [sweep(dual)];
            },
            value: ([value]) => value,
          },
        }
      : {}),
  };
}

type Placed = ReturnType<typeof place>;

function place(arena: Arena, { engine }: LinearParts, spec: ProgramSpec, at: Readonly<Record<string, number>>) {
  const { program, functions } = linkProgram(engine, spec, arena);
  const block = arena.take(program.blockBytes);
  for (const [name, offset] of Object.entries(program.pointers)) arena.set(block, offset, at[name]);
  return { program, block, slot: functions[program.update].slot };
}
