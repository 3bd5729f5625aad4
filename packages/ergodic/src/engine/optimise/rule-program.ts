import {
  abs,
  add,
  and,
  div,
  type Expr,
  equal,
  less,
  lessEqual,
  max,
  mul,
  neg,
  type Operand,
  type ProgramSpec,
  type StorageType,
  scalar,
  sign,
  sub,
  vector,
  where,
} from "../compiler/index.ts";
import { assert } from "../errors/errors.ts";
import type { EquationRule } from "./kinds.ts";
import { chain, rateOf, reservedNames } from "./rule.ts";

export type Precision = "f32" | "f64";

/** Options of a rule's program: its types and optional parts. */
export interface RuleProgramOptions {
  /** Storage type of `values`. */
  gradientType: StorageType;
  /** Type of the arithmetic, and of the operands `states`, `share` and `base`. */
  precision: Precision;
  /** Whether to visit only the coordinates in `indices`, each of them once. Default false. */
  indexed?: boolean;
  /** Type of the parameters. Default: `precision`. */
  parameterType?: Precision | "i16";
  /** Whether a dense mean gradient is added to the gradient (variance reduction). Default false. */
  base?: boolean;
  /**
   * Whether this update adds `refresh` × the rows' gradient to `base`. In this case, `base` is the mean of a table that
   * the update changes (SAGA, SAG). Default false.
   */
  refresh?: boolean;
  /** Whether `base` is weighted by an operand of this name. Default false. */
  reach?: boolean;
  /** Whether each coordinate's penalty is weighted by an operand of this name. Default false: all weights are 1. */
  share?: boolean;
  /** Whether the step of each coordinate is multiplied by an operand of this name. Default false. */
  rates?: boolean;
  /**
   * Whether an L2 share above 1 is applied implicitly, as far as it exceeds 1. Needed for rates at which an explicit
   * step could overshoot past 0. Default false.
   */
  damped?: boolean;
  /** Whether an L1 penalty is added, in its orthant-wise form. Default false. */
  l1?: boolean;
  /** Whether an L2 penalty is added. Default false. */
  l2?: boolean;
}

/** A rule combined with a gradient: the program to compile, the rule's states and the values of its options. */
export interface RuleProgram {
  /** Program for `compile`. */
  spec: ProgramSpec;
  /**
   * Vector states in the order of their operands. Each has an initial value: a number, or "p" for a copy of the
   * starting point.
   */
  states: { name: string; initial: number | "p" }[];
  /** Scalar states with their initial values. */
  scalarStates: { name: string; initial: number }[];
  /** Values of the numeric options, which are written to their slots once. */
  inputs: { name: string; value: number }[];
}

/**
 * Returns the program of a rule, which `compile` accepts. The program computes the gradient's terms and the rule's
 * equation in one fused pass over memory.
 *
 *   g = scale · values + reach · base + l2 · share · p          (each term only if requested)
 *   l1: if p ≠ 0, g + l1 · share · sign p; if p = 0, g shrunk towards 0 by l1 · share (orthant-wise pseudo-gradient);
 *     after the rule, a coordinate that would leave its orthant becomes exactly 0. At p = 0, the sign of −g determines
 *     the orthant.
 *   p ← p − step(g, p, …)
 *
 * Operands, in this order: values (the gradient, or a row of data if `scale` holds the derivative of the loss times the
 * data's scale), parameter, share, base, reach, rates (which multiply the step), then the rule's vector states. `share`
 * weighs a coordinate's penalty; without `share`, every weight is 1. The weight is 0 for an intercept. For sparse rows,
 * the weight is 1/density of the column, so that penalties stay unbiased although only touched coordinates are visited.
 * `base` is a dense mean gradient (variance reduction). If coordinates are touched at random, `base` is multiplied by
 * `reach` (1/density). In an indexed program, every operand except values is addressed through the indices. The scalars
 * are scale, t, loss, epochUpdates, l1, l2 and parameterScale (if used), followed by the rule's numeric options and
 * scalar states. The next value of a scalar state is written to the slot of its current value. If the parameter has the
 * type i16, the stored number is parameter / parameterScale, rounded at random without bias (Buckwild).
 *
 * Sources: Andrew, Gao 2007 (orthant-wise L1); Leblond, Pedregosa, Lacoste-Julien 2017 (1/density); De Sa et al. 2015
 * (Buckwild).
 */
export function ruleProgram(rule: EquationRule, options: RuleProgramOptions): RuleProgram {
  const { precision, gradientType, indexed = false, parameterType = precision } = options;
  const quantised = parameterType === "i16";
  const stored = vector("parameter");
  const p = quantised ? mul(scalar("parameterScale"), stored) : stored;
  const g = gradient(p, rateOf(rule), options);
  const traced = (options.rates ? atRates(rule) : rule).trace(g, p, new Set(reservedNames));
  const moved = orthant(sub(p, traced.step), p, g, options);
  const access = indexed ? "indexed" : "direct";
  const own = (name: string): Operand => ({ name, type: precision, access });
  const operands: Operand[] = [
    { name: "values", type: gradientType, access: "direct" },
    { name: "parameter", type: parameterType, access, ...(quantised ? { rounding: "stochastic" as const } : {}) },
    ...(options.share ? [own("share")] : []),
    ...(options.base ? [own("base")] : []),
    ...(options.reach ? [own("reach")] : []),
    ...(options.rates ? [own("rates")] : []),
    ...traced.states.map(({ name }) => own(name)),
  ];
  const scalars = [
    "scale",
    "t",
    "loss",
    "epochUpdates",
    ...(options.refresh ? ["refresh"] : []),
    ...(options.l1 ? ["l1"] : []),
    ...(options.l2 ? ["l2"] : []),
    ...(quantised ? ["parameterScale"] : []),
    ...traced.inputs.map(({ name }) => name),
    ...traced.scalars.map(({ name }) => name),
  ];
  return {
    spec: {
      name: rule.name,
      precision,
      operands,
      scalars,
      stores: [
        { operand: "parameter", value: quantised ? div(moved, scalar("parameterScale")) : moved },
        ...(options.refresh
          ? [{ operand: "base", value: add(vector("base"), mul(mul(scalar("refresh"), scalar("scale")), vector("values"))) }]
          : []),
        ...traced.states
          .filter(({ name, next }) => next !== vector(name))
          .map(({ name, next }) => ({ operand: name, value: next })),
      ],
      results: traced.scalars.map(({ name, next }) => ({ scalar: name, value: next })),
    },
    states: traced.states.map(({ name, initial }) => ({ name, initial })),
    scalarStates: traced.scalars.map(({ name, initial }) => ({ name, initial })),
    inputs: traced.inputs,
  };
}

/**
 * Returns a program that writes the evaluation point to the operand `point`, in `precision`. Returns null if the
 * evaluation point is the parameter itself. The operands are the parameter, the states that the point depends on, and
 * `point`. The scalars are parameterScale (for quantised parameters) and the rule's options.
 */
export function evaluationProgram(
  rule: EquationRule,
  { precision, parameterType = precision }: Pick<RuleProgramOptions, "precision" | "parameterType">,
): ProgramSpec | null {
  const quantised = parameterType === "i16";
  const stored = vector("parameter");
  const p = quantised ? mul(scalar("parameterScale"), stored) : stored;
  const traced = rule.trace(vector("values"), p, new Set(reservedNames));
  if (traced.evaluation === null) return null;
  assert(traced.evaluation.rank === 1, `the evaluation point of ${rule.name} is not a vector`);
  return {
    name: `${rule.name} point`,
    precision,
    operands: [
      { name: "parameter", type: parameterType, access: "direct" },
      ...traced.states.map(({ name }): Operand => ({ name, type: precision, access: "direct" })),
      { name: "point", type: precision, access: "direct" },
    ],
    scalars: [
      ...(quantised ? ["parameterScale"] : []),
      ...traced.inputs.map(({ name }) => name),
      ...traced.scalars.map((s) => s.name),
    ],
    stores: [{ operand: "point", value: traced.evaluation }],
    results: [],
  };
}

/**
 * Multiplies the step of each coordinate by `rates`. A last link that tracks the parameter comes after this step,
 * because it averages the points that were actually visited.
 */
function atRates(rule: EquationRule): EquationRule {
  const scaled: EquationRule = {
    ...rule,
    name: "rates",
    options: {},
    parts: [],
    last: false,
    trace: (g) => ({ step: mul(vector("rates"), g), states: [], scalars: [], inputs: [], evaluation: null }),
  };
  const links = rule.parts.length > 0 ? rule.parts : [rule];
  return rule.last ? chain(...links.slice(0, -1), scaled, links[links.length - 1]) : chain(...links, scaled);
}

function gradient(p: Expr, rate: Expr | undefined, { share: hasShare, damped, base, reach, l1, l2 }: RuleProgramOptions): Expr {
  const weigh = (x: Expr): Expr => (hasShare ? mul(vector("share"), x) : x);
  let g = mul(scalar("scale"), vector("values"));
  if (base) g = add(g, reach ? mul(vector("reach"), vector("base")) : vector("base"));
  if (l2) {
    const pull = mul(scalar("l2"), weigh(p));
    const excess = hasShare && damped && rate ? mul(mul(rate, scalar("l2")), max(sub(vector("share"), 1), 0)) : undefined;
    g = add(g, excess ? div(pull, add(1, excess)) : pull);
  }
  if (!l1) return g;
  const threshold = weigh(scalar("l1"));
  const shrunk = mul(sign(g), max(sub(abs(g), threshold), 0));
  return where(equal(p, 0), shrunk, add(g, mul(threshold, sign(p))));
}

/** Returns `moved`, or 0 if `moved` left the orthant. A NaN stays NaN, because comparisons with NaN are false. */
function orthant(moved: Expr, p: Expr, g: Expr, { l1, share: hasShare }: RuleProgramOptions): Expr {
  if (!l1) return moved;
  const side = where(equal(p, 0), neg(g), p);
  const left = lessEqual(mul(sign(side), moved), 0);
  const penalised = hasShare ? and(left, less(0, mul(vector("share"), scalar("l1")))) : and(left, less(0, scalar("l1")));
  return where(penalised, 0, moved);
}
