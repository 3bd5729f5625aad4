import { refuse } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { type Cell, type Facts, typeOf } from "./facts.ts";

/** Condition on one column of an atom: a variable or a fixed value. */
export type Term =
  | { readonly column: number; readonly variable: string; readonly equals?: undefined }
  | { readonly column: number; readonly equals: Cell; readonly variable?: undefined };

/** Kind of an atom: a row of a relation, one unknown of a query, or any of several unknowns ("partial"). */
export type AtomKind = "relation" | "query" | "partial";

/**
 * Pattern that matches rows of a relation or unknowns of a query by binding columns to variables:
 * `claims({ city: "c", source: "s" })`. A variable that several atoms of a rule share has the same value in all of
 * them.
 */
export class Atom<V = object, K extends AtomKind = AtomKind> {
  protected static readonly typeName: string = "Atom";
  /**
   * Whether the atom matches a row of a relation, one unknown of a query, or (if some key columns are unbound) any of
   * several unknowns.
   */
  readonly kind: K;
  /** The field exists only in the type, not at run time. */
  declare readonly variables: V;
  /** Relation or query that the atom refers to. */
  readonly facts: Facts;
  /** Variable or value of each bound column. */
  readonly terms: readonly Term[];
  /** Index of the state that satisfies the literal, if the atom refers to unknowns. */
  readonly state: number;
  readonly #stateText: string;

  constructor(kind: K, facts: Facts, bindings: object, state = 1, stateText = "") {
    this.kind = kind;
    this.facts = facts;
    this.terms = termsOf(facts, bindings);
    this.state = state;
    this.#stateText = stateText;
  }

  /** Returns the printed form: `claims(city: c, source: "a")`. */
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
        `column "${name}" is compared with ${shown(equals)}, but holds a ${type ?? "value"}`,
        "OPTION_TYPE",
      );
    return { column, equals: equals as Cell };
  });
}
