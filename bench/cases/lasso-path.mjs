/**
 * lasso-path: seconds for a lasso path of 100 λ on 72 rows of 7129 columns (gene expression), at a relative duality gap
 * of 1e-6 at every λ.
 *
 * All sides get the same standardised float64 numbers and the same λ, geometric from λ_max to λ_max / 100, and fit an
 * intercept; the target is 0 (ALL) or 1 (AML) with squared loss. The peers receive the matrix by columns, as they
 * compute. Ours is a dataset of rows, made before the clock starts and new in each round, so that its transposition
 * counts in our time. All are judged by the gap at the weights that they returned (lasso-gap.mjs). scikit-learn stops
 * by the gap itself; glmnet stops by a different threshold, which reaches the gap with powers of ten from 1e-14 on
 * (1e-13 just fails).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { worstLassoGap } from "../lasso-gap.mjs";
import { median } from "../measure.mjs";
import { openPeer, readNumbers, Skipped } from "../peer.mjs";
import { sized } from "../size.mjs";

const FILE = fileURLToPath(new URL("../../../shared/data/linear/golub.csv", import.meta.url));
const LAMBDAS = sized(100, 5);
const RATIO = 0.01;
const GAP = 1e-6;

/** Standardises columns to mean 0 and variance 1 (÷ n) and returns them in both orders; constant columns become 0. */
function standardised(rows) {
  const rowCount = rows.length;
  const columnCount = rows[0].length;
  const values = new Float64Array(rowCount * columnCount);
  const columns = new Float64Array(rowCount * columnCount);
  for (let j = 0; j < columnCount; j++) {
    const mean = rows.reduce((sum, row) => sum + row[j], 0) / rowCount;
    const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (row[j] - mean) ** 2, 0) / rowCount) || 1;
    for (let i = 0; i < rowCount; i++) {
      const value = (rows[i][j] - mean) / deviation;
      values[i * columnCount + j] = value;
      columns[j * rowCount + i] = value;
    }
  }
  return { rowCount, columnCount, values, columns };
}

/** Returns the smallest λ at which all weights are 0. */
function largestLambda({ rowCount, columnCount, columns, target }) {
  const mean = target.reduce((sum, y) => sum + y, 0) / rowCount;
  let largest = 0;
  for (let j = 0; j < columnCount; j++) {
    let slope = 0;
    for (let i = 0; i < rowCount; i++) slope += columns[j * rowCount + i] * (target[i] - mean);
    largest = Math.max(largest, Math.abs(slope) / rowCount);
  }
  return largest;
}

function makeData(folder) {
  if (!existsSync(FILE)) throw new Skipped("../shared/data/linear/golub.csv is not here");
  const lines = readFileSync(FILE, "utf8").trim().split("\n");
  const cells = lines.map((line) => line.split(","));
  const problem = {
    ...standardised(cells.map((row) => row.slice(1).map(Number))),
    target: Float64Array.from(cells, ([label]) => (label === "AML" ? 1 : 0)),
  };
  const largest = largestLambda(problem);
  const lambdas = Float64Array.from({ length: LAMBDAS }, (_, k) => largest * RATIO ** (k / (LAMBDAS - 1)));
  return { folder, ...problem, lambdas };
}

async function ours(problem) {
  const { Dataset, fit, linear } = await openErgodic();
  const { values, columnCount, target, lambdas } = problem;
  const model = linear({ loss: "squared", standardise: false });
  const makeDataset = () => Dataset.fromArrays({ x: { values, columnCount }, y: target, type: "f64" });
  const transposition = () => {
    const data = makeDataset();
    const start = performance.now();
    data.columns();
    const milliseconds = performance.now() - start;
    data.dispose();
    return milliseconds;
  };
  return {
    name: "ergodic",
    note: (rounds) => {
      const columns = median(rounds.map((round) => round.transposition));
      const reported = Math.max(...rounds.map((round) => round.reported));
      return `columns() alone ${columns.toFixed(1)} ms; gap as reported ${reported.toExponential(1)}`;
    },
    async round() {
      const data = makeDataset();
      const start = performance.now();
      const path = await fit.path(model, data, { lambdas: [...lambdas] });
      const value = (performance.now() - start) / 1000;
      if (path.lambdas.length !== LAMBDAS) throw new Error(`our path has ${path.lambdas.length} of ${LAMBDAS} λ`);
      const gap = worstLassoGap(problem, lambdas, (k) => ({ weights: path.weights(k), intercept: path.intercept(k)[0] }));
      data.dispose();
      return { value, gap, reported: Math.max(...path.gaps), transposition: transposition() };
    },
  };
}

async function open({ folder, ...problem }, script, what, options) {
  const { rowCount, columnCount, columns, target, lambdas } = problem;
  const shared = share(folder, { rowCount, columnCount, columns, target, lambdas, lambdaCount: LAMBDAS });
  const peer = await openPeer(script, shared);
  const file = join(folder, `${script}.raw`);
  return {
    name: what ? `${peer.version} ${what}` : peer.version,
    close: peer.close,
    note: () =>
      Object.entries(options)
        .map(([name, value]) => `${name}=${value}`)
        .join(", "),
    async round() {
      const { seconds } = await peer.run({ ...options, weights: file });
      const numbers = readNumbers(file);
      const width = columnCount + 1;
      const gap = worstLassoGap(problem, lambdas, (k) => ({
        weights: numbers.subarray(k * width, (k + 1) * width - 1),
        intercept: numbers[(k + 1) * width - 1],
      }));
      return { value: seconds, gap };
    },
  };
}

const worst = ({ rounds }) => Math.max(...rounds.map(({ gap }) => gap));

export default {
  name: "lasso-path",
  measures: "lasso path of 100 λ on golub (72 rows, 7129 columns): seconds at a relative duality gap of 1e-6",
  metric: "seconds",
  better: "less",
  makeData,
  ours,
  peers: (problem) => [
    { name: "glmnet", goal: 1, open: () => open(problem, "glmnet_path.R", "", { thresh: 1e-14 }) },
    { name: "scikit-learn lasso_path", goal: 20, open: () => open(problem, "sklearn_path.py", "lasso_path", { tol: 1e-6 }) },
  ],
  compare: (ours, theirs) => ({
    text: `largest relative gap ${worst(ours).toExponential(1)} (may be ${GAP}) against ${worst(theirs).toExponential(1)}`,
    passed: worst(ours) <= GAP,
  }),
};
