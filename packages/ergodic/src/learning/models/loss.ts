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

/** What a loss's definition says in addition to its equation. */
export interface LossTraits<T extends Task = Task> {
  /** How y is coded: "binary" −1/+1, "multiclass" class index, "regression" any number, "count" a number >= 0. */
  task: T;
  /** From outputs to predictions: probabilities, a mean, a class by sign. */
  link: Link;
  /** sup |∂²ℓ/∂z²|, where bounded. */
  curvature?: number;
  /** True where z is a vector over classes, not one number. */
  joint?: boolean;
  /** ℓ(z, y) is ½z² and something linear in z, or is not. */
  quadratic?: boolean;
  /** ∂²ℓ/∂z² element by element, where it is not the derivative of the derivative: joint losses. */
  second?: (inputs: { z: Expr; y: Expr }) => Expr;
  /** ℓ*(u, y) = sup_z (uz − ℓ(z, y)), joint: by outputs; where it is infinite, `barred` says so. Duality gaps need it. */
  conjugate?: (inputs: { u: Expr; y: Expr; options: Readonly<Record<string, number>> }) => Expr;
}

/** `T`: its task, where the compiler knows it. */
export interface Loss<T extends Task = Task> extends LossTraits<T> {
  /** The name under which it was defined. */
  readonly name: string;
  /** Its options, with defaults filled in. */
  readonly options: Readonly<Record<string, number>>;
  /** ℓ(z, y); for joint losses z is the vector of outputs and y a class index. */
  readonly expression: Expr;
  /** ℓ(z, y) as text. */
  readonly equation: string;
  /** JSON from which `lossFromJson` makes the same loss again. */
  toJSON(): JsonObject;
}

/** A function that makes a loss from options, with its declaration. */
export interface LossFactory<O, T extends Task, N extends string = string> {
  (options?: Partial<O>): Loss<T>;
  /** Its name, and values that its options accept. */
  readonly declaration: Declaration & { readonly name: N };
}

/** Every loss by its name. */
export const definedLosses = new Registry<(options?: Record<string, number>) => Loss>("loss");

/**
 * A loss is its equation: a scalar function of an output z and a target y, written once in the compiler's expressions. The derivative, the
 * kernel and the printed form are derived from that text.
 *
 * Tasks fix how y is coded: "binary" −1/+1, "multiclass" class index, "regression" any number, "count" a number >= 0.
 *
 * A loss is known by its name once defined: a checkpoint can be resumed wherever the same definition has been made.
 *
 * Defines a loss and makes it known by its name. `ranges` checks its options.
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

/** What no model could predict by is refused where it is defined, not when a model of it is trained. */
function checkTraits(where: string, traits: LossTraits): void {
  if (typeof traits !== "object" || traits === null)
    refuse(where, "what is said of the loss", traits, "its task and its link", '{ task: "regression", link: "identity" }');
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
      `joint is ${joint}, but losses of task "multiclass", and they alone, are joint`,
      "OPTION_CONFLICT",
    );
}

/** Names of all losses defined so far. */
export const lossNames = (): string[] => definedLosses.names();

/** Keeps these names, and those of all losses so far, for this library. */
export const reserveLossNames = (names: readonly string[]): void => definedLosses.reserve(...names);

/** A loss from its name, or from what toJSON() gave. @throws OptionError [LOSS_UNKNOWN] for one that nobody defined, [JSON_TYPE] for what is neither */
export function lossFromJson(json: Json): Loss {
  const described = typeof json === "string" ? { name: json } : json;
  checkNamedJson("lossFromJson", described, "name", "a loss");
  const { name, ...options } = described as JsonObject;
  const make = definedLosses.get(String(name));
  if (make) return make(options as Record<string, number>);
  throw new OptionError(
    "loss",
    `"${name}" is not a loss of this version, nor one defined so far; if it is yours, import what defines it first (known: ${lossNames().join(", ")})`,
    "LOSS_UNKNOWN",
  );
}

/**
 * The kernel of a loss: operands z and dz (f64), y or, for several outputs, scalar y (class index); result `loss` = Σ w ℓ and dz = w ∂ℓ/∂z.
 * `short`: float32's digits are enough for exp and its kin, since z has no more. One output: the vector runs over the rows of a
 * batch. Several: over the outputs of one row, jointly or one against the rest.
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

/** The same for one output of one row, as scalars: z, y, weight → loss and dz. Rows that come singly spend no time on loops. */
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

/** Rows of weight 0 count 0, also where their loss is infinite: folds of cross-validation hold rows out that way. */
const weighed = (weight: Expr, value: Expr): Expr => where(less(0, weight), mul(weight, value), constant(0));

/**
 * A loss with its curvature, as coordinate descent takes it: operands z, dz, d2z (f64) over the rows of one output, or over the outputs of one row
 * for joint losses; y and weight beside them (joint: scalars). Result `loss` = Σ w ℓ; dz = w ∂ℓ/∂z; d2z = w ∂²ℓ/∂z². `offset`: one o a row, and
 * ℓ is at z + o; not for joint losses.
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

/** Σ w (ℓ*(u, y) − u o), u = −α v/w, from v = −w ∂ℓ/∂z, laid out as in `curvedProgram`; undefined where the loss states no conjugate. */
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

/** Beyond rounding. */
const OUTSIDE = 1e-9;

/** `value` where t ≥ 0, else as good as infinite: a conjugate outside of its domain. What rounding puts outside counts as on the edge. */
export const barred = (t: Expr, value: Expr): Expr => where(less(t, -OUTSIDE), constant(1e300), value);

/** t log t, 0 at 0, infinite below. For conjugates of likelihoods. */
export const entropy = (t: Expr): Expr => barred(t, mul(t, log(max(t, 1e-300))));

/** Output k is a classifier of class k against all others: y_k = +1 for the row's class, −1 otherwise. */
function oneVersusRest(loss: Loss): Expr {
  return substitute(loss.expression, new Map([[vector("y"), where(equal(index(), scalar("y")), constant(1), constant(-1))]]));
}
