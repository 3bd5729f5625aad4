/** `ergodic/losses`: losses by name, and losses of your own. */
import "./at-start.ts"; // left out by bundlers

export { chooseLoss } from "../learning/models/choose-loss.ts";
export { type Loss, type LossName, loss } from "../learning/models/loss.ts";
export { lossFromJson, lossNames } from "../learning/models/losses/by-name.ts";
export {
  epsilonInsensitive as epsilonInsensitiveLoss,
  hinge as hingeLoss,
  huber as huberLoss,
  logistic as logisticLoss,
  multinomial as multinomialLoss,
  poisson as poissonLoss,
  quantile as quantileLoss,
  squared as squaredLoss,
  squaredHinge as squaredHingeLoss,
} from "../learning/models/losses/index.ts";
