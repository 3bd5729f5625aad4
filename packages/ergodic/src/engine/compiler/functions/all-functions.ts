/**
 * All functions that emitted modules can contain. Functions map v128 to v128 (pow has two arguments). A v128 is a
 * float64x2 with 53 digits, or a float32x4 with 24 digits. The float32 forms compute in float64 with shorter
 * polynomials and round once. The functions use no relaxed instructions and no tables in memory.
 * test/engine/compiler/functions.test.ts checks the bounds, in units in the last place of the true value.
 */
import * as entries from "./entries.ts";
import type { FloatFunction } from "./known.ts";
import * as special from "./special-entries.ts";

export const functions: Readonly<Record<string, FloatFunction>> = { ...entries, ...special };
