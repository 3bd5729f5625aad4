import type { JsonObject } from "../../../engine/contract/index.ts";
import { randomFeaturesFromJson } from "../../../engine/data/features/index.ts";
import { resolveLoss } from "../choose-loss.ts";
import { type LinearModel, type LinearOptions, linearModel } from "./linear.ts";

/** Returns the model that `toJSON` described. */
export function linearFromJson(json: JsonObject): LinearModel {
  const { model: _, features, loss, ...rest } = json;
  return linearModel({
    ...(rest as LinearOptions),
    ...(loss === undefined ? {} : { loss: resolveLoss("linear", loss) }),
    ...(features ? { features: randomFeaturesFromJson(features as JsonObject) } : {}),
  });
}
