import type { BindOptions, DensityBinding, LogDensity } from "../../../engine/contract/index.ts";
import { checkBoolean, refuse } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../../engine/errors/errors.ts";
import { currentEngine, type Engine } from "../../../engine/memory/engine.ts";
import { checkGradient } from "./gradient-check.ts";

/** Options of `functionDensity`. */
export interface FunctionDensityOptions {
  /** Number of elements of x; a whole number >= 1. */
  readonly dimension: number;
  /** Log density ℓ(x) in nats, up to a constant; −∞ outside the support. */
  readonly logDensity: (x: Float64Array) => number;
  /**
   * Gradient of ℓ at x, returned or written into `g`. Default: no gradient, which restricts the choice to samplers
   * without gradients.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that writes into g gives nothing
  readonly gradient?: (x: Float64Array, g: Float64Array) => ArrayLike<number> | void;
  /** Name of each element of x. Samplers then treat the elements as parameters. */
  readonly names?: readonly string[];
  /**
   * Whether the gradient is checked against finite differences when a run begins (gradient-check.ts). Default true; use
   * false for a deliberately approximate gradient.
   */
  readonly checkGradient?: boolean;
}

/** Log density made from a plain function; see `functionDensity`. */
export interface FunctionDensity extends LogDensity {
  readonly hasGradient: boolean;
  readonly onThisThread: true;
  /** Names of the elements of x, if given. */
  readonly names: readonly string[] | undefined;
  /** Evaluates ℓ and its gradient. The gradient is NaN if the function provides none. */
  evaluate(x: ArrayLike<number>): { value: number; gradient: Float64Array };
}

const NAME = "functionDensity";

/**
 * Makes a log density from a plain function ℓ(x) of d real numbers. ℓ is in nats, up to a constant, and its gradient is
 * optional.
 *
 * x: Float64Array(d), a copy that the function may keep. `gradient(x)` returns d numbers, or `gradient(x, g)` writes
 * them into g.
 *
 * Kernels call the function through the table of this thread, so it runs on this thread only. A call costs about 0.1 µs
 * in addition to the function's own time.
 *
 * A value of −∞ marks a point outside the support. Samplers reject NaN. If the function throws, the run ends with the
 * same exception.
 *
 * Draws are bitwise identical on every host only if the function's results are. Math.exp, for example, differs between
 * hosts. When a run begins, the gradient is checked once against finite differences of ℓ.
 *
 * @throws OptionError for a dimension or names that do not fit; during a run, if the function returns anything but
 *   numbers, or the gradient does not belong to it
 *
 * @example
 * ```ts
 * functionDensity({ dimension: 2, logDensity: (x) => -0.5 * (x[0] ** 2 + x[1] ** 2), gradient: (x) => [-x[0], -x[1]] })
 * ```
 */
export function functionDensity(options: FunctionDensityOptions): FunctionDensity {
  checkKeys(NAME, options, ["dimension", "logDensity", "gradient", "names", "checkGradient"]);
  const { dimension, logDensity, gradient, names, checkGradient = true } = options;
  checkNumber(NAME, "dimension", dimension, { low: 1, integer: true });
  checkFunction("logDensity", logDensity);
  if (gradient !== undefined) checkFunction("gradient", gradient);
  checkBoolean(NAME, "checkGradient", checkGradient);
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => typeof name === "string")))
    refuse(NAME, "names", names, "a list of names", '["x", "y"]');
  if (names && (names.length !== dimension || new Set(names).size !== dimension))
    throw new OptionError(NAME, `names are ${names.join(", ")}, but must be ${dimension} different names`, "OPTION_LENGTH");
  const once = { checked: !checkGradient };
  return {
    dimension,
    hasGradient: gradient !== undefined,
    onThisThread: true,
    names,
    ...(names && named(names)),
    bind: (how) => bind(currentEngine(), options, once, how),
    evaluate(given) {
      const x = Float64Array.from(given);
      const value = valueAt(options, x);
      const slopes = gradient ? gradientAt(options, x) : new Float64Array(dimension).fill(Number.NaN);
      return { value, gradient: slopes };
    },
  };
}

/** Adds names of elements, for samplers that treat some elements separately. */
function named(names: readonly string[]): Required<Pick<LogDensity, "parameters" | "constrain" | "unconstrain">> {
  return {
    parameters: names.map((name, offset) => ({ name, offset, size: 1 })),
    constrain: (u) => Object.fromEntries(names.map((name, i) => [name, Float64Array.of(u[i])])),
    unconstrain: (values) =>
      Float64Array.from(names, (name) => {
        const given = values[name];
        if (given !== undefined) return typeof given === "number" ? given : given[0];
        throw new DataError(NAME, `"${name}" has no value; give all of them`, "DATA_MISSING");
      }),
  };
}

/**
 * Links the function. `once`: state shared by all chains, so that the gradient is checked only at the first point with
 * a finite density.
 */
function bind(
  engine: Engine,
  options: FunctionDensityOptions,
  once: { checked: boolean },
  { gradient = true }: BindOptions,
): DensityBinding {
  const { dimension } = options;
  const wanted = gradient && options.gradient !== undefined;
  const { memory } = engine;
  const { slot, dispose } = engine.linkHost((_, x, g) => {
    const point = memory.f64(x, dimension).slice();
    const value = valueAt(options, point);
    if (!wanted) return value;
    const slopes = gradientAt(options, point);
    memory.f64(g, dimension).set(slopes);
    if (!once.checked && Number.isFinite(value)) {
      once.checked = true;
      const nameOf = (i: number): string => (options.names ? `"${options.names[i]}"` : `x[${i}]`);
      checkGradient(NAME, (x) => valueAt(options, x), memory.f64(x, dimension).slice(), slopes, nameOf);
    }
    return value;
  });
  return { slot, model: 0, dispose };
}

function valueAt({ logDensity }: FunctionDensityOptions, x: Float64Array): number {
  const value: unknown = logDensity(x);
  if (typeof value === "number") return value;
  throw new OptionError(NAME, `logDensity returned ${typeof value}, but must return a number`, "OPTION_TYPE");
}

function gradientAt({ dimension, gradient }: FunctionDensityOptions, x: Float64Array): Float64Array {
  const own = new Float64Array(dimension);
  const given = gradient!(x, own);
  if (given === undefined) return own;
  if (given?.length === dimension && Array.prototype.every.call(given, (slope) => typeof slope === "number"))
    return Float64Array.from(given);
  throw new OptionError(
    NAME,
    `gradient returned ${typeof given === "object" ? `${given?.length} numbers` : typeof given}, but must return ${dimension}, or write them into its second argument`,
    "OPTION_LENGTH",
  );
}

function checkFunction(name: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new OptionError(NAME, `${name} is ${typeof given}, but must be a function of x`, "OPTION_TYPE");
}
