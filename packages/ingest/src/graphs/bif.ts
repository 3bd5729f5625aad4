/**
 * Bayesian networks in BIF, the Interchange Format → factor graphs, and back.
 *
 * Each variable has a factor P(variable | parents). The factor's scope is the parents followed by the variable. The
 * reader accepts comments, properties (which are ignored), quoted names, rows `(states of the parents) numbers`,
 * `default` and `table`. In `table` the variable's states vary slowest and the last parent's states fastest.
 * Source: F. G. Cozman, The Interchange Format for Bayesian Networks, 0.15.
 *
 * @throws DataError DATA_PARSE, DATA_TRUNCATED, DATA_MISSING, DATA_UNSUPPORTED with line and column
 */
import { CapabilityError, ErgodicError, OptionError } from "ergodic/data";
import { type FactorGraph, factorGraph } from "ergodic/graphs";
import { listed, show } from "../fault.ts";
import { textNumber } from "../number.ts";
import { openSource, type Source } from "../source.ts";
import { BifLexer, type BifToken, needsQuotes } from "./bif-lexer.ts";
import { cyclic, statesOfRow, unevenRow } from "./network.ts";
import { Allowance, entriesOf } from "./tokens.ts";

/** Reads a Bayesian network from a BIF file. @throws DataError that names line and column */
export async function readBif(source: Source): Promise<FactorGraph> {
  return new BifReader(await BifLexer.of(openSource(source))).read();
}

class BifReader {
  private readonly lexer: BifLexer;
  private readonly graph = factorGraph();
  private readonly numbers = new Map<string, number>();
  private readonly states: Map<string, number>[] = [];
  private readonly declared: BifToken[] = [];
  private readonly parents: (number[] | undefined)[] = [];
  private readonly allowance: Allowance;

  constructor(lexer: BifLexer) {
    this.lexer = lexer;
    this.allowance = new Allowance(lexer.length);
  }

  read(): FactorGraph {
    const { lexer } = this;
    if (lexer.peek().kind === "end") throw lexer.fault(lexer.peek(), "the file is empty; fetch it again", "DATA_EMPTY");
    for (let token = lexer.next(); token.kind !== "end"; token = lexer.next()) {
      if (token.kind === "word" && token.text === "network") this.network();
      else if (token.kind === "word" && token.text === "variable") this.variable();
      else if (token.kind === "word" && token.text === "probability") this.probability();
      else throw lexer.unexpected(token, "network, variable or probability");
    }
    const without = this.declared.findIndex((_, variable) => this.parents[variable] === undefined);
    if (without >= 0)
      throw lexer.fault(
        this.declared[without],
        `the variable ${show(this.declared[without].text)} has no probability block; add one`,
        "DATA_MISSING",
      );
    const circle = cyclic(this.parents as number[][]);
    if (circle !== undefined)
      throw lexer.fault(
        this.declared[circle],
        `the variable ${show(this.declared[circle].text)} is on a cycle of parents, or descends from one; remove an edge`,
        "DATA_PARSE",
      );
    return this.graph;
  }

  private network(): void {
    this.lexer.word("the network's name");
    this.lexer.mark("{", "after the network's name");
    while (!this.lexer.skip("}")) {
      this.lexer.word('a property, or "}"');
      this.lexer.skipStatement();
    }
  }

  private variable(): void {
    const { lexer } = this;
    const name = lexer.word("a variable's name");
    if (this.numbers.has(name.text))
      throw lexer.fault(name, `the variable ${show(name.text)} is declared twice; remove one`, "DATA_PARSE");
    lexer.mark("{", "after the variable's name");
    let states: string[] | undefined;
    while (!lexer.skip("}")) {
      const item = lexer.word('type, property, or "}"');
      if (item.text !== "type") lexer.skipStatement();
      else if (states === undefined) states = this.type();
      else throw lexer.fault(item, `the variable ${show(name.text)} has two types; remove one`, "DATA_PARSE");
    }
    if (states === undefined)
      throw lexer.fault(name, `the variable ${show(name.text)} has no type; add its states`, "DATA_MISSING");
    const number = this.checked(name, () => this.graph.variable(name.text, states));
    this.numbers.set(name.text, number);
    this.states.push(new Map(states.map((state, i) => [state, i])));
    this.declared.push(name);
    this.parents.push(undefined);
  }

  private type(): string[] {
    const { lexer } = this;
    const kind = lexer.word("discrete");
    if (kind.text !== "discrete")
      throw lexer.fault(kind, `the type is ${show(kind.text)}, but must be discrete`, "DATA_UNSUPPORTED");
    let count: BifToken | undefined;
    if (lexer.skip("[")) {
      count = lexer.word("the number of states");
      lexer.mark("]", "after the number of states");
    }
    lexer.mark("{", "before the states");
    const states: string[] = [];
    while (!lexer.skip("}")) {
      states.push(lexer.word('a state, or "}"').text);
      lexer.skip(",");
    }
    lexer.mark(";", "after the states");
    if (count !== undefined && textNumber(count.text, ".") !== states.length)
      throw lexer.fault(
        count,
        `${states.length} states are listed, but the declared number is ${show(count.text)}; correct one of them`,
        "DATA_PARSE",
      );
    return states;
  }

  private probability(): void {
    const { lexer } = this;
    lexer.mark("(", "after probability");
    const names = [lexer.word("a variable")];
    while (!lexer.skip(")")) {
      if (!lexer.skip("|")) lexer.skip(",");
      const { kind, text } = lexer.peek();
      if (kind === "mark" && text === ")") continue;
      names.push(lexer.word('a parent, or ")"'));
    }
    const [child, ...parents] = names.map((name) => this.known(name));
    const twice = names.find((name, i) => names.findIndex(({ text }) => text === name.text) < i);
    if (twice) throw lexer.fault(twice, `${show(twice.text)} occurs twice; remove one`, "DATA_PARSE");
    if (this.parents[child] !== undefined)
      throw lexer.fault(names[0], `the variable ${show(names[0].text)} has two probability blocks; remove one`, "DATA_PARSE");
    this.parents[child] = parents;
    const values = this.rows(names[0], child, parents);
    this.checked(names[0], () => this.graph.table([...parents, child], values));
  }

  private known(name: BifToken): number {
    const number = this.numbers.get(name.text);
    if (number !== undefined) return number;
    throw this.lexer.fault(
      name,
      `there is no variable ${show(name.text)} above; declare it before its probabilities`,
      "DATA_PARSE",
    );
  }

  /** Reads P(child | parents), where the child's state varies fastest. */
  private rows(name: BifToken, child: number, parents: readonly number[]): Float64Array {
    const { lexer } = this;
    const childCount = this.states[child].size;
    const counts = parents.map((parent) => this.states[parent].size);
    const rowCount = entriesOf(counts);
    if (!this.allowance.take(rowCount * childCount))
      throw lexer.fault(
        name,
        `the parents of ${show(name.text)} have ${rowCount} joint states, more than this file can list`,
        "DATA_UNSUPPORTED",
      );
    const values = new Float64Array(rowCount * childCount).fill(Number.NaN);
    let otherwise: number[] | undefined;
    lexer.mark("{", "after the variables");
    while (!lexer.skip("}")) {
      const item = lexer.next();
      if (item.kind === "mark" && item.text === "(") {
        const row = this.row(parents, counts);
        if (!Number.isNaN(values[row * childCount]))
          throw lexer.fault(item, "these states of the parents were given before; remove one", "DATA_PARSE");
        values.set(this.numbersOf(childCount), row * childCount);
      } else if (item.kind === "word" && item.text === "table") {
        const table = this.numbersOf(values.length);
        for (let i = 0; i < table.length; i++) values[(i % rowCount) * childCount + Math.floor(i / rowCount)] = table[i];
      } else if (item.kind === "word" && item.text === "default") otherwise = this.numbersOf(childCount);
      else if (item.kind === "word") lexer.skipStatement();
      else throw lexer.unexpected(item, 'table, default, states of the parents, or "}"');
    }
    for (let row = 0; row < rowCount; row++) {
      if (!Number.isNaN(values[row * childCount])) continue;
      if (otherwise === undefined)
        throw lexer.fault(
          name,
          `${show(name.text)}${this.given(parents, row, counts)} has no probabilities; add them, or a default`,
          "DATA_MISSING",
        );
      values.set(otherwise, row * childCount);
    }
    const uneven = unevenRow(values, childCount);
    if (uneven)
      throw lexer.fault(
        name,
        `the probabilities of ${show(name.text)}${this.given(parents, uneven.row, counts)} sum to ${uneven.sum}, but must sum to 1; correct them`,
        "DATA_PARSE",
      );
    return values;
  }

  private given(parents: readonly number[], row: number, counts: readonly number[]): string {
    if (parents.length === 0) return "";
    const states = statesOfRow(row, counts).map((state, k) => this.graph.stateNames(parents[k])[state]);
    return ` given (${states.join(", ")})`;
  }

  private row(parents: readonly number[], counts: readonly number[]): number {
    const { lexer } = this;
    let row = 0;
    for (const [k, parent] of parents.entries()) {
      const token = lexer.word(`a state of ${show(this.graph.variableName(parent))}`);
      const state = this.states[parent].get(token.text);
      if (state === undefined)
        throw lexer.fault(
          token,
          `${show(this.graph.variableName(parent))} has no state ${show(token.text)}; its states are ${listed([...this.states[parent].keys()])}`,
          "DATA_PARSE",
        );
      row = row * counts[k] + state;
      lexer.skip(",");
    }
    lexer.mark(")", "after the states of the parents");
    return row;
  }

  /** Reads `count` probabilities, and ";". */
  private numbersOf(count: number): number[] {
    const { lexer } = this;
    const numbers: number[] = [];
    for (;;) {
      const token = lexer.next();
      if (token.kind === "mark" && token.text === ";") {
        if (numbers.length === count) return numbers;
        throw lexer.fault(
          token,
          `${numbers.length} probabilities were given, but there must be ${count}; correct them`,
          "DATA_PARSE",
        );
      }
      if (token.kind !== "word") throw lexer.unexpected(token, `a probability, or ";"`);
      const value = textNumber(token.text, ".");
      if (!(value >= 0 && value <= 1))
        throw lexer.fault(token, `the probability is ${show(token.text)}, but must be a number from 0 to 1`, "DATA_PARSE");
      if (numbers.push(value) > count)
        throw lexer.fault(token, `more than ${count} probabilities were given; remove some`, "DATA_PARSE");
      lexer.skip(",");
    }
  }

  private checked<Result>(token: BifToken, call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof ErgodicError) || error.code === "MEMORY_LIMIT") throw error;
      throw this.lexer.fault(token, error.said, "DATA_PARSE");
    }
  }
}

/**
 * Returns a Bayesian network as a BIF file. The graph must have one factor per variable. This factor contains the
 * variable's probabilities, given the preceding variables of the factor. Observed evidence is not written.
 *
 * @throws CapabilityError for other graphs, or with soft evidence; OptionError for a name with a quote or a line end
 */
export function writeBif(graph: FactorGraph): string {
  const parents: number[][] = [];
  const blocks: string[] = [];
  for (let f = 0; f < graph.factorCount; f++) {
    const { scope, values, logs } = graph.factorTable(f);
    const child = scope[scope.length - 1];
    const childCount = child === undefined ? 1 : graph.stateCount(child);
    const plain = logs ? values.map((value) => Math.exp(value)) : values;
    if (child === undefined || parents[child] !== undefined || unevenRow(plain, childCount) || plain.some((p) => p > 1))
      throw noNetwork(`factor ${f} does not hold probabilities of its last variable, or is not the only one that does`);
    parents[child] = Array.from(scope).slice(0, -1);
    blocks.push(probabilityBlock(graph, child, parents[child], plain));
  }
  const variables: string[] = [];
  for (let v = 0; v < graph.variableCount; v++) {
    const name = quoted(graph.variableName(v));
    if (parents[v] === undefined) throw noNetwork(`variable ${name} has no factor of its own`);
    if (graph.softEvidence(v)) throw noNetwork(`variable ${name} has soft evidence, which BIF files cannot store`);
    variables.push(
      `variable ${name} {\n  type discrete [ ${graph.stateCount(v)} ] { ${graph.stateNames(v).map(quoted).join(", ")} };\n}`,
    );
  }
  if (cyclic(parents) !== undefined)
    throw noNetwork(`variable ${quoted(graph.variableName(cyclic(parents)!))} depends on itself`);
  return `${["network unknown {\n}", ...variables, ...blocks].join("\n")}\n`;
}

function probabilityBlock(graph: FactorGraph, child: number, parents: readonly number[], values: Float64Array): string {
  const name = (variable: number): string => quoted(graph.variableName(variable));
  if (parents.length === 0) return `probability ( ${name(child)} ) {\n  table ${Array.from(values).join(", ")};\n}`;
  const counts = parents.map((parent) => graph.stateCount(parent));
  const labels = parents.map((parent) => graph.stateNames(parent).map(quoted));
  const childCount = graph.stateCount(child);
  const rows: string[] = [];
  for (let row = 0; row * childCount < values.length; row++) {
    const states = statesOfRow(row, counts).map((state, k) => labels[k][state]);
    rows.push(`  (${states.join(", ")}) ${Array.from(values.subarray(row * childCount, (row + 1) * childCount)).join(", ")};`);
  }
  return `probability ( ${name(child)} | ${parents.map(name).join(", ")} ) {\n${rows.join("\n")}\n}`;
}

function quoted(name: string): string {
  if (name !== "" && !needsQuotes(name)) return name;
  if (/["\r\n]/.test(name))
    throw new OptionError(
      "writeBif",
      `the name ${show(name)} has a quote or a line end, which BIF cannot store; rename it`,
      "OPTION_RANGE",
    );
  return `"${name}"`;
}

const noNetwork = (reason: string): CapabilityError =>
  new CapabilityError("writeBif", `the graph is not a Bayesian network: ${reason}; write UAI or JSON`, "GRAPH_FORM");
