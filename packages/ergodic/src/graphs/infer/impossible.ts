import type { Conditionals, FactorTables } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { InferenceTask } from "../parts/algorithm.ts";

/**
 * Returns the error for a graph in which no state is possible. The error names the cause: one table, the factors alone,
 * or the factors with the evidence.
 */
export function impossible(graph: FactorTables | Conditionals, task: InferenceTask): DataError {
  const [what, remedy] = reason(graph);
  return new DataError(
    "infer",
    `${what}, so there is no answer to the task "${task}"; ${remedy} (task: "partition" gives −∞)`,
    "GRAPH_IMPOSSIBLE",
  );
}

function reason(graph: FactorTables | Conditionals): readonly [what: string, remedy: string] {
  const empty = "factors" in graph ? emptyTable(graph) : undefined;
  if (empty !== undefined) return [`the table over ${empty} is 0 everywhere`, "give it an entry above 0"];
  if (graph.observed.some((state) => state >= 0))
    return ["the evidence has probability 0 under this graph", "correct the evidence or the factors that forbid it"];
  return [
    "no state is possible, because the factors of this graph, including soft evidence, rule out every state",
    "correct factors whose zeros contradict each other",
  ];
}

/** Returns the names of the variables of the first table without a positive entry. */
function emptyTable({ factors, name }: FactorTables): string | undefined {
  const found = factors.find(({ values, logs }) => values.every((value) => value === (logs ? -Infinity : 0)));
  return found && Array.from(found.scope, (variable) => JSON.stringify(name(variable))).join(", ");
}
