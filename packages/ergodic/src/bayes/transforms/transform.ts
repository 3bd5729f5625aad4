import { type Shape, type SymbolicArray, sameShape, shapeText, sizeOf } from "../../engine/compiler/index.ts";
import { CompileError, OptionError } from "../../engine/errors/errors.ts";
import type { Inputs } from "../distributions/value.ts";

export interface Constrained {
  readonly value: SymbolicArray;
  /** log |J|, summed over all elements. */
  readonly logJacobian: SymbolicArray;
  /**
   * If some unconstrained points have the same value: a term that is 0 at one of them and negative at the others. Mode
   * searches add it, because log |J| is not part of their objective.
   */
  readonly chosen?: SymbolicArray;
}

/**
 * A transform is a one-to-one map from unconstrained numbers, which samplers and optimisers move, to a constrained
 * value. A transform also returns log |J| of this map. The log density of the unconstrained numbers is the log density
 * of the value plus log |J|.
 */
export interface Transform {
  readonly name: string;
  /** Shape of the constrained value. */
  readonly shape: Shape;
  readonly unconstrainedShape: Shape;
  /** @throws CompileError unless `unconstrained` has its shape */
  constrain(unconstrained: SymbolicArray): Constrained;
  /**
   * Inverts the transform in plain numbers, row-major. `inputs`: values on which bounds depend. @throws OptionError if
   * the value violates the constraint
   */
  unconstrain(value: ArrayLike<number>, inputs?: Inputs): Float64Array;
}

/** Adds shape checks to both directions of a transform. */
export function checked(transform: Transform): Transform {
  const { name, shape, unconstrainedShape } = transform;
  return {
    ...transform,
    constrain(u) {
      if (!sameShape(u.shape, unconstrainedShape))
        throw new CompileError(
          name,
          `the unconstrained array has shape ${shapeText(u.shape)}, but must have ${shapeText(unconstrainedShape)}`,
          "COMPILE_SHAPE",
        );
      return transform.constrain(u);
    },
    unconstrain(value, inputs) {
      if (value.length !== sizeOf(shape))
        throw new OptionError(
          name,
          `the value has ${value.length} numbers, but shape ${shapeText(shape)} needs ${sizeOf(shape)}`,
          "OPTION_LENGTH",
        );
      return transform.unconstrain(value, inputs);
    },
  };
}

export function outside(name: string, value: number, wanted: string): OptionError {
  return new OptionError(name, `the value is ${value}, but must be ${wanted}; give a value inside`, "OPTION_RANGE");
}

/** Returns [rows, extent of the last axis]. A transform of vectors is applied to each row. */
export function rowsOf(name: string, shape: Shape, fewest: number): [rows: number, extent: number] {
  const extent = shape[shape.length - 1] ?? 0;
  if (extent < fewest)
    throw new CompileError(
      name,
      `shape is ${shapeText(shape)}, but the last axis must have at least ${fewest} elements`,
      "COMPILE_SHAPE",
    );
  return [sizeOf(shape) / extent, extent];
}
