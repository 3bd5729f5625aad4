/**
 * Factor graphs of DimmWitted, the sampler of DeepDive, binary or as text.
 *
 * A text folder contains `weights.tsv`, `variables.tsv`, `domains.tsv` and files `factors….tsv`, each with
 * `factors….text2bin-args`. A binary folder contains `graph.weights`, `graph.variables`, `graph.domains` and
 * `graph.factors`. The counts in `graph.meta` are checked. Files can also be given individually.
 *
 * @throws DataError with line and field, or the byte; OptionError for a folder that has neither
 */
import { checkKeys, DataError, OptionError } from "ergodic/data";
import type { FactorGraph } from "ergodic/graphs";
import { entriesOf as folderEntries, isFolder } from "../folder.ts";
import { decoded, wholeText } from "../lines.ts";
import { openSource, type Source } from "../source.ts";
import { readBinaryDomains, readBinaryFactors, readBinaryVariables, readBinaryWeights } from "./dimmwitted-binary.ts";
import { DimmWittedGraph } from "./dimmwitted-rows.ts";
import { readTextDomains, readTextFactors, readTextVariables, readTextWeights } from "./dimmwitted-text.ts";

/** DimmWitted's files of one graph. If the entries of `factors` have `args`, all files are text. */
export interface DimmWittedFiles {
  /** File of weights. */
  weights: Source;
  /** File of variables. */
  variables: Source;
  /** Files of factors: binary, or text with the arguments that text2bin takes. */
  factors: Source | readonly Source[] | readonly { rows: Source; args: Source }[];
  /** File of domains: states of variables, if they are not 0, 1, … */
  domains?: Source;
  /** File of counts, which are checked. */
  meta?: Source;
}

/**
 * Reads a graph from DimmWitted's files: a folder, or individual files. @throws DataError with line and field, or the
 * byte
 */
export async function readDimmWitted(from: string | DimmWittedFiles): Promise<FactorGraph> {
  const { files, form } = typeof from === "string" ? await inFolder(from) : { files: from, form: undefined };
  checkKeys("readDimmWitted", files, ["weights", "variables", "factors", "domains", "meta"]);
  const { factors, domains, meta } = files;
  const parts = (Array.isArray(factors) ? factors : [factors]) as readonly (Source | { rows: Source; args: Source })[];
  const isText = form === "text" || parts.some((part) => typeof part === "object" && part !== null && "args" in part);
  const into = new DimmWittedGraph();
  const weights = await (isText ? readTextWeights : readBinaryWeights)(openSource(files.weights));
  into.addWeights(weights.rows, weights.refuse);
  const variables = await (isText ? readTextVariables : readBinaryVariables)(openSource(files.variables));
  const none = { rows: [], refuse: variables.refuse };
  const states = domains === undefined ? none : await (isText ? readTextDomains : readBinaryDomains)(openSource(domains));
  into.addVariables(variables.rows, states.rows, variables.refuse, states.refuse);
  for (const part of parts) {
    if (!isText) await readBinaryFactors(openSource(part as Source), into);
    else {
      const { rows, args } = part as { rows: Source; args: Source };
      await readTextFactors(openSource(rows), openSource(args), into);
    }
  }
  if (meta !== undefined) {
    const source = openSource(meta);
    into.checkMeta(source.name, decoded(source.name, await wholeText(source), 1));
  }
  return into.graph;
}

/** Finds the files in a folder. A text graph without factors has no factor file but is still text. */
async function inFolder(path: string): Promise<{ files: DimmWittedFiles; form: "binary" | "text" }> {
  if (!(await isFolder(path)))
    throw new DataError(
      path,
      "this is not a folder; name the folder of the files, or give the files as { weights, variables, factors }",
      "DATA_FILE",
    );
  const entries = new Map((await folderEntries(path)).map((entry) => [entry.name, entry.path]));
  const meta = entries.has("graph.meta") ? { meta: entries.get("graph.meta")! } : {};
  const isText = entries.has("weights.tsv");
  const need = (name: string): string => {
    const found = entries.get(name);
    if (found !== undefined) return found;
    const files = isText
      ? "weights.tsv, variables.tsv, factors.tsv"
      : "graph.weights, graph.variables, graph.factors; or the .tsv files of the text form";
    throw new OptionError("readDimmWitted", `the folder ${path} has no ${name}; it must have ${files}`, "OPTION_RANGE");
  };
  const optional = (name: string): { domains?: string } => (entries.has(name) ? { domains: entries.get(name)! } : {});
  if (!isText) {
    const files = {
      ...{ weights: need("graph.weights"), variables: need("graph.variables"), factors: need("graph.factors") },
      ...optional("graph.domains"),
      ...meta,
    };
    return { files, form: "binary" };
  }
  const factors = [...entries.keys()].filter((name) => /^factors.*\.tsv$/.test(name));
  const files = {
    weights: need("weights.tsv"),
    variables: need("variables.tsv"),
    factors: factors.map((name) => ({ rows: need(name), args: need(name.replace(/\.tsv$/, ".text2bin-args")) })),
    ...optional("domains.tsv"),
    ...meta,
  };
  return { files, form: "text" };
}
