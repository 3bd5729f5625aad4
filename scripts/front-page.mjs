/** Generated parts of README.md: the table of speeds, from docs/benchmarks.md, and the picture, from the library's plots. */
import { plot } from "@ergodic/plots";
import { halfCauchy, model, normal, sample, vector } from "ergodic";
import { partsOf } from "../bench/table.mjs";
import { markdownTable } from "./markdown.mjs";

const BEGIN = "<!-- The table is written by npm run docs, from docs/benchmarks.md. -->";
const END = "<!-- End of the table. -->";

/** Rows of the table: what is measured, and the row of docs/benchmarks.md, by benchmark and beginning of the peer's name. */
const ROWS = [
  ["logistic regression by stochastic gradients, 100,000 × 100", "linear-dense", "scikit-learn"],
  ["multinomial regression to the same loss, 20,000 × 16, 26 classes", "multiclass-letter-scaled", "scikit-learn"],
  ["training a small MobileNet for one epoch, one thread", "cnn-train", "PyTorch"],
  ["boosting 100 rounds of trees, 100,000 × 30, one thread", "trees-train", "XGBoost"],
  ["predicting one row with 100 trees of 31 leaves", "trees-predict-one", "onnxruntime"],
  ["NUTS on ten posteriors, least effective sample size per second", "nuts", "rstan"],
  ["Gibbs sampling of 500,000 Booleans, 4 pairs each", "gibbs-pairs", "C++"],
  ["reading and fitting a CSV file, 250,000 × 59", "csv-seconds", ""],
  ["predicting one row with a network", "predict-row-mlp-numbers", "TensorFlow.js"],
  ["predicting 64 rows with a network, 784-256-10", "predict-mlp-64", "onnxruntime-web"],
  ["predicting 64 rows with a network, 784-256-10", "predict-mlp-64", "onnxruntime-node"],
];

/** Returns README.md with the table of speeds that the page of benchmarks contains. @throws Error if a row is missing */
export function withSpeeds(/** @type {string} */ readme, /** @type {string} */ benchmarks) {
  const measured = partsOf(benchmarks).rows;
  const found = ROWS.map(([what, bench, peer]) => {
    const row = measured.find(([name, , , by]) => name === `\`${bench}\`` && by.startsWith(peer));
    if (!row) throw new Error(`docs/benchmarks.md has no row of ${bench} against ${peer}`);
    return { what, row };
  });
  const cells = found.map(({ what, row: [, , ours, peer, theirs, ratio] }) => [what, ours, peer, theirs, ratio]);
  const only = (/** @type {number} */ column) => [...new Set(found.map(({ row }) => row[column]))].sort().join(", ");
  const table = markdownTable(["work", "Ergodic", "peer", "the peer's figure", "ratio"], cells);
  const source = `Measured on ${only(7)} on: ${only(8)}. A ratio above 1 means that Ergodic is ahead.`;
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`README.md lacks the markers "${BEGIN}" and "${END}"`);
  return `${readme.slice(0, from)}${BEGIN}\n\n${table}\n${source}\n\n${readme.slice(to)}`;
}

/** Colours of plots, and the colours that replace them on dark pages. */
const DARK = {
  "#fff": "#0d1117",
  "#222": "#e6edf3",
  "#555": "#9da7b3",
  "#999": "#7d8590",
  "#e4e4e4": "#30363d",
  "#0072b2": "#58a6ff",
};

/** Returns the picture of README.md, for light and for dark pages: the effects of the eight schools. */
export async function pictures() {
  const schools = model({ y: vector("J"), sigma: vector("J") }, ({ y, sigma, param, observe }) => {
    const [mu, tau] = [param("mu", normal(0, 5)), param("tau", halfCauchy(5))];
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
    return { mu, tau, theta };
  });
  const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
  const posterior = await sample(schools, data, { seed: 1, deterministic: true });
  const light = plot(posterior, "forest", {
    of: ["theta", "mu", "tau"],
    width: 640,
    title: "Eight schools: medians, and intervals of 50 and 90 %",
  });
  const dark = light.replace(/#[0-9a-f]{3,6}\b/g, (colour) => DARK[/** @type {keyof typeof DARK} */ (colour)] ?? colour);
  return { light, dark };
}
