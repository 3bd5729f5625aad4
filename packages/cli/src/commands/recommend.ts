/**
 * `ergodic recommend DATA --user COLUMN --item COLUMN`: factorises ratings, tests the model, saves it, and prints the
 * best new items for a user.
 *
 * Without --value, each row is an event, and the model is fitted to preferences (--implicit). The run can be
 * interrupted, checkpointed and resumed (keeping.ts).
 */
import type { Command } from "commander";
import {
  alternatingLeastSquares,
  type EngineDescription,
  type FactorPredictor,
  factorisation,
  fit,
  openEngine,
  type Ratings,
} from "ergodic";
import type { Duplicates } from "ergodic/data";
import type { Algorithm } from "ergodic/extend";
import { type FactorisationOptions, type Fitted, factorCoordinateDescent } from "ergodic/learning";
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
import { metricsText, validationWarning } from "../report/metrics.ts";
import { counted, decimal, duration, grouped, json, significant } from "../report/numbers.ts";
import { Progress } from "../report/progress.ts";
import { table } from "../report/text-table.ts";
import type { Terminal } from "../terminal.ts";

/** Options of the model and its columns. */
export interface FactorOptions {
  value?: string;
  rank?: number;
  l2?: number;
  weighted?: boolean;
  /** True if no alpha is given. */
  implicit?: number | true;
}

interface RecommendOptions extends FormatOptions, KeepingOptions, FactorOptions, CutOptions {
  user: string;
  item: string;
  duplicates?: string;
  algorithm?: string;
  epochs?: number;
  patience?: number;
  validateEvery?: number;
  workers?: number;
  deterministic?: boolean;
  seed: number;
  for?: string;
  count: number;
  json?: boolean;
  quiet?: boolean;
}

/**
 * Number of validations without a lower loss after which a run ends. With alternating descent the loss decreases
 * steadily, so a few are enough.
 */
export const PATIENCE = 3;

const fixed: readonly (keyof RecommendOptions)[] = ["rank", "l2", "weighted", "implicit", "algorithm", "deterministic"];

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("recommend")
    .description("factorise ratings, and recommend items")
    .argument("<DATA>", "a file with one row per rating, or - for standard input");
  addFormatOptions(command)
    .optionsGroup("Data:")
    .requiredOption("--user <column>", "column of users")
    .requiredOption("--item <column>", "column of items")
    .option("--value <column>", "column of values; without it each row is an event, and --implicit applies")
    .option(
      "--duplicates <how>",
      "treatment of pairs that occur more than once: refuse, sum or last",
      oneOf("refuse", "sum", "last"),
    )
    .option("--test-share <share>", "share of the ratings to test on at the end", share)
    .option("--validate-share <share>", "share of the other ratings for validation during training and early stopping", share)
    .optionsGroup("Model:")
    .option("--rank <n>", "number of factors per user and per item; default 32", whole(1, 4096))
    .option(
      "--l2 <strength>",
      "strength of the penalty on squared factors (for ratings, in units of their variance); default 0.1",
      positive,
    )
    .option(
      "--weighted",
      "multiply the penalty of a user or item by its number of ratings; the default unless --implicit applies",
    )
    .option("--no-weighted", "use the same penalty for all, regardless of their number of ratings")
    .option(
      "--implicit [alpha]",
      "treat values as evidence of a preference, with weight 1 + alpha × value; default 40",
      notNegative,
    )
    .optionsGroup("Steps:")
    .option("--algorithm <name>", "als (alternating least squares, the default) or coordinate (coordinate descent)")
    .option("--epochs <n>", "number of passes over the ratings; default: until converged, at most 100", positive)
    .option("--patience <n>", "stop after n validations without a lower loss; default 3 with --validate-share", whole(1))
    .option("--validate-every <epochs>", "epochs between validations; default 1", positive)
    .option("--workers <n>", "number of threads", whole(1, 1024))
    .option("--seed <n>", "seed for all random choices", whole(0), 0)
    .option("--deterministic", "produce the same bytes on every machine")
    .optionsGroup("Results:")
    .option("--for <user>", "user to recommend items to; items that this user has rated are left out")
    .option("--count <n>", "number of items to recommend, also in tests", whole(1), 10)
    .option("--out <file>", "write the trained model to this file, as safetensors");
  addKeepingOptions(command)
    .option("--json", "print the result as one JSON object")
    .option("--quiet", "hide progress")
    .action((path: string, options: RecommendOptions) => recommend(path, options, { command, options, fixed, terminal }));
}

async function recommend(path: string, options: RecommendOptions, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal } = training;
  const [model, algorithm] = [factorisation(modelOptions(options)), algorithmOf(options.algorithm)];
  const asked: RatingColumns = { user: options.user, item: options.item, ...given({ value: options.value }) };
  const { workers, deterministic, seed } = options;
  const watched = watchOptions(options);
  const steps = { ...watched, ...given({ algorithm, deterministic, seed }) };
  if (options.resume === undefined) await fit.check(steps, { validates: options.validateShare !== undefined });
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("recommend", outputs, [...inputs, ...(await dataPlaces(path, options))]);
  const all = await readRatings(path, asked, options, options.duplicates as Duplicates, asked);
  const parts = cutRatings(all, options);
  const { train, validate } = parts;
  const engine = (await openEngine()).describe();
  if (!options.quiet) terminal.note(ratingsLine(path, all, parts));
  const stop = new AbortController();
  const watching = { ...given({ validate }), signal: stop.signal };
  const run =
    options.resume === undefined
      ? fit(model, train, { ...steps, ...given({ workers }), ...watching })
      : fit.resume(options.resume, train, { ...watched, ...given({ workers }), ...watching });
  const fitted = await toTheEnd(run, stop, training, watch(options, engine, terminal), async (made) => {
    if (options.out !== undefined) await made.save(options.out);
  });
  const { plan } = (await run.chosen) as unknown as FactorsDescribed;
  report({ path, options, all, parts, fitted, plan, engine, terminal });
}

/**
 * When to stop, and how often to validate. With validation ratings, a run stops soon after their error stops falling.
 */
function watchOptions({ epochs, patience, validateEvery, validateShare }: RecommendOptions) {
  return given({ epochs, validateEvery, patience: patience ?? (validateShare === undefined ? undefined : PATIENCE) });
}

export interface RatingParts {
  train: Ratings;
  validate?: Ratings;
  test?: Ratings;
  /** All ratings except the test ratings. */
  known: Ratings;
}

/** Splits off the test ratings first, as for rows (data.ts). */
export function cutRatings(all: Ratings, { testShare, validateShare, seed }: CutOptions): RatingParts {
  const { train: known, test } = testShare === undefined ? { train: all } : all.split(1 - testShare, { seed });
  const { train, test: validate } = validateShare === undefined ? { train: known } : known.split(1 - validateShare, { seed });
  return { train, known, ...given({ validate, test }) };
}

interface CutOptions {
  testShare?: number;
  validateShare?: number;
  seed: number;
}

export function modelOptions({ rank, l2, weighted, implicit, value }: FactorOptions): FactorisationOptions {
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

export function ratingsLine(path: string, { users, items }: Ratings, { train, validate, test }: RatingParts): string {
  const held = [validate ? `, ${grouped(validate.count)} to validate` : "", test ? `, ${grouped(test.count)} to test` : ""];
  return `${path}: ${counted(train.count, "rating")} to train on${held.join("")}; ${counted(users.size, "user")}, ${counted(items.size, "item")}`;
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
  all: Ratings;
  parts: RatingParts;
  fitted: FactorPredictor & Pick<Fitted, "run">;
  /** The run's plan. It includes the number of workers, which is not stored in any file. */
  plan: FactorsDescribed["plan"];
  engine: EngineDescription;
  terminal: Terminal;
}

function report(result: Result): void {
  const { options, all, fitted, plan, terminal } = result;
  const { train, validate, test, known: seen } = result.parts;
  const { count, for: user } = options;
  const metrics = test ? fitted.evaluate(test, { count, exclude: seen }) : null;
  const items = user === undefined ? [] : fitted.recommend(user, { count, exclude: all });
  const known = user !== undefined && all.users.find(user) >= 0;
  if (options.json) {
    const { ticks, ...run } = fitted.run;
    const { users: _, items: __, ...chosen } = fitted.description;
    const object = {
      command: "recommend",
      data: result.path,
      ratings: { train: train.count, validate: validate?.count ?? 0, test: test?.count ?? 0 },
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
  // Result of validating the retained parameters.
  const best = run.ticks.flatMap(({ validation }) => (validation ? [validation] : [])).sort((a, b) => a.loss - b.loss)[0];
  if (best) terminal.out(`lowest validation loss ${decimal(best.loss)}\n${validationWarning(best, paint)}`);
  if (metrics)
    terminal.out(
      `${paint.bold(`test, ${counted(test!.count, "rating")}${bestOf(fitted, count)}`)}\n${metricsText(metrics, paint, null)}`,
    );
  if (user !== undefined) {
    const whose = known ? `for ${user}` : `for ${user}, who has no ratings: the best items for anyone`;
    const rows = items.map(({ item, score }) => [String(item), significant(score)]);
    terminal.out(`${paint.bold(whose)}\n${table(["item", "score"], rows, { paint })}`);
  }
  if (options.out !== undefined) terminal.out(`saved to ${options.out}\n`);
}
