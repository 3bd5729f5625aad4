/** Checked access to the parts of a parsed file. A list is an array, or a typed array from a binary file. */

import { checkPart, type Origin, shownPart } from "./faults.ts";

export type Part = Readonly<Record<string, unknown>>;
export type List = ArrayLike<unknown>;

const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

const isList = (value: unknown): value is List => Array.isArray(value) || ArrayBuffer.isView(value);

const get = (part: Part, name: string): unknown => (Object.hasOwn(part, name) ? part[name] : undefined);

/** Reads the parts of one file. Errors name the part. */
export class Fields {
  readonly origin: Origin;

  constructor(origin: Origin) {
    this.origin = origin;
  }

  part(of: unknown, name: string): Part {
    const value = isPart(of) ? get(of, name) : undefined;
    checkPart(this.origin, isPart(value), `has ${shownPart(value)} as "${name}", but an object is wanted`);
    return value;
  }

  list(of: Part, name: string): List {
    const value = get(of, name);
    checkPart(this.origin, isList(value), `has ${shownPart(value)} as "${name}", but a list is wanted`);
    return value;
  }

  text(of: Part, name: string): string {
    const value = get(of, name);
    checkPart(this.origin, typeof value === "string", `has ${shownPart(value)} as "${name}", but a string is wanted`);
    return value;
  }

  texts(of: Part, name: string): string[] {
    const list = Array.from(this.list(of, name));
    checkPart(
      this.origin,
      list.every((text) => typeof text === "string"),
      `has "${name}" that are not strings`,
    );
    return list as string[];
  }

  /** A list of `count` numbers. null counts as NaN, and Booleans as 0 and 1. */
  numbers(of: Part, name: string, count?: number): Float64Array {
    const list = this.list(of, name);
    const fits = count === undefined || list.length === count;
    checkPart(this.origin, fits, `has ${list.length} numbers in "${name}", but ${count} are wanted`);
    return Float64Array.from(list as ArrayLike<number>, (value: unknown) => this.#number(value, name));
  }

  /** As `numbers`, or undefined if the part is absent. */
  optionalNumbers(of: Part, name: string, count?: number): Float64Array | undefined {
    return get(of, name) === undefined ? undefined : this.numbers(of, name, count);
  }

  /** A list of whole numbers from `low` to `high`. */
  wholes(of: Part, name: string, { low, high, count }: { low: number; high: number; count?: number }): Float64Array {
    const numbers = this.numbers(of, name, count);
    for (const value of numbers)
      checkPart(
        this.origin,
        Number.isInteger(value) && value >= low && value <= high,
        `has ${value} in "${name}", but a whole number from ${low} to ${high} is wanted`,
      );
    return numbers;
  }

  /** A whole number, which can be written as a string. `absent`: its value if the part is absent. */
  count(of: Part, name: string, { low, high, absent }: { low: number; high: number; absent?: number }): number {
    const given = get(of, name) ?? absent;
    const value = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given;
    const fits = typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
    checkPart(this.origin, fits, `has ${shownPart(given)} as "${name}", but a whole number from ${low} to ${high} is wanted`);
    return value as number;
  }

  #number(value: unknown, name: string): number {
    if (value === null) return Number.NaN;
    if (typeof value === "boolean") return Number(value);
    checkPart(this.origin, typeof value === "number", `has ${shownPart(value)} in "${name}", but a number is wanted`);
    return value;
  }
}
