/**
 * All functions that emitted modules can contain: v128 → v128 (pow: two arguments), float64x2 with 53 digits or
 * float32x4 with 24. The float32 forms compute in float64 with shorter polynomials and round once. They use no relaxed
 * instruction and no table in memory. test/engine/compiler/functions.test.ts checks the bounds, in units in the last
 * place of the true value.
 */
import * as entries from "./entries.ts";
import type { FloatFunction } from "./known.ts";
import * as special from "./special-entries.ts";

export const functions: Readonly<Record<string, FloatFunction>> = { ...entries, ...special };
