/** Reads factor graphs in the format given by the file name. A folder holds DimmWitted's files. */
import { statSync } from "node:fs";
import { readBif, readDimmWitted, readGraphJson, readLibdai, readUai, readUaiEvidence } from "@ergodic/ingest/graphs";
import type { Evidence, FactorGraph } from "ergodic";
import { UsageError } from "./errors.ts";
import { listParts } from "./options/names.ts";
import { counted } from "./report/numbers.ts";

const formats = ["uai", "bif", "fg", "json", "dimmwitted"] as const;
type GraphFormat = (typeof formats)[number];

/** Returns the format indicated by the name of a file. Only DimmWitted's graphs are folders. @throws UsageError */
function formatOf(path: string, given: string | undefined): GraphFormat {
  const isFolder = /[/\\]$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const ending = given ?? (isFolder ? "dimmwitted" : /\.(uai|bif|fg|json)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase());
  const known = formats.find((one) => one === ending);
  if (known) return known;
  if (given !== undefined) throw new UsageError("--format", `"${given}" is not known (known: ${formats.join(", ")})`);
  throw new UsageError("GRAPH", `the name ${path} does not show the format; add --format ${formats.join("|")}`);
}

export async function readGraph(path: string, format: string | undefined): Promise<FactorGraph> {
  switch (formatOf(path, format)) {
    case "uai":
      return readUai(path);
    case "bif":
      return readBif(path);
    case "fg":
      return readLibdai(path);
    case "json":
      return readGraphJson(path);
    case "dimmwitted":
      return readDimmWitted(path);
  }
}

/**
 * Reads "rain=yes,x12=1", or a UAI evidence file. In such a file, states are numbered from 0, regardless of their
 * names.
 */
export async function readEvidence(given: string, sample: number, graph: FactorGraph): Promise<Evidence> {
  if (given.includes("=")) {
    if (sample > 0)
      throw new UsageError(
        "--sample",
        `${sample} was given, but --evidence is not a file of samples; leave --sample out, or name a file`,
      );
    return writtenEvidence(given, graph);
  }
  const samples = await readUaiEvidence(given, graph);
  if (sample >= samples.length)
    throw new UsageError("--sample", `${sample} was given, but ${given} has ${counted(samples.length, "sample")}; count from 0`);
  return Object.fromEntries(
    [...samples[sample]].map(([variable, state]) => [graph.variableName(variable), graph.stateNames(variable)[state]]),
  );
}

function writtenEvidence(given: string, graph: FactorGraph): Evidence {
  const evidence = new Map<string, string | number>();
  for (const pair of listParts(given)) {
    const at = pair.indexOf("=");
    if (at <= 0) throw new UsageError("--evidence", `"${pair}" is not variable=state; write evidence like rain=yes,wet=no`);
    const name = pair.slice(0, at);
    if (evidence.has(name)) throw new UsageError("--evidence", `"${name}" is given twice; give each variable once`);
    const state = pair.slice(at + 1);
    evidence.set(name, /^\d+$/.test(state) && !isCalled(graph, name, state) ? Number(state) : state);
  }
  return Object.fromEntries(evidence);
}

/** Whether the variable has a state with this name. A state called "2" has priority over the state numbered 2. */
function isCalled(graph: FactorGraph, name: string, state: string): boolean {
  try {
    graph.withEvidence({ [name]: state });
    return true;
  } catch {
    return false;
  }
}
