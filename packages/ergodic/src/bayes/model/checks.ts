/** Checks of a model's parts. */

import {
  broadcastShapes,
  isArray,
  type Shape,
  type SymbolicArray,
  sameShape,
  shapeText,
  sizeOf,
} from "../../engine/compiler/index.ts";
import { CapabilityError, CompileError } from "../../engine/errors/errors.ts";
import { batchOf, rankOf } from "../distributions/constraint.ts";
import type { Distribution } from "../distributions/index.ts";

export function checkArray(where: string, what: string, given: unknown): SymbolicArray {
  if (isArray(given)) return given;
  const kind = given === null ? "null" : typeof given;
  throw new CompileError(where, `${what} is ${kind}, but must be a symbolic array; a number is full(3)`, "COMPILE_OPERAND");
}

/** Returns the shape of a single value. Every extent equals the last extent of a vector or matrix parameter. */
export function eventShape({ family, eventRank, parameters }: Distribution): Shape {
  if (eventRank === 0) return [];
  if (family.eventShape) return family.eventShape;
  // The size of a mixture's weights is the number of components, not the extent of a value.
  const name = Object.keys(parameters).find((key) => key !== "weights" && rankOf(family.constraints[key]) > 0);
  const array = name === undefined ? undefined : parameters[name];
  if (array) return new Array<number>(eventRank).fill(array.shape[array.rank - 1]);
  throw new CapabilityError(family.name, "the shape of its values is not known; define it with eventShape", "DISTRIBUTION_LACKS");
}

/**
 * Checks that a prior is continuous or yields single whole numbers, and that it has one density per value of the
 * parameter.
 */
export function checkPrior(name: string, prior: Distribution, shape: Shape): void {
  if (prior.name === "censored")
    throw new CapabilityError(
      `param "${name}"`,
      "censored() describes how values are observed and cannot be a prior, because it mixes probabilities with densities; give the distribution itself, or truncated()",
      "MODEL_PRIOR",
    );
  if (prior.kind === "discrete" && prior.eventRank > 0)
    throw new CapabilityError(
      `param "${name}"`,
      `${prior.name} is a distribution of several dependent whole numbers, which no sampler here supports; sum the parameter out with marginalise()`,
      "MODEL_DISCRETE",
    );
  const batch = batchOf(shape, prior.eventRank);
  if (prior.support.kind === "correlationCholesky" && batch.length > 0)
    throw new CapabilityError(
      `param "${name}"`,
      `its shape is ${shapeText(batch)}, but a parameter can hold only one correlation matrix; leave shape out, and declare one parameter per matrix`,
      "MODEL_PRIOR",
    );
  if (sameShape(broadcastShapes(`param "${name}"`, [batch, prior.batch]), batch)) return;
  throw new CompileError(
    `param "${name}"`,
    `its shape is ${shapeText(batch)}, but the parameters of ${prior.name} broadcast to ${shapeText(prior.batch)}; make the shapes agree`,
    "COMPILE_SHAPE",
  );
}

/**
 * Checks that the distribution's parameters do not broadcast to a larger shape than the shape of the value. Otherwise,
 * a value would be counted several times.
 */
export function checkCounted(value: SymbolicArray, distribution: Distribution, pointwise: SymbolicArray): void {
  if (pointwise.size === sizeOf(batchOf(value.shape, distribution.eventRank))) return;
  throw new CompileError(
    "observe",
    `the value has shape ${shapeText(value.shape)}, but the parameters of ${distribution.name} broadcast to ${shapeText(distribution.batch)}, which would count it several times; make the shapes agree`,
    "COMPILE_SHAPE",
  );
}
