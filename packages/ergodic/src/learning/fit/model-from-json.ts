import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { BoltzmannModel } from "../models/boltzmann/boltzmann.ts";
import { linearFromJson } from "../models/linear/from-json.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import type { NetworkModel } from "../models/neural/network.ts";
import { networkFromJson } from "../models/neural/network-from.ts";
import { type FactorisationModel, factorisationFromJson } from "../models/ratings/factorisation.ts";
import { type ForestModel, forestFromJson } from "../models/trees/forest.ts";
import { type TreesModel, treesFromJson } from "../models/trees/trees.ts";
import { trainableBoltzmann } from "./kinds/boltzmann.ts";
import { trainableForest, trainableTree } from "./kinds/forest.ts";
import { trainableLinear } from "./kinds/linear.ts";
import { trainableNetwork } from "./kinds/network.ts";
import { trainableRatings } from "./kinds/ratings.ts";
import { trainableTrees } from "./kinds/trees.ts";

/**
 * Returns a model from its JSON, as written by `JSON.stringify(linear({ l2: 1e-3 }))`, ready for `fit`.
 *
 * Custom losses, layers and initialisers must be defined first. @throws DataError for an unknown kind; OptionError for
 * its options
 */
export function modelFromJson(
  json: JsonObject,
): LinearModel | NetworkModel | TreesModel | ForestModel | FactorisationModel | BoltzmannModel {
  checkNamedJson("modelFromJson", json, "model", "a model");
  const { model } = json;
  if (model === "linear") return Object.assign(linearFromJson(json), { trainable: trainableLinear });
  if (model === "network") return Object.assign(networkFromJson(json), { trainable: trainableNetwork });
  if (model === "trees") return Object.assign(treesFromJson(json), { trainable: trainableTrees });
  if (model === "forest" || model === "extraTrees") return Object.assign(forestFromJson(json), { trainable: trainableForest });
  if (model === "tree") return Object.assign(forestFromJson(json), { trainable: trainableTree });
  if (model === "factorisation") return Object.assign(factorisationFromJson(json), { trainable: trainableRatings });
  if (model === "boltzmannMachine")
    return Object.assign(trainableBoltzmann.from(json) as BoltzmannModel, { trainable: trainableBoltzmann });
  throw new DataError(
    "modelFromJson",
    `there is no model "${String(model).slice(0, 60)}" (known: linear, network, trees, forest, extraTrees, tree, factorisation, boltzmannMachine); give the object that toJSON() of a model gave`,
    "MODEL_KIND",
  );
}
