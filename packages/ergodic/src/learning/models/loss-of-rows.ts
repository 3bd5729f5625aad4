/** The loss of rows with its slopes and curvatures, by compiled programs. */

import { linkProgram, type ProgramSpec } from "../../engine/compiler/index.ts";
import type { ColumnBinding } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import * as field from "../../engine/memory/fields.ts";
import type { Call } from "../../engine/memory/pool.ts";
import { conjugateProgram, curvedProgram, type Loss } from "./loss.ts";

/** Addresses of arrays over rows. Outputs, slopes and curvatures: f64[outputs][rows]. */
export interface LossArrays {
  /** Outputs z. */
  readonly z: number;
  /** Slopes c ∂ℓ/∂z. */
  readonly slopes: number;
  /** Curvatures c ∂²ℓ/∂z². */
  readonly curvatures: number;
  /** Row weights c, f64[rows]. */
  readonly weights: number;
}

/** Evaluates the loss of all rows. */
export type LossOfRows = Pick<ColumnBinding, "evaluation" | "loss" | "conjugate">;

/** The rows, and the loss of their outputs. */
export interface LossParts {
  readonly engine: Engine;
  readonly data: Dataset;
  readonly loss: Loss;
  /** Number of outputs per row. */
  readonly outputs: number;
  /** Address of the targets in the coding of the loss. Only for one output. */
  readonly target: number;
}

/**
 * Returns the calls that evaluate a loss, with its slopes and curvatures, on all rows. The memory belongs to `arena`.
 */
export function lossOfRows(arena: Arena, parts: LossParts, at: LossArrays): LossOfRows {
  return parts.loss.joint ? jointLoss(arena, parts, at) : separateLosses(arena, parts, at);
}

/** For separate losses, calls one program per output, which covers all rows. */
function separateLosses(arena: Arena, parts: LossParts, at: LossArrays): LossOfRows {
  const { data, loss } = parts;
  const { rowCount, layout } = data;
  const outputs = Array.from({ length: parts.outputs }, (_, k) => k);
  const offset = (k: number): number => k * rowCount * 8;
  const targets = outputs.map((k) =>
    parts.outputs > 1 ? arena.copy(data.target.values.map((y) => (y === k ? 1 : -1))) : parts.target,
  );
  const losses = outputs.map((k) =>
    place(arena, parts, curvedProgram(loss, layout.offset !== 0), {
      z: at.z + offset(k),
      dz: at.slopes + offset(k),
      d2z: at.curvatures + offset(k),
      y: targets[k],
      weight: at.weights,
      offset: layout.offset,
    }),
  );
  const spec = conjugateProgram(loss, layout.offset !== 0);
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
function jointLoss(arena: Arena, parts: LossParts, at: LossArrays): LossOfRows {
  const { data, outputs } = parts;
  const own = { z: 0, dz: 0, d2z: 0 };
  for (const name of ["z", "dz", "d2z"] as const) own[name] = arena.take(outputs * 8);
  const loss = place(arena, parts, curvedProgram(parts.loss), own);
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
      [field.JOINT_OUTPUTS, outputs],
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
  const spec = conjugateProgram(parts.loss);
  const v = arena.take(outputs * 8);
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

function place(arena: Arena, { engine }: LossParts, spec: ProgramSpec, at: Readonly<Record<string, number>>) {
  const { program, functions } = linkProgram(engine, spec, arena);
  const block = arena.take(program.blockBytes);
  for (const [name, offset] of Object.entries(program.pointers)) arena.set(block, offset, at[name]);
  return { program, block, slot: functions[program.update].slot };
}
