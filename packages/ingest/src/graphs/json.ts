import { ErgodicError } from "ergodic/data";
import { type FactorGraph, factorGraphFromJson } from "ergodic/graphs";
import { fileFault } from "../fault.ts";
import { decoded, wholeText } from "../lines.ts";
import { openSource, type Source } from "../source.ts";

/** Reads a graph from a JSON file that `writeGraphJson` made. @throws DataError DATA_PARSE, DATA_ENCODING */
export async function readGraphJson(source: Source): Promise<FactorGraph> {
  const from = openSource(source);
  const text = decoded(from.name, await wholeText(from), 1);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fileFault(
      from.name,
      `the text is not JSON (${(cause as Error).message}); fetch or write it again`,
      "DATA_PARSE",
      cause,
    );
  }
  try {
    return factorGraphFromJson(json);
  } catch (cause) {
    if (!(cause instanceof ErgodicError) || cause.code === "MEMORY_LIMIT") throw cause;
    throw fileFault(from.name, cause.message.replace(/^factorGraphFromJson: /, "").replace(/ \[\w+\]$/, ""), "DATA_PARSE", cause);
  }
}

/** Returns a graph as JSON, one line per variable, weight and factor. Reading it restores the whole graph. */
export function writeGraphJson(graph: FactorGraph): string {
  const parts = Object.entries(graph.toJSON()).map(([key, value]) => {
    if (!Array.isArray(value) || value.length === 0) return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return `  ${JSON.stringify(key)}: [\n${value.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}
