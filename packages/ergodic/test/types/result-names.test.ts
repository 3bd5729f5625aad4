/**
 * The names that a run refuses before it is awaited are exactly those of its results. `npm run check:types` checks
 * this.
 */
import { expect, expectTypeOf, it } from "vitest";
import * as names from "../../src/engine/loop/result-names.ts";
import type { Run } from "../../src/engine/loop/run.ts";
import type {
  Calibration,
  Draws,
  FactorPredictor,
  Fitted,
  LearnedGraph,
  LinearPath,
  Minimum,
  Mode,
  NetworkPredictor,
  Tuned,
} from "../../src/entries/everything.ts";
import type { Answer } from "../../src/graphs/answers/index.ts";
import type { CoordinateMinimum } from "../../src/search/minimize/coordinates.ts";
import type { GradientMinimum } from "../../src/search/minimize/gradient.ts";

/** Names of a result, or of each of several. `toString` belongs to every object, and a run has its own `stopped`. */
type NamesOf<Result> = Result extends unknown
  ? Exclude<keyof Result, keyof Run<unknown> | symbol | "toString" | "stopped">
  : never;
type Listed<List extends () => readonly string[]> = ReturnType<List>[number];

it("listed names equal those of the results", () => {
  // trainedNames lists only the first of these names.
  expectTypeOf<Listed<typeof names.trainedNames>>().toExtend<NamesOf<Fitted | NetworkPredictor | FactorPredictor>>();
  expectTypeOf<Listed<typeof names.modeNames>>().toEqualTypeOf<NamesOf<Mode>>();
  expectTypeOf<Listed<typeof names.learnedNames>>().toEqualTypeOf<NamesOf<LearnedGraph>>();
  expectTypeOf<Listed<typeof names.pathNames>>().toEqualTypeOf<NamesOf<LinearPath>>();
  expectTypeOf<Listed<typeof names.minimumNames>>().toEqualTypeOf<NamesOf<Minimum | CoordinateMinimum | GradientMinimum>>();
  expectTypeOf<Listed<typeof names.tunedNames>>().toEqualTypeOf<NamesOf<Tuned<string>>>();
  expectTypeOf<Listed<typeof names.calibrationNames>>().toEqualTypeOf<NamesOf<Calibration>>();
  expectTypeOf<Listed<typeof names.drawsNames>>().toEqualTypeOf<NamesOf<Draws>>();
  expectTypeOf<Listed<typeof names.answerNames>>().toEqualTypeOf<NamesOf<Answer>>();
});

it("every name is listed once", () => {
  for (const list of Object.values(names)) expect(new Set(list()).size).toBe(list().length);
});
