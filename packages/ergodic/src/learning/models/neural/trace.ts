/**
 * Traces a network by running its layers once on symbolic arrays. The scope records the requests of the layers
 * (scope.ts).
 *
 * Parameters are the inputs "parameter:PATH" of the program and states are "state:PATH", both in the order of their
 * first request. If a layer value occurs again, it has the path of its first occurrence and therefore the same
 * parameters.
 *
 * @throws OptionError if two layers share a path, or if a parameter is requested again with another shape or other
 * marks; CompileError from an operation, naming its layer
 */

import {
  input,
  isArray,
  normal,
  type Shape,
  type SymbolicArray,
  sameShape,
  shapeText,
  uniform,
} from "../../../engine/compiler/array/index.ts";
import { CompileError, OptionError } from "../../../engine/errors/errors.ts";
import { type Fans, fansOf, type Initialiser } from "./initialisers.ts";
import { isLayer, kindOf, type LayerLike, type Marks, type ParameterOptions, type Scope } from "./scope.ts";

export interface TracedParameter {
  readonly path: string;
  readonly shape: Shape;
  readonly initial: Initialiser;
  readonly fans: Fans;
  readonly group?: string;
  readonly decay: boolean;
  readonly trained: boolean;
  readonly input: SymbolicArray;
}

export interface TracedState {
  readonly path: string;
  readonly shape: Shape;
  readonly initial: number;
  readonly input: SymbolicArray;
  /** Value after the update; undefined if the update does not change the state. */
  readonly next?: SymbolicArray;
}

export interface TracedNetwork {
  readonly input: SymbolicArray;
  readonly output: SymbolicArray;
  readonly parameters: readonly TracedParameter[];
  readonly states: readonly TracedState[];
  /** Number of multiply-adds for one example, as counted by the layers. */
  readonly multiplyAdds: number;
  /** Number of random streams in use, starting with `firstStream`. */
  readonly streams: number;
}

export interface TraceOptions {
  /** Whether the program is an update. Default: false. */
  readonly training?: boolean;
  /** Index of the first random stream. Default: 1, because stream 0 is used to sample rows. */
  readonly firstStream?: number;
}

export function traceNetwork(
  network: LayerLike,
  x: SymbolicArray,
  { training = false, firstStream = 1 }: TraceOptions = {},
): TracedNetwork {
  const made = new Recording(training, firstStream);
  const output = new RecordingScope(made, "", {}).apply(network, x, "");
  return {
    input: x,
    output,
    parameters: [...made.parameters.values()],
    states: [...made.states.values()],
    multiplyAdds: made.multiplyAdds,
    streams: made.nextStream - firstStream,
  };
}

/** State that all scopes of one trace share. */
class Recording {
  readonly parameters = new Map<string, TracedParameter>();
  readonly states = new Map<string, TracedState>();
  readonly pathOf = new Map<LayerLike, string>();
  readonly layerAt = new Map<string, LayerLike>();
  readonly training: boolean;
  multiplyAdds = 0;
  nextStream: number;

  constructor(training: boolean, firstStream: number) {
    this.training = training;
    this.nextStream = firstStream;
  }
}

class RecordingScope implements Scope {
  readonly path: string;
  private readonly made: Recording;
  private readonly marks: Marks;

  constructor(made: Recording, path: string, marks: Marks) {
    this.made = made;
    this.path = path;
    this.marks = marks;
  }

  get training(): boolean {
    return this.made.training && this.marks.trained !== false;
  }

  parameter(name: string, shape: Shape, options: ParameterOptions): SymbolicArray {
    const path = below(this.path, name);
    const { initial, fans = fansOf(shape), decay = true, group = this.marks.group } = options;
    const trained = this.marks.trained !== false;
    const known = this.made.parameters.get(path);
    if (known) {
      checkAgain(known, shape, trained);
      return known.input;
    }
    const node = input(`parameter:${path}`, shape);
    this.made.parameters.set(path, { path, shape: node.shape, initial, fans, group, decay, trained, input: node });
    return node;
  }

  state(name: string, shape: Shape, initial: number): SymbolicArray {
    const path = below(this.path, name);
    const known = this.made.states.get(path);
    if (known) {
      checkShape("state", known, shape);
      return known.next ?? known.input;
    }
    const node = input(`state:${path}`, shape);
    this.made.states.set(path, { path, shape: node.shape, initial, input: node });
    return node;
  }

  update(name: string, value: SymbolicArray): void {
    if (!this.training) return;
    const path = below(this.path, name);
    const known = this.made.states.get(path);
    if (!known)
      throw new OptionError(
        "state",
        `"${path}" is updated, but was never requested; call scope.state("${name}", …) first`,
        "STATE_UNKNOWN",
      );
    checkShape("state", known, value.shape);
    this.made.states.set(path, { ...known, next: value });
  }

  uniform(shape: Shape): SymbolicArray {
    return uniform(shape, this.made.nextStream++);
  }

  normal(shape: Shape): SymbolicArray {
    return normal(shape, this.made.nextStream++);
  }

  within<T>(name: string, build: (scope: Scope) => T): T {
    return build(new RecordingScope(this.made, below(this.path, name), this.marks));
  }

  marked<T>(marks: Marks, build: (scope: Scope) => T): T {
    // Parts of a frozen layer cannot be trained, whatever their own marks.
    const trained = this.marks.trained !== false && marks.trained !== false;
    return build(new RecordingScope(this.made, this.path, { group: marks.group ?? this.marks.group, trained }));
  }

  apply(layer: LayerLike, x: SymbolicArray, name: string): SymbolicArray {
    const scope = new RecordingScope(this.made, this.pathFor(layer, name), this.marks);
    const made: unknown = atLayer(layer, scope.path, () => (isLayer(layer) ? layer.apply(x, scope) : layer(x, scope)));
    if (isArray(made)) return made;
    throw new OptionError(
      kindOf(layer),
      `layer "${scope.path}" gives ${isLayer(made) ? "another layer" : String(made)}, but must give an array; ${isLayer(made) ? "write the layer itself, or scope.apply(layer, x)" : "end it with return"}`,
      "LAYER_RESULT",
    );
  }

  count(multiplyAdds: number): void {
    this.made.multiplyAdds += multiplyAdds;
  }

  private pathFor(layer: LayerLike, name: string): string {
    const { pathOf, layerAt } = this.made;
    const known = pathOf.get(layer);
    if (known !== undefined) return known;
    const own = name === "" ? "" : (isLayer(layer) && layer.name) || name;
    const path = below(this.path, own);
    if (own !== "") {
      const taken = layerAt.get(path);
      if (taken)
        throw new OptionError(
          kindOf(layer),
          `its path is "${path}", but an earlier ${kindOf(taken)} has the same path; give one of them another name`,
          "LAYER_NAME",
        );
      layerAt.set(path, layer);
    }
    pathOf.set(layer, path);
    return path;
  }
}

/** Errors that already contain the name of the innermost layer. */
const placed = new WeakSet<CompileError>();

function atLayer<T>(layer: LayerLike, path: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (typeof layer === "function" && error instanceof OptionError && error.code.startsWith("OPTION_"))
      throw new OptionError(
        "network",
        `part "${path}" is the function ${kindOf(layer)}, whose call as (x, scope) => array failed: ${error.where}: ${error.said}. If it makes layers, call it: write dense(64) or relu()`,
        error.code,
        { cause: error },
      );
    if (!(error instanceof CompileError) || path === "" || placed.has(error)) throw error;
    const message = error.message.slice(0, -` [${error.code}]`.length);
    const located = new CompileError(`${kindOf(layer)} "${path}"`, message, error.code, { cause: error });
    placed.add(located);
    throw located;
  }
}

const below = (path: string, name: string): string => (path === "" || name === "" ? path + name : `${path}.${name}`);

function checkShape(what: string, known: { readonly path: string; readonly shape: Shape }, shape: Shape): void {
  if (sameShape(known.shape, shape)) return;
  throw new OptionError(
    what,
    `"${known.path}" is ${shapeText(shape)} here, but ${shapeText(known.shape)} where it was first used; a layer that is used twice must see inputs of one width`,
    "LAYER_SHAPE",
  );
}

function checkAgain(known: TracedParameter, shape: Shape, trained: boolean): void {
  checkShape("parameter", known, shape);
  if (known.trained === trained) return;
  throw new OptionError(
    "parameter",
    `"${known.path}" is ${trained ? "trained" : "frozen"} here, but ${known.trained ? "trained" : "frozen"} where it was first used; freeze the layer in both places, or use two`,
    "OPTION_CONFLICT",
  );
}
