/**
 * Splits the text of a LightGBM model into its header and its trees. Each consists of lines "name=value", and some lines
 * of the header are a name alone. Lines after "end of trees" describe the training, and are not read.
 */

import { checkPart, type Origin, shownPart } from "./faults.ts";

/** Values by name. The value of a name alone is "". */
export type Block = ReadonlyMap<string, string>;

/** @throws DataError if the text does not end with "end of trees", which files have from version v3 on */
export function blocksOf(text: string, origin: Origin): { header: Block; trees: Block[] } {
  const header = new Map<string, string>();
  const trees: Map<string, string>[] = [];
  let block = header;
  let isWhole = false;
  for (const line of text.split(/\r?\n/)) {
    if (line === "end of trees") {
      isWhole = true;
      break;
    }
    // Before version v3, the names of important features follow the trees.
    if (/^feature.importances:$/.test(line)) break;
    const at = line.indexOf("=");
    const name = at < 0 ? line : line.slice(0, at);
    if (name === "") continue;
    if (name === "Tree") {
      checkPart(
        origin,
        Number(line.slice(at + 1)) === trees.length,
        `has ${shownPart(line)} where tree ${trees.length} is wanted`,
      );
      block = new Map();
      trees.push(block);
    } else block.set(name, at < 0 ? "" : line.slice(at + 1));
  }
  const isOld = ["v2", undefined].includes(header.get("version"));
  checkPart(origin, isWhole || isOld, 'ends without the line "end of trees"');
  return { header, trees };
}

/** Reads values of blocks. Errors name the part. */
export class Values {
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  text(block: Block, name: string): string {
    const value = block.get(name);
    checkPart(this.#origin, value !== undefined, `has no ${name}`);
    return value;
  }

  /** A whole number from `low` to `high`. `absent`: its value if the line is absent. */
  count(block: Block, name: string, { low, high, absent }: { low: number; high: number; absent?: number }): number {
    const given = block.get(name) ?? absent;
    const value = Number(given);
    const fits = given !== "" && Number.isInteger(value) && value >= low && value <= high;
    checkPart(this.#origin, fits, `has ${name} ${shownPart(given)}, but a whole number from ${low} to ${high} is wanted`);
    return value;
  }

  /** A list of `count` numbers, separated by spaces. */
  numbers(block: Block, name: string, count: number): Float64Array {
    const words = this.text(block, name).split(" ").filter(Boolean);
    checkPart(this.#origin, words.length === count, `has ${words.length} numbers in ${name}, but ${count} are wanted`);
    return Float64Array.from(words, (word) => {
      const value = /^-?inf$/.test(word) ? Number(word.replace("inf", "Infinity")) : Number(word);
      checkPart(this.#origin, !Number.isNaN(value), `has ${shownPart(word)} in ${name}, but a number is wanted`);
      return value;
    });
  }

  /** As `numbers`, or undefined if the line is absent or has another number of numbers. */
  optionalNumbers(block: Block, name: string, count: number): Float64Array | undefined {
    const given = block.get(name)?.split(" ").filter(Boolean).length;
    return given === count ? this.numbers(block, name, count) : undefined;
  }

  /** A list of whole numbers from `low` to `high`. */
  wholes(block: Block, name: string, { low, high, count }: { low: number; high: number; count: number }): Float64Array {
    const numbers = this.numbers(block, name, count);
    for (const value of numbers)
      checkPart(
        this.#origin,
        Number.isInteger(value) && value >= low && value <= high,
        `has ${value} in ${name}, but a whole number from ${low} to ${high} is wanted`,
      );
    return numbers;
  }
}
