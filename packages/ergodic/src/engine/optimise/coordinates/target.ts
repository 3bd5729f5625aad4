import type { Problem } from "../../contract/index.ts";
import { checkBoolean, isList } from "../../errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../errors/errors.ts";
import { shown } from "../../errors/shown.ts";
import { byValues } from "./by-values.ts";
import type { CoordinateTarget, CoordinateTargetOptions } from "./coordinate-target.ts";
import { TargetState } from "./target-state.ts";

const WHERE = "coordinateTarget";
const functions = ["value", "partial", "secondPartial", "minimiser", "residual", "moved", "rowPartial"] as const;
const known = [...functions, "dimension", "curvature", "quadratic", "rows", "l1", "l2", "lower", "upper"];

/**
 * Makes a user-defined target for coordinate descent: F(x) = f(x) + Σ_j (l1_j |x_j| + l2_j/2 x_j²) over lower_j ≤ x_j ≤
 * upper_j, where f is smooth.
 *
 * dimension: number of coordinates of x. value: f(x). partial: ∂f/∂x_j; default central differences; exact minima are
 * then found from values alone.
 * curvature: L_j ≥ ∂²f/∂x_j², for steps of size 1/L_j and for importance sampling. quadratic: whether `curvature`
 * equals ∂²f/∂x_j² everywhere, so that minima have a closed form.
 * secondPartial: ∂²f/∂x_j², for Newton's method. minimiser: the x_j that minimises F with all other coordinates fixed.
 * The result replaces any search, and is clipped to the bounds.
 * residual, moved: a quantity that makes partial derivatives cheap, computed from x and then updated; all functions
 * receive it as their last argument.
 * rows: number of rows over which f is a mean; `rowPartial` returns one row's partial derivative, for estimates. l1,
 * l2, lower, upper: one number, or one per coordinate.
 *
 * Functions must not change x. Values are minimised. A move costs one partial derivative (step "lipschitz"), or a few
 * (step "exact").
 *
 * @throws OptionError when an option is unknown, of the wrong length or out of range [TARGET_DIMENSION, OPTION_RANGE],
 * when a partial derivative is not a finite number [TARGET_PARTIAL], a curvature is not > 0 [TARGET_CURVATURE], or F
 * has no minimum along a coordinate [TARGET_UNBOUNDED]
 */
export function coordinateTarget(options: CoordinateTargetOptions): CoordinateTarget {
  checkKeys(WHERE, options, known);
  const { dimension } = options;
  checkNumber(WHERE, "dimension", dimension, { low: 1, high: 2 ** 31, integer: true });
  for (const name of functions) checkFunction(name, options[name], name === "value");
  checkTogether(options, "residual", "moved");
  checkTogether(options, "rows", "rowPartial");
  if (options.quadratic !== undefined) checkBoolean(WHERE, "quadratic", options.quadratic);
  if (options.quadratic && options.curvature === undefined)
    refuse("quadratic is given without the curvature that it describes; give curvature, too", "OPTION_MISSING");
  if (options.rows !== undefined) checkNumber(WHERE, "rows", options.rows, { low: 1, high: 2 ** 32, integer: true });
  const spread = (name: "l1" | "l2" | "lower" | "upper", otherwise: number) =>
    perCoordinate(name, options[name] ?? otherwise, dimension);
  const checked = {
    ...options,
    kind: "coordinateTarget" as const,
    curvature: curvatureOf(options),
    l1: spread("l1", 0),
    l2: spread("l2", 0),
    lower: spread("lower", -Infinity),
    upper: spread("upper", Infinity),
  };
  for (let j = 0; j < dimension; j++) {
    for (const name of ["l1", "l2"] as const) checkNumber(WHERE, `${name}[${j}]`, checked[name][j], { low: 0 });
    const [low, high] = [checked.lower[j], checked.upper[j]];
    if (low === Infinity || Number.isNaN(low))
      refuse(`lower[${j}] is ${low}, but must be a number, or -Infinity for none`, "OPTION_RANGE");
    if (high === -Infinity || Number.isNaN(high))
      refuse(`upper[${j}] is ${high}, but must be a number, or Infinity for none`, "OPTION_RANGE");
    if (!(checked.lower[j] <= checked.upper[j]))
      refuse(
        `lower[${j}] is ${checked.lower[j]} and upper[${j}] is ${checked.upper[j]}, but must be lower <= upper`,
        "OPTION_RANGE",
      );
  }
  const values = byValues(checked);
  const { partial = values.partial, minimiser = options.partial ? undefined : values.minimiser } = options;
  return { ...checked, partial, minimiser };
}

/**
 * Returns a target or a plain function as a problem for coordinate descent, starting at `x0`.
 * @throws OptionError if x0 has another length or is out of bounds
 */
export function coordinateProblem(given: CoordinateTarget | ((x: Float64Array) => number), x0: ArrayLike<number>): Problem {
  const target = typeof given === "function" ? coordinateTarget({ dimension: x0.length, value: given }) : given;
  if (target?.kind !== "coordinateTarget")
    refuse("the target is neither a function of x nor a result of coordinateTarget()", "OPTION_TYPE");
  const { dimension, lower, upper } = target;
  if (x0.length !== dimension)
    refuse(`x0 has ${x0.length} numbers, but the target has dimension ${dimension}`, "TARGET_DIMENSION");
  const start = Float64Array.from(x0);
  for (let j = 0; j < dimension; j++) {
    checkNumber(WHERE, `x0[${j}]`, start[j]);
    if (!(start[j] >= lower[j] && start[j] <= upper[j]))
      refuse(`x0[${j}] is ${start[j]}, but must be within [${lower[j]}, ${upper[j]}]`, "OPTION_RANGE");
  }
  return {
    name: "coordinate target",
    rowCount: target.rows ?? 0,
    parameterCount: dimension,
    start,
    coordinates: {
      count: dimension,
      estimates: target.rows !== undefined,
      open: () => new TargetState(target, start),
    },
    dispose: () => {},
  };
}

function curvatureOf({ curvature, dimension }: CoordinateTargetOptions): Float64Array | undefined {
  if (curvature === undefined) return undefined;
  const given = typeof curvature === "function" ? Float64Array.from({ length: dimension }, (_, j) => curvature(j)) : curvature;
  const numbers = perCoordinate("curvature", given, dimension);
  const j = numbers.findIndex((l) => !(l > 0 && l < Infinity));
  if (j >= 0) refuse(`curvature of coordinate ${j} is ${numbers[j]}, but must be a number > 0`, "TARGET_CURVATURE");
  return numbers;
}

function perCoordinate(name: string, given: number | ArrayLike<number>, dimension: number): Float64Array {
  if (typeof given === "number") return new Float64Array(dimension).fill(given);
  if (!isList(given)) refuse(`${name} is ${shown(given)}, but must be a number, or one for each coordinate`, "OPTION_TYPE");
  if (given.length !== dimension)
    refuse(`${name} has ${given.length} numbers, but the target has dimension ${dimension}`, "TARGET_DIMENSION");
  // Float64Array.from would convert a null in the list to 0.
  return Float64Array.from(given, (x) => (typeof x === "number" ? x : Number.NaN));
}

function checkFunction(name: string, value: unknown, needed: boolean): void {
  if (typeof value === "function" || (value === undefined && !needed)) return;
  refuse(`${name} is ${shown(value)}, but must be a function`, "OPTION_TYPE");
}

function checkTogether(
  options: CoordinateTargetOptions,
  one: keyof CoordinateTargetOptions,
  other: keyof CoordinateTargetOptions,
) {
  if ((options[one] === undefined) === (options[other] === undefined)) return;
  const [given, missing] = options[one] === undefined ? [other, one] : [one, other];
  refuse(`${given} is given without ${missing}; give both`, "OPTION_MISSING");
}

function refuse(message: string, code: string): never {
  throw new OptionError(WHERE, message, code);
}
