/**
 * Writes draws in CmdStan's format: one CSV text per chain, with the settings in comments above the table.
 *
 * The first columns are the transition statistics under Stan's names (`lp__`, `accept_stat__`, `stepsize__`,
 * `treedepth__`, `n_leapfrog__`, `divergent__`, `energy__`). Other statistics keep their own names, followed by `__`.
 *
 * The next columns are the numbers of every quantity, such as `theta.1` and `L.2.1`. The first index varies fastest.
 * Characters with a special meaning in column names (blanks, dots, commas, colons, brackets, quotes) become "_".
 *
 * Numbers are the shortest decimals that read back as the same float64; nan, inf and -inf are written as in CmdStan.
 * `lp__` is 0 if no log density was stored.
 *
 * The comment `ergodic = {…}` holds shapes, kinds, description and report, which Stan's comments cannot express.
 * `fromCmdStanCsv` uses this comment to restore the same draws. Other readers ignore it.
 *
 * The files can be read by rstan's `read_stan_csv`, R's `read.csv(comment.char = "#")` and similar readers.
 *
 * Unlike CmdStan, this writer writes no metric and no Stan version. Only the total time is written, because no other
 * times are known.
 *
 * @throws OptionError for a chain that does not exist; CapabilityError [DRAWS_NAME] for a name that cannot be a column
 *   name
 */

import type { Json, JsonObject } from "../../engine/contract/index.ts";
import { CapabilityError, checkNumber } from "../../engine/errors/errors.ts";
import { contentOf, type DrawsContent } from "./content.ts";
import { BLOCK, headerToJson } from "./json.ts";
import { sizeOf } from "./series.ts";
import { columnsOf, headed } from "./stan-columns.ts";

/** Stan's names of transition statistics, in Stan's order. */
const stanNames: Readonly<Record<string, string>> = {
  logDensity: "lp__",
  acceptance: "accept_stat__",
  stepSize: "stepsize__",
  treeDepth: "treedepth__",
  leapfrogs: "n_leapfrog__",
  divergent: "divergent__",
  energy: "energy__",
};
const ownNames = new Map(Object.entries(stanNames).map(([field, label]) => [label, field]));

/** Key of the comment for content that Stan's comments cannot express. */
export const ERGODIC_KEY = "ergodic";

export const labelOfField = (field: string): string => stanNames[field] ?? `${field}__`;

/** Returns the transition field of a column label; undefined if the column belongs to a quantity. */
export const fieldOfLabel = (label: string): string | undefined =>
  ownNames.get(label) ?? (/^.+__$/.test(label) ? label.slice(0, -2) : undefined);

/** Returns the CSV text of one chain, counted from 0. `draws`: a `Draws`. */
export function toCmdStanCsv(draws: { readonly content: DrawsContent }, chain: number): string {
  return [...csvBlocks(contentOf("toCmdStanCsv", draws), chain)].join("");
}

/**
 * Yields the same text in blocks, because the complete text might exceed the maximum string length. A check that
 * refuses the draws does so before the first block is returned.
 */
export function* csvBlocks(content: DrawsContent, chain: number): Generator<string> {
  const { chains, count, fields } = content;
  checkNumber("toCmdStanCsv", "chain", chain, { low: 0, high: chains - 1, integer: true });
  const { quantities, names } = headed(content.quantities);
  const columns = columnsOf(quantities);
  const sizes = new Map(content.quantities.map(({ name, shape }) => [name, sizeOf(shape)]));
  const places = columns.map(({ name, offset }) => ({
    array: content.values[names.get(name)!],
    size: sizes.get(names.get(name)!)!,
    offset,
  }));
  const known = [...fields.keys()].sort((a, b) => rankOf(fields[a]) - rankOf(fields[b]) || a - b);
  const withoutDensity = !fields.includes("logDensity");
  const labels = [...(withoutDensity ? ["lp__"] : []), ...known.map((j) => labelOfField(fields[j]))];
  checkNames(content, labels);
  const row = (i: number): string => {
    const k = chain * count + i;
    const kept = known.map((j) => decimal(content.transitions[k * fields.length + j]));
    const numbers = places.map(({ array, size, offset }) => decimal(array[k * size + offset]));
    return [...(withoutDensity ? ["0"] : []), ...kept, ...numbers].join(",");
  };
  const head = [...labels, ...columns.map(({ label }) => label)].join(",");
  yield lines([...settings(content, chain), head, ...adaptation(content, chain)]);
  const rows = Math.max(1, Math.floor(BLOCK / (labels.length + columns.length)));
  for (let from = 0; from < count; from += rows)
    yield lines(Array.from({ length: Math.min(rows, count - from) }, (_, i) => row(from + i)));
  yield lines(elapsed(content));
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");

function rankOf(field: string): number {
  const order = Object.keys(stanNames);
  const rank = order.indexOf(field);
  return rank < 0 ? order.length : rank;
}

function checkNames({ quantities, fields }: DrawsContent, labels: readonly string[]): void {
  const odd = [...quantities.map(({ name }) => name), ...fields].find((name) => name === "" || name.endsWith("__"));
  if (odd !== undefined)
    throw new CapabilityError(
      "toCmdStanCsv",
      `"${odd}" cannot be the name of a column: it must not be empty or end in "__"; rename it, or save as JSON`,
      "DRAWS_NAME",
    );
  const twice = labels.find((label, j) => labels.indexOf(label) < j);
  if (twice !== undefined)
    throw new CapabilityError("toCmdStanCsv", `two columns would be called "${twice}"; save as JSON`, "DRAWS_NAME");
}

/** Returns the shortest decimal that reads back as the same number. */
export function decimal(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

const metricNames: Readonly<Record<string, string>> = { diagonal: "diag_e", fisher: "diag_e", dense: "dense_e" };

function settings(content: DrawsContent, chain: number): string[] {
  const { description, chains, count } = content;
  const algorithm = objectOf(description.algorithm);
  const plan = objectOf(description.plan);
  const hamiltonian = algorithm.algorithm === "nuts" || algorithm.algorithm === "hmc";
  const line = (depth: number, key: string, value: Json | undefined): string[] =>
    value === undefined || value === null ? [] : [`# ${"  ".repeat(depth)}${key} = ${oneLine(value)}`];
  return [
    ...line(0, "model", description.model),
    "# method = sample",
    "#   sample",
    ...line(2, "num_samples", count),
    ...line(2, "num_warmup", plan.warmup ?? 0),
    ...line(2, "save_warmup", 0),
    ...line(2, "thin", 1),
    ...(hamiltonian ? hamiltonianSettings(algorithm, plan, line) : line(2, "algorithm", algorithm.algorithm ?? "fixed_param")),
    ...line(2, "num_chains", chains),
    ...line(0, "id", chain + 1),
    "# random",
    ...line(1, "seed", plan.seed),
    `# ${ERGODIC_KEY} = ${JSON.stringify(headerToJson(content))}`,
  ];
}

type Line = (depth: number, key: string, value: Json | undefined) => string[];

function hamiltonianSettings(algorithm: JsonObject, plan: JsonObject, line: Line): string[] {
  const nuts = algorithm.algorithm === "nuts";
  return [
    "#     adapt",
    ...line(3, "engaged", Number(plan.warmup ?? 0) > 0 ? 1 : 0),
    ...line(3, "gamma", algorithm.gamma),
    ...line(3, "delta", typeof algorithm.targetAcceptance === "number" ? algorithm.targetAcceptance : undefined),
    ...line(3, "kappa", algorithm.kappa),
    ...line(3, "t0", algorithm.t0),
    ...line(2, "algorithm", "hmc"),
    "#       hmc",
    ...line(4, "engine", nuts ? "nuts" : "static"),
    `#           ${nuts ? "nuts" : "static"}`,
    ...line(6, "max_depth", algorithm.maxTreeDepth),
    ...line(4, "metric", metricNames[String(algorithm.metric)] ?? algorithm.metric),
    ...line(4, "stepsize", algorithm.stepSize),
    ...line(4, "stepsize_jitter", algorithm.jitter),
  ];
}

/** Reports the final step size, if it was adapted. */
function adaptation({ description, count, fields, transitions }: DrawsContent, chain: number): string[] {
  const offset = fields.indexOf("stepSize");
  if (offset < 0 || count === 0 || !(Number(objectOf(description.plan).warmup) > 0)) return [];
  return ["# Adaptation terminated", `# Step size = ${decimal(transitions[((chain + 1) * count - 1) * fields.length + offset])}`];
}

function elapsed({ description }: DrawsContent): string[] {
  const { seconds } = objectOf(description.run);
  return typeof seconds === "number" ? ["# ", `#  Elapsed Time: ${decimal(seconds)} seconds (Total)`] : [];
}

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};

/** Line breaks become blanks, because a line break would end the comment. */
const oneLine = (value: Json): string =>
  (typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/[\r\n]+/g, " ");
