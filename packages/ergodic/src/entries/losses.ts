/** `ergodic/losses`: losses by name, and custom losses. */
import "../learning/at-start.ts"; // left out by bundlers

export { chooseLoss, withMeantTarget } from "../learning/models/choose-loss.ts";
export { type Loss, type LossFactory, loss } from "../learning/models/loss.ts";
export type { LossName } from "../learning/models/loss-name.ts";
export { lossFromJson, lossNames } from "../learning/models/losses/by-name.ts";
export * from "../learning/models/losses/index.ts";
