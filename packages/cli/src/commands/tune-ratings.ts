/**
 * `ergodic tune DATA --user COLUMN --item COLUMN --over rank:int:2..64,l2:log:1e-3..1`: factorises ratings with many
 * settings and reports the best settings on held-out ratings. The best settings have the smallest root mean square
 * error or, for preferences, the smallest 1 − NDCG.
 *
 * A trial ends when --patience (default 3) is exhausted or when it converges. With --out or --test-share, a final model
 * is then fitted with the best settings to all ratings except the test ratings. The final model is fitted for as many
 * epochs as the best trial took to reach its smallest error.
 */
import type { Command } from "commander";
import { type FactorPredictor, factorisation, fit, type Ratings, tune } from "ergodic";
import type { Duplicates } from "ergodic/data";
import { dataPlaces } from "../data.ts";
import { UsageError } from "../errors.ts";
import { keptPlaces, refuseFixed, refuseGiven, type Training, toTheEnd } from "../keeping.ts";
import { given } from "../options/given.ts";
import { notNegative, oneOf, whole } from "../options/number.ts";
import { type Over, parseRanges, readable } from "../options/over.ts";
import { checkOutputs } from "../outputs.ts";
import { bestOf, type RatingColumns, readRatings } from "../ratings.ts";
import { metricsText } from "../report/metrics.ts";
import { counted, grouped, json } from "../report/numbers.ts";
import { searchOptions, type TuneCommandOptions, trainCommand, tunedJson, tunedText, VALIDATE_SHARE, watch } from "../tuning.ts";
import { cutRatings, type FactorOptions, modelOptions, PATIENCE, type RatingParts, ratingsLine } from "./recommend.ts";

/** Options that `tune` shares with `recommend`, in addition to the options that it shares with `train`. */
interface RatingsTuned extends Omit<FactorOptions, "l2"> {
  user: string;
  item: string;
  duplicates: string;
  count: number;
}

export function addTunedRatings(command: Command): Command {
  return command
    .optionsGroup("Ratings, as for recommend, instead of --target:")
    .option("--user <column>", "column of users")
    .option("--item <column>", "column of items")
    .option("--value <column>", "column of values; without it each row is an event, and --implicit applies")
    .option(
      "--duplicates <how>",
      "treatment of pairs that occur more than once: refuse, sum or last",
      oneOf("refuse", "sum", "last"),
    )
    .option("--rank <n>", "number of factors per user and per item; default 32", whole(1, 4096))
    .option(
      "--weighted",
      "multiply the penalty of a user or item by its number of ratings; the default unless --implicit applies",
    )
    .option("--no-weighted", "use the same penalty for all, regardless of their number of ratings")
    .option(
      "--implicit [alpha]",
      "treat values as evidence of a preference, with weight 1 + alpha × value; default 40",
      notNegative,
    );
}

const searched = ["rank", "l2", "alpha", "epochs"] as const;
const EXAMPLE = "rank:int:2..64,l2:log:1e-3..1";

/** Options of `tune` that do not apply to ratings. */
export const ofRows: readonly string[] = [
  ...["target", "weights", "offset", "drop", "impute", "hash", "labels", "rowShape", "size", "channels", "classes", "test"],
  ...[
    "validate",
    "model",
    "augment",
    "loss",
    "l1",
    "intercept",
    "nonNegative",
    "classWeights",
    "features",
    "standardise",
    "from",
  ],
  ...["optimiser", "algorithm", "rule", "rate", "variance", "batch", "replicas", "rows", "averageEvery", "precision", "schedule"],
  ...["updates", "seconds", "tolerance", "unknown", "indicator", "dates", "dense", "interactions", "degree"],
];

/** Options of `tune` that apply only to ratings, besides the columns of users and items. */
export const ofRatings: readonly string[] = ["value", "duplicates", "rank", "weighted", "implicit"];

type Options = TuneCommandOptions & Partial<RatingsTuned> & FactorOptions;

export async function tuneRatings(file: string, options: Options, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal, command } = training;
  const asked = checked(options, command);
  const over = options.over === undefined ? undefined : rangesOf(options);
  if (!over && options.resume === undefined)
    throw new UsageError("tune", `--over is missing; name the settings to search, e.g. --over ${EXAMPLE}`);
  const begin = beginning(options, over);
  await fit.check(stepsOf(options), { validates: true });
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("tune", outputs, [...inputs, ...(await dataPlaces(file, options))]);
  const all = await readRatings(file, asked, options, options.duplicates as Duplicates, asked);
  const { validateShare = VALIDATE_SHARE } = options;
  const parts = cutRatings(all, { ...options, validateShare });
  if (!options.quiet) terminal.note(ratingsLine(file, all, parts));
  const stop = new AbortController();
  const tuned = await toTheEnd(begin(parts, stop.signal), stop, training, watch(options, terminal), async () => {});
  const { losses } = tuned.best;
  const least = losses.reduce((low, measured) => (measured.loss < low.loss ? measured : low), losses[0]);
  // Without held-out ratings, patience cannot be used, so the best trial determines the number of epochs.
  const { validateShare: _, validateEvery: __, patience: ___, ...others } = withRatingSettings(options, tuned.settings);
  const chosen: Options = { ...others, epochs: least.epoch };
  const final = await finalModel(chosen, parts);
  if (options.out !== undefined) await final!.save(options.out);
  const line = trainCommand(chosen, command, options, "recommend");
  const metrics = parts.test ? final!.evaluate(parts.test, { exclude: parts.known }) : null;
  if (options.json) {
    const { train, validate, test } = parts;
    const rows = { train: train.count, validate: validate!.count, test: test?.count ?? 0 };
    const sizes = { users: all.users.size, items: all.items.size };
    const object = { command: "tune", data: file, rows, ...sizes, ...tunedJson(tuned), train: line, test: metrics };
    terminal.out(`${json({ ...object, out: options.out ?? null })}\n`);
    return;
  }
  const { out: paint } = terminal.paint;
  terminal.out(tunedText(tuned, line, paint));
  if (metrics)
    terminal.out(
      `${paint.bold(`test, ${counted(parts.test!.count, "rating")}${bestOf(final!, 10)}`)}, trained on ${grouped(parts.known.count)}\n${metricsText(metrics, paint, null)}`,
    );
  if (options.out !== undefined) terminal.out(`trained on ${counted(parts.known.count, "rating")}, saved to ${options.out}\n`);
}

function checked({ user, item, value }: Options, command: Command): RatingColumns {
  if (user === undefined || item === undefined)
    throw new UsageError("tune", `--${user === undefined ? "user" : "item"} is missing: ratings need a user and an item column`);
  refuseGiven(command, ofRows, "applies only to rows with a target, but --user and --item were given; leave it out");
  return { user, item, ...given({ value }) };
}

function rangesOf(options: Options): Over {
  const isImplicit = options.implicit !== undefined || options.value === undefined;
  const known = searched.filter((name) => name !== "alpha" || isImplicit);
  return parseRanges(options.over!, ["rank"], EXAMPLE, (name) => {
    if (!(known as readonly string[]).includes(name))
      throw new UsageError("--over", `"${name}" is not known (known: ${known.join(", ")})`);
    const flag = name === "alpha" ? "implicit" : (name as Exclude<(typeof searched)[number], "alpha">);
    const isGiven = flag === "implicit" ? typeof options.implicit === "number" : options[flag] !== undefined;
    if (isGiven) throw new UsageError("--over", `${name} is searched, and --${flag} was given; leave one out`);
  });
}

function withRatingSettings(options: Options, settings: Readonly<Record<string, number>>): Options {
  const { alpha, ...others } = readable(settings);
  return { ...options, ...others, ...given({ implicit: alpha }) };
}

function stepsOf({ epochs, patience = PATIENCE, validateEvery, workers, deterministic, seed }: Options) {
  return given({ epochs, patience, validateEvery, workers, deterministic, seed });
}

function beginning(options: Options, over: Over | undefined) {
  const make = (settings: Record<string, number>) => {
    const tried = withRatingSettings(options, settings);
    return { model: factorisation(modelOptions(tried)), steps: stepsOf(tried) };
  };
  // Checks both ends of each range before the file is read.
  for (const end of ["low", "high"] as const)
    make(Object.fromEntries(Object.entries(over ?? {}).map(([name, range]) => [name, range[end]])));
  return ({ train, validate }: RatingParts, signal: AbortSignal) => {
    const trial = (settings: Record<string, number>, context: { signal: AbortSignal }) => {
      const { model, steps } = make(settings);
      return fit(model, train, { ...steps, ...given({ validate }), signal: context.signal });
    };
    const { how, begun } = searchOptions(options, signal);
    if (options.resume !== undefined) return tune.resume(options.resume, trial, how);
    return tune(trial, { over: over!, ...how, ...begun, value: "best", seed: options.seed });
  };
}

async function finalModel(chosen: Options, { known, test }: RatingParts): Promise<FactorPredictor | undefined> {
  if (chosen.out === undefined && !test) return undefined;
  const { patience: _, ...steps } = stepsOf(chosen);
  return fit(factorisation(modelOptions(chosen)), known as Ratings, steps);
}
