/**
 * defaults-…: the shortest command, `ergodic train DATA --target COLUMN`, against a script with scikit-learn's default
 * estimator for the task; `ergodic recommend` against plain ALS. Measures whole processes: reading, training, and
 * evaluating on a file of held-out rows.
 *
 * Each round uses another split, with three quarters of the rows for training and the same files for both sides. A
 * worse answer has no ratio: the mean held-out loss (log loss of classes, RMSE of numbers) can exceed the peer's by at
 * most 1 % or two standard errors of the differences between splits, whichever is larger.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { randomNumbers } from "../data.mjs";
import { median } from "../measure.mjs";
import { runPeer, Skipped } from "../peer.mjs";
import { sized } from "../size.mjs";

const DATA = new URL("../../../shared/data/linear/", import.meta.url);
const CLI = fileURLToPath(new URL("../../packages/cli/bin/ergodic.js", import.meta.url));
const SPLITS = sized(12, 1);
/** Largest number of rows. */
const ROWS = sized(Infinity, 120);
const TRAIN = 0.75;
/** One small split says little about the loss, so at tiny size only a much worse answer fails. */
const MAY_BE_WORSE = sized(0.01, 1);
/** If a fit by the peer takes longer than this, the times of the fits are compared too. */
const LONG_SECONDS = 0.05;

/** Lines of a file, and the header written before each part of them. */
const libsvm = (file) => ({ format: "libsvm", read: () => ({ header: "", lines: dataLines(file) }) });

/**
 * Reads a CSV file. The column `target` is renamed to y; columns in `drop` are left out. Without `header`, columns are
 * called x0, x1, ….
 */
function csv(file, { target, drop = [], header = true }) {
  const read = () => {
    const [first, ...rest] = dataLines(file);
    const names = header ? first.split(",").map((name) => name.replaceAll('"', "")) : first.split(",").map((_, j) => `x${j}`);
    const kept = names.flatMap((name, j) => (drop.includes(name) ? [] : [j]));
    const lines = (header ? rest : [first, ...rest]).map((line) => {
      const cells = line.split(",");
      return kept.map((j) => cells[j]).join(",");
    });
    return { header: `${kept.map((j) => (names[j] === target ? "y" : names[j])).join(",")}\n`, lines };
  };
  return { format: "csv", read };
}

const linesOf = (path) => readFileSync(path, "utf8").trim().split(/\r?\n/);

function dataLines(file) {
  const path = fileURLToPath(new URL(file, DATA));
  if (!existsSync(path)) throw new Skipped(`../shared/data/linear/${file} is not here`);
  return linesOf(path);
}

const SETS = {
  heart: { ...libsvm("heart_scale.libsvm"), classes: true },
  a6a: { ...libsvm("a6a.libsvm"), classes: true },
  agaricus: { ...libsvm("agaricus.train.libsvm"), classes: true },
  golub: { ...csv("golub.csv", { target: "x0", header: false }), classes: true },
  bike: { ...csv("bike_hour.csv", { target: "cnt", drop: ["instant", "dteday", "casual", "registered"] }), classes: false },
  wine: { ...csv("wine_quality.csv", { target: "quality" }), classes: false },
};

/** Writes the files of each split: part of the lines for training, the rest for testing. */
function writeSplits(folder, { format, read, classes }) {
  const { header, lines: all } = read();
  const step = Math.max(1, Math.ceil(all.length / ROWS));
  const lines = all.filter((_, i) => i % step === 0);
  return Array.from({ length: SPLITS }, (_, k) => {
    const { uniform } = randomNumbers(100 + k);
    const places = lines.map(() => uniform());
    const cut = [...places].sort((a, b) => a - b)[Math.floor(TRAIN * lines.length)];
    const write = (name, keep) => {
      const path = join(folder, `${name}${k}.${format}`);
      writeFileSync(path, `${header}${lines.filter((_, i) => keep(places[i])).join("\n")}\n`);
      return path;
    };
    return { format, classes, train: write("train", (p) => p < cut), test: write("test", (p) => p >= cut) };
  });
}

/** Ratings of 600 users and 400 items: 4 factors and biases, noise with sd 0.5. */
function writeRatings(folder) {
  const [users, items, rank, each, noise] = sized([600, 400, 4, 50, 0.5], [60, 40, 4, 20, 0.5]);
  return Array.from({ length: SPLITS }, (_, k) => {
    const { uniform, normal } = randomNumbers(300 + k);
    const factors = (count) => Array.from({ length: count }, () => Array.from({ length: rank + 1 }, () => 0.7 * normal()));
    const [of, to] = [factors(users), factors(items)];
    const parts = { train: ["user,item,value"], test: ["user,item,value"] };
    for (let user = 0; user < users; user++) {
      const seen = new Set();
      while (seen.size < each) seen.add(Math.floor(items * uniform() ** 1.5));
      for (const item of seen) {
        const product = of[user].slice(1).reduce((sum, v, r) => sum + v * to[item][r + 1], 0);
        const value = 3 + of[user][0] + to[item][0] + product + noise * normal();
        parts[uniform() < 0.8 ? "train" : "test"].push(`${user},${item},${value.toFixed(4)}`);
      }
    }
    const write = (name) => {
      const path = join(folder, `${name}${k}.csv`);
      writeFileSync(path, `${parts[name].join("\n")}\n`);
      return path;
    };
    return { train: write("train"), test: write("test"), seed: k, out: join(folder, `model${k}`) };
  });
}

async function wall(work) {
  const start = performance.now();
  const answer = await work();
  return { ...answer, value: (performance.now() - start) / 1000 };
}

const command = async (...words) => (await promisify(execFile)(process.execPath, [CLI, ...words], { maxBuffer: 1e9 })).stdout;
const fitNote = (rounds) => `fit alone ${(1000 * median(rounds.map((round) => round.fitSeconds))).toFixed(1)} ms`;

function trainer(splits) {
  return {
    name: "ergodic train",
    note: fitNote,
    async round(i) {
      const split = splits[i % SPLITS];
      const measured = await wall(async () => {
        const text = await command(
          "train",
          split.train,
          ...(split.format === "csv" ? ["--target", "y"] : []),
          "--test",
          split.test,
          "--json",
        );
        const { test } = JSON.parse(text);
        return { loss: test.logLoss ?? test.rmse };
      });
      return { ...measured, fitSeconds: await fitSeconds(split) };
    },
  };
}

/**
 * Measures fit() on the same rows, including the choice of the penalty. Runs in this process, which has made fits
 * before.
 */
async function fitSeconds({ format, train }) {
  const { fit, linear } = await import("ergodic");
  const { readCsv, readLibsvm } = await import("@ergodic/ingest");
  const data = format === "csv" ? await readCsv(train, { target: "y" }) : await readLibsvm(train, { classes: true });
  const start = performance.now();
  await fit(linear(), data);
  const seconds = (performance.now() - start) / 1000;
  data.dispose();
  return seconds;
}

function recommender(splits) {
  return {
    name: "ergodic recommend",
    async round(i) {
      const { train, test, out } = splits[i % SPLITS];
      const columns = ["--user", "user", "--item", "item", "--value", "value"];
      const measured = await wall(async () => ({ text: await command("recommend", train, ...columns, "--out", out, "--json") }));
      const { predictor, Ratings } = await import("ergodic");
      const rows = linesOf(test)
        .slice(1)
        .map((line) => line.split(","));
      const triples = {
        users: rows.map(([user]) => user),
        items: rows.map(([, item]) => item),
        values: rows.map((row) => Number(row[2])),
      };
      const { rmse } = (await predictor(out)).evaluate(Ratings.fromTriples(triples));
      return { value: measured.value, loss: rmse };
    },
  };
}

const script = (file, splits, version) => ({
  name: version,
  note: fitNote,
  round: (i) => wall(() => runPeer(file, splits[i % SPLITS])),
});

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

function compare(ours, theirs) {
  const differences = ours.rounds.map(({ loss }, i) => loss - theirs.rounds[i].loss);
  const off = mean(differences);
  const spread = Math.sqrt(mean(differences.map((d) => (d - off) ** 2)) / Math.max(1, differences.length - 1));
  const [own, other] = [ours, theirs].map(({ rounds }) => mean(rounds.map(({ loss }) => loss)));
  const [fit, peerFit] = [ours, theirs].map(({ rounds }) => median(rounds.map(({ fitSeconds: s }) => s ?? Number.NaN)));
  const longFit = peerFit > LONG_SECONDS && fit > 0 ? `; fit alone ${(peerFit / fit).toFixed(2)} times` : "";
  return {
    text: `mean held-out loss ${own.toFixed(4)} against ${other.toFixed(4)}, difference ${off.toFixed(4)} ± ${(2 * spread).toFixed(4)}${longFit}`,
    passed: off <= Math.max(MAY_BE_WORSE * other, 2 * spread),
  };
}

const usual = { metric: "seconds of the whole command", better: "less", compare };

const trained = Object.entries(SETS).map(([name, set]) => ({
  ...usual,
  name: `defaults-${name}`,
  measures: `the shortest command on ${name}, from start to end`,
  makeData: async (folder) => ({ splits: writeSplits(folder, set) }),
  ours: async ({ splits }) => trainer(splits),
  peers: ({ splits }) => [
    {
      name: "scikit-learn's default",
      goal: 1,
      open: async () => script("sklearn_default.py", splits, (await runPeer("sklearn_default.py", splits[0])).version),
    },
  ],
}));

const recommended = {
  ...usual,
  name: "defaults-recommend",
  measures: "the shortest command on 30,000 generated ratings with noise of 0.5, from start to end",
  makeData: async (folder) => ({ splits: writeRatings(folder) }),
  ours: async ({ splits }) => recommender(splits),
  peers: ({ splits }) => [
    {
      name: "plain ALS",
      goal: 1,
      open: async () => script("numpy_als.py", splits, (await runPeer("numpy_als.py", splits[0])).version),
    },
  ],
};

export default [...trained, recommended];
