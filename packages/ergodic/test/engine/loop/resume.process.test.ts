/**
 * A run that is saved and resumed gives the bytes of an uninterrupted run, for every kind of rule, variance reduction,
 * replicas and precision, at the end of an epoch, within one, and after kill -9 in separate processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adam,
  averaging,
  backtracking,
  chain,
  clipNorm,
  cosineDecay,
  exactLineSearch,
  type FitOptions,
  fit,
  type LinearOptions,
  lbfgs,
  linear,
  momentum,
  nadam,
  polyakEstimated,
  prodigy,
  rmsprop,
  sag,
  saga,
  scheduleFreeAdam,
  sgd,
  stochasticLineSearch,
  strongWolfe,
  svrg,
} from "../../../src/entries/everything.ts";
import { isSlow } from "../../power.ts";
import { plantedRows } from "./planted.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Case {
  name: string;
  options: FitOptions;
  model?: LinearOptions;
  classes?: number;
  format?: "dense" | "sparse";
}

const cases: Case[] = [];
for (const rule of [
  sgd({ rate: cosineDecay({ rate: 0.3, updates: 200 }) }),
  momentum({ rate: 0.02 }),
  adam({ rate: 0.02 }),
  nadam({ rate: 0.02 }),
  rmsprop({ rate: 0.01, centred: true, momentum: 0.5 }),
  prodigy(),
  polyakEstimated(),
  scheduleFreeAdam({ rate: 0.02 }),
  stochasticLineSearch(),
  chain(clipNorm({ norm: 1 }), sgd({ rate: 0.1 }), averaging({ start: 30 })),
]) {
  cases.push({ name: rule.name, options: { rule, batch: 3 } });
}
for (const variance of [svrg(), svrg({ every: 2 }), saga(), sag()]) {
  for (const replicas of [1, 3]) {
    // Replicas share the code of one lane, so in npm test they take dense rows only.
    for (const format of replicas === 1 || isSlow ? (["dense", "sparse"] as const) : (["dense"] as const)) {
      cases.push({
        name: `${variance.name} every ${variance.every}, ${replicas} replicas, ${format}`,
        options: { variance, ...(replicas > 1 ? { replicas, averageEvery: 0.7 } : {}) },
        model: { l1: 1e-3, l2: 1e-2 },
        format,
      });
    }
  }
}
for (const precision of ["f64", "i16", "i8", { data: "i8", model: "i16" }, { model: "i16" }] as const) {
  cases.push({
    name: `precision ${JSON.stringify(precision)}, 2 replicas`,
    options: { rule: adam({ rate: 0.05 }), precision, replicas: 2, batch: 2 },
  });
  cases.push({
    name: `precision ${JSON.stringify(precision)}, saga, with replacement`,
    options: { variance: saga(), precision, schedule: "replacement" },
  });
}
for (const rule of [lbfgs({ history: 3 }), strongWolfe(), backtracking(), exactLineSearch()]) {
  cases.push({ name: `${rule.name}, full gradients`, options: { rule, precision: "f64" } });
}
cases.push({ name: "adam, full gradients on two workers", options: { rule: adam({ rate: 0.1 }), batch: "all", workers: 2 } });
for (const options of [{}, { replicas: 3, averageEvery: 0.7 }, { replicas: "shared" as const }]) {
  cases.push({
    name: `plain descent with L2 on sparse rows, ${JSON.stringify(options)}`,
    options: { rule: sgd({ rate: 0.9 }), ...options },
    model: { l2: 0.5 },
    format: "sparse",
  });
}
for (const format of ["dense", "sparse"] as const)
  cases.push({
    name: `plain descent in 16 bits on ${format} rows of 8, which rounds at random`,
    options: { rule: sgd({ rate: 0.05 }), precision: { data: "i8", model: "i16" } },
    format,
  });
cases.push({ name: "one racing lane", options: { rule: sgd({ rate: 0.1 }), replicas: "shared" } });
cases.push({ name: "three classes, prodigy, sparse", options: { rule: prodigy(), batch: 2 }, classes: 3, format: "sparse" });
cases.push({ name: "group penalty", options: {}, model: { group: { strength: 0.05, groups: [["x0", "x1"]] } } });

describe("resumed runs that end with the same bytes", () => {
  it.each(cases)("resumes with the same bytes: $name", async ({ options, model, classes = 2, format = "dense" }) => {
    const { data } = plantedRows({ rows: 37, columns: 6, classes, format });
    const make = linear({ l2: 1e-3, standardise: false, ...model });
    const given = { seed: 12, ...options };
    const whole = await fit(make, data, { ...given, until: { epochs: 5 } });
    expect(Math.max(...whole.weights.map(Math.abs))).toBeGreaterThan(1e-4);
    const perEpoch = whole.run.updates / whole.run.epochs;
    for (const until of [{ epochs: 2 }, { updates: Math.ceil(2.4 * perEpoch) }]) {
      const path = join(folder, "run.checkpoint");
      const first = fit(make, data, { ...given, until });
      const half = await first;
      expect(half.run.updates).toBeLessThan(whole.run.updates);
      await first.checkpoint(path);
      const resumed = await fit.resume(path, data, { until: { epochs: 5 } });
      expect(Buffer.from(resumed.toBytes()).equals(Buffer.from(whole.toBytes()))).toBe(true);
      expect(resumed.run).toMatchObject({ updates: whole.run.updates, epochs: whole.run.epochs, reason: whole.run.reason });
      expect(resumed.run.loss).toBeCloseTo(whole.run.loss, 12);
    }
    data.dispose();
  });

  it("keep their bytes on another number of workers if replicas are fixed", async () => {
    const { data } = plantedRows({ rows: 37, columns: 6, classes: 2, format: "dense" });
    const options = { rule: adam({ rate: 0.05 }), replicas: 4, seed: 2 };
    const whole = await fit(linear(), data, { ...options, epochs: 4, workers: 1 });
    const first = fit(linear(), data, { ...options, epochs: 2, workers: 2 });
    await first;
    await first.checkpoint(join(folder, "workers.checkpoint"));
    const resumed = await fit.resume(join(folder, "workers.checkpoint"), data, { epochs: 4, workers: 1 });
    expect(resumed.weights).toEqual(whole.weights);
    data.dispose();
  });
});

it("a run with one lane resumes with one lane, whatever the number of workers", async () => {
  const { data } = plantedRows({ rows: 37, columns: 6, classes: 2, format: "dense" });
  const options = { rule: adam({ rate: 0.05 }), workers: 2, seed: 2 };
  const first = fit(linear(), data, { ...options, epochs: 2 });
  await first;
  const resumed = await fit.resume(await first.checkpoint(), data, { epochs: 4, workers: 3 });
  const whole = await fit(linear(), data, { ...options, epochs: 4, workers: 1 });
  expect(resumed.weights).toEqual(whole.weights);
  data.dispose();
});

it("a run validated at custom times resumes without its held-out rows", async () => {
  const { data } = plantedRows({ rows: 37, columns: 6, classes: 2, format: "dense" });
  const path = join(folder, "watched.checkpoint");
  const watched = fit(linear(), data, { epochs: 2, validate: data, validateEvery: 0.5, schedule: "blocks", blockRows: 5 });
  expect((await watched).run.ticks.filter((tick) => tick.validation).length).toBe(4);
  await watched.checkpoint(path);
  const whole = await fit(linear(), data, { epochs: 3, schedule: "blocks", blockRows: 5 });
  const resumed = await fit.resume(path, data, { epochs: 3 });
  expect(resumed.weights).toEqual(whole.weights);
  data.dispose();
});

describe("refused resumed runs", () => {
  it("refuses other data, another number of racing workers, missing held-out rows, or another file", async () => {
    const { data } = plantedRows({ rows: 37, columns: 6, classes: 2, format: "dense" });
    const { data: other } = plantedRows({ rows: 37, columns: 6, classes: 2, format: "dense", seed: 6 });
    const path = join(folder, "refused.checkpoint");
    const racing = fit(linear(), data, { epochs: 1, workers: 2, replicas: "shared" });
    const fitted = await racing;
    await racing.checkpoint(path);
    const attempt = async (...given: Parameters<typeof fit.resume>): Promise<unknown> => await fit.resume(...given);
    await expect(attempt(path, other)).rejects.toThrow(
      /fit.resume: the data has 37 rows of 6 columns and 2 classes \(digest \w+\), but the run was on 37 rows .*\[CHECKPOINT_DATA\]/,
    );
    await expect(attempt(path, data, { workers: 3 })).rejects.toThrow(
      "fit.resume: workers is 3, but 2 workers shared one model in this run; leave workers out [CHECKPOINT_PLAN]",
    );
    await expect(attempt(path, data, { seed: 4 } as never)).rejects.toThrow('fit.resume: unknown option "seed"');
    await expect(attempt(join(folder, "absent"), data)).rejects.toThrow(/absent/);
    await fitted.save(join(folder, "model.safetensors"));
    await expect(attempt(join(folder, "model.safetensors"), data)).rejects.toThrow(
      /model.safetensors: is not a checkpoint of a run; give the file that run.checkpoint\(\) wrote \[CHECKPOINT_FORMAT\]/,
    );
    const patient = fit(linear(), data, { epochs: 1, validate: other, patience: 3 });
    await patient;
    await patient.checkpoint(path);
    await expect(attempt(path, data, { epochs: 2 })).rejects.toThrow(
      "fit.resume: the run ends after 3 validations without a lower loss; give validate: its held-out rows [OPTION_MISSING]",
    );
    data.dispose();
    other.dispose();
  });
});

const built = new URL("../../../dist/entries/index.js", import.meta.url);
const reason = existsSync(built) ? "" : "packages/ergodic/dist is not built (npm run build)";
if (reason) console.warn(`skipped: a run that is killed, because ${reason}`);

/** Program of each process. It prints "kept" after each checkpoint. */
const script = `
  const [, path, mode] = process.argv;
  const { adam, Dataset, fit, linear, saga } = await import(${JSON.stringify(built.href)});
  let s = 1;
  const next = () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  const x = Array.from({ length: 4000 }, () => Array.from({ length: 20 }, next));
  const y = x.map((row) => String(Number(row[0] - row[1] + 0.2 * next() > 0)));
  const data = Dataset.fromArrays({ x, y });
  const options = { rule: adam({ rate: 0.01 }), variance: saga(), replicas: 2, workers: 2, seed: 3, epochs: mode === "doomed" ? 1e6 : 150 };
  const run = mode === "resumed" ? fit.resume(path, data, { epochs: 150 }) : fit(linear({ l2: 1e-3 }), data, options);
  while (mode === "doomed") {
    await run.checkpoint(path);
    console.log("kept");
  }
  const { run: { updates }, weights } = await run;
  console.log(JSON.stringify({ updates, bytes: Buffer.from(weights.buffer).toString("hex") }));
`;

describe.skipIf(reason)(`a process killed in the middle${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const start = (path: string, mode: string): ChildProcess =>
    spawn(process.execPath, ["--input-type=module", "-e", script, path, mode], { stdio: ["ignore", "pipe", "inherit"] });
  const result = async (child: ChildProcess): Promise<{ updates: number; bytes: string }> => {
    let text = "";
    for await (const chunk of child.stdout!) text += String(chunk);
    return JSON.parse(text) as { updates: number; bytes: string };
  };
  const killed = (child: ChildProcess): Promise<NodeJS.Signals | null> =>
    new Promise((resolve) => {
      let kept = 0;
      child.stdout!.on("data", (chunk) => {
        kept += String(chunk).split("kept").length - 1;
        if (kept >= 5) child.kill("SIGKILL");
      });
      child.once("exit", (_, signal) => resolve(signal));
    });

  it("kill -9 leaves the last complete checkpoint, from which the run ends as if never stopped", async () => {
    const path = join(folder, "killed.checkpoint");
    expect(await killed(start(path, "doomed"))).toBe("SIGKILL");
    const [wanted, found] = await Promise.all(["whole", "resumed"].map((mode) => result(start(path, mode))));
    expect(wanted.updates).toBe(150 * 4000);
    expect(found).toEqual(wanted);
  });
});
