import { OptionError } from "../../engine/errors/errors.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { WeightedRule } from "./rule.ts";

/**
 * Weights of a knowledge base, by name. New weights are added to the graph only on `commit`, so that a rejected rule
 * leaves nothing behind.
 */
export class Weights {
  readonly #named = new Map<string, number>();
  readonly #fixed = new Map<number, number>();
  readonly #list: { readonly name?: string; readonly value: number }[] = [];
  /** Index of each weight in the graph. */
  readonly #ids: number[] = [];

  /**
   * Returns the index of a learned weight with the given initial value (default 0).
   *
   * @throws OptionError if the weight already has a different initial value
   */
  named(where: string, name: string, initial?: number): number {
    let number = this.#named.get(name);
    if (number === undefined) {
      number = this.#list.push({ name, value: initial ?? 0 }) - 1;
      this.#named.set(name, number);
    } else if (initial !== undefined && this.#list[number].value !== initial)
      throw new OptionError(
        where,
        `initial is ${initial}, but another rule has the weight "${name}" start with ${this.#list[number].value}; give it once, or rename one of the two`,
        "OPTION_CONFLICT",
      );
    return number;
  }

  /** Returns the index of a fixed weight. */
  fixed(value: number): number {
    let number = this.#fixed.get(value);
    if (number === undefined) {
      number = this.#list.push({ value }) - 1;
      this.#fixed.set(value, number);
    }
    return number;
  }

  /**
   * Returns the name of the rule's weight, or true if the rule's function has named weights. Returns false if the weight
   * is a number, and before the function has been called.
   */
  learnedBy({ options: { weight }, weightPrefix }: WeightedRule): string | boolean {
    if (typeof weight === "string") return weight;
    if (typeof weight !== "function") return false;
    for (const name of this.#named.keys()) if (name.startsWith(weightPrefix)) return true;
    return false;
  }

  /** Returns the weight's index in the graph. */
  id(number: number): number {
    return this.#ids[number];
  }

  /** Adds the missing weights to the graph. */
  commit(graph: FactorGraph): void {
    for (let number = this.#ids.length; number < this.#list.length; number++) {
      const { name, value } = this.#list[number];
      this.#ids.push(graph.weight(name, value, { fixed: name === undefined }).id);
    }
  }

  /** Removes the weights that are not in the graph. */
  rollback(): void {
    for (const { name, value } of this.#list.splice(this.#ids.length)) {
      if (name === undefined) this.#fixed.delete(value);
      else this.#named.delete(name);
    }
  }
}
