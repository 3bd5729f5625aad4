/**
 * Converts a formula's tree to terms: response, fixed effects with interactions, smooths, offsets and group effects.
 *
 * `a*b` is a + b + a:b; `(a + b):c` is a:c + b:c; `(a + b)^2` is all interactions of two; `a/b` is a + a:b. Terms are
 * sorted by the number of their variables, then by their position in the text, as in R.
 *
 * @throws OptionError [FORMULA_SYNTAX], [FORMULA_TERM] with the term and what to write instead
 */
import { OptionError } from "../../engine/errors/errors.ts";
import { misread, type Node, parse, printed } from "./syntax.ts";
import { withoutTilde } from "./without-tilde.ts";

/** Variable that occurs in terms: a column, or an expression of columns. */
export interface Variable {
  readonly label: string;
  readonly expression: Node;
}

/** A product of variables. */
export interface Term {
  readonly label: string;
  readonly variables: readonly Variable[];
}

/** Terms with or without an intercept. */
export interface Effects {
  readonly intercept: boolean;
  readonly terms: readonly Term[];
}

/** Smooth term `s(x, k = 10)`. */
export interface SmoothTerm extends Variable {
  /** Dimension of the basis, including the constant. */
  readonly dimension: number;
}

/** Group term `(effects | group)`. */
export interface GroupTerm extends Effects {
  /** Name of the grouping in the formula, such as "herd" or "school:class". */
  readonly label: string;
  /** Columns that define the groups by their combined levels. */
  readonly columns: readonly string[];
  readonly correlated: boolean;
  /** Text of the term, as written. */
  readonly text: string;
}

export interface Formula extends Effects {
  readonly text: string;
  readonly response: Variable;
  /** Number of trials of a binomial response. */
  readonly trials?: Variable;
  readonly smooths: readonly SmoothTerm[];
  readonly offsets: readonly Variable[];
  readonly groups: readonly GroupTerm[];
}

/** Limits on formulas. Formulas that people write are far smaller than these limits. */
const MOST_CHARACTERS = 10_000;
const MOST_NESTED = 200;
const MOST_PRODUCTS = 20_000;
const SMOOTH_DIMENSION = 10;
const LEAST_SMOOTH = 3;

/** Functions in R's formulas that do not exist here, with the form to write instead. */
const elsewhere: Readonly<Record<string, string>> = {
  poly: "write I(x^2), or s(x) for a curve",
  ns: "write s(x)",
  bs: "write s(x)",
  te: "smooths of several columns are not supported; write s(x) + s(z)",
  t2: "smooths of several columns are not supported; write s(x) + s(z)",
  scale: "columns are centred and scaled by sample() where that helps; name the column alone",
  weights: "repeat the rows, or write the model with model()",
  mo: "write factor(x)",
  gp: "write s(x)",
  ar: "rows must not depend on each other; write the model with model()",
  cens: "write the model with model(), as examples/models/survival.ts does",
  mi: "fill in missing values first, or write the model with model()",
};

export function readFormula(text: string): Formula {
  if (text.trim() === "")
    throw misread(text, { start: 0 }, 'it is empty; write what is observed and what it depends on, as in "y ~ x"');
  if (text.length > MOST_CHARACTERS)
    throw new OptionError(
      "formula",
      `it has ${text.length} characters, but at most ${MOST_CHARACTERS} are allowed`,
      "FORMULA_SYNTAX",
    );
  checkNesting(text);
  const tree = parse(text);
  if (tree.kind !== "binary" || tree.operator !== "~") throw misread(text, { start: 0 }, withoutTilde(tree, text));
  if (tree.left.kind === "binary" && tree.left.operator === "~")
    throw misread(text, tree.right, 'there are two "~"; keep the one between what is observed and its terms', "FORMULA_TERM");
  return new Reader(text).formula(tree.left, tree.right);
}

/** Limits the nesting of parentheses, because the parser recurses. */
function checkNesting(text: string): void {
  let depth = 0;
  for (const [start, character] of [...text].entries()) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (depth > MOST_NESTED) throw misread(text, { start }, `parentheses are nested more than ${MOST_NESTED} deep; write fewer`);
  }
}

type Expanded = readonly (readonly Variable[])[];

class Reader {
  readonly #text: string;
  readonly #smooths: SmoothTerm[] = [];
  readonly #offsets: Variable[] = [];
  readonly #groups: GroupTerm[] = [];
  #isIntercept: boolean | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  formula(left: Node, right: Node): Formula {
    const { response, trials } = this.#response(left);
    const effects = this.#effects(right, true);
    const [first] = effects.terms.filter(({ variables }) => variables.some(({ label }) => label === response.label));
    if (first) throw this.#refuse(right, `"${first.label}" contains what is observed; remove it from the right of ~`);
    return {
      text: this.#text,
      response,
      ...(trials ? { trials } : {}),
      ...effects,
      smooths: this.#smooths,
      offsets: this.#offsets,
      groups: this.#groups,
    };
  }

  #response(node: Node): Pick<Formula, "response" | "trials"> {
    if (node.kind === "binary" && node.operator === "|") {
      const { right } = node;
      if (right.kind !== "call" || right.name !== "trials" || right.given.length !== 1)
        throw this.#refuse(
          right,
          `"${printed(right)}" follows |, where only trials(n) is allowed; write y | trials(n) ~ … for counts of n trials`,
        );
      return { response: this.#variable(node.left), trials: this.#variable(right.given[0]) };
    }
    if (node.kind === "call" && (node.name === "cbind" || node.name === "c"))
      throw this.#refuse(node, `${node.name}(…) is not known; write "y | trials(n) ~ …" for y successes of n trials`);
    if (node.kind === "call" && node.name === "factor")
      throw this.#refuse(node, `factor(…) is observed; write the column alone, and family: "ordinal" or "bernoulli"`);
    return { response: this.#variable(node) };
  }

  /** Reads the right side of ~ if `whole` is true, otherwise the left side of |. */
  #effects(node: Node, whole: boolean): Effects {
    const outer = this.#isIntercept;
    this.#isIntercept = undefined;
    const found = this.#sum(node, whole);
    const intercept = this.#isIntercept ?? true;
    this.#isIntercept = outer;
    const order = found.flat().sort((a, b) => a.expression.start - b.expression.start);
    const terms = new Map<string, Term>();
    const indexOf = ({ label }: Variable): number => order.findIndex((known) => known.label === label);
    for (const variables of found) {
      const unique = variables.filter(({ label }, i) => variables.findIndex((other) => other.label === label) === i);
      unique.sort((a, b) => indexOf(a) - indexOf(b));
      const label = unique.map((one) => one.label).join(":");
      if (!terms.has(label)) terms.set(label, { label, variables: unique });
    }
    return { intercept, terms: [...terms.values()].sort((a, b) => a.variables.length - b.variables.length) };
  }

  #sum(node: Node, whole: boolean): Expanded {
    if (node.kind === "unary" && node.operator === "+") return this.#sum(node.operand, whole);
    if (node.kind === "unary") return this.#without(node.operand);
    if (node.kind === "number") return this.#constant(node);
    if (node.kind === "binary" && node.operator === "+") return [...this.#sum(node.left, whole), ...this.#sum(node.right, whole)];
    if (node.kind === "binary" && node.operator === "-") {
      const kept = this.#sum(node.left, whole);
      return [...kept, ...this.#without(node.right)];
    }
    if (node.kind === "binary" && (node.operator === "|" || node.operator === "||")) {
      if (!whole)
        throw this.#refuse(
          node,
          "a group is within another; write each as its own term, (1 | a) + (1 | b), or (1 | a / b) for groups within groups",
        );
      if (this.#text[node.start] !== "(")
        throw this.#refuse(node, `effects of groups are written within parentheses; write "(${printed(node)})"`);
      this.#group(node);
      return [];
    }
    if (node.kind === "call" && node.name === "offset") {
      if (!whole) throw this.#refuse(node, "an offset has no effect that could vary; write it outside of the parentheses");
      if (node.given.length !== 1) throw this.#refuse(node, "offset() takes one column; write offset(x), or offset(log(x))");
      this.#offsets.push(this.#variable(node.given[0]));
      return [];
    }
    if (node.kind === "call" && node.name === "s") {
      if (!whole) throw this.#refuse(node, "a smooth cannot vary by group; write it outside of the parentheses");
      this.#smooth(node);
      return [];
    }
    return this.#product(node);
  }

  /** Handles `- 1`: no intercept. */
  #without(node: Node): Expanded {
    if (node.kind === "number" && node.value === 1) return this.#constant({ ...node, value: 0 });
    if (node.kind === "number" && node.value === 0) return this.#constant({ ...node, value: 1 });
    throw this.#refuse(
      node,
      `"- ${printed(node)}" removes a term, but only the intercept can be removed, by "- 1"; write only the terms that are wanted`,
    );
  }

  #constant(node: Node & { kind: "number" }): Expanded {
    if (node.value !== 0 && node.value !== 1)
      throw this.#refuse(
        node,
        `the number ${node.value} is not a term: 1 is the intercept, and 0 omits it; write offset(x) to add a column as it is`,
      );
    const wanted = node.value === 1;
    if (this.#isIntercept !== undefined && this.#isIntercept !== wanted)
      throw this.#refuse(node, "the intercept is both requested and omitted; keep one of 1 and 0");
    this.#isIntercept = wanted;
    return [];
  }

  #product(node: Node): Expanded {
    if (node.kind === "binary") {
      const { operator } = node;
      if (operator === "*") {
        const [left, right] = [this.#factor(node.left), this.#factor(node.right)];
        return this.#few(node, [...left, ...right, ...cross(left, right)]);
      }
      if (operator === ":") return this.#few(node, cross(this.#factor(node.left), this.#factor(node.right)));
      if (operator === "/") {
        const [left, right] = [this.#factor(node.left), this.#factor(node.right)];
        return this.#few(node, [...left, ...cross([left.flat()], right)]);
      }
      if (operator === "^") return this.#power(node.left, node.right);
    }
    return [[this.#variable(node)]];
  }

  #factor(node: Node): Expanded {
    if (node.kind === "number")
      throw this.#refuse(
        node,
        `the number ${node.value} is a factor of an interaction; name a column, or write I(${node.value} * x) for a multiple`,
      );
    if (node.kind === "call" && (node.name === "s" || node.name === "offset"))
      throw this.#refuse(node, `${printed(node)} is part of an interaction, but must be a separate term; add it with +`);
    if (node.kind === "binary" && (node.operator === "|" || node.operator === "||"))
      throw this.#refuse(node, "effects of a group are part of an interaction; add them with +");
    if (node.kind === "binary" && node.operator === "+") return [...this.#factor(node.left), ...this.#factor(node.right)];
    return this.#product(node);
  }

  /** Removes duplicates, so that each product occurs once and contains each variable once. */
  #few(node: Node, terms: Expanded): Expanded {
    if (terms.length > MOST_PRODUCTS)
      throw this.#refuse(node, `there are more than ${MOST_PRODUCTS} products of columns; name those that matter`);
    const distinct = terms.map((variables) => [...new Map(variables.map((one) => [one.label, one])).values()]);
    const keyOf = (variables: readonly Variable[]): string => JSON.stringify(variables.map(({ label }) => label).sort());
    const all = new Map<string, readonly Variable[]>();
    for (const variables of distinct) if (!all.has(keyOf(variables))) all.set(keyOf(variables), variables);
    return [...all.values()];
  }

  #power(base: Node, exponent: Node): Expanded {
    if (exponent.kind !== "number" || !Number.isInteger(exponent.value) || exponent.value < 1)
      throw this.#refuse(exponent, `"^ ${printed(exponent)}" needs a whole number; write I(x^2) for the square of a column`);
    const terms = this.#factor(base);
    if (terms.length === 1)
      throw this.#refuse(
        base,
        `"${printed(base)}^${printed(exponent)}" is "${printed(base)}" in a formula; write I(${printed(base)}^${printed(exponent)}) for a power of the column`,
      );
    let all = terms;
    // A product has at most as many variables as there are terms.
    for (let k = 1; k < Math.min(exponent.value, terms.length); k++) all = this.#few(base, [...all, ...cross(all, terms)]);
    return all;
  }

  #smooth(node: Node & { kind: "call" }): void {
    const { given, named } = node;
    const unknown = [...named.keys()].find((name) => name !== "k");
    if (unknown !== undefined)
      throw this.#refuse(node, `s() has no option "${unknown}" (known: k, the dimension of its basis); remove it`);
    if (given.length !== 1)
      throw this.#refuse(node, `s() takes one column, but has ${given.length}; write s(x) + s(z) for two curves`);
    const k = named.get("k");
    const dimension = k === undefined ? SMOOTH_DIMENSION : k.kind === "number" ? k.value : Number.NaN;
    if (!Number.isInteger(dimension) || dimension < LEAST_SMOOTH)
      throw this.#refuse(
        k ?? node,
        `k must be a whole number >= ${LEAST_SMOOTH}; write s(${printed(given[0])}, k = ${SMOOTH_DIMENSION})`,
      );
    const { expression } = this.#variable(given[0]);
    const label = `s(${printed(given[0])})`;
    if (this.#smooths.some((known) => known.label === label)) throw this.#refuse(node, `${label} is there twice; remove one`);
    this.#smooths.push({ label, expression, dimension });
  }

  #group(node: Node & { kind: "binary" }): void {
    const { left, right, operator } = node;
    const text = `(${printed(node)})`;
    const effects = this.#effects(left, false);
    if (!effects.intercept && effects.terms.length === 0)
      throw this.#refuse(left, `${text} lets nothing vary; write (1 | ${printed(right)}) for an intercept of each group`);
    for (const columns of this.#nested(right)) {
      const label = columns.join(":");
      this.#groups.push({ ...effects, label, columns, correlated: operator === "|", text });
    }
  }

  /** Reads nested groups: `a / b` means the groups of a and, within each, the groups of b. */
  #nested(node: Node): string[][] {
    if (node.kind === "name") return [[node.name]];
    if (node.kind === "binary" && (node.operator === "/" || node.operator === ":")) {
      const [left, right] = [this.#nested(node.left), this.#nested(node.right)];
      const inner = right.map((columns) => [...left.at(-1)!, ...columns]);
      return node.operator === "/" ? [...left, ...inner] : inner;
    }
    if (node.kind === "binary" && (node.operator === "+" || node.operator === "*"))
      throw this.#refuse(
        node,
        `"${printed(node)}" are several groups; write a term for each, (1 | a) + (1 | b), or (1 | a:b) for their combinations`,
      );
    throw this.#refuse(node, `"${printed(node)}" names no group; write the name of a column on the right of |`);
  }

  #variable(node: Node): Variable {
    this.#checkExpression(node, false);
    const label = printed(node);
    return { label, expression: node };
  }

  #checkExpression(node: Node, inner: boolean): void {
    switch (node.kind) {
      case "name":
        if (node.name === ".") throw this.#refuse(node, '"." is not supported; name the columns');
        return;
      case "number":
        if (inner) return;
        throw this.#refuse(node, `${node.value} is a number where a column is wanted; name a column`);
      case "text":
        throw this.#refuse(node, `"${node.value}" is a text where a column is wanted; write it without quotes, or within \`…\``);
      case "call":
        this.#checkCall(node);
        return;
      case "unary":
        if (!inner) throw this.#refuse(node, `"${printed(node)}" is arithmetic; write I(${printed(node)})`);
        this.#checkExpression(node.operand, true);
        return;
      case "binary":
        if (!inner || !"+-*/^".includes(node.operator))
          throw this.#refuse(
            node,
            `"${printed(node)}" is arithmetic where a column is wanted; write I(${printed(node)}), or make a column of it`,
          );
        this.#checkExpression(node.left, true);
        this.#checkExpression(node.right, true);
    }
  }

  #checkCall(node: Node & { kind: "call" }): void {
    const { name, given, named } = node;
    if (!functionNames.includes(name)) {
      const advice = Object.hasOwn(elsewhere, name)
        ? elsewhere[name]
        : `known are ${functionNames.join(", ")}, s and offset; or make a column of it`;
      throw this.#refuse(node, `${name}() is not known; ${advice}`);
    }
    if (given.length !== 1 || named.size > 0) throw this.#refuse(node, `${name}() takes one column; write ${name}(x)`);
    if (name === "factor") {
      if (given[0].kind !== "name") throw this.#refuse(node, "factor() takes the name of a column; write factor(x)");
      return;
    }
    this.#checkExpression(given[0], true);
  }

  #refuse(place: Node, message: string): OptionError {
    return misread(this.#text, place, message, "FORMULA_TERM");
  }
}

/** Functions of a column. I() is arithmetic on columns. */
export const functionNames = ["I", "factor", "log", "log2", "log10", "log1p", "exp", "sqrt", "abs"];

const cross = (left: Expanded, right: Expanded): Expanded => left.flatMap((a) => right.map((b) => [...a, ...b]));
