import type { Shape, SymbolicArray } from "../../../engine/compiler/array/index.ts";
import type { JsonObject } from "../../../engine/contract/index.ts";
import type { Fans, Initialiser } from "./initialisers.ts";

/** How a layer's parameter starts, and what applies to it. */
export interface ParameterOptions {
  /** Its first values, e.g. heNormal(). */
  readonly initial: Initialiser;
  /** What initialisers scale by; default: as of a dense or convolution weight of this shape. */
  readonly fans?: Fans;
  /** A name that a rule's options may single out. */
  readonly group?: string;
  /** Whether L2 penalties hold for it; default true. Biases and norms say false. */
  readonly decay?: boolean;
}

/** What holds for all parameters below. */
export interface Marks {
  readonly trained?: boolean;
  readonly group?: string;
}

/**
 * What a layer sees while a network is traced: where its parameters, running statistics and random numbers come from.
 *
 * A layer is a function from a symbolic array (axis 0: examples) and a scope to a symbolic array. A parameter is its path, "2.conv.weight":
 * asked for twice, it is the same one. The same layer value applied twice is one layer, with the parameters of its first path.
 *
 * trace.ts has the scope that records all this.
 */
export interface Scope {
  /** Whether the program is an update: batch statistics, dropout and augmentation are at work. False in frozen layers. */
  readonly training: boolean;
  /** "2.conv"; "" at the root. */
  readonly path: string;
  /** Trained, unless its layer is frozen. */
  parameter(name: string, shape: Shape, options: ParameterOptions): SymbolicArray;
  /** Not trained: running statistics. Where an update was given before, its value. */
  state(name: string, shape: Shape, initial: number): SymbolicArray;
  /** The state's next value; nothing where `training` is false. */
  update(name: string, value: SymbolicArray): void;
  /** Random numbers in [0, 1), fresh at each call and each update. */
  uniform(shape: Shape): SymbolicArray;
  /** The same with mean 0 and variance 1. */
  normal(shape: Shape): SymbolicArray;
  /** The scope below a name, for a layer that names its parts. */
  within<T>(name: string, build: (scope: Scope) => T): T;
  /** A scope whose parameters are frozen or in a group. */
  marked<T>(marks: Marks, build: (scope: Scope) => T): T;
  /** Applies a layer under a name; "" adds none to the path. */
  apply(layer: LayerLike, x: SymbolicArray, name: string): SymbolicArray;
  /** Multiply-adds for one example. */
  count(multiplyAdds: number): void;
}

/** A layer as a plain function: y = f(x, scope), on symbolic arrays with axis 0 for the examples. */
export type LayerFunction = (x: SymbolicArray, scope: Scope) => SymbolicArray;

/** A layer, as dense() and its kind make it. */
export interface Layer {
  /** The name of its definition. */
  readonly kind: string;
  /** Its part of the path; default: its place in the layer that holds it. */
  readonly name?: string;
  /** y = f(x, scope), on symbolic arrays. */
  readonly apply: LayerFunction;
  /**
   * JSON from which `layerFromJson` makes the same layer again. @throws OptionError [LAYER_FUNCTION] where a part is a plain
   * function
   */
  toJSON(): JsonObject;
}

/** A plain function is a layer too; but no file can hold it. */
export type LayerLike = Layer | LayerFunction;

export const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && "kind" in value && "apply" in value && typeof value.apply === "function";

export const kindOf = (layer: LayerLike): string => (typeof layer === "function" ? layer.name || "function" : layer.kind);
