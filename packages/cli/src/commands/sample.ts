/**
 * `ergodic sample MODEL --data FILE`, or `--formula "y ~ x"` instead of MODEL: draws from the posterior of a model, and
 * prints a summary of the draws and whether to trust them. `ergodic approximate` does the same with a fast
 * approximation. Runs can be interrupted, checkpointed and resumed (keeping.ts).
 */
import type { Command } from "commander";
import { type Draws, type Run, type SampleOptions, sample } from "ergodic";
import { familyNames } from "ergodic/bayes";
import { drawsFormat, drawsPlaces, writeDraws } from "../draws-files.ts";
import { inCommandLineTerms, UsageError } from "../errors.ts";
import {
  addKeepingOptions,
  type KeepingOptions,
  keptPlaces,
  refuseFixed,
  type Training,
  toTheEnd,
  type Watch,
} from "../keeping.ts";
import { collected } from "../options/collected.ts";
import { noting } from "../options/drawn-from.ts";
import { checkFormula, type FormulaModel, type FormulaWords, modelOfFormula } from "../options/formula.ts";
import { blamingFile } from "../options/module-file.ts";
import { positive, whole } from "../options/number.ts";
import { type ModelFile, modelOfFile, parseSampler } from "../options/statistical.ts";
import { checkOutputs } from "../outputs.ts";
import { allText, drawsTable, groupEffectsText } from "../report/draws-table.ts";
import { duration, json } from "../report/numbers.ts";
import { type SamplingDescription, SamplingProgress, samplingHeader } from "../report/sampling-progress.ts";
import type { Terminal } from "../terminal.ts";

interface SampleWords extends KeepingOptions, FormulaWords {
  algorithm?: string;
  method?: string;
  chains?: number;
  warmup?: number;
  draws?: number;
  seed?: number;
  rows?: string;
  workers?: number;
  seconds?: number;
  deterministic?: boolean;
  all?: boolean;
  format: string;
  quiet?: boolean;
  json?: boolean;
}

const fixed = ["algorithm", "method", "chains", "warmup", "seed", "rows", "deterministic"];
const methods: Readonly<Record<string, string>> = {
  pathfinder: "pathfinder",
  meanfield: "meanField",
  fullrank: "fullRank",
  svgd: "svgd",
};

export function add(program: Command, terminal: Terminal): void {
  addSample(program, terminal);
  addApproximate(program, terminal);
}

function addSample(program: Command, terminal: Terminal): void {
  const command = program
    .command("sample")
    .description("draw from the posterior of a model")
    .argument("[MODEL]", "a JavaScript or TypeScript file whose default export is a model(); or give --formula");
  shared(command)
    .option("--algorithm <sampler>", "sampler: nuts, hmc:leapfrogs=10, slice …; default nuts")
    .option("--chains <n>", "number of chains, each with its own starting point; default 4", whole(1, 65536))
    .option(
      "--warmup <n>",
      "warm-up transitions per chain, which adapt the sampler and are not stored; default 1000",
      whole(0, 2 ** 31),
    )
    .option("--rows <name>", "name of the size that counts rows of data, for samplers such as sgld:stepSize=0.001,batch=100");
  command.action((path: string | undefined, options: SampleWords) => run(path, options, { command, options, fixed, terminal }));
}

function addApproximate(program: Command, terminal: Terminal): void {
  const command = program
    .command("approximate")
    .description("draw from a fast approximation of the posterior of a model")
    .argument("[MODEL]", "a JavaScript or TypeScript file whose default export is a model(); or give --formula");
  shared(command).option("--method <name>", `approximation: ${Object.keys(methods).join(", ")}; default pathfinder`);
  command.action((path: string | undefined, options: SampleWords) =>
    run(path, { ...options, method: options.method ?? "pathfinder" }, { command, options, fixed, terminal }),
  );
}

function shared(command: Command): Command {
  return addKeepingOptions(
    command
      .option(
        "--data <file>",
        "JSON file with data by name; default: the data that the model's file exports; with --formula, a table: CSV, Parquet …",
      )
      .option("--formula <text>", 'regression to use instead of a model file: "y ~ x + (1 | group)"')
      .option("--family <name>", `response distribution of the formula: ${familyNames.join(", ")}; default gaussian`)
      .option(
        "--levels <column=a,b,c>",
        "levels of a column of the formula, in order; repeat the option for each column",
        collected,
      )
      .option("--group-effects", groupEffectsText)
      .option("--all", allText)
      .option("--draws <n>", "number of draws to keep per chain; default 1000", whole(0, 2 ** 31))
      .option("--seed <n>", "seed for all random choices; default 0", whole(0))
      .option("--workers <n>", "number of threads; draws do not depend on it", whole(1, 1024))
      .option("--seconds <n>", "end after this time with the draws so far", positive)
      .option("--deterministic", "produce the same bytes on every machine")
      .option("--out <dir>", "write the draws to this folder")
      .option("--format <name>", "format of the draws: csv (as CmdStan writes), json or arrow", "csv")
      .option("--quiet", "hide progress")
      .option("--json", "print the result as one JSON object"),
  );
}

function run(path: string | undefined, options: SampleWords, training: Training): Promise<void> {
  const act = (): Promise<void> => draw(path, options, training);
  return path === undefined ? act() : blamingFile(path, act);
}

async function draw(path: string | undefined, options: SampleWords, training: Training): Promise<void> {
  refuseFixed(training);
  checkFormula(path, options);
  const { command, terminal } = training;
  const format = await drawsFormat(options.format);
  const { outputs, inputs } = keptPlaces({ ...options, out: undefined });
  const written = [...drawsPlaces(options.out), ...outputs];
  await checkOutputs(command.name(), written, [
    ...inputs,
    ...(path === undefined ? [] : [{ flag: "MODEL", path }]),
    { flag: "--data", path: options.data },
  ]);
  // The model's file can define samplers, so the sampler is parsed after that file and before the data.
  let algorithm: Pick<SampleOptions, "algorithm"> = {};
  const read = (): void => {
    algorithm = algorithmOf(options);
  };
  let file: Pick<FormulaModel, "model" | "data"> | ModelFile;
  if (path === undefined) {
    read();
    const { remarks, ...made } = await modelOfFormula(options);
    for (const line of remarks) terminal.note(line);
    file = made;
  } else file = await modelOfFile(path, options.data, read);
  const stop = new AbortController();
  const sampling = begin(file, options, algorithm, stop.signal);
  const posterior = await toTheEnd(sampling, stop, training, watch(options, terminal), async (made) => {
    if (options.out !== undefined) await writeDraws(noting(made, options.out, { ...options, model: path }), options.out, format);
  });
  report(path ?? options.formula!, options, posterior, terminal);
}

function begin(
  { model, data }: ModelFile | Pick<FormulaModel, "model" | "data">,
  options: SampleWords,
  algorithm: Pick<SampleOptions, "algorithm">,
  signal: AbortSignal,
): Run<Draws> {
  const { draws, workers, seconds, resume } = options;
  const watched = {
    signal,
    ...(draws === undefined ? {} : { draws }),
    ...(workers === undefined ? {} : { workers }),
    ...(seconds === undefined ? {} : { until: { seconds } }),
  };
  if (resume !== undefined) return sample.resume(resume, model, data, watched);
  const { chains, warmup, seed, rows, deterministic } = options;
  const given: SampleOptions = {
    ...watched,
    ...algorithm,
    ...(chains === undefined ? {} : { chains }),
    ...(warmup === undefined ? {} : { warmup }),
    ...(seed === undefined ? {} : { seed }),
    ...(rows === undefined ? {} : { rows }),
    ...(deterministic ? { deterministic } : {}),
  };
  return sample(model, data, given);
}

function algorithmOf({ algorithm, method }: SampleWords): Pick<SampleOptions, "algorithm"> {
  if (algorithm !== undefined) return { algorithm: parseSampler("--algorithm", algorithm) };
  if (method === undefined) return {};
  const [name, ...rest] = method.split(":");
  if (!Object.hasOwn(methods, name))
    throw new UsageError("--method", `"${name}" is not known (known: ${Object.keys(methods).join(", ")})`);
  return { algorithm: parseSampler("--method", [methods[name], ...rest].join(":")) };
}

function watch(options: SampleWords, terminal: Terminal): Watch {
  let progress: SamplingProgress | undefined;
  return {
    begin(given) {
      if (options.quiet) return;
      const { hints = [] } = given as { hints?: readonly { text: string; advice: string }[] };
      for (const { text, advice } of hints) terminal.note(`hint: ${text}: ${advice}`);
      const described = given as SamplingDescription;
      terminal.note(samplingHeader(described));
      progress = new SamplingProgress(terminal, described);
    },
    tick: (tick) => progress?.tick(tick),
    end: () => progress?.end(),
  };
}

function report(path: string, options: SampleWords, posterior: Draws, terminal: Terminal): void {
  const { run } = posterior.description as unknown as { run: { seconds: number; reason: string } };
  const verdict = posterior.verdict();
  if (options.json) {
    const summary = posterior.count > 0 ? posterior.summary() : {};
    const { chains, count, divergences, description, report } = posterior;
    const { trusted, findings } = verdict;
    terminal.out(
      `${json({ command: options.method === undefined ? "sample" : "approximate", model: path, chains, draws: count, summary, divergences, verdict: { trusted, findings }, report, description, out: options.out ?? null })}\n`,
    );
    return;
  }
  const table = posterior.count > 0 ? drawsTable(posterior, options) : "";
  terminal.out(`${table}\n\n${inCommandLineTerms(verdict.text)}\n`);
  terminal.out(
    terminal.paint.out.dim(
      `${duration(run.seconds)}: ${run.reason}${options.out === undefined ? "" : `; written to ${options.out}`}\n`,
    ),
  );
}
