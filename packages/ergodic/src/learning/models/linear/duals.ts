/**
 * The dual of a linear model with an L2 penalty, for dual coordinate descent (kernels/learning/dual.ts).
 *
 * The piecewise quadratic losses are C ℓ(z, y) = max { β (y − z) − ε|β| − κ β²/(2C) : low C ≤ β ≤ high C }, with C =
 * w/(n l2). The logistic loss has its own kernel. If a binary loss is used with several classes, each class is a
 * separate problem. The intercept is the weight of a constant column.
 */

import type { DualBinding, Duals } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { elementBytes } from "../../../engine/data/layout.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import * as field from "../../fields.ts";
import type { LinearParts } from "./parts.ts";

interface Piecewise {
  low: number;
  high: number;
  /** Curvature κ. */
  curvature?: number;
  epsilon?: number;
  /** Whether the lower and upper bounds are mirrored for y < 0. */
  signed?: boolean;
}

const piecewise: Readonly<Record<string, (options: Readonly<Record<string, number>>) => Piecewise>> = {
  hinge: () => ({ low: 0, high: 1, signed: true }),
  squaredHinge: () => ({ low: 0, high: Infinity, curvature: 0.5, signed: true }),
  epsilonInsensitive: ({ epsilon }) => ({ low: -1, high: 1, epsilon }),
  quantile: ({ quantile }) => ({ low: quantile - 1, high: quantile }),
  squared: () => ({ low: -Infinity, high: Infinity, curvature: 1 }),
  huber: ({ delta }) => ({ low: -delta, high: delta, curvature: 1 }),
};
const losses = [...Object.keys(piecewise), "logistic"];
const types = { f32: 0, f64: 1, i16: 2, i8: 3 };
/** Initial log(α/(C − α)). At this value, every row has almost no weight in the initial model. */
const FIRST_LOGIT = -7;

function refuseMisfits({ data, options: { loss, l1, l2, group, penaltyWeights } }: LinearParts): void {
  const refuse = (message: string): never => {
    throw new CapabilityError("linear", message, "MODEL_DUAL");
  };
  if (!losses.includes(loss.name))
    refuse(`loss "${loss.name}" has no dual over rows here; losses with a dual: ${losses.join(", ")}`);
  if (data.layout.offset)
    refuse("the rows have an offset, which the dual over rows does not support; use coordinateDescent() or a rule");
  if (l1 > 0) refuse(`l1 is ${l1}, but the dual over rows supports only l2; leave l1 out, or use an algorithm for l1`);
  if (group > 0) refuse(`group.strength is ${group}, but the dual over rows supports only l2; leave group out, or use saga()`);
  if (!(l2 > 0)) refuse(`l2 is ${l2}, but the dual over rows needs an L2 penalty; use l2 > 0, e.g. l2: 1e-4`);
  if (penaltyWeights?.some((w) => w !== 1))
    refuse("penaltyWeights were given, but the dual over rows penalises all columns alike; leave them out, or scale the columns");
}

/** @throws CapabilityError [MODEL_DUAL] if the loss or the penalty has no such dual */
export function bindDuals(parts: LinearParts, { interceptScaling, deterministic }: Parameters<Duals["bind"]>[0]): DualBinding {
  refuseMisfits(parts);
  const { data, engine, options, stride } = parts;
  const arena = new Arena(engine.memory, "dual of a linear model");
  const { one } = data.layout;
  // The weight v of the constant column c is stored as p = c v / one. then adds β c²/one to p.
  const constant = options.intercept ? interceptScaling ** 2 : 0;
  const squares = arena.take(data.rowCount * 8);
  const outputs = Array.from({ length: options.outputs }, (_, k) =>
    describe(arena, parts, k, squares, options.intercept ? constant / one - one : 0),
  );
  engine.kernel("dualSquares", deterministic)(outputs[0], data.rowCount, options.intercept ? constant - one ** 2 : 0);
  const normWeights = new Float64Array(stride).fill(1, 0, data.columnCount);
  if (options.intercept) normWeights[data.columnCount] = one ** 2 / constant;
  return {
    outputs,
    l2: options.l2,
    normWeights,
    interior: options.loss.name === "logistic",
    start: (output, betas, logits) => start(parts, outputs[output], betas, logits),
    dispose: () => arena.dispose(),
  };
}

/** Creates the DUAL block of one output. */
function describe(arena: Arena, parts: LinearParts, output: number, squares: number, intercept: number): number {
  const { data, options, columns, weights } = parts;
  const { layout, rowCount } = data;
  const logistic = options.loss.name === "logistic";
  const own = logistic ? undefined : piecewise[options.loss.name](options.loss.options);
  const block = arena.block(field.DUAL_BYTES, [
    [field.DUAL_VALUES, layout.values],
    [field.DUAL_ROW_BYTES, layout.stride * elementBytes[layout.type]],
    [field.DUAL_ROW_START, layout.rowStart],
    [field.DUAL_COLUMN_INDEX, layout.columnIndex],
    [field.DUAL_TYPE, types[layout.type]],
    [field.DUAL_COLUMNS, columns],
    [field.DUAL_SKIPPED, options.intercept ? 0 : 1],
    [field.DUAL_TARGET, options.outputs > 1 ? oneAgainstRest(arena, data, output) : parts.target],
    [field.DUAL_WEIGHTS, weights],
    [field.DUAL_SQUARES, squares],
    [field.DUAL_LOGISTIC, logistic ? 1 : 0],
    [field.DUAL_SIGNED, own?.signed ? 1 : 0],
  ]);
  arena.setF64(block, field.DUAL_SCALE_F64, layout.scale);
  arena.setF64(block, field.DUAL_INTERCEPT_F64, intercept);
  arena.setF64(block, field.DUAL_COST_F64, 1 / (rowCount * options.l2));
  arena.setF64(block, field.DUAL_LOW_F64, own?.low ?? 0);
  arena.setF64(block, field.DUAL_HIGH_F64, own?.high ?? 1);
  arena.setF64(block, field.DUAL_CURVATURE_F64, own?.curvature ?? 0);
  arena.setF64(block, field.DUAL_EPSILON_F64, own?.epsilon ?? 0);
  return block;
}

function oneAgainstRest(arena: Arena, data: Dataset, output: number): number {
  return arena.copy(data.target.values.map((y) => (y === output ? 1 : -1)));
}

/** Initial β: 0, or a value inside (0, C) for the logistic loss, because its dual is finite only there. */
function start({ engine, options, data, weights }: LinearParts, block: number, betas: Float64Array, logits: Float64Array): void {
  betas.fill(0);
  if (options.loss.name !== "logistic") return;
  const { memory } = engine;
  const share = exp(FIRST_LOGIT) / (1 + exp(FIRST_LOGIT)) / (data.rowCount * options.l2);
  const target = memory.f64(memory.u32(block + field.DUAL_TARGET, 1)[0], data.rowCount);
  const w = weights ? memory.f64(weights, data.rowCount) : undefined;
  for (let i = 0; i < betas.length; i++) betas[i] = target[i] * share * (w?.[i] ?? 1);
  logits.fill(FIRST_LOGIT);
}
