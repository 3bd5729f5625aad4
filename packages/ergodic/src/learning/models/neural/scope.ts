import type { Shape, SymbolicArray } from "../../../engine/compiler/array/index.ts";
import type { JsonObject } from "../../../engine/contract/index.ts";
import type { Fans, Initialiser } from "./initialisers.ts";

/** Initial values of a layer's parameter, and its properties. */
export interface ParameterOptions {
  /** Initial values, e.g. heNormal(). */
  readonly initial: Initialiser;
  /**
   * Fans from which initialisers compute the variance. By default, they are computed from the shape, as for a dense or
   * convolution weight.
   */
  readonly fans?: Fans;
  /** Name of the parameter's group. A rule's options can refer to the group by this name. */
  readonly group?: string;
  /** Whether L2 penalties apply to the parameter; default true. Biases and norms set it to false. */
  readonly decay?: boolean;
}

/** Properties of all parameters in a scope. */
export interface Marks {
  readonly trained?: boolean;
  readonly group?: string;
}

/**
 * Interface between a layer and the trace of its network. A scope supplies parameters, running statistics and random
 * numbers.
 *
 * A layer is a function from a symbolic array (axis 0: examples) and a scope to a symbolic array. A parameter is
 * identified by its path, "2.conv.weight". A second request for the same path returns the same parameter. If a layer
 * value is applied twice, it counts as one layer, with the parameters of its first path. The scope in trace.ts records
 * all requests.
 */
export interface Scope {
  /**
   * Whether the program is an update, so that batch statistics, dropout and augmentation are active. False in frozen
   * layers.
   */
  readonly training: boolean;
  /** Path of the scope, e.g. "2.conv"; "" at the root. */
  readonly path: string;
  /** Returns a parameter. The parameter is trained unless its layer is frozen. */
  parameter(name: string, shape: Shape, options: ParameterOptions): SymbolicArray;
  /** Returns a running statistic, which is not trained. After `update` has been called, returns the new value. */
  state(name: string, shape: Shape, initial: number): SymbolicArray;
  /** Sets the next value of a state. Does nothing if `training` is false. */
  update(name: string, value: SymbolicArray): void;
  /** Uniform random numbers in [0, 1), new for each call and each update. */
  uniform(shape: Shape): SymbolicArray;
  /** Random numbers from N(0, 1), new for each call and each update. */
  normal(shape: Shape): SymbolicArray;
  /** Calls `build` with a scope whose paths begin with this name. Used by layers that name their parts. */
  within<T>(name: string, build: (scope: Scope) => T): T;
  /** Calls `build` with a scope whose parameters are frozen or in a group. */
  marked<T>(marks: Marks, build: (scope: Scope) => T): T;
  /** Applies a layer under a name. An empty name adds nothing to the path. */
  apply(layer: LayerLike, x: SymbolicArray, name: string): SymbolicArray;
  /** Adds `multiplyAdds` to the number of multiply-adds for one example. */
  count(multiplyAdds: number): void;
}

/** A layer as a plain function: y = f(x, scope), on symbolic arrays with axis 0 for the examples. */
export type LayerFunction = (x: SymbolicArray, scope: Scope) => SymbolicArray;

/** A layer, as made by dense() and similar functions. */
export interface Layer {
  /** Name of its definition. */
  readonly kind: string;
  /** Part of the path that names the layer. Default: its index in the layer that contains it. */
  readonly name?: string;
  /** Function of the layer, y = f(x, scope), on symbolic arrays. */
  readonly apply: LayerFunction;
  /**
   * JSON from which `layerFromJson` rebuilds the layer. @throws OptionError [LAYER_FUNCTION] if a part is a plain
   * function
   */
  toJSON(): JsonObject;
}

/** A layer or a plain function, which is also a layer but cannot be saved in a file. */
export type LayerLike = Layer | LayerFunction;

export const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && "kind" in value && "apply" in value && typeof value.apply === "function";

export const kindOf = (layer: LayerLike): string => (typeof layer === "function" ? layer.name || "function" : layer.kind);
