// The page of losses (docs/losses.md): comments from the sources, equations and links from the losses themselves.
import { markdownTable } from "../markdown.mjs";
import { optionsTable } from "./options.mjs";
import { commentOf, exportsOf, optionsOf, returnedName, signaturesOf } from "./program.mjs";
import { firstSentence, flat } from "./text.mjs";

/** @typedef {typeof import("ergodic/losses")} Losses */
/** @typedef {import("ergodic/losses").Loss} Loss */

/** Targets by task. @type {Readonly<Record<Loss["task"], string>>} */
const targets = {
  binary: "two classes, y = −1 or +1",
  multiclass: "classes, y = 0, 1, …",
  regression: "numbers",
  count: "numbers ≥ 0",
};

/** Predictions by link. @type {Readonly<Record<Loss["link"], string>>} */
const links = {
  sigmoid: "probability 1/(1 + e^(−z))",
  softmax: "probabilities e^(z_k)/Σ e^(z_j)",
  sigmoidNormalised: "probabilities σ(z_k)/Σ σ(z_j)",
  sign: "the class by the sign of z",
  identity: "z",
  exp: "e^z",
  probabilities: "z: the probability of each class",
};

/** @param {Losses} losses */
export function lossesPage(losses) {
  const found = [...exportsOf("ergodic/losses")].filter(([name, symbol]) => {
    const [signature] = signaturesOf(symbol);
    return signature && returnedName(signature) === "Loss" && !/FromJson$/.test(name);
  });
  const all = found.map(([name, symbol]) => {
    const loss = /** @type {Readonly<Record<string, () => Loss>>} */ (/** @type {unknown} */ (losses))[name]();
    return { name, comment: commentOf(symbol), loss, options: optionsOf(signaturesOf(symbol)[0])?.options ?? [] };
  });
  const rows = all.map(({ name, comment, loss, options }) => [
    `[\`${loss.name}\`](#${name.toLowerCase()})`,
    firstSentence(comment).split(":")[0],
    targets[loss.task],
    `\`${loss.link}\`: ${links[loss.link]}`,
    options.map((option) => `\`${option.name}\``).join(", ") || "–",
    loss.curvature === undefined ? "–" : String(loss.curvature),
  ]);
  const sections = all.map(({ name, comment, loss, options }) => {
    const call =
      options.length === 0 ? `${name}()` : `${name}({ ${options.map((one) => `${one.name}: ${one.fallback}`).join(", ")} })`;
    const table = options.length === 0 ? "" : `\n${optionsTable(options)}`;
    return `### ${name}\n\n${flat(comment)}\n\n\`${call}\`, or \`"${loss.name}"\`:\n\n\`\`\`text\nℓ(z, y) = ${loss.equation}\n\`\`\`\n${table}`;
  });
  return `# Losses

Generated from the losses themselves by \`npm run docs\`; do not edit.

A loss is the option \`loss\` of \`linear\` and \`network\`: \`linear({ loss: "huber" })\`, or
\`linear({ loss: huberLoss({ delta: 2 }) })\`. z is the output of the model for a row and y the target. With more than two classes, a loss of two classes is applied to
each class against the rest.

- **target**: the column that the loss predicts, and its coding.
- **prediction**: the link, which converts z to the prediction.
- **curvature**: the largest second derivative of the loss in z, if it is finite. Step sizes are derived from it.

${markdownTable(["loss", "meaning", "target", "prediction", "options", "curvature"], rows)}
## Losses in detail

In equations, brackets enclose a number that counts as a constant for the derivative.

${sections.join("\n")}
## A loss of your own

\`loss(name, defaults, equation, traits)\` defines a loss by its equation, and derivatives are derived from it; see
[recipes](recipes.md).
`;
}
