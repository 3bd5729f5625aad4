/** Trigonometric, error and gamma functions: see entries.ts. */
import * as arctangent from "./arctangent.ts";
import * as gamma from "./digamma.ts";
import * as errorFunction from "./error-function.ts";
import type { FloatFunction } from "./known.ts";
import * as logGamma from "./log-gamma.ts";
import * as trigonometric from "./trigonometric.ts";

export const cos: FloatFunction = { arity: 1, ulps: 1, build: trigonometric.cos };
export const sin: FloatFunction = { arity: 1, ulps: 1, build: trigonometric.sin };
export const atan: FloatFunction = { arity: 1, ulps: 2, build: arctangent.atan };
export const erf: FloatFunction = { arity: 1, ulps: 1.5, build: errorFunction.erf };
export const erfc: FloatFunction = { arity: 1, ulps: 4, build: errorFunction.erfc };
export const lgamma: FloatFunction = { arity: 1, ulps: 4, build: logGamma.lgamma };
export const digamma: FloatFunction = { arity: 1, ulps: 4, build: gamma.digamma };
export const trigamma: FloatFunction = { arity: 1, ulps: 6, build: gamma.trigamma };
