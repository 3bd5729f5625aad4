// Writes the generated pages of docs/: the step rules and the distributions from the ledgers of the built packages, the
// command line from its own help, and the pages of reference/ from the sources. Tests check that the pages match the
// current sources.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { markdownTable } from "./markdown.mjs";

/** @typedef {import("ergodic/rules").LedgerRow} LedgerRow */

/** @param {number | null} value */
const number = (value) => (value === null ? "–" : String(value));
/** @param {LedgerRow} rule */
const floats = ({ floatsPerParameter }) => (floatsPerParameter === null ? "grows" : number(floatsPerParameter));

/** @param {LedgerRow} rule */
const bytes = ({ stateBytesPerParameter }) => (stateBytesPerParameter === null ? "grows" : number(stateBytesPerParameter));

const kinds = { equation: "equation", search: "search on a batch", host: "whole objective" };

/** @param {readonly LedgerRow[]} ledger */
export function rulesPage(ledger) {
  const rows = ledger.map((rule) => [
    `[\`${rule.rule}\`](#${rule.rule.toLowerCase()})`,
    rule.summary,
    rule.transformation ? "link of a chain" : kinds[rule.kind],
    floats(rule),
    bytes(rule),
    number(rule.operationsPerParameter),
    number(rule.extraPasses),
    rule.sparse ?? "–",
  ]);
  const header = ["rule", "step", "kind", "floats", "bytes", "operations", "passes", "sparse"];
  return `# Step rules

Generated from the rules themselves by \`npm run docs\`; do not edit.

Cost of each rule in addition to plain gradient descent, \`p ← p − η·g\`:

- **floats**: state numbers per parameter; **bytes**: state bytes per parameter in a float32 run (rules on the whole
  objective compute in float64).
- **operations**: machine operations per parameter, beyond the 2 of plain gradient descent.
- **passes**: sums over all parameters that a step waits for. Each reads the gradient once more.
- **sparse**: effect of an update on coordinates that a sparse row does not touch. \`exact\`: they need no update.
  \`lazy\`: their states should change, but are left as they are, as in PyTorch's SparseAdam. \`dense\`: gradients are
  made dense, because the step needs every coordinate, or because the rule is evaluated at an average of its iterates,
  which changes in every coordinate.

Options are given by name: \`adam({ beta1: 0.8 })\`, or \`--rule adam:beta1=0.8\` on the command line.
\`ergodic rules adam\` prints them. Below each equation is a list of the rule's options with their symbols. The other
symbols have the same meaning everywhere: \`p\` is the parameter, \`g\` its gradient, \`f\` the loss, \`t\` the number of
the update, from 1, and \`n\` the number of updates per epoch. All remaining symbols are states. Every number can be a
schedule.

A link of a chain is placed before or after a rule: \`chain(clipNorm({ norm: 1 }), sgd())\`. The costs of a link are
measured in a chain with plain gradient descent.

${markdownTable(header, rows)}
${ledger.map(section).join("\n")}`;
}

/** @param {LedgerRow} rule */
function section(rule) {
  const facts =
    rule.equation === null ? `No equation. Cost per step: ${rule.perStep}.\n` : `\`\`\`text\n${rule.equation}\n\`\`\`\n`;
  return `## ${rule.rule}\n\n${capital(rule.summary)}. Source: ${rule.source}.\n\n${facts}\n${optionsText(rule)}`;
}

/** @param {LedgerRow} rule */
function optionsText({ options, signs }) {
  const entries = Object.entries(options);
  if (entries.length === 0) return "No options.\n";
  return `Options: ${entries.map(([name, value]) => `\`${name}\`${signs[name] ? `, ${signs[name]}` : ""} (${value})`).join("; ")}.\n`;
}

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** @typedef {import("ergodic/distributions").DistributionRow} DistributionRow */

const cdfs = { arrays: "yes", numbers: "of numbers", none: "–" };

const declarations =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+)(?:: (?:(?!;\n)[\s\S])*?)? = (?:\/\* @__PURE__ \*\/ )?(distribution|operation)\(/g;

/**
 * Reads summaries from the sources of distributions, one string per file. The summary of a distribution is the last
 * paragraph of its comment; for distributions composed of others, the first paragraph.
 */
export function distributionSummaries(/** @type {readonly string[]} */ sources) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const source of sources)
    for (const [, comment, name, maker] of source.matchAll(declarations)) {
      const text = comment.replace(/^\s*\*? ?/gm, "").trim();
      const paragraphs = text.split(/\n\n+/).filter((part) => !part.startsWith("@") && !part.startsWith("  "));
      const chosen = maker === "distribution" ? paragraphs.at(-1) : paragraphs[0];
      found.set(name, String(chosen).replace(/\s*\n\s*/g, " "));
    }
  return found;
}

/** Distributions composed of others, and how they are called. */
const made = {
  truncated: "truncated(base, { lower, upper })",
  censored: "censored(base, { lower, upper, right, left, until })",
  mixture: "mixture(weights, components)",
  zeroInflated: "zeroInflated(probability, base)",
  lkjCholesky: "lkjCholesky(dimension, eta)",
  bernoulliLogitGlm: "bernoulliLogitGlm(x, alpha, beta)",
  poissonLogGlm: "poissonLogGlm(x, alpha, beta)",
  normalIdGlm: "normalIdGlm(x, alpha, beta, sigma)",
};

/**
 * @param {readonly DistributionRow[]} ledger
 * @param {ReadonlyMap<string, string>} summaries
 * @param {Readonly<Record<string, string>>} words
 */
export function distributionsPage(ledger, summaries, words) {
  // Distributions that a program defined itself are not on this page.
  const rows = ledger
    .filter(({ name }) => summaries.has(name))
    .map(({ name, parameters, support, cdf, quantile, moments }) => [
      `\`${name}(${parameters.map((one) => one.name).join(", ")})\``,
      parameters.map((one) => `${one.name} ${one.wanted}`).join("; "),
      support,
      cdfs[cdf],
      quantile ? "yes" : "–",
      moments ? "yes" : "–",
    ]);
  const others = Object.entries(made).map(([name, call]) => [`\`${call}\``, summaries.get(name) ?? ""]);
  const constraints = Object.entries(words).map(([word, meaning]) => [`\`"${word}"\``, meaning]);
  const sentences = ledger.flatMap(({ name }) => (summaries.has(name) ? [`- \`${name}\`: ${summaries.get(name)}\n`] : []));
  return `# Distributions

Generated from the distributions themselves by \`npm run docs\`; do not edit.

Arguments have the order shown. They are numbers, lists of numbers or arrays of a model, and they broadcast. All
distributions can be drawn from. If values are vectors or matrices, the option \`shape\` of a parameter counts the values
and excludes their own extents: see [shapes of parameters](sampling.md#shapes-of-parameters).

- **values**: the support, outside which the density is 0. K is the length of a vector.
- **P(X ≤ x)**: \`yes\` if the compiler's arrays have its logarithm, as \`logCdf\` and \`logSurvival\`. \`truncated\` and
  \`censored\` accept such distributions with any parameters. \`of numbers\`: there is only \`cdf\`, so \`truncated\` accepts only
  numbers as parameters.
- **quantile**, **moments**: whether the inverse of P(X ≤ x) is known, and whether mean and variance are known.

${markdownTable(["distribution", "arguments", "values", "P(X ≤ x)", "quantile", "moments"], rows)}
## Definitions

${sentences.join("")}
## Composed of other distributions

${markdownTable(["call", "definition"], others)}
## Constraints of parameters

\`param(name, word)\` declares a parameter with a flat prior over such values, and
\`param(name, prior, { constraint: word })\` restricts a prior to them. \`{ lower, upper }\` in place of the word sets bounds,
which can depend on other parameters. The support of a prior is a constraint already and needs no word.

${markdownTable(["word", "values"], constraints)}`;
}

/**
 * @param {(args: string[]) => string | Promise<string>} help
 * @returns {Promise<string>}
 */
export async function commandLinePage(help) {
  /** @type {string[]} */
  const sections = [];
  const [, list] = (await help(["--help"])).split("Commands:\n");
  const commands = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  for (const command of commands)
    sections.push(`## ergodic ${command}\n\n\`\`\`text\n${(await help([command, "--help"])).trimEnd()}\n\`\`\`\n`);
  return `# The command line

Generated from the command's own help by \`npm run docs\`; do not edit. [The guide](command-line-guide.md) has examples.

Results go to standard output; progress and errors go to standard error. Exit codes: 0: success. 1: the run failed; with
\`diagnose --strict\`, the draws cannot be trusted; with \`check --strict\`, the model does not generate data like the
observed data. 2: the command line is wrong.

${sections.join("\n")}`;
}

export function distributionSources() {
  const folder = new URL("../packages/ergodic/src/bayes/distributions/", import.meta.url);
  return readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { constraintWords } = await import("ergodic/bayes");
  const { distributionLedger } = await import("ergodic/distributions");
  const { ruleLedger } = await import("ergodic/rules");
  /** @param {string} name */
  const page = (name) => new URL(`../docs/${name}`, import.meta.url);
  const cli = fileURLToPath(new URL("../packages/cli/dist/main.js", import.meta.url));
  writeFileSync(page("rules.md"), rulesPage(ruleLedger()));
  writeFileSync(
    page("distributions.md"),
    distributionsPage(distributionLedger(), distributionSummaries(distributionSources()), constraintWords),
  );
  /** @param {string[]} args */
  const help = (args) => execFileSync(process.execPath, [cli, ...args], { encoding: "utf8" });
  writeFileSync(page("command-line.md"), await commandLinePage(help));
  const { moduleFiles, referencePages } = await import("./reference/pages.mjs");
  const { importSources } = await import("./reference/sources.mjs");
  const modules = /** @type {import("./reference/pages.mjs").Modules} */ (await importSources(moduleFiles));
  for (const [name, made] of Object.entries(referencePages)) writeFileSync(page(name), made(modules));
  const { pictures, withSpeeds } = await import("./front-page.mjs");
  const readme = new URL("../README.md", import.meta.url);
  writeFileSync(readme, withSpeeds(readFileSync(readme, "utf8"), readFileSync(page("benchmarks.md"), "utf8")));
  for (const [theme, picture] of Object.entries(await pictures())) writeFileSync(page(`pictures/schools-${theme}.svg`), picture);
}
