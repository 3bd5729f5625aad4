import { OptionError } from "../../engine/errors/errors.ts";
import type { FactorGraph } from "../model/graph.ts";

/** Weights of a knowledge base by what rules call them. They come into being with the graph's, so that nothing is left of rules that are refused. */
export class Weights {
  readonly #named = new Map<string, number>();
  readonly #fixed = new Map<number, number>();
  readonly #list: { readonly name?: string; readonly value: number }[] = [];
  /** Numbers of the graph's weights. */
  readonly #ids: number[] = [];

  /** The number of a learned weight, which starts with a value, or else 0. @throws OptionError where it does with another */
  named(where: string, name: string, initial?: number): number {
    let number = this.#named.get(name);
    if (number === undefined) {
      number = this.#list.push({ name, value: initial ?? 0 }) - 1;
      this.#named.set(name, number);
    } else if (initial !== undefined && this.#list[number].value !== initial)
      throw new OptionError(
        where,
        `initial is ${initial}, but another rule has the weight "${name}" start with ${this.#list[number].value}; give it once, or name one of the two another way`,
        "OPTION_CONFLICT",
      );
    return number;
  }

  /** The number of a fixed weight. */
  fixed(value: number): number {
    let number = this.#fixed.get(value);
    if (number === undefined) {
      number = this.#list.push({ value }) - 1;
      this.#fixed.set(value, number);
    }
    return number;
  }

  /** The number of the graph's weight. */
  id(number: number): number {
    return this.#ids[number];
  }

  /** Adds those to the graph that it lacks. */
  commit(graph: FactorGraph): void {
    for (let number = this.#ids.length; number < this.#list.length; number++) {
      const { name, value } = this.#list[number];
      this.#ids.push(graph.weight(name, value, { fixed: name === undefined }).id);
    }
  }

  /** Forgets those that are not in the graph. */
  rollback(): void {
    for (const { name, value } of this.#list.splice(this.#ids.length)) {
      if (name === undefined) this.#fixed.delete(value);
      else this.#named.delete(name);
    }
  }
}
