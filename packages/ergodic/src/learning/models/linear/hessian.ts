import { linkProgram } from "../../../engine/compiler/index.ts";
import type { CurvatureBinding, Curved } from "../../../engine/contract/index.ts";
import { storedCount } from "../../../engine/data/conversion.ts";
import type { DataLayout } from "../../../engine/data/layout.ts";
import { elementBytes } from "../../../engine/data/layout.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import { ABSENT } from "../../../engine/memory/fields.ts";
import * as field from "../../fields.ts";
import { curvedProgram } from "../loss.ts";
import type { LinearParts } from "./parts.ts";

/**
 * Smallest curvature that a row can have, relative to the largest curvature of the loss. Without this minimum, no step
 * could leave a flat part of the loss (huber's tails) that contains all rows.
 */
const LEAST_CURVATURE = 1e-9;

/** Number of products per kernel call. A call takes a few milliseconds. */
const WORK = 1e7;
/**
 * The slopes and curvatures from an evaluation of the loss are kept if they take at most this many bytes. A Hessian at
 * the same parameters then reuses these values.
 */
const KEPT_BYTES = 2 ** 26;

/**
 * Binds a linear model's mean loss, gradient and Hessian, output by output (kernels/learning/hessian.ts). Each
 * evaluation takes one pass over the rows. It takes half a pass if the loss has just been evaluated at the same
 * parameters.
 *
 * @throws CapabilityError [MODEL_CAPABILITY] if the loss has no curvature, or if outputs share a loss
 */
export function bindHessian(parts: LinearParts): CurvatureBinding {
  const { data, engine, options, columns, stride } = parts;
  const { outputs, deterministic } = options;
  refuseFlat(parts);
  const { layout, rowCount } = data;
  const arena = new Arena(engine.memory, "Hessian");
  const { blocks, place, width, kept } = hessianBlocks(parts, arena);
  const kernel = engine.kernel(
    `hessian${layout.format === "dense" ? "Dense" : "Sparse"}${layout.type.toUpperCase()}`,
    deterministic,
  );
  const entries = storedCount(layout) / rowCount;
  const rowsPerCall = field.HESSIAN_CHUNK * Math.max(1, Math.floor(WORK / ((field.HESSIAN_CHUNK * (entries * entries)) / 2)));
  const partOf = (x: Float64Array, k: number): Float64Array => x.subarray(k * stride, k * stride + columns);
  function* call(x: Float64Array, k: number, what: number): Generator<void, number> {
    let loss = 0;
    for (let from = 0; from < rowCount; from += rowsPerCall) {
      if (from > 0) yield;
      engine.memory.f64(place.parameters, columns).set(partOf(x, k));
      loss += kernel(blocks[k], what, from, Math.min(from + rowsPerCall, rowCount));
    }
    return loss;
  }
  /**
   * For each output, the loss evaluated last and the parameters at which it was evaluated. The stored slopes and
   * curvatures belong to these parameters.
   */
  const known: ({ x: Float64Array; loss: number } | undefined)[] = [];
  return {
    width,
    parts: Array.from({ length: outputs }, (_, k) => ({ first: k * stride, count: columns })),
    *value(x) {
      let sum = 0;
      for (const k of blocks.keys()) {
        known[k] = undefined;
        const loss = yield* call(x, k, field.HESSIAN_LOSS);
        if (kept) known[k] = { x: partOf(x, k).slice(), loss };
        sum += loss;
      }
      return sum;
    },
    *at(x, k): Generator<void, Curved> {
      const before = known[k];
      // The kernel replaces the stored curvatures by scaled ones.
      known[k] = undefined;
      const again = before?.x.every((v, j) => v === x[k * stride + j]) ?? false;
      const made = yield* call(x, k, again ? field.HESSIAN_REST : field.HESSIAN_ALL);
      const { memory } = engine;
      const loss = again ? before!.loss : made;
      return { loss, gradient: memory.f64(place.gradient, columns), hessian: memory.f64(place.matrix, width ** 2) };
    },
    dispose: () => arena.dispose(),
  };
}

/** Memory that the kernel reads and writes. */
interface HessianBlocks {
  /** Address of the HESSIAN block of each output. */
  readonly blocks: readonly number[];
  /** Addresses that all outputs share. */
  readonly place: { readonly parameters: number; readonly gradient: number; readonly matrix: number };
  /** Number of columns of the Hessian, including padding. */
  readonly width: number;
  /** Whether the slopes and curvatures of all rows are stored. */
  readonly kept: boolean;
}

function hessianBlocks(parts: LinearParts, arena: Arena): HessianBlocks {
  const { data, engine, options, columns } = parts;
  const { loss, outputs } = options;
  const { layout, rowCount } = data;
  const width = Math.ceil(columns / 4) * 4;
  const place = { parameters: arena.take(columns * 8), gradient: arena.take(columns * 8), matrix: arena.take(width * width * 8) };
  const { program, functions } = linkProgram(engine, curvedProgram(loss, layout.offset !== 0), arena);
  const kept = 16 * rowCount * outputs <= KEPT_BYTES;
  const z = arena.take(field.HESSIAN_CHUNK * 8);
  const rowsPlace = (): number => arena.take((kept ? rowCount : field.HESSIAN_CHUNK) * 8);
  const shared = kept ? undefined : { d: rowsPlace(), h: rowsPlace() };
  const panels = arena.take(layout.format === "dense" ? field.HESSIAN_CHUNK * width * 8 : columns * 16);
  const own = arena.block(program.blockBytes, [[program.pointers.z, z]]);
  const weights = arena.copy(rowWeights(parts));
  const blocks = targets(parts, arena).map((target) => {
    const { d, h } = shared ?? { d: rowsPlace(), h: rowsPlace() };
    const block = arena.block(field.HESSIAN_BYTES, [
      ...rowsOf(layout),
      [field.HESSIAN_KEPT, kept ? 1 : 0],
      [field.HESSIAN_COLUMNS, columns],
      [field.HESSIAN_WIDTH, width],
      [field.HESSIAN_PARAMETERS, place.parameters],
      [field.HESSIAN_MATRIX, place.matrix],
      [field.HESSIAN_PANELS, panels],
      [field.HESSIAN_UPDATE, functions[program.update].slot],
      [field.HESSIAN_BLOCK, own],
      [field.HESSIAN_Z, z],
      [field.HESSIAN_H, h],
      [field.HESSIAN_Y, target],
      [field.HESSIAN_AT_Y, program.pointers.y],
      [field.HESSIAN_WEIGHTS, weights],
      [field.HESSIAN_AT_WEIGHT, program.pointers.weight],
      [field.HESSIAN_OFFSETS, layout.offset],
      [field.HESSIAN_AT_OFFSET, program.pointers.offset ?? ABSENT],
      [field.HESSIAN_D, d],
      [field.HESSIAN_GRADIENT, place.gradient],
      [field.HESSIAN_AT_LOSS, program.scalars.loss],
      [field.HESSIAN_AT_D, program.pointers.dz],
      [field.HESSIAN_AT_H, program.pointers.d2z],
    ]);
    arena.setF64(block, field.HESSIAN_SCALE_F64, layout.scale);
    arena.setF64(block, field.HESSIAN_LEAST_F64, LEAST_CURVATURE * (loss.curvature ?? 0));
    return block;
  });
  return { blocks, place, width, kept };
}

function refuseFlat({ options: { loss } }: LinearParts): void {
  if (loss.joint)
    throw new CapabilityError(
      "linear",
      `loss "${loss.name}" couples the outputs of a row, so there is no separate Hessian for each output; use rule: lbfgs()`,
      "MODEL_CAPABILITY",
    );
  if (loss.curvature === undefined && !loss.conjugate)
    throw new CapabilityError(
      "linear",
      `loss "${loss.name}" has kinks, where its curvature is undefined; use dualCoordinateDescent() or a rule`,
      "MODEL_CAPABILITY",
    );
}

function rowsOf(layout: DataLayout): (readonly [number, number])[] {
  return [
    [field.HESSIAN_VALUES, layout.values],
    [field.HESSIAN_ROW_BYTES, layout.stride * elementBytes[layout.type]],
    [field.HESSIAN_ROW_START, layout.rowStart],
    [field.HESSIAN_COLUMN_INDEX, layout.columnIndex],
  ];
}

/** Weights c of the rows in the mean. */
function rowWeights({ data: { rowCount }, engine, weights }: LinearParts): Float64Array {
  const each = new Float64Array(rowCount).fill(1 / rowCount);
  if (!weights) return each;
  const given = engine.memory.f64(weights, rowCount);
  for (let i = 0; i < rowCount; i++) each[i] *= given[i];
  return each;
}

/** Returns the addresses of the targets of each output. Several outputs are coded one-vs-rest. */
function targets({ data, options: { outputs }, target }: LinearParts, arena: Arena): number[] {
  if (outputs === 1) return [target];
  return Array.from({ length: outputs }, (_, k) => arena.copy(data.target.values.map((y) => (y === k ? 1 : -1))));
}
