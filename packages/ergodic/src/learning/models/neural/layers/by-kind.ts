/**
 * Layers by kind. Programs that look up a layer by kind include all built-in layers. Other programs include only the
 * layers that they call.
 */

import type { JsonObject } from "../../../../engine/contract/index.ts";
import { assert } from "../../../../engine/errors/errors.ts";
import type { Layer } from "../scope.ts";
import {
  layerFromJson as definedFrom,
  layerKinds as definedKinds,
  layerDefinition as definitionOf,
  type LayerDefinition,
  reserveLayerKinds as reserveDefined,
} from "./layer.ts";
import * as library from "./library.ts";

/** Whether the library's layers are present. Reading the list keeps bundlers from removing any of them. */
const isHeld = (): boolean => Object.keys(library).length > 0;

/** Returns a layer from its JSON. @throws OptionError for an unknown kind */
export function layerFromJson(json: JsonObject): Layer {
  assert(isHeld(), "the library's layers are defined");
  return definedFrom(json);
}

/** Kinds of all layers, including user-defined ones. */
export const layerKinds = (): string[] => (isHeld() ? definedKinds() : []);

/** Reserves the kinds of all built-in layers. */
export function reserveLayerKinds(): void {
  if (isHeld()) reserveDefined();
}

/** Returns the definition of a kind of layer. */
export const layerDefinition = (kind: string): LayerDefinition | undefined => (isHeld() ? definitionOf(kind) : undefined);
