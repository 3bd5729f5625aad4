import { DataError } from "../errors/errors.ts";
import { told } from "./number-cells.ts";

/** Name of a user or an item. */
export type Name = string | number;

/**
 * Maps the names of users or items to indices. Names are distinct and ascending (numbers by size, strings by code
 * unit), so that the indices do not depend on the order of the data.
 *
 * If all names are numbers, they stay numbers; if any name is a string, all become strings. 7 and "7" find the same
 * entry.
 */
export class NameIndex {
  protected static readonly typeName: string = "NameIndex";
  /** Names in ascending order. */
  readonly names: readonly Name[];
  readonly #byText: Map<string, number>;

  /** `names`: distinct when converted to strings. */
  constructor(names: readonly Name[]) {
    this.names = Object.freeze([...names]);
    this.#byText = new Map(names.map((name, k) => [String(name), k]));
  }

  /** Number of names. */
  get size(): number {
    return this.names.length;
  }

  /** Returns the index of a name, or −1 if the name is unknown. */
  find(name: Name): number {
    // A value that is not a name is never found. Objects must be excluded before the look-up, because String() fails on
    // objects without a prototype.
    if (typeof name === "object" || typeof name === "function") return -1;
    return this.#byText.get(String(name)) ?? -1;
  }

  /**
   * Builds the index of a column of names. Returns the name index, and for each row the index of its name. `role`:
   * "user", "item".
   *
   * @throws DataError for a missing name: null, undefined, empty string, a number that is not finite
   */
  static of(given: ArrayLike<Name | null>, role: string, source: string): { index: NameIndex; codes: Uint32Array } {
    const codes = new Uint32Array(given.length);
    const seen = new Map<Name, number>();
    for (let i = 0; i < given.length; i++) {
      const name = given[i];
      let code = seen.get(name as Name);
      if (code === undefined) {
        if (!((typeof name === "string" && name !== "") || (typeof name === "number" && Number.isFinite(name))))
          throw new DataError(
            source,
            `row ${i + 1}: the ${role} is ${told(name)}, but must be a string or a number; drop the row`,
            "DATA_VALUE",
          );
        code = seen.size;
        seen.set(name, code);
      }
      codes[i] = code;
    }
    const met = [...seen.keys()];
    const numbers = met.every((name) => typeof name === "number");
    const names = numbers ? [...(met as number[])].sort((a, b) => a - b) : [...new Set(met.map(String))].sort();
    const index = new NameIndex(names);
    const place = Uint32Array.from(met, (name) => index.find(name));
    for (let i = 0; i < codes.length; i++) codes[i] = place[codes[i]];
    return { index, codes };
  }
}
