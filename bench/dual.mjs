/**
 * A linear model with an L2 penalty, from a LIBSVM file to its weights, by dual coordinate descent: ours and
 * LIBLINEAR's, C = 1, bias 1.
 *
 * Objective: Σ_i ℓ_i + ½ (‖w‖² + b²); both sides penalise the bias. Both sides read the text themselves. LIBLINEAR's
 * time is the whole process, from the file to its model file; ours is `readLibsvm` and `fit` in a running process. The
 * result is judged here, in float64, from the weights.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readLibsvm } from "@ergodic/ingest";
import { fit, linear } from "ergodic";
import { dualCoordinateDescent } from "ergodic/learning";
import { parseLibsvm } from "./data.mjs";
import { Skipped } from "./peer.mjs";

const FILE = fileURLToPath(new URL("../../shared/data/linear/a6a.libsvm", import.meta.url));
const PROGRAM = "liblinear-train";
/** Precision requested from LIBLINEAR: it stops there, or after 1000 passes. */
const EPSILON = "1e-8";

function objective({ rowCount, rowStart, columnIndex, values, target }, loss, weights, bias) {
  let sum = 0;
  for (let i = 0; i < rowCount; i++) {
    let margin = bias;
    for (let k = rowStart[i]; k < rowStart[i + 1]; k++) margin += weights[columnIndex[k]] * values[k];
    sum += loss(target[i] > 0 ? margin : -margin);
  }
  return sum + (weights.reduce((total, w) => total + w * w, 0) + bias * bias) / 2;
}

async function ours(problem, { name, loss, tolerance }) {
  return {
    name: "ergodic",
    note: (rounds) =>
      `relative gap asked for ${tolerance}; ${rounds[0].epochs} epochs, ${(1000 * rounds[0].inside).toFixed(0)} ms of them in the loop`,
    async round(seed) {
      const start = performance.now();
      const data = await readLibsvm(FILE);
      const model = linear({ loss: name, l2: 1 / data.rowCount, standardise: false });
      const { weights, intercept, run } = await fit(model, data, { algorithm: dualCoordinateDescent({ tolerance }), seed });
      const value = (performance.now() - start) / 1000;
      data.dispose();
      return { value, loss: objective(problem, loss, weights, intercept[0]), epochs: run.epochs, inside: run.seconds };
    },
  };
}

/** Returns the weights of a LIBLINEAR model file for the class +1, with the bias last. */
function readModel(file) {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const sign = lines.includes("label -1 1") ? -1 : 1;
  return lines.slice(lines.indexOf("w") + 1).map((line) => sign * Number(line));
}

function openPeer({ folder, ...problem }, { loss, solver }) {
  try {
    execFileSync(PROGRAM, [], { stdio: "ignore" });
  } catch (error) {
    if (error.code === "ENOENT") throw new Skipped(`${PROGRAM} is not here; install the peers with bench/peers/install.sh`);
  }
  const file = join(folder, `liblinear-${solver}.model`);
  return {
    name: `LIBLINEAR -s ${solver}`,
    note: () => `-c 1 -B 1 -e ${EPSILON}`,
    async round() {
      const start = performance.now();
      execFileSync(PROGRAM, ["-s", String(solver), "-c", "1", "-B", "1", "-e", EPSILON, "-q", FILE, file], { stdio: "ignore" });
      const value = (performance.now() - start) / 1000;
      const weights = readModel(file);
      return { value, loss: objective(problem, loss, weights.slice(0, -1), weights[weights.length - 1]) };
    },
  };
}

/** `what`: { name: the loss's name, loss: margin → number, solver: LIBLINEAR's -s, tolerance: our relative gap }. */
export const dualCase = (name, goal, what) => ({
  name,
  measures: `${what.name} with an L2 penalty on a6a (11,220 rows, 122 columns), C = 1: seconds from the file to the weights`,
  metric: "seconds",
  better: "less",
  lossTolerance: 1e-6,
  makeData(folder) {
    if (!existsSync(FILE)) throw new Skipped("../shared/data/linear/a6a.libsvm is not here");
    return { folder, ...parseLibsvm(readFileSync(FILE, "utf8"), FILE) };
  },
  ours: (problem) => ours(problem, what),
  peers: (problem) => [{ name: `LIBLINEAR -s ${what.solver}`, goal, open: async () => openPeer(problem, what) }],
});
