import { DataError } from "../errors/errors.ts";
import { told } from "./number-cells.ts";

/** Name of a user or an item. */
export type Name = string | number;

/**
 * Names of users or items and their numbers: distinct, ascending (numbers by size, texts by code units), so that the numbers do not depend on the
 * order in which names came.
 *
 * If all names are numbers they stay numbers; with one text all are texts. 7 and "7" find the same entry.
 */
export class NameIndex {
  /** The names, ascending. */
  readonly names: readonly Name[];
  readonly #byText: Map<string, number>;

  /** `names`: distinct as texts. */
  constructor(names: readonly Name[]) {
    this.names = Object.freeze([...names]);
    this.#byText = new Map(names.map((name, k) => [String(name), k]));
  }

  /** How many there are. */
  get size(): number {
    return this.names.length;
  }

  /** −1 for a name that is not here. */
  find(name: Name): number {
    // What is no name is nobody's: an object without a prototype has no text.
    if (typeof name === "object" || typeof name === "function") return -1;
    return this.#byText.get(String(name)) ?? -1;
  }

  /**
   * The index of a column of names, and each row's number. `role`: "user", "item".
   *
   * @throws DataError for a missing name: null, undefined, empty text, a number that is not finite
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
            `row ${i + 1}: the ${role} is ${told(name)}, but must be a text or a number; drop the row`,
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
