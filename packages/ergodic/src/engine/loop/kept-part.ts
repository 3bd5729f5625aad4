import type { Json, JsonObject, Snapshot, Tensor } from "../contract/index.ts";
import { DataError } from "../errors/errors.ts";

/** Class of typed arrays for one kind of tensor in a snapshot. */
type TensorKind<T extends Tensor> = { readonly name: string; new (length: number): T };

/**
 * Part of a run's state in a checkpoint, which is checked as it is read. Resuming from a damaged file, or from a
 * version that stored other values, throws an error instead of giving meaningless numbers.
 *
 * @throws DataError [CHECKPOINT_FORMAT]
 */
export class KeptPart {
  readonly state: JsonObject;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Owner of the part in error messages, such as "descent" or "the sampler's chains". */
  private readonly of: string;

  constructor(of: string, { tensors, state }: Snapshot) {
    this.of = of;
    this.tensors = tensors;
    this.state = isObject(state) ? state : this.refuse("its state is missing");
  }

  /** Throws an error. `problem` follows "the checkpoint does not fit: ". */
  refuse(problem: string): never {
    throw new DataError(
      "checkpoint",
      `its state of ${this.of} does not fit: ${problem}; it is damaged, or from another version of ergodic: use another checkpoint, or start the run again`,
      "CHECKPOINT_FORMAT",
    );
  }

  /** Returns the named value, which must be a whole number between `low` and `high`. */
  count(name: string, low = 0, high = Number.MAX_SAFE_INTEGER): number {
    const value = this.own(name);
    const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high;
    if (fits) return value;
    const range = high < Number.MAX_SAFE_INTEGER ? `from ${low} to ${high}` : `from ${low}`;
    return this.refuse(`${name} is ${shown(value)}, but must be a whole number ${range}`);
  }

  number(name: string, low = -Infinity): number {
    const value = this.own(name);
    if (typeof value === "number" && Number.isFinite(value) && value >= low) return value;
    return this.refuse(`${name} is ${shown(value)}, but must be a number${low > -Infinity ? ` from ${low}` : ""}`);
  }

  /** Returns the named number. JSON has no NaN and no Infinity, so null gives `otherwise`. */
  numberOr(name: string, otherwise: number): number {
    return this.own(name) === null ? otherwise : this.number(name);
  }

  flag(name: string): boolean {
    const value = this.own(name);
    return typeof value === "boolean" ? value : this.refuse(`${name} is ${shown(value)}, but must be true or false`);
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.own(name);
    return (
      allowed.find((one) => one === value) ?? this.refuse(`${name} is ${shown(value)}, but must be one of ${allowed.join(", ")}`)
    );
  }

  object(name: string): JsonObject {
    const value = this.own(name);
    return isObject(value) ? value : this.refuse(`${name} is ${shown(value)}, but must be an object`);
  }

  /** Returns the named list, which must have `length` items that all satisfy `fits`. */
  list<T extends Json>(name: string, fits: (item: Json) => item is T, length?: number): T[] {
    const value = this.own(name);
    if (Array.isArray(value) && value.every(fits) && (length === undefined || value.length === length)) return [...value];
    return this.refuse(`${name} is ${shown(value)}, but must be a list${length === undefined ? "" : ` of ${length}`}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.tensors, name);
  }

  /** Returns the named tensor of this type without copying it. If `length` is given, the tensor's length is checked. */
  tensor<T extends Tensor>(name: string, kind: TensorKind<T>, length?: number): T {
    const found = this.has(name) ? this.tensors[name] : undefined;
    if (!(found instanceof kind))
      return this.refuse(`the numbers "${name}" are ${found ? `of type ${found.constructor.name}` : "missing"}`);
    if (length === undefined || found.length === length) return found;
    return this.refuse(`there are ${found.length} numbers in "${name}", but ${length} are wanted`);
  }

  floats(name: string, length?: number): Float64Array {
    return this.tensor(name, Float64Array, length);
  }

  /** Returns the named tensor of indices. Each index must be below `end`. */
  indices(name: string, end: number, length?: number): Uint32Array {
    const found = this.tensor(name, Uint32Array, length);
    const wrong = found.find((index) => index >= end);
    return wrong === undefined ? found : this.refuse(`"${name}" holds the index ${wrong}, but must be below ${end}`);
  }

  /** Copies a tensor into a view of the same type and length. */
  into(view: Tensor, name: string): void {
    const found = this.tensor(name, view.constructor as TensorKind<Tensor>, view.length);
    (view as Float64Array).set(found as Float64Array);
  }

  /** Returns a part with the given state, and with the tensors whose names begin with `prefix`. */
  part(of: string, prefix: string, state: Json | undefined = {}): KeptPart {
    const mine = Object.entries(this.tensors).filter(([name]) => name.startsWith(prefix));
    const tensors = Object.fromEntries(mine.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
    return new KeptPart(of, { tensors, state: state as JsonObject });
  }

  get snapshot(): Snapshot {
    return { tensors: { ...this.tensors }, state: this.state };
  }

  private own(name: string): Json | undefined {
    return Object.hasOwn(this.state, name) ? this.state[name] : undefined;
  }
}

export const isText = (item: Json): item is string => typeof item === "string";
export const isNumber = (item: Json): item is number => typeof item === "number" && Number.isFinite(item);
export const isFlag = (item: Json): item is boolean => typeof item === "boolean";
export const isObject = (item: Json | undefined): item is JsonObject =>
  typeof item === "object" && item !== null && !Array.isArray(item);
export const isWhole = (item: Json): item is number => typeof item === "number" && Number.isSafeInteger(item) && item >= 0;

/** Formats any value from a file for an error message, shortened if necessary. */
function shown(value: Json | undefined): string {
  return value === undefined ? "missing" : JSON.stringify(value).slice(0, 60);
}
