import {
  add,
  constant,
  derive,
  div,
  type Expr,
  equal,
  index,
  less,
  log,
  max,
  mul,
  neg,
  type ProgramSpec,
  print,
  scalar,
  sub,
  substitute,
  sum,
  vector,
  where,
} from "../../engine/compiler/index.ts";
import type { Json, JsonObject, Link } from "../../engine/contract/index.ts";
import { Registry } from "../../engine/contract/registry.ts";
import { checkNamedJson, refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { acceptedBy, checkOptions, type Declaration, type Range } from "../../engine/errors/options.ts";
import { linksOfTask } from "../../engine/files/links.ts";

export type Task = "binary" | "multiclass" | "regression" | "count";

/** Properties that define a loss together with its equation. */
export interface LossTraits<T extends Task = Task> {
  /** Coding of y: "binary" −1/+1, "multiclass" class index, "regression" any number, "count" a number >= 0. */
  task: T;
  /** Link that converts outputs to predictions: probabilities, a mean, or a class by sign. */
  link: Link;
  /** Bound on the curvature, sup |∂²ℓ/∂z²|, if finite. */
  curvature?: number;
  /** Whether z is a vector over classes rather than one number. */
  joint?: boolean;
  /** Whether ℓ(z, y) is ½z² plus a linear function of z. */
  quadratic?: boolean;
  /** Elementwise ∂²ℓ/∂z². Needed for joint losses, because it differs from the derivative of the gradient. */
  second?: (inputs: { z: Expr; y: Expr }) => Expr;
  /**
   * Conjugate ℓ*(u, y) = sup_z (uz − ℓ(z, y)), needed for duality gaps. For a joint loss, the function returns a vector
   * over the outputs, and the conjugate is the sum of this vector. Use `barred` where the value of the conjugate is
   * infinite.
   */
  conjugate?: (inputs: { u: Expr; y: Expr; options: Readonly<Record<string, number>> }) => Expr;
}

/** `T`: task of the loss, if the compiler knows it. */
export interface Loss<T extends Task = Task> extends LossTraits<T> {
  /** Name under which the loss was defined. */
  readonly name: string;
  /** Options, with defaults filled in. */
  readonly options: Readonly<Record<string, number>>;
  /** ℓ(z, y); for joint losses, z is the vector of outputs and y a class index. */
  readonly expression: Expr;
  /** ℓ(z, y) as a string. */
  readonly equation: string;
  /** JSON from which `lossFromJson` rebuilds the loss. */
  toJSON(): JsonObject;
}

/** Function that makes a loss from options, with the declaration of the loss. */
export interface LossFactory<O, T extends Task, N extends string = string> {
  (options?: Partial<O>): Loss<T>;
  /** Name of the loss and ranges of its options. */
  readonly declaration: Declaration & { readonly name: N };
}

/** Registry of all losses by name. */
export const definedLosses = new Registry<(options?: Record<string, number>) => Loss>("loss");

/**
 * Defines a loss by its equation and registers it by name. `ranges` checks its options.
 *
 * The equation is a scalar function of an output z and a target y, written once in the compiler's expressions. The
 * derivative, the kernel and the printed form are derived from this equation. The task determines the coding of y:
 * "binary" −1/+1, "multiclass" class index, "regression" any number, "count" a number >= 0. A checkpoint can be resumed
 * in any program that defines the same loss.
 */
export function loss<O extends Record<string, number>, const T extends Task, const N extends string>(
  name: N,
  defaults: O,
  define: (inputs: { z: Expr; y: Expr } & { [K in keyof O]: Expr }) => Expr,
  traits: LossTraits<T>,
  ranges: { [K in keyof O]?: Range } = {},
): LossFactory<O, T, N> {
  checkTraits(name, traits);
  const declaration = { name, options: acceptedBy(defaults, ranges) };
  const factory = (given: Partial<O> = {}): Loss<T> => {
    checkOptions(name, given, declaration);
    const options = Object.fromEntries(Object.entries(defaults).map(([key, fallback]) => [key, given[key] ?? fallback]));
    const constants = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, constant(value)]));
    const z = vector("z");
    const y = traits.joint ? scalar("y") : vector("y");
    const expression = define({ z, y, ...constants } as { z: Expr; y: Expr } & { [K in keyof O]: Expr });
    return {
      ...traits,
      name,
      options,
      expression,
      equation: print(expression),
      toJSON: () => ({ name, ...(options as JsonObject) }),
    };
  };
  definedLosses.define(name, factory as (options?: Record<string, number>) => Loss);
  return Object.assign(factory, { declaration });
}

/**
 * Checks the properties when the loss is defined. Otherwise, errors in them would appear only when a model with this
 * loss is trained.
 */
function checkTraits(where: string, traits: LossTraits): void {
  if (typeof traits !== "object" || traits === null)
    refuse(where, "the description of the loss", traits, "its task and its link", '{ task: "regression", link: "identity" }');
  const { task, link, joint = false } = traits;
  const links = Object.hasOwn(linksOfTask, task) ? linksOfTask[task] : undefined;
  const list = (names: readonly string[]): string => names.map((one) => `"${one}"`).join(", ");
  if (!links)
    throw new OptionError(where, `task is "${task}", but must be one of ${list(Object.keys(linksOfTask))}`, "OPTION_RANGE");
  if (!links.includes(link))
    throw new OptionError(
      where,
      `link is "${link}", but a loss of task "${task}" must have one of ${list(links)}`,
      "OPTION_RANGE",
    );
  if (joint !== (task === "multiclass"))
    throw new OptionError(
      where,
      `joint is ${joint}, but a loss must be joint if and only if its task is "multiclass"`,
      "OPTION_CONFLICT",
    );
}

/** Names of all losses defined so far. */
export const lossNames = (): string[] => definedLosses.names();

/** Reserves these names and the names of all losses defined so far, so that users cannot redefine them. */
export const reserveLossNames = (names: readonly string[]): void => definedLosses.reserve(...names);

/**
 * Returns a loss from its name or its JSON. @throws OptionError [LOSS_UNKNOWN] if it is not defined, [JSON_TYPE] for
 * other values
 */
export function lossFromJson(json: Json): Loss {
  const described = typeof json === "string" ? { name: json } : json;
  checkNamedJson("lossFromJson", described, "name", "a loss");
  const { name, ...options } = described as JsonObject;
  const make = definedLosses.get(String(name));
  if (make) return make(options as Record<string, number>);
  throw new OptionError(
    "loss",
    `"${name}" is neither a loss of this version nor one defined so far; if it is yours, first import the module that defines it (known: ${lossNames().join(", ")})`,
    "LOSS_UNKNOWN",
  );
}

/**
 * Returns the kernel program of a loss. Operands: the vectors z and dz (f64), and the targets y. With several outputs,
 * y is a scalar: the class index. Results: `loss` = Σ w ℓ and dz = w ∂ℓ/∂z.
 * `short`: whether float32 precision suffices for exp and similar functions, because z itself is no more precise. With
 * one output, each vector contains the rows of a batch. With several outputs, each vector contains the outputs of one
 * row, which are treated jointly or one-vs-rest.
 */
export function lossProgram(loss: Loss, outputs: number, weighted: boolean, short = false): ProgramSpec {
  const z = vector("z");
  const perRow = outputs > 1;
  let value = loss.expression;
  if (perRow && !loss.joint) value = oneVersusRest(loss);
  const weight = perRow ? scalar("weight") : vector("weight");
  if (weighted) value = mul(weight, value);
  const total = loss.joint ? value : sum(value);
  const operands: ProgramSpec["operands"] = [
    { name: "z", type: "f64", access: "direct" },
    { name: "dz", type: "f64", access: "direct" },
  ];
  if (!perRow) operands.push({ name: "y", type: "f64", access: "direct" });
  if (!perRow && weighted) operands.push({ name: "weight", type: "f64", access: "direct" });
  return {
    name: `loss ${loss.name}`,
    precision: "f64",
    short,
    operands,
    scalars: [...(perRow ? ["y"] : []), ...(perRow && weighted ? ["weight"] : [])],
    stores: [{ operand: "dz", value: derive(total, z) }],
    results: [{ scalar: "loss", value: total }],
  };
}

/**
 * Returns the same program for one output of one row, as scalars: z, y, weight → loss and dz. The program has no loops,
 * so single rows are fast.
 */
export function pointProgram(loss: Loss, weighted: boolean, short = false): ProgramSpec {
  const z = scalar("z");
  let value = substitute(
    loss.expression,
    new Map([
      [vector("z"), z],
      [vector("y"), scalar("y")],
    ]),
  );
  if (weighted) value = mul(scalar("weight"), value);
  return {
    name: `loss ${loss.name} of one row`,
    precision: "f64",
    short,
    operands: [],
    scalars: ["z", "y", ...(weighted ? ["weight"] : [])],
    stores: [],
    results: [
      { scalar: "dz", value: derive(value, z) },
      { scalar: "loss", value },
    ],
  };
}

const curvatureOf = (loss: Loss): Expr =>
  loss.second?.({ z: vector("z"), y: scalar("y") }) ??
  derive(derive(loss.joint ? loss.expression : sum(loss.expression), vector("z")), vector("z"));

/**
 * Returns weight × value, or 0 for rows of weight 0 even if their loss is infinite. Cross-validation gives held-out
 * rows the weight 0.
 */
const weighed = (weight: Expr, value: Expr): Expr => where(less(0, weight), mul(weight, value), constant(0));

/**
 * Returns the program that computes a loss with its curvature, for coordinate descent. Operands: z, dz and d2z (f64),
 * and y and weight. The vectors contain the rows of one output or, for a joint loss, the outputs of one row, in which
 * case y and weight are scalars. Results: `loss` = Σ w ℓ; dz = w ∂ℓ/∂z; d2z = w ∂²ℓ/∂z². `offset`: whether each row has
 * an offset o, so that ℓ is evaluated at z + o; not for joint losses.
 */
export function curvedProgram(loss: Loss, offset = false): ProgramSpec {
  const z = vector("z");
  const shifted = new Map(offset ? [[z, add(z, vector("offset"))]] : []);
  const expression = substitute(loss.expression, shifted);
  const weight = loss.joint ? scalar("weight") : vector("weight");
  const one = loss.joint ? expression : sum(expression);
  const value = loss.joint ? weighed(weight, one) : sum(weighed(weight, expression));
  return {
    name: `loss ${loss.name} with its curvature`,
    precision: "f64",
    operands: [
      ...f64Operands("z", "dz", "d2z"),
      ...(loss.joint ? [] : f64Operands("y", "weight")),
      ...f64Operands(...(offset ? ["offset"] : [])),
    ],
    scalars: loss.joint ? ["y", "weight"] : [],
    stores: [
      { operand: "dz", value: weighed(weight, derive(one, z)) },
      { operand: "d2z", value: weighed(weight, substitute(curvatureOf(loss), shifted)) },
    ],
    results: [{ scalar: "loss", value }],
  };
}

/**
 * Returns a program that computes Σ w (ℓ*(u, y) − u o), where u = −α v/w and v = −w ∂ℓ/∂z. The operands of this program
 * have the same layout as in `curvedProgram`. Returns undefined if the loss has no conjugate.
 */
export function conjugateProgram(loss: Loss, offset = false): ProgramSpec | undefined {
  if (!loss.conjugate) return undefined;
  const weight = loss.joint ? scalar("weight") : vector("weight");
  const y = loss.joint ? scalar("y") : vector("y");
  const u = div(mul(neg(scalar("alpha")), vector("v")), max(weight, Number.MIN_VALUE));
  const least = loss.conjugate({ u, y, options: loss.options });
  const each = weighed(weight, offset ? sub(least, mul(u, vector("offset"))) : least);
  return {
    name: `conjugate of loss ${loss.name}`,
    precision: "f64",
    operands: [
      ...f64Operands("v"),
      ...(loss.joint ? [] : f64Operands("y", "weight")),
      ...f64Operands(...(offset ? ["offset"] : [])),
    ],
    scalars: ["alpha", ...(loss.joint ? ["y", "weight"] : [])],
    stores: [],
    results: [{ scalar: "value", value: sum(each) }],
  };
}

const f64Operands = (...names: string[]): ProgramSpec["operands"] =>
  names.map((name) => ({ name, type: "f64" as const, access: "direct" as const }));

/** An argument that violates the domain by at most this amount is treated as rounding error. */
const OUTSIDE = 1e-9;

/**
 * Returns `value` where t ≥ 0, which is the domain of a conjugate. Elsewhere, returns 1e300 in place of infinity. A t
 * that is negative only because of rounding counts as 0.
 */
export const barred = (t: Expr, value: Expr): Expr => where(less(t, -OUTSIDE), constant(1e300), value);

/** t log t, which is 0 at 0 and infinite below. Used in conjugates of likelihoods. */
export const entropy = (t: Expr): Expr => barred(t, mul(t, log(max(t, 1e-300))));

/** One-vs-rest loss: output k classifies class k, with y_k = +1 for the row's class and −1 otherwise. */
function oneVersusRest(loss: Loss): Expr {
  return substitute(loss.expression, new Map([[vector("y"), where(equal(index(), scalar("y")), constant(1), constant(-1))]]));
}
