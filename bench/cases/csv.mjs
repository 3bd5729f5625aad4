/**
 * csv-seconds, csv-memory: reads a CSV file of 250,000 rows and 59 columns (`--long`: a million rows) and fits a model
 * by gradient descent, against pandas and SGDClassifier. Measures processor time and peak memory of whole processes.
 * Both sides run five epochs with their default columns: ours sparse float32, the peer's sparse float64. `loss`: log
 * loss on 20,000 other rows.
 *
 * csv-duckdb-seconds, csv-duckdb-memory: the same, read through DuckDB (`engine: "duckdb"`). Without the package
 * @duckdb/node-api they are skipped with a message.
 *
 * Both cases of a pair are measured by the same processes in one run; the first case to run starts them.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeTables } from "../csv/files.mjs";
import { runPeer, Skipped } from "../peer.mjs";
import { sized } from "../size.mjs";

const ROWS = sized(250_000, 500, 1_000_000);
const TEST_ROWS = sized(20_000, 100);
/** Relative. Five passes over 500 rows end far from the optimum, and at different losses. */
const MAY_BE_WORSE = sized(0.01, 1);
const EPOCHS = 5;
const ONE = fileURLToPath(new URL("../csv/one.mjs", import.meta.url));

/** Output of each side's processes in call order, by the engine that reads the file on our side. */
const said = { own: { ours: [], peer: [] }, duckdb: { ours: [], peer: [] } };

/** The files, written when a process first needs them: 115 MB for 200,000 rows. */
function lazyFiles(folder) {
  let made;
  return () => {
    if (made) return made;
    made = { train: join(folder, "train.csv"), test: join(folder, "test.csv") };
    writeTables([made.train, made.test], [ROWS, TEST_ROWS]);
    return made;
  };
}

async function ours(problem) {
  return JSON.parse((await promisify(execFile)(process.execPath, [ONE, JSON.stringify(problem)])).stdout);
}

const peer = (problem) => runPeer("pandas_csv.py", problem);

/**
 * `call` counts the rounds of a case, including the warm-up round. The second case of a pair reuses the answers of the
 * first.
 */
function contestant(name, run, kept, files, value) {
  let call = 0;
  return {
    name,
    async round(i) {
      kept[call] ??= await run({ ...files(), epochs: EPOCHS, seed: i + 1 });
      const answer = kept[call++];
      return { value: value(answer), loss: answer.loss };
    },
  };
}

/** @throws Skipped if the package is not installed */
function checkEngine(engine) {
  if (engine === "own") return;
  try {
    createRequire(import.meta.url).resolve("@duckdb/node-api");
  } catch {
    throw new Skipped("@duckdb/node-api is not here; run npm install @duckdb/node-api");
  }
}

const csvCase = (name, metric, value, engine = "own", goal = 0.77) => ({
  name,
  measures: `reading ${ROWS.toLocaleString("en")} rows × 59 columns of CSV${engine === "own" ? "" : " through DuckDB"} and fitting them, whole processes: ${metric}`,
  metric,
  better: "less",
  lossTolerance: MAY_BE_WORSE,
  makeData: async (folder) => {
    checkEngine(engine);
    return lazyFiles(folder);
  },
  ours: async (files) => {
    const run = (problem) => ours({ ...problem, engine });
    return contestant(`ergodic, readCsv${engine === "own" ? "" : " (duckdb)"} and fit`, run, said[engine].ours, files, value);
  },
  peers: (files) => [
    {
      name: "pandas and SGDClassifier",
      goal,
      open: async () => contestant((await peer({})).version, peer, said[engine].peer, files, value),
    },
  ],
});

const seconds = (answer) => answer.seconds;
const mebibytes = (answer) => answer.mebibytes;

export default [
  csvCase("csv-seconds", "processor seconds", seconds),
  csvCase("csv-memory", "MiB", mebibytes),
  csvCase("csv-duckdb-seconds", "processor seconds", seconds, "duckdb", 1),
  csvCase("csv-duckdb-memory", "MiB", mebibytes, "duckdb", 1),
];
