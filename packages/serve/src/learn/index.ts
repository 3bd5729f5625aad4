/** Learning while serving. */
export { LearnerError, type LearnerErrorCode } from "./errors.ts";
export { openLearner } from "./open.ts";
export type {
  KeptVersion,
  LearnerOptions,
  LearnerStats,
  LearnOptions,
  LearnRow,
  Learnt,
  OnlineLearner,
  Progressive,
  ServedModel,
} from "./types.ts";
