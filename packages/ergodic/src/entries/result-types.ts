/**
 * Types of results, which declarations of users' programs name: TypeScript finds a type only in an entry that the
 * program imports.
 */
export type { Calibration } from "../bayes/calibrate.ts";
export type { Comparison } from "../bayes/draws/compare.ts";
export type { DrawsQuantity } from "../bayes/draws/content.ts";
export type { PredictiveCheck } from "../bayes/draws/predictive.ts";
export type { PredictiveResult } from "../bayes/draws/validation.ts";
export type { Verdict } from "../bayes/draws/verdict.ts";
export type { FormulaData } from "../bayes/formula/formula-data.ts";
export type { RegressionModel } from "../bayes/formula/regression.ts";
export type { Mode } from "../bayes/mode/found-mode.ts";
export type { Nested, Numbers } from "../bayes/model/fields.ts";
export type { PredictionKind } from "../engine/contract/index.ts";
export type { Target } from "../engine/data/dataset.ts";
export type { Engine } from "../engine/memory/engine-types.ts";
export type { Draws as RandomDraws } from "../engine/random/stream.ts";
export type { LooResult } from "../engine/statistics/loo.ts";
export type { VariableSummary } from "../engine/statistics/summary.ts";
export type { WaicResult } from "../engine/statistics/waic.ts";
export type { VariableMarginal } from "../graphs/answers/index.ts";
export type { Relation } from "../graphs/knowledge/relation.ts";
export type { ShapeOfRow } from "../graphs/knowledge/types.ts";
export type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
export type { Blocks, StreamOptions } from "../learning/fit/stream-types.ts";
export type { AnyPredictor } from "../predict/any-predictor.ts";
export type { Recommendation } from "../predict/factorisation.ts";
export type { BinaryMetrics, ClassMetrics, CountMetrics, MulticlassMetrics, RegressionMetrics } from "../predict/metrics.ts";
export type { CoordinateMinimum, GradientMinimum, Minimum } from "../search/minimize/minimize.ts";
export type { Tuned } from "../search/tune.ts";
