/** Files: reading tables, and writing and reading models and checkpoints. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCsv, readLibsvm } from "@ergodic/ingest";
import { adagrad, dense as denseLayer, fit, linear, network, predictor } from "ergodic";
import { randomNumbers } from "../data.mjs";
import { dense } from "./problems.mjs";

const inFolder = (name) => join(mkdtempSync(join(tmpdir(), "growth-")), name);
const BLOCK = 1000;

/** Writes a file with the lines `line(i)` and returns its path. */
function lines(name, head, count, line) {
  const path = inFolder(name);
  writeFileSync(path, head);
  for (let from = 0; from < count; from += BLOCK) {
    const block = Array.from({ length: Math.min(BLOCK, count - from) }, (_, i) => `${line(from + i)}\n`);
    writeFileSync(path, block.join(""), { flag: "a" });
  }
  return path;
}

function csv(rowCount, columnCount) {
  const random = randomNumbers(1);
  const numbers = () => Array.from({ length: columnCount }, () => random.normal().toFixed(4));
  const head = `${Array.from({ length: columnCount }, (_, j) => `x${j}`).join(",")},y\n`;
  const path = lines("table.csv", head, rowCount, (i) => [...numbers(), i % 3].join(","));
  return () => readCsv(path, { target: "y" });
}

function libsvm(rowCount) {
  const random = randomNumbers(1);
  const entry = (k) => `${1 + k * 1000 + Math.floor(random.uniform() * 1000)}:${random.uniform().toFixed(3)}`;
  const path = lines("table.libsvm", "", rowCount, (i) => `${i % 2} ${Array.from({ length: 10 }, (_, k) => entry(k)).join(" ")}`);
  return () => readLibsvm(path);
}

/** A network with about `parameters` parameters, and its run. */
async function trained(parameters) {
  const width = Math.round(Math.sqrt(parameters));
  const data = dense(64, width);
  const run = fit(network([denseLayer(width), denseLayer(1)], { loss: "squared" }), data, {
    rule: adagrad(),
    batch: 64,
    epochs: 1,
    seed: 1,
  });
  return { run, fitted: await run, data };
}

const PARAMETERS = [100_000, 1_000_000, 3_000_000, 10_000_000];

export const fileFamilies = {
  "CSV, rows": { grows: "rows", theory: 1, sizes: [30_000, 100_000, 300_000, 1_000_000], open: (n) => csv(n, 10) },
  "CSV, columns": { grows: "columns", theory: 1, sizes: [1000, 10_000, 30_000, 100_000], open: (d) => csv(50, d) },
  "LIBSVM, rows": { grows: "rows", theory: 1, sizes: [30_000, 100_000, 300_000, 1_000_000], open: libsvm },
  "model, saved": {
    grows: "parameters",
    theory: 1,
    sizes: PARAMETERS,
    async open(count) {
      const { fitted } = await trained(count);
      const path = inFolder("model.safetensors");
      return () => fitted.save(path);
    },
  },
  "model, loaded": {
    grows: "parameters",
    theory: 1,
    sizes: PARAMETERS,
    async open(count) {
      const { fitted } = await trained(count);
      const path = inFolder("model.safetensors");
      await fitted.save(path);
      return () => predictor(path);
    },
  },
  "checkpoint, written": {
    grows: "parameters",
    theory: 1,
    sizes: PARAMETERS,
    async open(count) {
      const { run } = await trained(count);
      const path = inFolder("run.checkpoint");
      return () => run.checkpoint(path);
    },
  },
  "checkpoint, resumed": {
    grows: "parameters",
    theory: 1,
    sizes: PARAMETERS,
    async open(count) {
      const { run, data } = await trained(count);
      const path = inFolder("run.checkpoint");
      await run.checkpoint(path);
      return () => fit.resume(path, data);
    },
  },
  "linear model, saved and loaded": {
    grows: "columns",
    theory: 1,
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    async open(columns) {
      const fitted = await fit(linear({ standardise: false }), dense(20, columns), { rule: adagrad(), epochs: 1 });
      const path = inFolder("model.safetensors");
      return async () => {
        await fitted.save(path);
        await predictor(path);
      };
    },
  },
};
