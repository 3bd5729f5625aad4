import type { SymbolicArray } from "../../../../engine/compiler/array/index.ts";
import type { Json, JsonObject } from "../../../../engine/contract/index.ts";
import { Registry } from "../../../../engine/contract/registry.ts";
import { checkOptionsJson, JSON_TYPE, plain, refuse } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import { type Accepted, type Accepts, checkOptions } from "../../../../engine/errors/options.ts";
import { shown } from "../../../../engine/errors/shown.ts";
import { initialiserFromJson, isInitialiser } from "../initialisers.ts";
import { isLayer, type Layer, type LayerLike, type Scope } from "../scope.ts";

export interface Named {
  /** The layer's part of the path: "conv" in "2.conv.weight". Default: its index. */
  readonly name?: string;
}

interface DefinedLayer extends Layer {
  readonly options: object;
}

/** Declaration of a layer's options and of their checks. The layer's function is declared separately. */
export interface LayerFacts<O> {
  /** Values that the layer's options accept. The option `name` is added. Default: any options are allowed. */
  readonly options?: { readonly [K in keyof Omit<O, "name">]-?: Accepts };
  /** Names of options that have no default. */
  readonly required?: readonly (keyof O & string)[];
  /** Names of options that are initialisers. */
  readonly initialisers?: readonly (keyof O & string)[];
  /** Throws OptionError for options that contradict each other. */
  check?(options: O): void;
  /** Options and an input shape, [examples, …], for the conformance tests. Required for built-in layers. */
  readonly example?: { readonly options: O; readonly input: readonly number[] };
}

/** Definition of a layer, as registered under its kind. */
export interface LayerDefinition {
  make(options: object): Layer;
  readonly facts: LayerFacts<object>;
}

const kinds = new Registry<LayerDefinition>("layer");

/**
 * layer(kind, (x, scope, options) => y): defines a layer and returns its factory. The layer is registered by its kind,
 * so that files can name it.
 *
 * Options are JSON, initialisers, layers, or objects and lists of these. `name` is the layer's part of the path. The
 * JSON of a layer is { layer: kind, options }. If a layer value is used in several places, only its first occurrence is
 * written in full, as { …, shared: 1 }. Every other occurrence is written as { shared: 1 }. When the JSON is read, the
 * layer is shared again. The built-in kinds are reserved. User-defined kinds can be redefined, and the last definition
 * applies.
 *
 * @throws OptionError for a kind that is taken or unknown, an option that is unknown, or a plain function that should
 * be JSON
 *
 * @example
 * ```ts
 * const scaled = layer<{ by: number }>("scaled", (x, _, { by }) => mul(x, by));
 * sequential([dense(64), scaled({ by: 0.5 })])
 * ```
 */
export function layer<O extends object = object>(
  kind: string,
  apply: (x: SymbolicArray, scope: Scope, options: O & Named) => SymbolicArray,
  facts: LayerFacts<O> = {},
): (options?: O & Named) => Layer {
  const make = (given?: O & Named): Layer => {
    const options = { ...(given === undefined ? {} : plain(kind, given)) } as O & Named;
    const accepted = facts.options as Accepted | undefined;
    if (accepted) checkOptions(kind, options, { options: { ...accepted, name: "own" }, required: facts.required });
    checkName(kind, options.name);
    for (const name of facts.initialisers ?? []) checkInitialiser(kind, name, options[name]);
    facts.check?.(options);
    const made: DefinedLayer = {
      kind,
      name: options.name,
      options,
      apply: (x, scope) => apply(x, scope, options),
      toJSON: () => encode(made, new Map()) as JsonObject,
    };
    return made;
  };
  kinds.define(kind, { make: (options) => make(options as O & Named), facts: facts as LayerFacts<object> });
  return make;
}

/** Reserves the kinds of all layers defined so far. */
export const reserveLayerKinds = (): void => kinds.reserve();
/** Returns the definition of a kind of layer. */
export const layerDefinition = (kind: string): LayerDefinition | undefined => kinds.get(kind);

/** Kinds of all layers defined so far. */
export const layerKinds = (): string[] => kinds.names();

/** Returns a layer from its JSON. */
export function layerFromJson(json: JsonObject): Layer {
  const made = decode(json, new Map());
  if (isLayer(made)) return made;
  throw new OptionError(
    "layerFromJson",
    `the JSON is ${shown(json)}, but must be the object that toJSON() of a layer gave`,
    JSON_TYPE,
  );
}

function checkInitialiser(kind: string, name: string, value: unknown): void {
  if (value === undefined || isInitialiser(value)) return;
  refuse(kind, name, value, "an initialiser", `${name}: heNormal()`);
}

function checkName(kind: string, name: unknown): void {
  if (name === undefined || (typeof name === "string" && /^[^.\s]+$/.test(name))) return;
  throw new OptionError(kind, `name is ${shown(name)}, but must be a string without dots and spaces`, "OPTION_RANGE");
}

/** JSON of each layer encoded so far. A layer that occurs again gets a number. */
type Met = Map<Layer, JsonObject>;

function encode(value: unknown, met: Met): Json {
  if (typeof value === "function") throw functionAsJson(value.name);
  if (isInitialiser(value)) return value.toJSON();
  if (isLayer(value)) return encodeLayer(value, met);
  if (Array.isArray(value)) return value.map((part) => encode(part, met));
  if (typeof value !== "object" || value === null) return value as Json;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([key, part]) => [key, encode(part, met)]));
}

function encodeLayer(value: Layer, met: Met): JsonObject {
  const before = met.get(value);
  if (before) {
    before.shared ??= [...met.values()].filter((json) => json.shared !== undefined).length + 1;
    return { shared: before.shared };
  }
  const made: JsonObject = "options" in value ? { layer: value.kind } : { ...value.toJSON() };
  met.set(value, made);
  if ("options" in value) made.options = encode(value.options, met);
  return made;
}

function decode(json: Json, shared: Map<Json, Layer>): unknown {
  if (Array.isArray(json)) return json.map((part) => decode(part, shared));
  if (typeof json !== "object" || json === null) return json;
  if ("initialiser" in json) return initialiserFromJson(json);
  if (typeof json.layer === "string") return decodeLayer(json, shared);
  if ("shared" in json) {
    const known = shared.get(json.shared);
    if (known) return known;
    throw new OptionError("layer", `the shared layer ${JSON.stringify(json.shared)} was not defined before`, "LAYER_UNKNOWN");
  }
  return decodeEntries(json, shared);
}

const decodeEntries = (json: JsonObject, shared: Map<Json, Layer>): object =>
  Object.fromEntries(Object.entries(json).map(([key, part]) => [key, decode(part, shared)]));

function decodeLayer(json: JsonObject, shared: Map<Json, Layer>): Layer {
  const definition = kinds.get(String(json.layer));
  if (!definition)
    throw new OptionError(
      "layer",
      `no layer is named "${String(json.layer)}"; define it by layer("${String(json.layer)}", …) before it is read (known: ${kinds.names().join(", ")})`,
      "LAYER_UNKNOWN",
    );
  const { options = {} } = json;
  checkOptionsJson("layerFromJson", options);
  const made = definition.make(decodeEntries(options as JsonObject, shared));
  if (json.shared !== undefined) shared.set(json.shared, made);
  return made;
}

function functionAsJson(name: string): OptionError {
  return new OptionError(
    "layer",
    `the network holds a plain function${name ? ` (${name})` : ""}, which no file can hold; define it by layer("${name || "name"}", (x, scope, options) => …) and use the layer that it returns`,
    "LAYER_FUNCTION",
  );
}

/** Checks an option that is a layer. @throws OptionError */
export function checkLayer(where: string, name: string, given: unknown): void {
  if (typeof given !== "function" && !isLayer(given))
    refuse(where, name, given, "a layer or a function (x, scope) => array", "convolution(64, { kernel: 1 })");
}

/** Says which layer was probably meant. */
function insteadOf(given: unknown): string {
  if (typeof given === "number") return `; write dense(${given}) for a dense layer of this width`;
  if (typeof given === "string") return "; write the call that makes it, such as relu()";
  return Array.isArray(given) ? "; write its layers without the inner list, or sequential([…])" : "";
}

/** Throws unless every part is a layer or a function. */
export function checkLayers(where: string, layers: readonly LayerLike[]): void {
  layers.forEach((part, i) => {
    if (typeof part !== "function" && !isLayer(part))
      throw new OptionError(
        where,
        `part ${i} is ${shown(part)}, but must be a layer or a function (x, scope) => array${insteadOf(part)}`,
        "OPTION_RANGE",
      );
  });
}
