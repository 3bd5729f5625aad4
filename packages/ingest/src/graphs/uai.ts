/**
 * UAI files of graphical models → factor graphs, and back.
 *
 * `MARKOV` or `BAYES`, n, n numbers of states, m, m scopes (`k v1 … vk`), m tables (`size values…`), the last variable
 * fastest; in BAYES the child is the last. Evidence: `k v x v x …`, or a number of samples followed by samples in this
 * form. Variables are x0, x1, …; their states are 0, 1, …
 * Source: the file formats of the UAI inference competitions.
 *
 * @throws DataError DATA_FORMAT, DATA_PARSE, DATA_TRUNCATED with line and column
 */
import { checkKeys, checkNumber, OptionError } from "ergodic/data";
import { type Answer, type FactorGraph, factorGraph } from "ergodic/graphs";
import { show } from "../fault.ts";
import { openSource, type Source } from "../source.ts";
import { entriesOf, Tokens } from "./tokens.ts";

/** Options of `readUai`. */
export interface UaiOptions {
  /** File of evidence. */
  evidence?: Source;
  /** Index of the evidence sample, from 0. Default 0. */
  sample?: number;
}

/** Observed states: maps a variable's index to the index of its state. */
export type UaiEvidence = ReadonlyMap<number, number>;

const MOST_STATES = 2 ** 32 - 1;

/** Reads a graph from a UAI file, MARKOV or BAYES. @throws DataError that names line and column */
export async function readUai(source: Source, options: UaiOptions = {}): Promise<FactorGraph> {
  checkKeys("readUai", options, ["evidence", "sample"]);
  const { evidence, sample = 0 } = options;
  checkNumber("readUai", "sample", sample, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  const tokens = await Tokens.of(openSource(source));
  const graph = readModel(tokens);
  if (evidence === undefined) return graph;
  const from = openSource(evidence);
  const samples = await samplesOf(await Tokens.of(from), graph);
  if (sample >= samples.length)
    throw new OptionError(
      "readUai",
      `sample is ${sample}, but ${from.name} has ${samples.length}, numbered from 0`,
      "OPTION_RANGE",
    );
  for (const [variable, state] of samples[sample]) graph.observe(variable, state);
  return graph;
}

/**
 * Reads the samples of an evidence file. Most files have a single sample. The samples are checked against `graph`, if
 * given.
 * @throws DataError that names line and column
 */
export async function readUaiEvidence(source: Source, graph?: FactorGraph): Promise<UaiEvidence[]> {
  return samplesOf(await Tokens.of(openSource(source)), graph);
}

function readModel(tokens: Tokens): FactorGraph {
  const kind = tokens.word("MARKOV or BAYES");
  if (kind !== "MARKOV" && kind !== "BAYES")
    throw tokens.fault(
      `the file begins with ${show(kind)}, but a UAI file begins with MARKOV or BAYES; pass another file`,
      "DATA_FORMAT",
    );
  const graph = factorGraph();
  const variableCount = tokens.count("the number of variables", 0);
  const counts: number[] = [];
  for (let v = 0; v < variableCount; v++) {
    counts.push(tokens.whole(`the number of states of variable ${v}`, 1, MOST_STATES));
    tokens.at(() => graph.variable(undefined, counts[v]));
  }
  const factorCount = tokens.count("the number of factors", 0);
  const scopes: number[][] = [];
  for (let f = 0; f < factorCount; f++) scopes.push(readScope(tokens, f, variableCount));
  for (let f = 0; f < factorCount; f++) {
    const wanted = entriesOf(scopes[f].map((variable) => counts[variable]));
    const size = tokens.whole(`the size of table ${f}`, 0);
    if (size !== wanted) {
      const shape = scopes[f].map((variable) => counts[variable]).join(" × ") || "a factor without variables";
      throw tokens.fault(
        `the size of table ${f} is ${size}, but its scope makes ${shape} = ${wanted}; correct one of them`,
        "DATA_PARSE",
      );
    }
    if (size > tokens.left)
      throw tokens.fault(
        `table ${f} has ${size} entries, but only ${tokens.left} bytes follow; fetch the file again`,
        "DATA_TRUNCATED",
      );
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) values[i] = tokens.entry(`entry ${i} of table ${f}`);
    tokens.at(() => graph.table(scopes[f], values));
  }
  tokens.finish("the last table");
  return graph;
}

function readScope(tokens: Tokens, f: number, variableCount: number): number[] {
  const arity = tokens.count(`the number of variables of factor ${f}`, 0);
  const scope: number[] = [];
  const seen = new Set<number>();
  for (let k = 0; k < arity; k++) {
    const variable = tokens.whole(`variable ${k} of factor ${f}`, 0, variableCount - 1);
    if (seen.has(variable))
      throw tokens.fault(`variable ${variable} occurs twice in the scope of factor ${f}; a factor has each once`, "DATA_PARSE");
    seen.add(variable);
    scope.push(variable);
  }
  return scope;
}

/**
 * Reads samples in either form. Some files fit both forms. For these files, the line structure decides. If the line
 * structure does not decide, the number of tokens does.
 */
async function samplesOf(tokens: Tokens, graph?: FactorGraph): Promise<UaiEvidence[]> {
  const lines = new TextDecoder("latin1")
    .decode(tokens.bytes)
    .split("\n")
    .map((line) => line.split(/\s+/).filter(Boolean))
    .filter((line) => line.length > 0);
  const all = lines.reduce((count, line) => count + line.length, 0);
  const first = Number(lines[0]?.[0] ?? 0);
  if (all <= 1 && first === 0) return [new Map()];
  const [head, ...rest] = lines;
  const aSampleALine =
    head.length === 1 && rest.length === first && rest.every((line) => line.length === 1 + 2 * Number(line[0]));
  const isCounted = aSampleALine || all !== 1 + 2 * first;
  const count = isCounted ? tokens.count("the number of samples", 0) : 1;
  const samples: UaiEvidence[] = [];
  for (let s = 0; s < count; s++) samples.push(readSample(tokens, graph));
  tokens.finish("the last sample of evidence");
  return samples;
}

function readSample(tokens: Tokens, graph?: FactorGraph): UaiEvidence {
  const count = tokens.count("the number of observed variables", 0);
  const sample = new Map<number, number>();
  for (let k = 0; k < count; k++) {
    const variable = tokens.whole("an observed variable", 0, graph ? graph.variableCount - 1 : MOST_STATES);
    if (sample.has(variable)) throw tokens.fault(`variable ${variable} is observed twice; remove one`, "DATA_PARSE");
    sample.set(
      variable,
      tokens.whole(`the state of variable ${variable}`, 0, graph ? graph.stateCount(variable) - 1 : MOST_STATES),
    );
  }
  return sample;
}

/**
 * Returns a graph as a MARKOV file. Soft evidence becomes factors; observed states are not written (see
 * `writeUaiEvidence`). Names are lost: variables and states become numbers.
 *
 * @throws CapabilityError for a factor of more than 2^24 entries; OptionError if a table has values that a file of
 * plain numbers cannot hold
 */
export function writeUai(graph: FactorGraph): string {
  const scopes: string[] = [];
  const tables: string[] = [];
  const add = (scope: ArrayLike<number>, values: ArrayLike<number>): void => {
    scopes.push([scope.length, ...Array.from(scope)].join(" "));
    tables.push(`${values.length}\n${Array.from(values).join(" ")}`);
  };
  for (let f = 0; f < graph.factorCount; f++) {
    const { scope, values, logs } = graph.factorTable(f);
    const plain = logs ? values.map((value) => Math.exp(value)) : values;
    if (logs && !plain.every((value, i) => value < Infinity && (value > 0 || values[i] === -Infinity)))
      throw new OptionError(
        "writeUai",
        `factor ${f} has values beyond float64, which UAI files cannot hold; subtract a constant from its logarithms`,
        "OPTION_RANGE",
      );
    add(scope, plain);
  }
  const counts: number[] = [];
  for (let v = 0; v < graph.variableCount; v++) {
    counts.push(graph.stateCount(v));
    const likelihood = graph.softEvidence(v);
    if (likelihood) add([v], likelihood);
  }
  return ["MARKOV", counts.length, counts.join(" "), scopes.length, ...scopes, "", ...tables, ""].join("\n");
}

/** Returns the observed states of a graph as a UAI evidence file. */
export function writeUaiEvidence(graph: FactorGraph): string {
  const seen: string[] = [];
  for (let v = 0; v < graph.variableCount; v++) {
    const state = graph.observedState(v);
    if (state >= 0) seen.push(`${v} ${state}`);
  }
  return `${[seen.length, ...seen].join(" ")}\n`;
}

/**
 * Returns an answer of `infer` as a UAI result file: MAR (probabilities), MAP (states) or PR (log10 of the partition
 * function), depending on its task.
 */
export function writeUaiAnswer(answer: Answer): string {
  const { task, variables } = answer;
  if (task === "partition") return `PR\n${answer.logZ === -Infinity ? "-inf" : answer.logZ / Math.LN10}\n`;
  if (task === "map") return `MAP\n${[variables.length, ...answer.best.states].join(" ")}\n`;
  const marginals = variables.map((_, variable) => {
    const { p } = answer.marginal(variable);
    return [p.length, ...p].join(" ");
  });
  return `MAR\n${[variables.length, ...marginals].join(" ")}\n`;
}
