/**
 * The functions that emitted modules carry, on demand: v128 → v128 (pow: two arguments), float64x2 with 53 digits or float32x4 with 24.
 * The float32 forms compute in float64 with shorter polynomials and round once. No relaxed instruction, no table in memory.
 * Bounds, in units in the last place of the true value, are held by test/compiler/functions.test.ts.
 */
import type { EncodedFunction } from "../machine/encoder.ts";
import { FunctionCode, Graph } from "../machine/graph.ts";
import { type Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { atan } from "./arctangent.ts";
import { digamma, trigamma } from "./digamma.ts";
import { erf, erfc } from "./error-function.ts";
import { exp, expm1, sigmoid, tanh } from "./exponential.ts";
import { lgamma } from "./log-gamma.ts";
import { log, log1p, softplus, softplusAndSigmoid } from "./logarithm.ts";
import { pow } from "./power.ts";
import { cos, sin } from "./trigonometric.ts";

export interface FloatFunction {
  readonly arity: 1 | 2;
  /**
   * Greatest error in float64, in units in the last place; in float32 it is below 0.51 for all. Of lgamma below −2 and digamma below 0,
   * where zeros lie close together: in units of max(1, |result|, lgamma|x| or log(1 + |x|)), in float32 with 2^-31 of that added.
   */
  readonly ulps: number;
  build(m: Wide, digits: Digits, ...x: Value[]): Value;
}

export const functions: Readonly<Record<string, FloatFunction>> = {
  exp: { arity: 1, ulps: 1, build: exp },
  expm1: { arity: 1, ulps: 1.5, build: expm1 },
  tanh: { arity: 1, ulps: 2, build: tanh },
  sigmoid: { arity: 1, ulps: 2, build: sigmoid },
  log: { arity: 1, ulps: 1, build: log },
  log1p: { arity: 1, ulps: 1, build: log1p },
  softplus: { arity: 1, ulps: 2, build: softplus },
  softplusAndSigmoid: { arity: 1, ulps: 2, build: softplusAndSigmoid },
  pow: { arity: 2, ulps: 1, build: pow },
  cos: { arity: 1, ulps: 1, build: cos },
  sin: { arity: 1, ulps: 1, build: sin },
  atan: { arity: 1, ulps: 2, build: atan },
  erf: { arity: 1, ulps: 1.5, build: erf },
  erfc: { arity: 1, ulps: 4, build: erfc },
  lgamma: { arity: 1, ulps: 4, build: lgamma },
  digamma: { arity: 1, ulps: 4, build: digamma },
  trigamma: { arity: 1, ulps: 6, build: trigamma },
};

/** The wasm function; a local variable apiece for shared values. `short`: float64x2, but float32's digits are enough. */
export function encodeFunction(name: string, digits: Digits, short = false): EncodedFunction {
  const { arity, build } = functions[name];
  const parameters = Array.from({ length: arity }, () => "v128" as const);
  const graph = new Graph();
  const m = new Wide(graph);
  const x = parameters.map((_, i) => graph.local("v128", i, 0));
  const low = build(m, short ? 24 : digits, ...(digits === 53 ? x : x.map(m.promoteLow)));
  const value = digits === 53 ? low : m.demote(low, build(m, digits, ...x.map(m.promoteHigh)));
  const body = new FunctionCode(parameters, ["v128"]);
  body.emit(value as ReturnType<Wide["add"]>);
  return { ...body, parameters, results: ["v128"], locals: body.locals, code: body.code, exportAs: [] };
}
