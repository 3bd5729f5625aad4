import { checkChoice, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { Atom, type AtomKind } from "./atom.ts";
import type { BoundByBody, OneTypeEach, RowOf } from "./types.ts";

/**
 * Function that a rule's factors compute. Factor graphs (`factorGraph()`) have the same functions. The arguments of the
 * function are the unknowns of the body, followed by the head.
 */
export type Semantics = (typeof semanticsNames)[number];
/**
 * Functions that turn groundings into factors. Each grounding becomes one factor. The last three functions are an
 * exception: all groundings with the same head and weight vote in one shared factor.
 */
export const semanticsNames = ["imply", "implyNatural", "and", "all", "or", "equal", "linear", "ratio", "logical"] as const;
/** Functions for which all groundings of a head vote in one factor. */
export const votes: readonly Semantics[] = ["linear", "ratio", "logical"];

/** Options of a rule. `R` maps the names of its variables to the types of their values. */
export interface RuleOptions<R> {
  /** Name in errors and explanations. Default: the printed rule. */
  name?: string;
  /**
   * A number is a fixed weight. A name is a learned weight, shared by all rules with that name. A function of a row can
   * return a name, which gives a learned weight, or a number, which gives a fixed weight.
   */
  weight: number | string | ((row: R) => number | string);
  /** Initial value of learned weights. Default 0. */
  initial?: number;
  /** Multiplier of the weight. Default 1. */
  feature?: number | ((row: R) => number);
  /** Condition that selects groundings. Default: all count. */
  where?: (row: R) => boolean;
  /** Function that the factors compute. Default "imply". */
  semantics?: Semantics;
}

type AnyAtom = Atom<object, AtomKind>;

/**
 * Creates a weighted rule of a knowledge base. Whenever values of its variables match every atom of the body and the
 * head, the rule adds a factor over the head and the unknowns of the body.
 *
 * A row object is valid only while the function runs, so copy the values to keep. Functions must return the same result
 * for the same values.
 *
 * @throws OptionError for variables that no atom binds, and for variables with two different types
 *
 * @example
 * ```ts
 * weightedRule({
 *   head: holds({ city: "c", size: "n" }),
 *   body: [claims({ city: "c", size: "n", source: "s" })],
 *   weight: (row) => row.s,
 * })
 * ```
 */
export function weightedRule<const H extends Atom<object, "query">, const B extends readonly AnyAtom[] = readonly []>(
  options: RuleOptions<RowOf<H, B>> & {
    /**
     * The unknown that the rule is about, or its negation with `query.not()`. If there is a body, the body must bind
     * the head's variables.
     */
    head: H & BoundByBody<H, B>;
    /** Rows and unknowns that must exist. Default: none. */
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

/** A checked rule, created by `weightedRule()`. */
export class WeightedRule {
  protected static readonly typeName: string = "WeightedRule";
  /** Given name, or the rule in printed form. */
  readonly name: string;
  /** Atoms of the body, then the head. */
  readonly atoms: readonly AnyAtom[];
  /** Names of the variables. */
  readonly variables: readonly string[];
  /** Weight and functions as given. */
  readonly options: RuleOptions<Values>;
  /** Function that the factors compute. */
  readonly semantics: Semantics;

  /** Use `weightedRule()`, which checks the types. */
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

  /** Name of the rule in error messages. */
  get place(): string {
    return `rule "${this.name}"`;
  }

  /** Start of the names of weights that a function names. */
  get weightPrefix(): string {
    return `${this.name}: `;
  }

  /** Returns the name. */
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

  /** Checks that the body binds the head's variables and that each variable has one type. */
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
            `the variable "${variable}" is a ${before.type} in ${before.place}, but a ${type} in ${facts.name}.${name}; convert one of the columns, or use two variables`,
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
          `semantics "${this.semantics}" counts votes of one unknown each, but the body has ${unknowns}; make a query for their combination, or use "imply"`,
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
        'semantics "equal" compares the head with unknowns of the body, but there are none; use "imply"',
        "OPTION_MEANING",
      );
  }
}
