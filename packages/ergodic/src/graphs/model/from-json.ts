import { isList, JSON_TYPE } from "../../engine/errors/checks.ts";
import { ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { StateName, States } from "./domains.ts";
import { type LogicalFunction, logicalFunctionNames } from "./functions.ts";
import { type FactorGraph, factorGraph } from "./graph.ts";
import { FORMAT, VERSION } from "./json-form.ts";
import type { Literal, VariableName } from "./literals.ts";

const WHERE = "factorGraphFromJson";
type Fields = Readonly<Record<string, unknown>>;

/**
 * Builds a graph from the output of its `toJSON()`.
 *
 * @throws OptionError [JSON_TYPE] that names the position of the error
 */
export function factorGraphFromJson(json: unknown): FactorGraph {
  const given = fields(WHERE, json);
  const { format, version, variables, weights, factors, evidence = [], soft = [] } = given;
  if (format !== FORMAT)
    throw wrong(WHERE, `format is ${shown(format)}, but must be "${FORMAT}", as toJSON() of a graph returns it`);
  if (version !== VERSION) throw wrong(WHERE, `version is ${shown(version)}, but must be ${VERSION}; update ergodic`);
  only(WHERE, given, ["format", "version", "variables", "weights", "factors", "evidence", "soft"]);
  const graph = factorGraph();
  each("variables", variables, (given, where) => {
    const { name, states, truthiness, initial } = only(where, fields(where, given), ["name", "states", "truthiness", "initial"]);
    graph.variable(name as string | undefined, states as States | undefined, {
      ...(truthiness === undefined ? {} : { truthiness: items(where, "truthiness", truthiness) as number[] }),
      ...(initial === undefined ? {} : { initial: initial as StateName }),
    });
  });
  each("weights", weights, (given, where) => {
    const { name, value, fixed } = only(where, fields(where, given), ["name", "value", "fixed"]);
    graph.weight(name as string | undefined, value as number, fixed === undefined ? {} : { fixed: fixed as boolean });
  });
  each("factors", factors, (given, where) => addFactor(graph, where, fields(where, given)));
  each("evidence", evidence, (given, where) => {
    const [variable, state] = pair(where, given);
    graph.observe(variable as VariableName, state as StateName);
  });
  each("soft", soft, (given, where) => {
    const [variable, likelihood] = pair(where, given);
    graph.soft(variable as VariableName, likelihood as number[]);
  });
  return graph;
}

function addFactor(graph: FactorGraph, where: string, given: Fields): void {
  const { table, values, logs, noisyOr, probabilities, oneOf, atMost, most, weight, feature } = given;
  if (table !== undefined) {
    only(where, given, ["table", "values", "logs"]);
    const numbers = items(where, "values", values).map((value) => (value === null && logs ? -Infinity : value));
    graph.table(
      items(where, "table", table) as VariableName[],
      numbers as number[],
      logs === undefined ? {} : { logs: logs as boolean },
    );
  } else if (noisyOr !== undefined) {
    only(where, given, ["noisyOr", "probabilities"]);
    const all = literals(where, "noisyOr", noisyOr);
    const chances = items(where, "probabilities", probabilities) as number[];
    const child = all.pop();
    if (child === undefined || chances.length !== all.length + 1)
      throw wrong(where, `there are ${chances.length} probabilities, but must be one for each parent and one for the leak`);
    const parents = all.map((parent, i): [Literal, number] => [parent, chances[i]]);
    graph.noisyOr(child, parents, { leak: chances[all.length] });
  } else if (oneOf !== undefined) {
    only(where, given, ["oneOf"]);
    graph.oneOf(literals(where, "oneOf", oneOf));
  } else if (atMost !== undefined) {
    only(where, given, ["atMost", "most"]);
    graph.atMost(most as number, literals(where, "atMost", atMost));
  } else {
    const name = logicalFunctionNames.find((one) => Object.hasOwn(given, one));
    if (name === undefined) {
      const known = ["table", "noisyOr", "oneOf", "atMost", ...logicalFunctionNames].join(", ");
      throw wrong(where, `it has the keys ${Object.keys(given).slice(0, 8).join(", ")}, but must have one of ${known}`);
    }
    only(where, given, [name, "weight", "feature"]);
    addLogical(graph, where, name, given[name], weight, feature);
  }
}

function addLogical(
  graph: FactorGraph,
  where: string,
  name: LogicalFunction,
  given: unknown,
  weight: unknown,
  feature: unknown,
): void {
  graph.logicalFactor(name, literals(where, name, given), {
    weight: typeof weight === "number" ? { id: weight } : (weight as string),
    ...(feature === undefined ? {} : { feature: feature as number }),
  });
}

function literals(where: string, key: string, given: unknown): Literal[] {
  return items(where, key, given).map((one) => {
    if (!isList(one)) return { variable: one as VariableName };
    const [variable, state] = pair(where, one);
    return { variable: variable as VariableName, state: state as StateName };
  });
}

function fields(where: string, given: unknown): Fields {
  if (Object.prototype.toString.call(given) === "[object Object]") return given as Fields;
  throw wrong(where, `${shown(given)} was given, but must be an object`);
}

/**
 * Rejects unknown keys, because a misspelt `weight` or a second kind of factor would silently give a different graph.
 */
function only(where: string, given: Fields, known: readonly string[]): Fields {
  const other = Object.keys(given).find((key) => !known.includes(key));
  if (other === undefined) return given;
  const near = nearest(other, known);
  throw wrong(
    where,
    `it has the key "${other}"${near ? `; did you mean "${near}"?` : ""} (besides ${known[0]} it can have ${known.slice(1).join(", ") || "no other"})`,
  );
}

function items(where: string, key: string, given: unknown): unknown[] {
  if (isList(given)) return Array.from(given);
  throw wrong(where, `${key} is ${shown(given)}, but must be a list`);
}

function pair(where: string, given: unknown): [unknown, unknown] {
  if (isList(given) && given.length === 2) return [given[0], given[1]];
  throw wrong(where, `${isList(given) ? `a list of ${given.length}` : shown(given)} was given, but must be a pair`);
}

/** Calls `take` on each item. Errors thrown by the graph are reported with their position in the JSON. */
function each(key: string, given: unknown, take: (item: unknown, where: string) => void): void {
  items(WHERE, key, given).forEach((item, i) => {
    const where = `${WHERE}: ${key}[${i}]`;
    try {
      take(item, where);
    } catch (error) {
      if (!(error instanceof ErgodicError) || error.code === JSON_TYPE || error.code === "MEMORY_LIMIT") throw error;
      throw new OptionError(where, error.said, JSON_TYPE, { cause: error });
    }
  });
}

const wrong = (where: string, message: string): OptionError => new OptionError(where, message, JSON_TYPE);
