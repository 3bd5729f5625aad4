// The pages of functions and their options: the verbs (docs/options.md) and the algorithms (docs/algorithms.md).
import { markdownTable } from "../markdown.mjs";
import { attachedTo, commentOf, exportsOf, fileOf, optionsOf, returnedName, signatureLine, signaturesOf } from "./program.mjs";
import { firstSentence, meaningAndDefault } from "./text.mjs";

/** @typedef {import("./program.mjs").Entry} Entry */
/** @typedef {import("./program.mjs").Option} Option */
/** @typedef {import("typescript").Symbol} Symbol */
/** @typedef {import("typescript").Signature} Signature */
/** @typedef {{ name: string, file: string, entries: Entry[], summary: string, signatures: readonly Signature[] }} Listed */

/** Sections, and the folders of the functions in each. The first match counts. @type {readonly [string, RegExp][]} */
const sections = [
  ["Training", /ergodic\/src\/(join\/(fit|resume)|learning|engine\/optimise\/(schedules|variance))/],
  ["Posteriors", /ergodic\/src\/bayes/],
  ["Factor graphs and knowledge bases", /ergodic\/src\/graphs/],
  ["Search and tuning", /ergodic\/src\/(search|engine\/optimise\/coordinates)/],
  ["Explanations", /ergodic\/src\/predict\/explain/],
  ["Calibrated predictions", /ergodic\/src\/predict\/calibration/],
  ["Prediction and measurement", /ergodic\/src\/predict/],
  ["Data", /ergodic\/src\/engine\/(data|errors|random\/own)/],
  ["Threads and random numbers", /ergodic\/src\/(join\/worker|engine\/(memory|random\/stream))/],
  ["Serving", /packages\/serve/],
  ["Plots", /packages\/plots/],
];

/** Verbs that come first in their section; other functions follow in alphabetical order. */
const first = ["fit", "crossValidate", "sample", "infer", "minimize", "tune", "predictor", "measure", "serve", "plot"];

/** @type {readonly Entry[]} */
const read = [
  "ergodic",
  "ergodic/learning",
  "ergodic/bayes",
  "ergodic/graphs",
  "ergodic/search",
  "ergodic/predict",
  "ergodic/predict/async",
  "ergodic/calibration",
  "ergodic/explain",
  "ergodic/data",
  "ergodic/worker",
  "ergodic/rules",
  "ergodic/extend",
  "@ergodic/serve",
  "@ergodic/plots",
];

/** Names from `ergodic/extend` that are listed; its other names define new algorithms and models. */
const fromExtend = ["online", "networkGraph"];

/** Entry points that have pages of their own. @type {readonly Entry[]} */
const elsewhere = ["ergodic/rules", "ergodic/distributions", "ergodic/layers", "ergodic/losses"];

/** Sections of algorithms, and the return types of the functions that make them. @type {readonly [string, readonly string[]][]} */
const algorithms = [
  ["Samplers and approximations", ["Sampler", "BlockUpdate"]],
  ["Inference on graphs", ["InferenceAlgorithm"]],
  ["Learning of weights of graphs", ["GraphLearner"]],
  ["Training", ["Algorithm", "CoordinateDescent", "GradientDescent"]],
  ["Variance reduction", ["Variance"]],
  ["Schedules of rates", ["Schedule"]],
  ["Search", ["SearchAlgorithm"]],
];
const algorithmTypes = algorithms.flatMap(([, types]) => types);
/** @param {Listed} listed */
const isAlgorithm = ({ name, signatures }) => algorithmTypes.includes(returnedName(signatures[0])) && !/FromJson$|\./.test(name);

/** Whether a function of `ergodic/rules` is an algorithm rather than a rule. @param {Symbol} symbol */
const isListed = (symbol) => signaturesOf(symbol).some((one) => ["Variance", "Schedule"].includes(returnedName(one)));

/** @type {Listed[] | undefined} */
let all;

/** Public functions of the entry points, with the functions attached to them. */
export function publicFunctions() {
  if (all) return all;
  const skipped = new Set(elsewhere.flatMap((entry) => [...exportsOf(entry).values()].filter((symbol) => !isListed(symbol))));
  /** @type {Map<Symbol, Listed>} */
  const found = new Map();
  for (const entry of read)
    for (const [name, symbol] of exportsOf(entry)) {
      if (skipped.has(symbol) || (entry === "ergodic/extend" && !fromExtend.includes(name) && !found.has(symbol))) continue;
      for (const [label, one] of [[name, symbol], ...attachedTo(symbol).map((part) => [`${name}.${part.name}`, part])])
        add(found, String(label), /** @type {Symbol} */ (one), entry);
    }
  all = [...found.values()];
  return all;
}

/** @param {Map<Symbol, Listed>} found @param {string} name @param {Symbol} symbol @param {Entry} entry */
function add(found, name, symbol, entry) {
  const before = found.get(symbol);
  if (before) return void before.entries.push(entry);
  const signatures = signaturesOf(symbol);
  const node = symbol.valueDeclaration;
  if (signatures.length === 0 || !node) return;
  found.set(symbol, { name, file: fileOf(node), entries: [entry], summary: firstSentence(commentOf(symbol)), signatures });
}

/** The section of a function on one of the two pages. @param {Listed} listed */
export function sectionOf(listed) {
  const { file, signatures } = listed;
  if (!isAlgorithm(listed)) return sections.find(([, folder]) => folder.test(file))?.[0];
  return algorithms.find(([, types]) => types.includes(returnedName(signatures[0])))?.[0];
}

/** @param {Listed} a @param {Listed} b */
function inOrder(a, b) {
  const [i, j] = [a, b].map(({ name }) => first.indexOf(name.split(".")[0]) >>> 0);
  return i - j || (a.name < b.name ? -1 : 1);
}

/** Options of one function, as a table. @param {readonly Option[]} options */
export function optionsTable(options) {
  const rows = options.map(({ name, type, required, comment, fallback: literal }) => {
    const { meaning, fallback } = meaningAndDefault(comment);
    return [`\`${name}\``, `\`${type}\``, meaning, literal ?? fallback ?? (required ? "required" : "–")];
  });
  return markdownTable(["option", "type", "meaning", "default"], rows);
}

/** The anchor of a heading. @param {string} heading */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

/** @param {string} text */
const block = (text) => `\`\`\`text\n${text}\n\`\`\`\n`;

/**
 * Options of a signature that have comments. Options without a comment are part of the signature as it is shown, and
 * the function's own comment describes them.
 *
 * @param {Signature} signature
 */
function describedOptions(signature) {
  const found = optionsOf(signature);
  const options = found?.options.filter(({ comment }) => comment !== "") ?? [];
  return found && options.length > 0 ? { key: found.key, options } : undefined;
}

/**
 * Sections of functions with options. Options that several functions share are listed once, under the first function.
 * The optional third entry of a group is a text below its heading.
 *
 * @param {readonly (readonly [string, readonly Listed[], string?])[]} groups
 * @param {(name: string, signature: Signature) => string} written
 */
export function functionSections(groups, written) {
  /** @type {Map<string, string>} */
  const shown = new Map();
  return groups.map(([title, listed, text]) => {
    const headed = listed.map((one) => functionText(one, shown, written));
    const plain = listed.flatMap(({ name, summary, signatures }) =>
      signatures.some(describedOptions) ? [] : [`- \`${written(name, signatures[0])}\`: ${summary}\n`],
    );
    const heading = headed.some(Boolean) ? "### Without options\n\n" : "";
    const rest = plain.length === 0 ? "" : `${heading}${plain.join("")}`;
    const begin = text === undefined ? "" : `${text}\n\n`;
    return `## ${title}\n\n${begin}${[...headed.filter(Boolean), rest].filter(Boolean).join("\n")}`;
  });
}

/**
 * @param {Listed} listed
 * @param {Map<string, string>} shown
 * @param {(name: string, signature: Signature) => string} written
 */
function functionText({ name, entries, summary, signatures }, shown, written) {
  /** Signatures by their options. @type {Map<string, { lines: string[], options: Option[] }>} */
  const kinds = new Map();
  for (const signature of signatures) {
    const { key, options } = describedOptions(signature) ?? { key: "", options: [] };
    const kind = kinds.get(key) ?? { lines: [], options };
    kinds.set(key, kind);
    kind.lines.push(written(name, signature));
  }
  if (kinds.size === 1 && kinds.has("")) return "";
  const heading = [...shown.values()].includes(name) ? `${name} of ${entries[0]}` : name;
  const parts = [...kinds].map(([key, { lines, options }]) => {
    const before = shown.get(key);
    if (key !== "" && before === undefined) shown.set(key, heading);
    const table = before === undefined ? optionsTable(options) : `Options: as for [\`${before}\`](#${anchor(before)}).\n`;
    return `${block([...new Set(lines)].join("\n"))}${key === "" ? "" : `\n${table}`}`;
  });
  const from = entries.length === 0 ? "" : ` From ${entries.map((entry) => `\`${entry}\``).join(", ")}.`;
  return `### ${heading}\n\n${summary}${from}\n\n${parts.join("\n")}`;
}

const introduction = `- **meaning**: the first sentence of the option's comment. Editors show the whole comment.
- **default**: the value of an option that is not given, with its range after a semicolon. –: the option is off or has no
  value unless it is given.
`;

export function optionsPage() {
  const verbs = publicFunctions().filter((listed) => !isAlgorithm(listed));
  const groups = sections.map(
    ([title]) => /** @type {const} */ ([title, verbs.filter((listed) => sectionOf(listed) === title).sort(inOrder)]),
  );
  return `# Verbs and their options

Generated from the types of the functions by \`npm run docs\`; do not edit. [Algorithms](algorithms.md) have a page of their
own, as have [rules](rules.md), [distributions](distributions.md), [layers](layers.md), [losses](losses.md) and
[readers of files](formats.md).

${introduction}
${functionSections(groups, signatureLine).join("\n")}`;
}

/** @param {string} name @param {Signature} signature */
function algorithmLine(name, signature) {
  const parameters = signatureLine(name, signature).replace(/\((options\??): .*\): \w+$/s, "($1)");
  return parameters.replace(/: T$/, "");
}

export function algorithmsPage() {
  const listed = publicFunctions().filter(isAlgorithm);
  const groups = algorithms.map(
    ([title]) => /** @type {const} */ ([title, listed.filter((one) => sectionOf(one) === title).sort(inOrder)]),
  );
  return `# Algorithms and their options

Generated from the types of the functions by \`npm run docs\`; do not edit. An algorithm is the value of the option
\`algorithm\` of a [verb](options.md): \`sample(model, data, { algorithm: nuts({ targetAcceptance: 0.95 }) })\`. Step rules are
on [their own page](rules.md).

${introduction}
${functionSections(groups, algorithmLine).join("\n")}`;
}
