// The page of layers (docs/layers.md): comments and options from the sources, shapes and parameters from traces.
import { markdownTable } from "../markdown.mjs";
import { layerExamples } from "./layer-examples.mjs";
import { optionsTable } from "./options.mjs";
import { commentOf, exportsOf, fileOf, optionsOf, returnedName, signatureLine, signaturesOf } from "./program.mjs";
import { firstSentence, flat, paragraphs } from "./text.mjs";

/** @typedef {import("../../packages/ergodic/src/learning/models/neural/index.ts")} Neural */
/** @typedef {import("../../packages/ergodic/src/engine/compiler/array/index.ts")} Arrays */
/** @typedef {{ name: string, file: string, comment: string, signature: import("typescript").Signature }} Listed */

/** Options of a layer that every layer has. */
const common = "name";

/** @param {string} returned @returns {Listed[]} */
function made(returned) {
  const place = Object.keys(layerExamples);
  const all = [...exportsOf("ergodic/layers")].flatMap(([name, symbol]) => {
    const [signature] = signaturesOf(symbol);
    if (!signature || returnedName(signature) !== returned || /FromJson$/.test(name) || !symbol.valueDeclaration) return [];
    return [{ name, file: fileOf(symbol.valueDeclaration), comment: commentOf(symbol), signature }];
  });
  return all.sort((a, b) => place.indexOf(a.name) - place.indexOf(b.name));
}

/** @param {readonly number[]} shape */
const shapeText = (shape) => `[${shape.join(", ")}]`;
const grouped = new Intl.NumberFormat("en-GB");

/** Most parameters that are listed one by one. */
const MOST_LISTED = 8;

/**
 * @param {Neural} neural
 * @param {Arrays} arrays
 * @param {string} name
 */
function traced(neural, arrays, name) {
  const example = layerExamples[name];
  if (!example) throw new Error(`${name} has no example; add one to scripts/reference/layer-examples.mjs`);
  const { call, input } = example;
  const layer = new Function(...Object.keys(neural), `return ${call};`)(...Object.values(neural));
  const { output, parameters, states } = neural.traceNetwork(layer, arrays.input("x", [1, ...input]));
  const count = parameters.reduce((sum, { input: { size } }) => sum + size, 0);
  const few = parameters.length <= MOST_LISTED;
  const listed = parameters.map(({ path, shape }) => `\`${path}\` ${shapeText(shape)}`).join(", ");
  const running = states.map(({ path, shape }) => `\`${path}\` ${shapeText(shape)}`).join(", ");
  return {
    call,
    shapes: `${shapeText(input)} → ${shapeText(output.shape.slice(1))}`,
    count: grouped.format(count),
    parameters: few ? listed || "none" : `${parameters.length} arrays`,
    states: states.length === 0 ? "" : states.length <= MOST_LISTED ? running : `${states.length} arrays`,
  };
}

/** A paragraph of a comment, with equations in a block. @param {string} paragraph */
function paragraphText(paragraph) {
  const lines = paragraph.split("\n");
  if (!lines.some((line) => line.startsWith("  "))) return flat(paragraph);
  return `\`\`\`text\n${lines.map((line) => line.replace(/^ {2}/, "")).join("\n")}\n\`\`\``;
}

/** @param {Listed} listed @param {ReturnType<typeof traced>} facts */
function section({ name, comment, signature }, { call, shapes, count, parameters, states }) {
  const text = paragraphs(comment).map(paragraphText).join("\n\n");
  const options = optionsOf(signature)?.options.filter((option) => option.name !== common) ?? [];
  const running = states === "" ? "" : ` Running statistics: ${states}.`;
  const example = `\`${call}\`: ${shapes}. Parameters: ${parameters}${parameters === "none" ? "" : `, ${count} numbers`}.${running}\n`;
  const table = options.length === 0 ? "" : `\n${optionsTable(options)}`;
  return `### ${name}\n\n${text}\n\n\`\`\`text\n${signatureLine(name, signature)}\n\`\`\`\n\n${example}${table}`;
}

/** @param {Neural} neural @param {Arrays} arrays */
export function layersPage(neural, arrays) {
  const all = made("Layer").map((listed) => ({ listed, facts: traced(neural, arrays, listed.name) }));
  const isLayer = (/** @type {typeof all[number]} */ { listed: { file } }) => !file.includes("/architectures/");
  const [layers, architectures] = [all.filter(isLayer), all.filter((one) => !isLayer(one))];
  /** @param {typeof all} listed */
  const table = (listed) =>
    markdownTable(
      ["layer", "what it computes", "example", "input → output", "parameters"],
      listed.map(({ listed: { name, comment }, facts }) => [
        `[\`${name}\`](#${name.toLowerCase()})`,
        firstSentence(comment).replace(/:$/, "."),
        `\`${facts.call}\``,
        facts.shapes,
        facts.count,
      ]),
    );
  /** @param {typeof all} listed */
  const sections = (listed) => listed.map(({ listed: one, facts }) => section(one, facts)).join("\n");
  const initialisers = made("Initialiser").map(({ name, comment, signature }) => [
    `\`${name}\``,
    flat(comment),
    optionsOf(signature)
      ?.options.map((option) => `\`${option.name}\``)
      .join(", ") ?? "–",
  ]);
  return `# Layers and architectures

Generated from the sources by \`npm run docs\`; do not edit. [Neural networks](networks.md) shows how layers become a model.

Shapes are those of one example: \`[28, 28, 3]\` is an image of height 28 and width 28 with 3 channels, and \`[10, 8]\` is a
sequence of 10 steps with 8 numbers each. In descriptions, n is the number of examples of a batch. The last column counts
the parameters of the example. Every layer has the option \`name\`, which is its part of the path of its parameters:
\`conv\` in \`2.conv.weight\`. Without a name, a layer of a sequence has its index.

${table(layers)}
## Architectures

${table(architectures)}
## Initialisers

An initialiser makes the initial values of a parameter: \`dense(64, { initial: glorotUniform() })\`. The fans are the
numbers of inputs and outputs of a unit.

${markdownTable(["initialiser", "initial values", "options"], initialisers)}
## Layers in detail

${sections(layers)}
## Architectures in detail

${sections(architectures)}`;
}
