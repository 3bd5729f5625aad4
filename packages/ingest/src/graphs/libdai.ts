/**
 * libDAI's factor graphs (.fg) → factor graphs.
 *
 * The file has the number of factors. For each factor, it then contains the number of variables, their labels, their
 * numbers of states, the number of non-zero entries, and these entries as `index value`. The first variable varies
 * fastest. # begins a comment. Variables are named x and their label. Source: libDAI, "Factor graph (.fg) file format".
 *
 * @throws DataError DATA_PARSE, DATA_TRUNCATED, DATA_UNSUPPORTED with line and column
 */
import { type FactorGraph, factorGraph } from "ergodic/graphs";
import { openSource, type Source } from "../source.ts";
import { Allowance, entriesOf, Tokens } from "./tokens.ts";

const MOST_LABEL = 2 ** 32 - 1;

interface ReadFactor {
  readonly labels: readonly number[];
  readonly values: Float64Array;
}

/** Reads a graph from a libDAI file. @throws DataError that names line and column */
export async function readLibdai(source: Source): Promise<FactorGraph> {
  const tokens = await Tokens.of(openSource(source), { comments: true });
  const factorCount = tokens.count("the number of factors", 0);
  const allowance = new Allowance(tokens.bytes.length);
  const countOf = new Map<number, number>();
  const factors: ReadFactor[] = [];
  for (let f = 0; f < factorCount; f++) factors.push(readFactor(tokens, f, countOf, allowance));
  tokens.finish("the last factor");
  const graph = factorGraph();
  const labels = [...countOf.keys()].sort((a, b) => a - b);
  const numberOf = new Map(labels.map((label, i) => [label, i]));
  labels.forEach((label, i) => {
    graph.variable(label === i ? undefined : `x${label}`, countOf.get(label)!);
  });
  for (const { labels: of, values } of factors) {
    // In reverse order of the variables, the same table has the last variable fastest.
    const scope = of.map((label) => numberOf.get(label)!).reverse();
    graph.table(scope, values);
  }
  return graph;
}

function readFactor(tokens: Tokens, f: number, countOf: Map<number, number>, allowance: Allowance): ReadFactor {
  const arity = tokens.count(`the number of variables of factor ${f}`, 0);
  const labels: number[] = [];
  const seen = new Set<number>();
  for (let k = 0; k < arity; k++) {
    const label = tokens.whole(`variable ${k} of factor ${f}`, 0, MOST_LABEL);
    if (seen.has(label))
      throw tokens.fault(`variable ${label} occurs twice in factor ${f}; a factor has each once`, "DATA_PARSE");
    seen.add(label);
    labels.push(label);
  }
  const counts = labels.map((label) => {
    const count = tokens.whole(`the number of states of variable ${label}`, 1, MOST_LABEL);
    const before = countOf.get(label) ?? count;
    if (before !== count)
      throw tokens.fault(
        `variable ${label} has ${count} states in factor ${f}, but ${before} in an earlier one; correct one of them`,
        "DATA_PARSE",
      );
    countOf.set(label, count);
    return count;
  });
  const size = entriesOf(counts);
  const entries = tokens.count(`the number of entries of factor ${f}`, 0);
  if (!allowance.take(size))
    throw tokens.fault(
      `factor ${f} has ${counts.join(" × ")} entries, nearly all of them 0, which is too many for this file; split the factor`,
      "DATA_UNSUPPORTED",
    );
  const values = new Float64Array(size);
  const given = new Set<number>();
  for (let i = 0; i < entries; i++) {
    const index = tokens.whole(`an index of factor ${f}`, 0, size - 1);
    if (given.size === given.add(index).size)
      throw tokens.fault(`entry ${index} of factor ${f} is given twice; remove one`, "DATA_PARSE");
    values[index] = tokens.entry(`entry ${index} of factor ${f}`);
  }
  return { labels, values };
}
