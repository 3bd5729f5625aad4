import { CapabilityError, checkKeys, OptionError } from "ergodic/data";
import { type FactorGraph, type GraphFactor, type LogicalFunction, logicalFunctions } from "ergodic/graphs";
import { BinaryWriter } from "./dimmwitted-binary.ts";
import { VALUES_IN_ROWS } from "./dimmwitted-text.ts";

/** Options for writing DimmWitted's files. */
export interface DimmWittedOptions {
  /** Form of the files. Default "binary". */
  form?: "binary" | "text";
}

/**
 * Returns a graph as DimmWitted's files by name, as `readDimmWitted` finds them in a folder. The format supports only
 * functions of literals with weights. Names are lost: variables and states become numbers.
 *
 * @throws CapabilityError for tables, noisy ors, exclusive and bounded literals, and soft evidence
 */
export function writeDimmWitted(graph: FactorGraph, options: DimmWittedOptions = {}): Record<string, Uint8Array<ArrayBuffer>> {
  checkKeys("writeDimmWitted", options, ["form"]);
  const { form = "binary" } = options;
  if (form !== "binary" && form !== "text")
    throw new OptionError("writeDimmWitted", `form is ${JSON.stringify(form)}, but must be "binary" or "text"`, "OPTION_RANGE");
  checkFactors(graph);
  return form === "binary" ? binaryFiles(graph) : textFiles(graph);
}

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const meta = ({ weightCount, variableCount, factorCount, edgeCount }: FactorGraph): string =>
  `${weightCount},${variableCount},${factorCount},${edgeCount}\n`;

function checkFactors(graph: FactorGraph): void {
  for (let f = 0; f < graph.factorCount; f++) {
    const { kind } = graph.factorAt(f);
    if (!(kind in logicalFunctions))
      throw new CapabilityError(
        "writeDimmWitted",
        `factor ${f} is of the kind "${kind}", which these files cannot store; write UAI or JSON`,
        "GRAPH_FORM",
      );
  }
  const soft = indices(graph.variableCount).find((variable) => graph.softEvidence(variable));
  if (soft !== undefined)
    throw new CapabilityError(
      "writeDimmWitted",
      `variable ${soft} has soft evidence, which these files cannot store; write UAI or JSON`,
      "GRAPH_FORM",
    );
}

interface WrittenVariable {
  readonly type: 0 | 1;
  readonly count: number;
  /** State values, if they are not 0, 1, … */
  readonly values: readonly number[] | undefined;
  readonly truthiness: ArrayLike<number> | undefined;
  readonly observed: boolean;
  /** Value of the observed state, or of the state that samplers start with. */
  readonly initial: number;
}

function variableOf(graph: FactorGraph, variable: number): WrittenVariable {
  const { states, truthiness, initial } = graph.variableAt(variable);
  const seen = graph.observedState(variable);
  const count = graph.stateCount(variable);
  const numbers =
    typeof states === "object" ? states.map((state) => (String(state).trim() === "" ? Number.NaN : Number(state))) : [];
  const sparse =
    typeof states === "object" &&
    numbers.every((value) => Number.isSafeInteger(value) && value >= 0) &&
    new Set(numbers).size === count;
  const values = sparse ? numbers : truthiness ? indices(count) : undefined;
  const state = seen >= 0 ? seen : initial;
  return {
    type: states === undefined ? 0 : 1,
    count,
    values,
    truthiness,
    observed: seen >= 0,
    initial: state === undefined ? 0 : (values?.[state] ?? state),
  };
}

const labelled = ({ values }: WrittenVariable, state: number): number => values?.[state] ?? state;
const idOf = ({ kind }: GraphFactor): number => logicalFunctions[kind as LogicalFunction].id;

function binaryFiles(graph: FactorGraph): Record<string, Uint8Array<ArrayBuffer>> {
  const [weights, variables, domains, factors] = [new BinaryWriter(), new BinaryWriter(), new BinaryWriter(), new BinaryWriter()];
  for (let id = 0; id < graph.weightCount; id++) {
    const { value, fixed } = graph.weightState(id);
    weights
      .u64(id)
      .u8(fixed ? 1 : 0)
      .f64(value);
  }
  const written = indices(graph.variableCount).map((variable) => variableOf(graph, variable));
  written.forEach((variable, id) => {
    const { type, count, values, truthiness, observed, initial } = variable;
    variables
      .u64(id)
      .u8(observed ? 1 : 0)
      .u64(initial)
      .u16(type)
      .u64(count);
    if (values === undefined) return;
    domains.u64(id).u64(count);
    values.forEach((value, state) => {
      domains.u64(value).f64(truthiness?.[state] ?? 0);
    });
  });
  for (let f = 0; f < graph.factorCount; f++) {
    const factor = graph.factorAt(f);
    factors.u16(idOf(factor)).u64(factor.variables.length);
    factor.variables.forEach((variable, i) => {
      factors.u64(variable).u64(labelled(written[variable], factor.states[i]));
    });
    factors.u64(factor.weight!).f64(factor.feature!);
  }
  const some = domains.done();
  return {
    "graph.meta": new TextEncoder().encode(meta(graph)),
    "graph.weights": weights.done(),
    "graph.variables": variables.done(),
    ...(some.length > 0 ? { "graph.domains": some } : {}),
    "graph.factors": factors.done(),
  };
}

function textFiles(graph: FactorGraph): Record<string, Uint8Array<ArrayBuffer>> {
  const line = (...fields: readonly (number | string)[]): string => `${fields.join("\t")}\n`;
  const written = indices(graph.variableCount).map((variable) => variableOf(graph, variable));
  const list = (values: ArrayLike<number>): string => `{${Array.from(values).join(",")}}`;
  const domains = written.map(({ count, values, truthiness }, id) =>
    values === undefined ? "" : line(id, count, list(values), list(truthiness ?? values.map(() => 0))),
  );
  // There is one file of factors for each combination of a function and a list of values to compare with.
  const files = new Map<string, string[]>();
  for (let f = 0; f < graph.factorCount; f++) {
    const factor = graph.factorAt(f);
    const id = idOf(factor);
    const values = factor.variables.map((variable, i) => labelled(written[variable], factor.states[i]));
    const valued = id === VALUES_IN_ROWS;
    const args = `${[id, values.length, ...(valued ? values.map(() => 1) : values)].join(" ")}\n`;
    const row = line(...factor.variables, ...(valued ? values : []), factor.weight!, factor.feature!);
    const rows = files.get(args);
    if (rows) rows.push(row);
    else files.set(args, [row]);
  }
  const digits = String(files.size).length;
  const texts: Record<string, string> = {
    "graph.meta": meta(graph),
    "weights.tsv": indices(graph.weightCount)
      .map((id) => line(id, graph.weightState(id).fixed ? 1 : 0, graph.weightState(id).value))
      .join(""),
    "variables.tsv": written.map((one, id) => line(id, one.observed ? 1 : 0, one.initial, one.type, one.count)).join(""),
  };
  if (domains.some((text) => text !== "")) texts["domains.tsv"] = domains.join("");
  [...files].forEach(([args, rows], i) => {
    const name = files.size === 1 ? "factors" : `factors${String(i + 1).padStart(digits, "0")}`;
    texts[`${name}.tsv`] = rows.join("");
    texts[`${name}.text2bin-args`] = args;
  });
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]));
}
