import type { JsonObject } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import { resolveLoss } from "../choose-loss.ts";
import { layerFromJson } from "./layers/by-kind.ts";
import { type NetworkModel, type NetworkOptions, networkModel } from "./network.ts";

/** Returns the model that `toJSON` described. */
export function networkFromJson(json: JsonObject): NetworkModel {
  const { model: _, layers, loss, ...rest } = json;
  if (layers === null)
    throw new OptionError(
      "network",
      'the network holds a plain function (x, scope) => array, which no file can hold; define it by layer("name", (x, scope, options) => …) before it is trained',
      "LAYER_FUNCTION",
    );
  return networkModel(layerFromJson(layers as JsonObject), {
    ...(rest as NetworkOptions),
    ...(loss === undefined ? {} : { loss: resolveLoss("network", loss) }),
  });
}
