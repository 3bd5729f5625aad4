/**
 * All functions that emitted modules may carry: v128 → v128 (pow: two arguments), float64x2 with 53 digits or float32x4 with 24.
 * The float32 forms compute in float64 with shorter polynomials and round once. No relaxed instruction, no table in memory.
 * Bounds, in units in the last place of the true value, are held by test/engine/compiler/functions.test.ts.
 */
import * as entries from "./entries.ts";
import type { FloatFunction } from "./known.ts";
import * as special from "./special-entries.ts";

export const functions: Readonly<Record<string, FloatFunction>> = { ...entries, ...special };
