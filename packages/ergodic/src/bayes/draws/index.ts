/** Draws by name: summaries, verdicts, files and plots. */

export { type ComparedModel, type CompareOptions, type Comparison, compare } from "./compare.ts";
export type { DrawsContent, DrawsQuantity, DrawsSource } from "./content.ts";
export { toCmdStanCsv } from "./csv.ts";
export { fromCmdStanCsv } from "./csv-reader.ts";
export { type DrawsFrame, fromDataFrame, toDataFrame } from "./data-frame.ts";
export type { Derived, DrawValue } from "./derive.ts";
export { Draws, type DrawsSummaryOptions, type SummariseOptions } from "./draws.ts";
export type { FileHandleSource, FolderHandle } from "./folder.ts";
export { type HistogramOptions, histogramPlot, intervalPlot, type PlotOptions, rankBars, tracePlot } from "./plots.ts";
export type {
  PosteriorPrediction,
  PosteriorPredictor,
  PosteriorPredictorOptions,
  PosteriorRow,
  PredictedLevel,
  PredictedNumber,
} from "./posterior-predictor.ts";
export {
  type CheckedStatistic,
  densityOverlay,
  type LooPitOptions,
  looPit,
  type PredictiveCheck,
  predictiveCheck,
  predictivePit,
  type Statistic,
  usualStatistics,
} from "./predictive.ts";
export { type DrawsSourceFile, type DrawsTarget, readDraws, type SaveDrawsOptions, saveDraws } from "./save.ts";
export { scalarName } from "./series.ts";
export { summaryTable } from "./summary-table.ts";
export type { PosteriorColumn, PosteriorTable } from "./table-rows.ts";
export type { EnergyReport, TreeReport } from "./trajectories.ts";
export type { PredictiveKind, PredictiveOptions, PredictiveResult } from "./validation.ts";
export type { Finding, TrustLevel, Verdict } from "./verdict.ts";
