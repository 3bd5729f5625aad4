/**
 * Functions that emitted modules contain. Each function is a separate export, so that bundles include only the
 * functions that are called (known.ts). all-functions.ts has all of them.
 */
import * as exponential from "./exponential.ts";
import type { FloatFunction } from "./known.ts";
import * as logarithm from "./logarithm.ts";
import * as power from "./power.ts";

export const exp: FloatFunction = { arity: 1, ulps: 1, build: exponential.exp };
export const expm1: FloatFunction = { arity: 1, ulps: 1.5, build: exponential.expm1 };
export const tanh: FloatFunction = { arity: 1, ulps: 2, build: exponential.tanh };
export const sigmoid: FloatFunction = { arity: 1, ulps: 2, build: exponential.sigmoid };
export const log: FloatFunction = { arity: 1, ulps: 1, build: logarithm.log };
export const log1p: FloatFunction = { arity: 1, ulps: 1, build: logarithm.log1p };
export const softplus: FloatFunction = { arity: 1, ulps: 2, build: logarithm.softplus };
export const softplusAndSigmoid: FloatFunction = { arity: 1, ulps: 2, build: logarithm.softplusAndSigmoid };
export const pow: FloatFunction = { arity: 2, ulps: 1, build: power.pow };
