/**
 * `ergodic demo`, and `npm start`: a tour on real data. The tour loads data, trains with several step rules, compares
 * batch sizes and numbers of workers, saves the model, reloads it and predicts, with pictures.
 *
 * Data: UCI's hand-written digits (data/README.md). The seed is fixed, so that losses and accuracies are reproducible
 * except where workers race.
 */
import { fileURLToPath } from "node:url";
import { read } from "@ergodic/ingest";
import type { Command } from "commander";
import {
  adagrad,
  adam,
  batchNorm,
  convolution,
  type Dataset,
  dense,
  dropout,
  type EngineDescription,
  type FitOptions,
  flatten,
  linear,
  maxPool,
  measure,
  momentum,
  network,
  openEngine,
  predictor,
  relu,
  ruleCost,
  sgd,
} from "ergodic";
import { rff } from "ergodic/data";
import type { Layer } from "ergodic/layers";
import type { OutputPredictor } from "ergodic/predict";
import { type Rule, stochasticLineSearch } from "ergodic/rules";
import { type AnyFitted, type AnyModel, fitModel, type RowPredictor } from "../options/model.ts";
import { checkOutputs } from "../outputs.ts";
import { rateText } from "../report/chosen.ts";
import { joules, milliseconds } from "../report/measure.ts";
import { duration, grouped, percent, short } from "../report/numbers.ts";
import { beside, picture } from "../report/picture.ts";
import { table } from "../report/text-table.ts";
import { quoted, relative, type Terminal } from "../terminal.ts";
import { posteriorText } from "./demo-posterior.ts";
import { polyakText, scaledRows, scalesText } from "./demo-scales.ts";

const SEED = 1;
const BATCH = 16;
const EPOCHS = 20;
const FEATURES = 2000;
/**
 * Number of epochs when speeds are compared. Threads take a moment to start each chunk, so a shorter run would not show
 * their speed.
 */
const WORKER_EPOCHS = 60;
const WIDTH = 8;
const BLACK = 16;
const SHOWN = 4;
const dataFile = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));

interface Held {
  train: Dataset;
  test: Dataset;
}

export function add(program: Command, terminal: Terminal): void {
  program
    .command("demo")
    .description("take a tour: train, compare, save and use models of hand-written digits (npm start)")
    .option("--out <file>", "write the best model to this file", "digits.safetensors")
    .action((options: { out: string }) => demo(options.out, terminal));
}

async function demo(out: string, terminal: Terminal): Promise<void> {
  const begin = performance.now();
  await checkOutputs("demo", [{ flag: "--out", path: out }], [{ flag: "its data", path: dataFile }]);
  const { out: paint } = terminal.paint;
  const title = (text: string): void => terminal.out(`\n${paint.bold(text)}\n`);
  const engine = (await openEngine()).describe();
  const data = await read(dataFile, { target: "label", classes: true, rowShape: [WIDTH, WIDTH, 1] });
  const plain = data.split(0.8, { seed: SEED, stratify: true });
  const mapped = plain.train.map(rff({ count: FEATURES, seed: SEED }));
  const kernel = { train: mapped, test: plain.test.follow(mapped.pipeline) };

  terminal.out(`${paint.bold("Ergodic")}: pick a point at random, update the model, repeat.\n`);
  terminal.out(
    `Data: UCI's hand-written digits, ${WIDTH} × ${WIDTH} pixels each (CC BY 4.0). ${grouped(plain.train.rowCount)} to train on, ${grouped(plain.test.rowCount)} held out.\n`,
  );
  terminal.out(`Engine: ${engine.build} build, ${engine.workers} ${engine.workers === 1 ? "core" : "cores"}.\n`);

  await trained(plain, { epochs: 1 }); // The first run also compiles, so it is not timed.
  title("One model, five step rules: ten outputs, linear in the pixels");
  const best = await ruleTable(plain, kernel, terminal);
  const scaled = scaledRows(SEED);
  title("Columns with scales 1 : 30 : 0.03, not standardised: each rule at its best rate, batch 1, 20 epochs");
  terminal.out(await scalesText(scaled, SEED, paint));
  title("Polyak's step with a wrong guess of f*: the same rows, standardised, full gradients");
  terminal.out(await polyakText(scaled, paint));
  title("Batch size: rows per update, sgd rate 0.1");
  await batchTable(plain, terminal);
  title(`Workers: ${grouped(FEATURES)} random features, sgd rate 1, batch 1`);
  await workerTable(kernel, engine, terminal);

  title(`Uncertainty: 3 or 8? All 3s and 8s of ${grouped(plain.train.rowCount)} digits, by sgd and by 4 chains of nuts`);
  terminal.out(await posteriorText(plain.train, SEED, paint));

  title(`The best of these, ${best.name}: saved, loaded again, and tested on held-out digits`);
  await best.fitted.save(out);
  const loaded = await predictor<RowPredictor>(out);
  terminal.out(pictures(loaded, plain.test));
  terminal.out(`  ${await measuredText(loaded, plain.test)}\n`);
  terminal.out(paint.dim(`\n${duration((performance.now() - begin) / 1000)} in total. Saved to ${out}.\n`));
  title("Try next");
  terminal.out(
    nextCommands(out, terminal)
      .map((line) => `  ${line}\n`)
      .join(""),
  );
}

interface Trained {
  fitted: AnyFitted;
  accuracy: number;
}

/** Three convolutions of 3 × 3 pixels, and a dense layer of ten outputs. */
function convolutions(): Layer[] {
  const stage = (channels: number): Layer[] => [convolution(channels, { bias: false }), batchNorm(), relu()];
  return [...stage(16), ...stage(32), maxPool(2), ...stage(32), maxPool(2), flatten(), dropout(0.25), dense(10)];
}

async function trained({ train, test }: Held, options: FitOptions, model: AnyModel = linear()): Promise<Trained> {
  const fitted = await fitModel(model, train, { seed: SEED, ...options });
  return { fitted, accuracy: fitted.evaluate(test).accuracy! };
}

async function ruleTable(plain: Held, kernel: Held, terminal: Terminal): Promise<Trained & { name: string }> {
  const runs: { name: string; held: Held; rule: Rule; model?: AnyModel }[] = [
    ...[sgd({ rate: 0.1 }), momentum({ rate: 0.01 }), adagrad({ rate: 0.1 }), adam({ rate: 0.003 }), stochasticLineSearch()].map(
      (rule) => ({ name: rule.name, held: plain, rule }),
    ),
    { name: `adagrad, ${FEATURES} random features`, held: kernel, rule: adagrad({ rate: 0.3 }) },
    { name: "adam, a convolutional network", held: plain, rule: adam({ rate: 0.001 }), model: network(convolutions()) },
  ];
  let best: (Trained & { name: string }) | undefined;
  const rows: string[][] = [];
  for (const { name, held, rule, model } of runs) {
    const result = await trained(held, { rule, batch: BATCH, epochs: EPOCHS }, model);
    if (!best || result.accuracy > best.accuracy) best = { ...result, name };
    const { epochs, seconds } = result.fitted.run;
    const rate = rule.options.rate === undefined ? "searched" : rateText(rule.options.rate);
    const state = rule.kind === "equation" ? ruleCost(rule).stateBytesPerParameter("f32") : 0;
    rows.push([name, rate, String(epochs), duration(seconds), percent(result.accuracy), String(state)]);
  }
  terminal.out(
    table(["rule", "rate", "epochs", "seconds", "test accuracy", "state bytes/parameter"], rows, { paint: terminal.paint.out }),
  );
  return best!;
}

async function batchTable(plain: Held, terminal: Terminal): Promise<void> {
  const rows: string[][] = [];
  for (const batch of [1, 4, 16, 64, 256]) {
    const { fitted, accuracy } = await trained(plain, { rule: sgd({ rate: 0.1 }), batch, epochs: EPOCHS });
    const { updates, seconds } = fitted.run;
    rows.push([
      String(batch),
      grouped(updates),
      duration(seconds),
      short((EPOCHS * plain.train.rowCount) / seconds),
      percent(accuracy),
    ]);
  }
  terminal.out(table(["batch", "updates", "seconds", "rows/s", "test accuracy"], rows, { paint: terminal.paint.out }));
}

async function workerTable(kernel: Held, engine: EngineDescription, terminal: Terminal): Promise<void> {
  const workers = Math.min(4, engine.workers);
  const plans: { name: string; plan: FitOptions }[] = [{ name: "1 worker", plan: {} }];
  if (workers > 1) {
    plans.push({ name: `${workers} workers race on one model`, plan: { workers, replicas: "shared" } });
    plans.push({ name: `${workers} workers, ${workers} replicas averaged`, plan: { workers, replicas: workers } });
    await trained(kernel, { workers, epochs: 0.01 }); // Starts the threads.
  }
  const rows: string[][] = [];
  for (const { name, plan } of plans) {
    const { fitted, accuracy } = await trained(kernel, { rule: sgd({ rate: 1 }), epochs: WORKER_EPOCHS, ...plan });
    const { updates, seconds } = fitted.run;
    rows.push([name, grouped(updates), duration(seconds), short(updates / seconds), percent(accuracy)]);
  }
  terminal.out(table(["plan", "updates", "seconds", "updates/s", "test accuracy"], rows, { paint: terminal.paint.out }));
  const why =
    workers === 1
      ? `One worker only: ${engine.why.at(-1) ?? "this machine has one core"}.`
      : "Workers need free cores, and help most with sparse rows.";
  terminal.out(`  ${why}\n`);
}

/** Shows three held-out digits that the model classifies correctly and, if there is one, a mistake. */
function pictures(model: OutputPredictor, test: Dataset): string {
  const { levels, values } = test.target;
  const { names } = test;
  const pixels = Array.from({ length: test.rowCount }, (_, i) => test.row(i));
  const answers = model.predict(pixels.map((row) => Object.fromEntries(names.map((name, j) => [name, row[j]]))));
  const digits = answers.map(({ value, probabilities }, i) => ({
    pixels: pixels[i],
    truth: levels![values[i]],
    value: String(value),
    probability: probabilities![value],
  }));
  const mistake = digits.find(({ truth, value }) => truth !== value);
  const right = digits.filter(({ truth, value }) => truth === value);
  const chosen = [...right.slice(0, mistake ? SHOWN - 1 : SHOWN), ...(mistake ? [mistake] : [])];
  const blocks = chosen.map(({ pixels, truth, value, probability }) => [
    ...picture(pixels, WIDTH, BLACK),
    `${value === truth ? "✓" : "✗"} ${value}, ${percent(probability)}`,
    value === truth ? "" : `  truth: ${truth}`,
  ]);
  const wrong = digits.length - right.length;
  const lines = beside(blocks, 2 * WIDTH, "   ");
  return `${lines.map((line) => `  ${line}`.trimEnd() + "\n").join("")}  ${grouped(right.length)} of ${grouped(digits.length)} right, ${wrong} ${wrong === 1 ? "mistake" : "mistakes"}.\n`;
}

/** Measures predictions of held-out digits, both one at a time and in batches. */
async function measuredText(model: OutputPredictor, test: Dataset): Promise<string> {
  const rows = Array.from({ length: test.rowCount }, (_, i) => {
    const pixels = test.row(i);
    return Object.fromEntries(test.names.map((name, j) => [name, pixels[j]]));
  });
  const one = await measure(model, rows, { seconds: 0.2, seed: SEED });
  const many = await measure(model, rows, { scenario: "offline", rows: 2048, seed: SEED });
  const energy = many.energy.source === "unknown" ? "" : `; ${joules(many.energy.perRow)} each, ${many.energy.source}`;
  return `One at a time: 90 % within ${milliseconds(one.latencyMs.p90)} ms; all at once: ${short(many.rowsPerSecond)} per second${energy}.`;
}

function nextCommands(model: string, terminal: Terminal): string[] {
  const data = quoted(relative(process.cwd(), dataFile));
  const start = terminal.program;
  return [
    `${start} train ${data} --target label --classes --rule adam --rate 0.003 --batch 16 --epochs 20 --test-share 0.2 --out mine.safetensors`,
    `${start} train ${data} --target label --classes --row-shape 8x8x1 --model cnn --epochs 10 --test-share 0.2`,
    `${start} evaluate ${quoted(model)} ${data} # all rows, including the training rows`,
    `${start} measure ${quoted(model)} ${data} --batch 1,4,16,64,256`,
    `${start} rules`,
  ];
}
