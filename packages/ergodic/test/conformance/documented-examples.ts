/**
 * The examples in doc comments of the main exports as one module, which documented.test.ts compiles. Declarations here
 * supply the names that examples assume.
 */
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect } from "vitest";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const src = `${root}packages/ergodic/src/`;
/** Exports (or members) with an example, per file. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  "join/fit.ts": ["fit"],
  "learning/fit/kinds/linear.ts": ["linear"],
  "learning/fit/kinds/network.ts": ["network"],
  "learning/fit/kinds/ratings.ts": ["factorisation"],
  "bayes/sample.ts": ["sample"],
  "search/minimize/minimize.ts": ["minimize"],
  "search/tune.ts": ["tune"],
  "bayes/calibrate.ts": ["calibrate"],
  "predict/load.ts": ["predictor"],
  "predict/output-predictor.ts": ["predict"],
  "engine/data/dataset.ts": ["Dataset"],
  "bayes/samplers/hamiltonian/nuts.ts": ["nuts"],
  "engine/optimise/rules/adam.ts": ["adam"],
  "search/algorithms/ask-tell.ts": ["search"],
  "engine/compiler/array/function.ts": ["compileFunction"],
  "bayes/model/model.ts": ["model"],
  "bayes/model/functional/function-density.ts": ["functionDensity"],
  "../../ingest/src/read.ts": ["read"],
  "entries/diagnostics.ts": [""],
};

const PRELUDE = `
  const { train, test } = data.split(0.8, { seed: 1 });
  void [train, test];
`;
const GIVEN = `
declare const data: ergodic.Dataset; declare const validate: ergodic.Dataset;
declare const users: string[]; declare const items: string[]; declare const values: number[];
declare const eightSchools: ergodic.StatisticalModel; declare const m: ergodic.StatisticalModel;
declare const f: (x: Float64Array) => number;
declare const sigma: number[]; declare const y: number[]; declare const x: number[];
declare const objective: ergodic.CompiledFunction<{ w: [2]; x: [3]; y: [3] }>;
declare const chains: number[]; declare const mu: number[]; declare const tau: number[];
`;

/** Names that a single example assumes. */
const OWN: Readonly<Record<string, string>> = {
  predict: "const model = 0 as unknown as ergodic.LinearPredictor;",
  compileFunction: "const w = [0];",
};

/** The code of a comment's `@example` tags. The header of a module has none, so its indented lines are code. */
function exampleOf(comment: string): string {
  const text = comment
    .replace(/\*\/\s*$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\*( |$)/, ""))
    .join("\n");
  const fenced = [...text.matchAll(/^@example\n```ts\n(.*?)\n```$/gms)].map(([, code]) => code);
  if (fenced.length > 0 || text.includes("\n@")) return fenced.join("\n");
  return text
    .split("\n")
    .filter((line) => /^ {2,}\S/.test(line))
    .join("\n");
}

function examples(): { name: string; code: string }[] {
  return Object.entries(SHOWN).flatMap(([path, names]) => {
    const file = ts.createSourceFile(path, ts.sys.readFile(src + path)!, ts.ScriptTarget.Latest, true);
    const found: { name: string; code: string }[] = [];
    const visit = (node: ts.Node): void => {
      const named = ts.isVariableStatement(node) ? node.declarationList.declarations[0] : (node as ts.NamedDeclaration);
      const name = named.name?.getText(file) ?? "";
      const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
      const isHeader = node.parent === file && file.statements[0] === node;
      if ((names.includes(name) && name !== "") || (names.includes("") && isHeader))
        for (const comment of comments) found.push({ name: name || path, code: exampleOf(comment.getText()) });
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(file, visit);
    if (names.includes("")) found.push({ name: path, code: exampleOf(/^\/\*\*[\s\S]*?\*\//.exec(file.text)![0]) });
    return found.filter(({ code }) => code.trim() !== "");
  });
}

/** Removes the examples' own imports, because all names are in scope. */
function moduleOf(all: readonly { name: string; code: string }[], exports: readonly string[]): string {
  const blocks = all.map(({ name, code }, i) => {
    const body = code.replace(/^\s*import .*$/gm, "").replace(/…/g, "0");
    const declared = /const \{ train, test \}/.test(body) ? "" : PRELUDE;
    return `// ${name}\nexport async function example${i}() {${declared}${OWN[name] ?? ""}{\n${body}\n}}`;
  });
  return `import * as ergodic from "../../src/entries/everything.ts";\nimport * as ingest from "@ergodic/ingest";\nimport * as judged from "ergodic/diagnostics";
const { ${exports.join(", ")} } = ergodic;
type LinearPredictor = ergodic.LinearPredictor;
const { read, readCsv } = ingest;
const { essBulk, rhat, summary } = judged;
import { matmul, mean, mul, neg, softplus, tanh } from "ergodic/compiler";
${GIVEN}\n${blocks.join("\n")}\nvoid [${exports.join(", ")}, read, readCsv, essBulk, rhat, summary, matmul, mean, mul, neg, softplus, tanh];`;
}

/** Module that consists of all examples, each as a function of its own. */
export function exampleModule(): string {
  const all = examples();
  expect(new Set(all.map(({ name }) => name)).size).toBeGreaterThanOrEqual(Object.keys(SHOWN).length);
  const exports = [...new Set(all.flatMap(({ code }) => code.match(/\b[a-zA-Z]\w*(?=[(.])/g) ?? []))];
  const entries = [
    "index",
    "bayes",
    "data",
    "distributions",
    "graphs",
    "layers",
    "learning",
    "losses",
    "rules",
    "search",
    "everything",
  ];
  const lists = entries.flatMap((name) => [...ts.sys.readFile(`${src}entries/${name}.ts`)!.matchAll(/export \{([^}]*)\}/g)]);
  const exported = new Set(lists.flatMap(([, list]) => list.split(",").map((name) => name.trim())));
  const known = [...new Set([...exports, "vector", "Dataset", "compileFunction"])].filter((name) => exported.has(name));
  return moduleOf(all, known);
}
