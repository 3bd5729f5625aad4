/**
 * Registry of the functions that emitted modules can contain. A function is registered if its primitive is part of the
 * program.
 */
import type { EncodedFunction } from "../machine/encoder.ts";
import { FunctionCode, Graph } from "../machine/graph.ts";
import { type Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";

export interface FloatFunction {
  readonly arity: 1 | 2;
  /**
   * Largest error in float64, in units in the last place. In float32, the error of all functions is below 0.51. The
   * zeros of lgamma below −2 and of digamma below 0 are close together. Near these zeros, errors are stated relative to
   * m = max(1, |result|, lgamma|x| or log(1 + |x|)), and float32 adds 2^-31 m.
   */
  readonly ulps: number;
  build(m: Wide, digits: Digits, ...x: Value[]): Value;
}

const known = new Map<string, FloatFunction>();

export const keepFunction = (name: string, entry: FloatFunction): void => void known.set(name, entry);

export const isFunction = (name: string): boolean => known.has(name);

/** Returns the wasm function. Each shared value is stored in a local. `short`: float64x2 with only float32's digits. */
export function encodeFunction(name: string, digits: Digits, short = false): EncodedFunction {
  const { arity, build } = known.get(name)!;
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
