/** Factor graphs by the names of their files. */
import { readBif, readDimmWitted, readGraphJson, readLibdai, readUai, readUaiEvidence } from "@ergodic/ingest";
import type { Evidence, FactorGraph } from "ergodic";
import { UsageError } from "./errors.ts";
import { counted } from "./report/numbers.ts";

const formats = ["uai", "bif", "fg", "json", "dimmwitted"] as const;
type GraphFormat = (typeof formats)[number];

/** The format that a file's name tells. @throws UsageError */
function formatOf(path: string, given: string | undefined): GraphFormat {
  const ending =
    given ?? /\.(uai|bif|fg|json)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? (/[/\\]$/.test(path) ? "dimmwitted" : undefined);
  const known = formats.find((one) => one === ending);
  if (known) return known;
  if (given !== undefined) throw new UsageError("--format", `"${given}" is not known (known: ${formats.join(", ")})`);
  throw new UsageError("infer", `${path} does not say what it is by its ending; add --format ${formats.join("|")}`);
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

/** "rain=yes,x12=1", or a file of evidence as UAI has it. */
export async function readEvidence(given: string, sample: number, graph: FactorGraph): Promise<Evidence> {
  if (given.includes("=")) {
    if (sample > 0)
      throw new UsageError(
        "--sample",
        `${sample} was given, but --evidence is no file of samples; omit one of them, or name a file`,
      );
    const seen = new Map<string, string | number>();
    for (const pair of given.split(",")) {
      const at = pair.indexOf("=");
      if (at <= 0) throw new UsageError("--evidence", `"${pair}" is not variable=state; write them as in rain=yes,wet=no`);
      const [name, state] = [pair.slice(0, at), pair.slice(at + 1)];
      if (seen.has(name)) throw new UsageError("--evidence", `"${name}" was given twice; omit one`);
      seen.set(name, /^\d+$/.test(state) ? Number(state) : state);
    }
    return Object.fromEntries(seen);
  }
  const samples = await readUaiEvidence(given, graph);
  if (sample >= samples.length)
    throw new UsageError("--sample", `${sample} was given, but ${given} has ${counted(samples.length, "sample")}; count from 0`);
  return Object.fromEntries([...samples[sample]].map(([variable, state]) => [graph.variableName(variable), state]));
}
