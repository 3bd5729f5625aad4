/** Layers by kind. What asks for one holds all of this library, where bundlers leave out what is not called. */

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

/** Asked for, so that bundlers leave out none. */
const isHeld = (): boolean => Object.keys(library).length > 0;

/** A layer from its JSON. @throws OptionError for a kind that nobody defined */
export function layerFromJson(json: JsonObject): Layer {
  assert(isHeld(), "the library's layers are defined");
  return definedFrom(json);
}

/** Kinds of all layers, those of users too. */
export const layerKinds = (): string[] => (isHeld() ? definedKinds() : []);

/** Keeps the kinds of all layers of this library for it. */
export function reserveLayerKinds(): void {
  if (isHeld()) reserveDefined();
}

/** The definition of a kind of layer. */
export const layerDefinition = (kind: string): LayerDefinition | undefined => (isHeld() ? definitionOf(kind) : undefined);
