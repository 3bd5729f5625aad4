import { ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { Cell } from "./facts.ts";
import type { WeightedRule } from "./rule.ts";
import type { Weights } from "./weights.ts";

/**
 * Values of a rule's variables for the rule's functions. A single object serves all groundings, because its getters
 * decode the values of the current grounding.
 */
export class BoundRow {
  /** Index of the weight of the grounding in the last `holds` call. */
  weight = 0;
  feature = 1;
  /** Whether every grounding counts and has the same weight and feature. */
  readonly constant: boolean;
  readonly #rule: WeightedRule;
  readonly #weights: Weights;
  readonly #row: Readonly<Record<string, Cell>>;
  /** Same as `#row`, but throws for names that no atom binds. */
  readonly #strict: Readonly<Record<string, Cell>>;
  #first = true;

  constructor(rule: WeightedRule, bound: Int32Array, values: readonly Cell[], weights: Weights) {
    this.#rule = rule;
    this.#weights = weights;
    const row = {};
    rule.variables.forEach((name, k) => {
      Object.defineProperty(row, name, { enumerable: true, get: () => values[bound[k]] });
    });
    this.#row = row;
    this.#strict = new Proxy(row, { get: (target, name) => this.#known(target, name) });
    const { weight, feature, where } = rule.options;
    this.constant = [weight, feature, where].every((given) => typeof given !== "function");
    if (typeof feature === "number") this.feature = feature;
  }

  /** Copy of the current values. */
  get values(): Record<string, Cell> {
    return { ...this.#row };
  }

  /** Sets the weight once if all groundings have the same weight. */
  start(): void {
    const { weight, initial } = this.#rule.options;
    if (typeof weight === "number") this.weight = this.#weights.fixed(weight);
    else if (typeof weight === "string") this.weight = this.#weights.named(this.#rule.place, weight, initial);
    this.#first = true;
  }

  /**
   * Returns whether the current grounding counts. If the grounding counts, its weight and feature are in `weight` and
   * `feature`.
   */
  holds(): boolean {
    if (this.constant) return true;
    try {
      return this.#holds(this.#first ? this.#strict : this.#row);
    } catch (error) {
      if (error instanceof ErgodicError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new OptionError(this.#rule.place, `a function failed: ${said}; it was given ${this.shown()}`, "OPTION_MEANING", {
        cause: error,
      });
    }
  }

  #holds(row: Readonly<Record<string, Cell>>): boolean {
    const { weight, initial, feature, where } = this.#rule.options;
    if (where !== undefined) {
      const found: unknown = where(row);
      if (found === false) return false;
      if (found !== true) throw this.refusal(`where returned ${shown(found)}, but must return true or false`);
    }
    this.#first = false;
    if (typeof weight === "function") {
      const found: unknown = weight(row);
      if (typeof found === "string" && found !== "")
        this.weight = this.#weights.named(this.#rule.place, `${this.#rule.weightPrefix}${found}`, initial);
      else if (typeof found === "number" && Number.isFinite(found)) this.weight = this.#weights.fixed(found);
      else throw this.refusal(`weight returned ${shown(found)}, but must return a name or a number`);
    }
    if (typeof feature === "function") {
      const found: unknown = feature(row);
      if (typeof found !== "number" || !Number.isFinite(found))
        throw this.refusal(`feature returned ${shown(found)}, but must return a number; exclude rows without one with where`);
      this.feature = found;
    }
    return true;
  }

  /** Returns an error about the current grounding. */
  refusal(said: string): OptionError {
    return new OptionError(this.#rule.place, `${said} (of ${this.shown()})`, "OPTION_MEANING");
  }

  /** Returns the current values for an error message. */
  shown(): string {
    const parts = Object.entries(this.values).map(([name, value]) => `${name}: ${shown(value)}`);
    return `the row { ${parts.join(", ")} }`;
  }

  #known(row: object, name: string | symbol): unknown {
    if (typeof name === "symbol" || name in row) return Reflect.get(row, name);
    const { variables, place } = this.#rule;
    const near = nearest(name, variables);
    throw new OptionError(
      place,
      `a function reads the variable "${name}", which no atom binds${near ? `; did you mean "${near}"?` : ""} (bound: ${variables.join(", ")})`,
      "OPTION_UNKNOWN",
    );
  }
}
