/** Serving of models: all public exports, by name. */
export { Batcher, batcher } from "./batcher.ts";
export { type Clock, systemClock } from "./clock.ts";
export { Histogram, type HistogramJson } from "./histogram.ts";
export type { Answered } from "./job.ts";
export {
  type KeptVersion,
  LearnerError,
  type LearnerErrorCode,
  type LearnerOptions,
  type LearnerStats,
  type LearnOptions,
  type LearnRow,
  type Learnt,
  type OnlineLearner,
  openLearner,
  type Progressive,
  type ServedModel,
} from "./learn/index.ts";
export type { BatcherOptions, SubmitOptions } from "./options.ts";
export { type Refusal, RefusedError } from "./refused.ts";
export type { IndexEntry } from "./repository/repository.ts";
export type { ModelAtHand, ServeOptions } from "./server/options.ts";
export { RequestError, type RequestFault } from "./server/request-error.ts";
export { type Serving, serve } from "./server/serve.ts";
export type { BatcherStats } from "./stats.ts";
