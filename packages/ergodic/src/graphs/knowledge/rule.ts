import { checkChoice, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { Atom, type AtomKind } from "./atom.ts";
import type { BoundByBody, OneTypeEach, RowOf } from "./types.ts";

/** What a rule's factors are functions by: those of `factorGraph()`, of the unknowns of the body, and the head as the last. */
export type Semantics = (typeof semanticsNames)[number];
/** How a rule's groundings become factors: one for each, or for the last three, one for each head and weight, in which they vote. */
export const semanticsNames = ["imply", "implyNatural", "and", "all", "or", "equal", "linear", "ratio", "logical"] as const;
/** What groundings of one head vote by. */
export const votes: readonly Semantics[] = ["linear", "ratio", "logical"];

/** A rule's options; `R`: the values of its variables, by name. */
export interface RuleOptions<R> {
  /** What errors and explanations call it. Default: the rule itself. */
  name?: string;
  /** A number: fixed. A name: learned, and shared with other rules of that name. A function of a row: learned, one weight for each name that it gives. */
  weight: number | string | ((row: R) => number | string);
  /** What learned weights start with. Default 0. */
  initial?: number;
  /** Multiplies the weight. Default 1. */
  feature?: number | ((row: R) => number);
  /** Which values count. */
  where?: (row: R) => boolean;
  /** What the factors are functions by. Default "imply". */
  semantics?: Semantics;
}

type AnyAtom = Atom<object, AtomKind>;

/**
 * A weighted rule of a knowledge base: for all values of its variables for which each atom of the body is there, and the head too, a factor about the
 * head and the unknowns of the body.
 *
 *   weightedRule({ head: holds({ city: "c", size: "n" }), body: [claims({ city: "c", size: "n", source: "s" })], weight: (row) => row.s })
 *
 * A row's values are there for as long as the function runs: copy what is to be kept. Functions must give the same for the same values.
 *
 * @throws OptionError for variables that nothing binds, and for those that would have to be of two types
 */
export function weightedRule<const H extends Atom<object, "query">, const B extends readonly AnyAtom[] = readonly []>(
  options: RuleOptions<RowOf<H, B>> & {
    /** The unknown that the rule is about, or `query.not()`. Its variables are bound by the body, if there is one. */
    head: H & BoundByBody<H, B>;
    /** Rows and unknowns that must be there. Default: none. */
    body?: B & OneTypeEach<RowOf<H, B>>;
  },
): WeightedRule {
  return new WeightedRule(options as unknown as GivenRule);
}

type Values = Readonly<Record<string, unknown>>;
interface GivenRule extends RuleOptions<Values> {
  head: AnyAtom;
  body?: readonly AnyAtom[];
}

/** A rule that was checked: made by `weightedRule()`. */
export class WeightedRule {
  /** As it was given, or what the rule says. */
  readonly name: string;
  /** Of the body, then the head. */
  readonly atoms: readonly AnyAtom[];
  /** Names of the variables. */
  readonly variables: readonly string[];
  /** Weight and functions, as they were given. */
  readonly options: RuleOptions<Values>;
  /** What its factors are functions by. */
  readonly semantics: Semantics;

  /** Use `weightedRule()`, which knows the types. */
  constructor(given: GivenRule) {
    const where = `rule${typeof given?.name === "string" ? ` "${given.name}"` : ""}`;
    checkKeys(where, given, ["name", "head", "body", "weight", "initial", "feature", "where", "semantics"]);
    const { head, body = [], semantics = "imply", ...options } = given;
    if (!(head instanceof Atom) || head.kind !== "query")
      refuse(where, "head", head, "an unknown of a query with all its key columns", 'head: holds({ city: "c" })');
    if (!Array.isArray(body) || !body.every((atom) => atom instanceof Atom))
      refuse(where, "body", body, "a list of atoms", 'body: [claims({ city: "c" })]');
    checkChoice(where, "semantics", semantics, semanticsNames);
    this.atoms = [...body, head];
    this.semantics = semantics;
    this.options = options;
    this.name = options.name ?? `${head} if ${body.length > 0 ? body.join(", ") : "nothing else"}`;
    if (typeof this.name !== "string" || this.name === "") refuse(where, "name", this.name, "a text", 'name: "sources"');
    this.variables = [...new Set(this.atoms.flatMap((atom) => atom.terms.flatMap(({ variable }) => variable ?? [])))];
    this.#checkOptions();
    this.#checkVariables(body, head);
    this.#checkSemantics(body);
  }

  /** What errors name it by. */
  get place(): string {
    return `rule "${this.name}"`;
  }

  /** Its name. */
  toString(): string {
    return this.name;
  }

  #checkOptions(): void {
    const { weight, initial, feature, where } = this.options;
    const finite = (value: unknown) => typeof value === "number" && Number.isFinite(value);
    if (!finite(weight) && !(typeof weight === "string" && weight !== "") && typeof weight !== "function")
      refuse(
        this.place,
        "weight",
        weight,
        "a number, a name, or a function that gives one",
        'weight: (row) => "word=" + row.word',
      );
    if (initial !== undefined && !finite(initial)) refuse(this.place, "initial", initial, "a number", "initial: 0.5");
    if (feature !== undefined && !finite(feature) && typeof feature !== "function")
      refuse(this.place, "feature", feature, "a number, or a function that gives one", "feature: (row) => row.score");
    if (where !== undefined && typeof where !== "function")
      refuse(this.place, "where", where, "a function that gives true or false", "where: (row) => row.a < row.b");
  }

  /** The head's are among the body's; each is of one type. */
  #checkVariables(body: readonly AnyAtom[], head: AnyAtom): void {
    const bound = new Set(body.flatMap((atom) => atom.terms.flatMap(({ variable }) => variable ?? [])));
    const loose = body.length > 0 ? head.terms.find(({ variable }) => variable !== undefined && !bound.has(variable)) : undefined;
    if (loose !== undefined) {
      const near = nearest(loose.variable!, [...bound]);
      throw new OptionError(
        this.place,
        `the head has the variable "${loose.variable}", which the body does not bind${near ? `; did you mean "${near}"?` : ""} (it binds ${[...bound].join(", ") || "none"})`,
        "OPTION_MEANING",
      );
    }
    const types = new Map<string, { type: string; place: string }>();
    for (const { facts, terms } of this.atoms)
      for (const { column, variable } of terms) {
        const { type, name } = facts.columns[column];
        if (variable === undefined || type === undefined) continue;
        const before = types.get(variable);
        if (before && before.type !== type)
          throw new OptionError(
            this.place,
            `the variable "${variable}" is a ${before.type} in ${before.place}, but a ${type} in ${facts.name}.${name}; convert one of the columns, or take two variables`,
            "OPTION_TYPE",
          );
        types.set(variable, before ?? { type, place: `${facts.name}.${name}` });
      }
  }

  #checkSemantics(body: readonly AnyAtom[]): void {
    const unknowns = body.filter(({ kind }) => kind !== "relation").length;
    if (votes.includes(this.semantics)) {
      if (unknowns > 1)
        throw new OptionError(
          this.place,
          `semantics "${this.semantics}" counts votes of one unknown each, but the body has ${unknowns}; make a query of what they say together, or take "imply"`,
          "OPTION_MEANING",
        );
      if (this.options.feature !== undefined)
        throw new OptionError(
          this.place,
          `feature has no meaning with votes ("${this.semantics}"); put it into the weight`,
          "OPTION_CONFLICT",
        );
    }
    if (this.semantics === "equal" && unknowns === 0)
      throw new OptionError(
        this.place,
        'semantics "equal" compares the head with unknowns of the body, but there are none; take "imply"',
        "OPTION_MEANING",
      );
  }
}
