import { refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { type Cell, type Facts, typeOf } from "./facts.ts";

/** What an atom asks of a column. */
export type Term =
  | { readonly column: number; readonly variable: string; readonly equals?: undefined }
  | { readonly column: number; readonly equals: Cell; readonly variable?: undefined };

/** What an atom is about. */
export type AtomKind = "relation" | "query" | "partial";

/**
 * Some row of a relation, or some unknown of a query, whose columns have the values of variables: `claims({ city: "c", source: "s" })`. A variable
 * that several atoms of a rule share has one value in all of them.
 */
export class Atom<V = object, K extends AtomKind = AtomKind> {
  /** A row of a relation, an unknown of a query, or any of several unknowns, as some key columns are not bound. */
  readonly kind: K;
  /** For the compiler alone: there is no such field. */
  declare readonly variables: V;
  /** What it is about. */
  readonly facts: Facts;
  /** By column that is named, the variable or the value. */
  readonly terms: readonly Term[];
  /** Of unknowns, the number of the state that satisfies the literal. */
  readonly state: number;
  readonly #stateText: string;

  constructor(kind: K, facts: Facts, bindings: object, state = 1, stateText = "") {
    this.kind = kind;
    this.facts = facts;
    this.terms = termsOf(facts, bindings);
    this.state = state;
    this.#stateText = stateText;
  }

  /** As it is printed: `claims(city: c, source: "a")`. */
  toString(): string {
    const terms = this.terms.map(
      ({ column, variable, equals }) => `${this.facts.columns[column].name}: ${variable ?? JSON.stringify(equals)}`,
    );
    return `${this.facts.name}(${terms.join(", ")})${this.#stateText}`;
  }
}

function termsOf(facts: Facts, bindings: object): Term[] {
  const where = facts.name;
  if (Object.prototype.toString.call(bindings) !== "[object Object]")
    refuse(
      where,
      "what is bound",
      bindings,
      "an object of variables by column",
      `${facts.name}({ ${facts.columns[0].name}: "x" })`,
    );
  return Object.entries(bindings).map(([name, bound]: [string, unknown]): Term => {
    const column = facts.columnNumber(where, name);
    if (typeof bound === "string" && bound !== "") return { column, variable: bound };
    const equals = (bound as { equals?: unknown } | null)?.equals;
    const { type } = facts.columns[column];
    if (equals === undefined || typeof bound === "string")
      throw new OptionError(
        where,
        `column "${name}" is bound to ${shown(bound)}, but must be to the name of a variable, "x", or to a value: { equals: 5 }`,
        "OPTION_TYPE",
      );
    const given = typeOf(equals);
    if (given === undefined || (type !== undefined && given !== type))
      throw new OptionError(
        where,
        `column "${name}" is to equal ${shown(equals)}, but holds a ${type ?? "value"}`,
        "OPTION_TYPE",
      );
    return { column, equals: equals as Cell };
  });
}
