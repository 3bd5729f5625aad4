/** `ergodic/search`: function minimisation and hyperparameter tuning. */
import "../search/at-start.ts"; // left out by bundlers

export type { CoordinateDescentOptions } from "../engine/optimise/coordinates/coordinate-options.ts";
export type { CoordinateTarget, CoordinateTargetOptions } from "../engine/optimise/coordinates/coordinate-target.ts";
export type { CoordinateDescent } from "../engine/optimise/coordinates/descend-coordinates.ts";
export { coordinateProblem, coordinateTarget } from "../engine/optimise/coordinates/target.ts";
export * from "../search/algorithms/all.ts";
export { type Asked, type Best, type History, Search, type SearchOptions, search } from "../search/algorithms/ask-tell.ts";
export { defineSearch, keepState, type SearchConformance, type SearchFactory } from "../search/algorithms/define-search.ts";
export type { BlackBox, BlackBoxContext } from "../search/algorithms/evaluation.ts";
export { type SearchEntry, searchFromJson, searchRegistry } from "../search/algorithms/index.ts";
export type { SearchAlgorithm, SearchSnapshot, SearchStart, SearchState } from "../search/algorithms/search.ts";
export type { Scale, SpaceOptions } from "../search/algorithms/space.ts";
export {
  type CoordinateMinimum,
  type GradientMinimum,
  type GradientResumeOptions,
  type MinimizeCoordinatesOptions,
  type MinimizeGradientOptions,
  type MinimizeOptions,
  type MinimizeResumeOptions,
  type MinimizeUntil,
  type Minimum,
  minimize,
} from "../search/minimize/minimize.ts";
export {
  type HalvingOptions,
  type MakeTrial,
  type Measured,
  type SettingRange,
  type Trial,
  type TrialContext,
  type TrialTick,
  type Tuned,
  type TuneOptions,
  type TuneResumeOptions,
  type TuneUntil,
  tune,
} from "../search/tune.ts";
