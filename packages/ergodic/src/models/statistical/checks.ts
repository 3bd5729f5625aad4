/** What is wrong with a model, said with the user's line. */
import { CapabilityError, CompileError, ErgodicError } from "../../base/errors.ts";
import { userLine } from "../../compiler/array/position.ts";
import { broadcastShapes, isArray, type Shape, type SymbolicArray, sameShape, shapeText } from "../../compiler/index.ts";
import { batchOf, rankOf } from "./distributions/constraint.ts";
import type { Distribution } from "./distributions/index.ts";

/** Errors of distributions, transforms and data do not know the line that asked for them: it is added. */
export function withUserLine<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ErgodicError) || error.message.includes("(at ")) throw error;
    const Kind = error.constructor as typeof ErgodicError;
    const said = error.message.slice(error.where.length + 2, -(error.code.length + 3));
    throw new Kind(error.where, `${said}${userLine()}`, error.code, { cause: error });
  }
}

export function checkArray(where: string, what: string, given: unknown): SymbolicArray {
  if (isArray(given)) return given;
  const kind = given === null ? "null" : typeof given;
  throw new CompileError(where, `${what} is ${kind}, but must be a symbolic array; a number is full(3)`, "COMPILE_OPERAND");
}

/** Axes of one value, from the parameters that have as many. */
export function eventShape({ family, eventRank, parameters }: Distribution): Shape {
  if (eventRank === 0) return [];
  if (family.eventShape) return family.eventShape;
  // Weights of a mixture count its components.
  const name = Object.keys(parameters).find((key) => key !== "weights" && rankOf(family.constraints[key]) > 0);
  const array = name === undefined ? undefined : parameters[name];
  if (array) return new Array<number>(eventRank).fill(array.shape[array.rank - 1]);
  throw new CapabilityError(family.name, "the shape of its values is not known; define it with eventShape", "DISTRIBUTION_LACKS");
}

/** A prior must be continuous, and give one density for each of the parameter's values. */
export function checkPrior(name: string, prior: Distribution, shape: Shape): void {
  if (prior.kind === "discrete")
    throw new CapabilityError(
      `param "${name}"`,
      `${prior.name} is a distribution of whole numbers, which do not move smoothly; sum the parameter out, as mixture() does`,
      "MODEL_DISCRETE",
    );
  const batch = batchOf(shape, prior.eventRank);
  if (sameShape(broadcastShapes(`param "${name}"`, [batch, prior.batch]), batch)) return;
  throw new CompileError(
    `param "${name}"`,
    `its shape is ${shapeText(batch)}, but the parameters of ${prior.name} broadcast to ${shapeText(prior.batch)}; make the shapes agree`,
    "COMPILE_SHAPE",
  );
}
