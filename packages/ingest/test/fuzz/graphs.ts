/** Damaged files of factor graphs in every format. Graphs that are read are also written again. */
import { gzipSync } from "node:zlib";
import { type FactorGraph, factorGraph, is, not } from "ergodic";
import { logicalFunctionNames } from "ergodic/graphs";
import { type FuzzResult, fuzz, type Target } from "../../../ergodic/test/fuzz/mutate.ts";
import {
  readBif,
  readDimmWitted,
  readGraphJson,
  readLibdai,
  readUai,
  readUaiEvidence,
  writeBif,
  writeDimmWitted,
  writeGraphJson,
  writeUai,
} from "../../src/graphs/index.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A graph with every kind of factor and variable. */
function everything(): FactorGraph {
  const graph = logical();
  graph.variable("weather", ["sun", "rain"]);
  graph.table([0, "weather"], [0.1, 0.9, 0, 1]);
  graph.table(["weather"], [-1.5, -Infinity], { logs: true });
  graph.noisyOr(
    0,
    [
      [1, 0.5],
      [is("weather", "rain"), 0.25],
    ],
    { leak: 0.1 },
  );
  graph.oneOf([0, 1, 2]);
  graph.atMost(1, [0, 1, not(2)]);
  return graph.observe("weather", "rain").soft(1, [0.5, 1]);
}

/** A graph that DimmWitted's files can hold. */
function logical(): FactorGraph {
  const graph = factorGraph();
  for (let v = 0; v < 4; v++) graph.variable();
  graph.variable(undefined, 4);
  graph.variable(undefined, [2, 5, 9], { truthiness: [0, 0.25, 0.75] });
  const weight = graph.weight(undefined, 0.25, { fixed: true });
  for (const name of logicalFunctionNames) graph.logicalFactor(name, [0, not(1), is(4, 3), is(5, 9)], { weight, feature: 0.5 });
  return graph.observe(3, true).observe(5, 5);
}

const bif = `// three
network "n" { property "p = 1"; }
variable a { type discrete [2] { yes, no }; }
variable "b c" { type discrete [ 3 ] { "x y", z, 3.5 }; }
variable d { type discrete { on off }; }
probability ( a ) { table 0.2 0.8; }
probability ( "b c" | a ) { (yes) 0.1, 0.2, 0.7; default 0.3, 0.3, 0.4; }
probability ( d | a, "b c" ) { table 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4; }
`;
const fg = "# two\n2\n\n2\n0 1\n2 3\n3\n0 0.1\n1 0.2\n5 0.4\n\n1\n1\n3\n2\n0 1\n2 5\n";
const uai = writeUai(everything());

const files = writeDimmWitted(logical());
const texts = writeDimmWitted(logical(), { form: "text" });
const { "weights.tsv": textWeights, "variables.tsv": textVariables, "domains.tsv": textDomains } = texts;

const binaryFiles = {
  weights: files["graph.weights"],
  variables: files["graph.variables"],
  factors: files["graph.factors"],
  domains: files["graph.domains"],
  meta: files["graph.meta"],
};

/** Damages one of several files and leaves the others intact. */
const binaryTargets = Object.entries(binaryFiles).map(
  ([name, bytes]): Target => ({
    name: `graph.${name}`,
    bytes,
    read: async (content) =>
      writeDimmWitted(await readDimmWitted({ ...binaryFiles, meta: files["graph.meta"], [name]: content })),
  }),
);

const textFiles = {
  weights: textWeights,
  variables: textVariables,
  domains: textDomains,
  rows: texts["factors01.tsv"],
  args: texts["factors01.text2bin-args"],
};
const textTargets = Object.entries(textFiles).map(
  ([name, bytes]): Target => ({
    name: `${name} as text`,
    bytes,
    read: async (content) => {
      const { rows, args, ...rest } = { ...textFiles, [name]: content };
      writeDimmWitted(await readDimmWitted({ ...rest, factors: [{ rows, args }] }), { form: "text" });
    },
  }),
);

const target = (
  name: string,
  text: string,
  read: (source: { content: Uint8Array; name: string }) => Promise<unknown>,
): Target => ({
  name,
  bytes: encode(text),
  read: (content) => read({ content, name }),
});

export const targets: readonly Target[] = [
  target("a.uai", uai, async (source) => writeUai(await readUai(source))),
  target("a.evid", "2\n2 0 1 4 3\n1 1 0\n", readUaiEvidence),
  target("evidence of a graph", "2 0 1 4 3\n", (evidence) => readUai({ content: uai }, { evidence })),
  target("a.fg", fg, async (source) => writeUai(await readLibdai(source))),
  target("a.bif", bif, async (source) => writeBif(await readBif(source))),
  { ...target("a.bif.gz", bif, readBif), seal: (bytes) => new Uint8Array(gzipSync(bytes, { level: 1 })) },
  target("a.json", writeGraphJson(everything()), async (source) => writeGraphJson(await readGraphJson(source))),
  ...binaryTargets,
  ...textTargets,
];

export function run(cases: number, seed: number): Promise<FuzzResult> {
  return fuzz(targets, cases, seed);
}
