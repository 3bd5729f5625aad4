/**
 * `ergodic recommend DATA --user COLUMN --item COLUMN`: factorises ratings, tests the model, saves it, and names the best new items of a user.
 *
 * Without --value each row is an event, and the model is one of preferences (--implicit). It can be interrupted, kept and gone on with (keeping.ts).
 */
import type { Command } from "commander";
import {
  type Algorithm,
  alternatingLeastSquares,
  type Duplicates,
  type EngineDescription,
  type FactorisationOptions,
  type FactorPredictor,
  type Fitted,
  factorCoordinateDescent,
  factorisation,
  fit,
  openEngine,
  type Ratings,
} from "ergodic";
import { dataPlaces } from "../data.ts";
import { UsageError } from "../errors.ts";
import {
  addKeepingOptions,
  type KeepingOptions,
  keptPlaces,
  refuseFixed,
  type Training,
  toTheEnd,
  type Watch,
} from "../keeping.ts";
import { given } from "../options/given.ts";
import { notNegative, oneOf, positive, share, whole } from "../options/number.ts";
import { addFormatOptions, type FormatOptions } from "../options/reading.ts";

import { checkOutputs } from "../outputs.ts";
import { bestOf, type RatingColumns, readRatings } from "../ratings.ts";
import { type FactorsDescribed, factorsLine } from "../report/chosen.ts";
import { metricsText } from "../report/metrics.ts";
import { counted, decimal, duration, grouped, json, significant } from "../report/numbers.ts";
import { Progress } from "../report/progress.ts";
import { table } from "../report/table.ts";
import type { Terminal } from "../terminal.ts";

interface RecommendOptions extends FormatOptions, KeepingOptions {
  user: string;
  item: string;
  value?: string;
  duplicates?: string;
  testShare?: number;
  rank?: number;
  l2?: number;
  weighted?: boolean;
  /** True where no alpha is given. */
  implicit?: number | true;
  algorithm?: string;
  epochs?: number;
  workers?: number;
  deterministic?: boolean;
  seed: number;
  for?: string;
  count: number;
  json?: boolean;
  quiet?: boolean;
}

const fixed: readonly (keyof RecommendOptions)[] = ["rank", "l2", "weighted", "implicit", "algorithm", "deterministic"];

export function addRecommend(program: Command, terminal: Terminal): void {
  const command = program
    .command("recommend")
    .description("factorise ratings, and recommend items")
    .argument("<DATA>", "a file with a row for each rating, or - for standard input");
  addFormatOptions(command)
    .optionsGroup("Data:")
    .requiredOption("--user <column>", "who")
    .requiredOption("--item <column>", "what")
    .option("--value <column>", "how much; without it each row is an event, and --implicit is taken")
    .option("--duplicates <how>", "pairs that come twice: refuse, sum or last", oneOf("refuse", "sum", "last"))
    .option("--test-share <share>", "ratings to test on at the end", share)
    .optionsGroup("Model:")
    .option("--rank <n>", "numbers for each user and item; default 32", whole(1, 4096))
    .option("--l2 <strength>", "penalty on their squares, of values in units of their variance; default 0.1", positive)
    .option("--weighted", "the penalty of a user or item times their ratings; default: with --value")
    .option("--no-weighted", "the same for all, however many ratings they have")
    .option("--implicit [alpha]", "values are evidence of a preference, weighing 1 + alpha × value; default 40", notNegative)
    .optionsGroup("Steps:")
    .option("--algorithm <name>", "als (the default) or coordinate")
    .option("--epochs <n>", "default: until converged, at most 100", positive)
    .option("--workers <n>", "threads", whole(1, 1024))
    .option("--seed <n>", "of every random choice", whole(0), 0)
    .option("--deterministic", "the same bytes on any machine")
    .optionsGroup("Results:")
    .option("--for <user>", "recommend to this one, of the items without a rating by them")
    .option("--count <n>", "so many items, in tests too", whole(1), 10)
    .option("--out <file>", "the trained model, as safetensors");
  addKeepingOptions(command)
    .option("--json", "one JSON object on standard output")
    .option("--quiet", "no progress")
    .action((path: string, options: RecommendOptions) => recommend(path, options, { command, path, options, fixed, terminal }));
}

async function recommend(path: string, options: RecommendOptions, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal } = training;
  const [model, algorithm] = [factorisation(modelOptions(options)), algorithmOf(options.algorithm)];
  const columns: RatingColumns = { user: options.user, item: options.item, ...given({ value: options.value }) };
  const { epochs, workers, deterministic, seed, testShare } = options;
  const steps = given({ algorithm, epochs, workers, deterministic, seed });
  if (options.resume === undefined) await fit.check(steps);
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("recommend", outputs, [...inputs, ...(await dataPlaces(path, options))]);
  const all = await readRatings(path, columns, options, options.duplicates as Duplicates, columns);
  const { train, test } = testShare === undefined ? { train: all } : all.split(1 - testShare, { seed });
  const engine = (await openEngine()).describe();
  if (!options.quiet) terminal.note(dataLine(path, all, train, test));
  const stop = new AbortController();
  const { signal } = stop;
  const run =
    options.resume === undefined
      ? fit(model, train, { ...steps, signal })
      : fit.resume(options.resume, train, { ...given({ epochs, workers }), signal });
  const fitted = await toTheEnd(run, stop, training, watch(options, engine, terminal), async (made) => {
    // So that other commands find them again.
    Object.assign(made.description, { columns });
    if (options.out !== undefined) await made.save(options.out);
  });
  const { plan } = (await run.chosen) as unknown as FactorsDescribed;
  report({ path, options, columns, all, train, test, fitted, plan, engine, terminal });
}

function modelOptions({ rank, l2, weighted, implicit, value }: RecommendOptions): FactorisationOptions {
  const alpha = typeof implicit === "number" ? { alpha: implicit } : {};
  return given({ rank, l2, weighted, implicit: implicit !== undefined || value === undefined ? alpha : undefined });
}

const algorithms: Readonly<Record<string, () => Algorithm>> = {
  als: alternatingLeastSquares,
  coordinate: factorCoordinateDescent,
};

function algorithmOf(name: string | undefined): Algorithm | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(algorithms, name)) return algorithms[name]();
  throw new UsageError("--algorithm", `"${name}" is not known (known: ${Object.keys(algorithms).join(", ")})`);
}

function dataLine(path: string, { users, items }: Ratings, train: Ratings, test: Ratings | undefined): string {
  const held = test ? `, ${grouped(test.count)} to test` : "";
  return `${path}: ${counted(train.count, "rating")} to train on${held}; ${counted(users.size, "user")}, ${counted(items.size, "item")}`;
}

function watch({ quiet, epochs }: RecommendOptions, engine: EngineDescription, terminal: Terminal): Watch {
  const progress = new Progress(terminal, { epochs });
  return {
    begin(chosen) {
      if (!quiet) terminal.note(factorsLine(chosen as FactorsDescribed, engine));
    },
    tick(tick) {
      if (!quiet) progress.tick(tick);
    },
    end() {
      if (!quiet) progress.end();
    },
  };
}

interface Result {
  path: string;
  options: RecommendOptions;
  columns: RatingColumns;
  all: Ratings;
  train: Ratings;
  test: Ratings | undefined;
  fitted: FactorPredictor & Pick<Fitted, "run">;
  /** The run's, with its workers, which no file keeps. */
  plan: FactorsDescribed["plan"];
  engine: EngineDescription;
  terminal: Terminal;
}

function report(result: Result): void {
  const { options, all, train, test, fitted, plan, terminal } = result;
  const { count, for: user } = options;
  const metrics = test ? fitted.evaluate(test, { count, exclude: train }) : null;
  const items = user === undefined ? [] : fitted.recommend(user, { count, exclude: all });
  const known = user !== undefined && all.users.find(user) >= 0;
  if (options.json) {
    const { ticks, ...run } = fitted.run;
    const { users: _, items: __, ...chosen } = fitted.description;
    const object = {
      command: "recommend",
      data: result.path,
      ratings: { train: train.count, test: test?.count ?? 0 },
      users: all.users.size,
      items: all.items.size,
      chosen: { ...chosen, plan },
      engine: result.engine,
      run,
      ticks,
      test: metrics,
      recommendations: user === undefined ? null : { user, known, items },
      out: options.out ?? null,
    };
    terminal.out(`${json(object)}\n`);
    return;
  }
  const { out: paint } = terminal.paint;
  const { run } = fitted;
  terminal.out(
    `${counted(run.epochs, "epoch")} in ${duration(run.seconds)}: ${run.reason}; objective ${decimal(run.report.objective)}\n`,
  );
  if (metrics)
    terminal.out(
      `${paint.bold(`test, ${grouped(test!.count)} ratings${bestOf(fitted, count)}`)}\n${metricsText(metrics, paint)}`,
    );
  if (user !== undefined) {
    const whose = known ? `for ${user}` : `for ${user}, who has no rating: the best for anybody`;
    const rows = items.map(({ item, score }) => [String(item), significant(score)]);
    terminal.out(`${paint.bold(whose)}\n${table(["item", "score"], rows, { paint })}`);
  }
  if (options.out !== undefined) terminal.out(`saved to ${options.out}\n`);
}
