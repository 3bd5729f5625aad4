/**
 * Errors are a single line `ergodic: where: … [CODE]` without a stack. The exit code is 2 for the command line and 1
 * otherwise.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { CapabilityError, DataError, ErgodicError, OptionError } from "ergodic";
import { afterEach, expect, it, vi } from "vitest";
import { inCommandLineTerms, NotTrusted, reportError, UsageError } from "../src/errors.ts";
import { captured, digits, ergodic, temporary } from "./captured.ts";

const file = temporary();
const gaps = file("gaps.csv");
writeFileSync(gaps, "age,city,class\n30,A,x\n,B,y\n");
const text = file("text.safetensors");
writeFileSync(text, "not a model at all");
mkdirSync(file("folder"));
const train = (...args: string[]) => ["train", digits, "--target", "label", "--classes", ...args];

const cases: [string, string[], number, RegExp][] = [
  ["an unknown command", ["fly"], 2, /^ergodic: unknown command 'fly'; see ergodic --help \[USAGE\]$/],
  ["a missing argument", ["train"], 2, /^ergodic: train: missing required argument 'DATA'; see ergodic train --help \[USAGE\]$/],
  ["a misspelt option", train("--bacth", "8"), 2, /unknown option '--bacth'; did you mean --batch\?/],
  [
    "a number that is none",
    train("--epochs", "many"),
    2,
    /option '--epochs <n>' argument 'many' is invalid\. It must be a number/,
  ],
  [
    "a strength that is none",
    train("--l2", "atuo"),
    2,
    /'--l2 <strength>' argument 'atuo' is invalid\. It must be a number >= 0, or auto\b/,
  ],
  ["a share out of range", train("--test-share", "2"), 2, /between 0 and 1/],
  ["a share of everything", train("--test-share", "1"), 2, /'--test-share <share>' .*between 0 and 1/],
  ["a share of nothing", train("--test-share", "0"), 2, /'--test-share <share>' .*between 0 and 1/],
  ["no target", ["train", digits], 2, /^ergodic: train: --target is missing; name the column to predict: one of "pixel_0_0"/],
  [
    "a target that is not there",
    ["train", digits, "--target", "lable"],
    2,
    /: --target asks for a column "lable" that is not there.*\[DATA_COLUMN\]$/,
  ],
  [
    "weights that are not there",
    train("--weights", "w"),
    2,
    /--weights asks for a column "w" that is not there.*\[DATA_COLUMN\]$/,
  ],
  ["what to drop that is not there", train("--drop", "w"), 2, /--drop asks for a column "w" that is not there.*\[DATA_COLUMN\]$/],
  [
    "a rate that is none",
    train("--rate", "abc"),
    2,
    /^ergodic: --rate: "abc" is neither a number nor a schedule; write 0\.01 or .* \[USAGE\]$/,
  ],
  [
    "a schedule within one",
    train("--rate", "warmUp:rate=foo(rate=1)"),
    2,
    /^ergodic: --rate: "foo" is neither a number nor a schedule/,
  ],
  ["a file that is not there", ["train", file("no.csv"), "--target", "y"], 1, /no such file.*\[DATA_FILE_MISSING\]$/],
  ["a folder", ["describe", file("folder")], 1, /folder: the folder is empty; put PNG or JPEG files into it/],
  [
    "missing values",
    ["train", gaps, "--target", "class"],
    1,
    /gaps\.csv:3:1: 1 value is missing in column "age".*--impute mean, median, mode or level.*\[DATA_MISSING\]$/,
  ],
  ["an unknown rule", train("--rule", "adma"), 2, /^ergodic: --rule: "adma" is not known \(known: adadelta, .*\[USAGE\]$/],
  [
    "an unknown option of a rule",
    train("--rule", "adam:beta=0.5"),
    2,
    /adam: unknown option "beta"; did you mean "beta1"\?.*\[OPTION_UNKNOWN\]$/,
  ],
  ["a rule's option out of range", train("--rule", "adam:beta1=2"), 2, /adam: beta1 is 2, but must be .*\[OPTION_RANGE\]$/],
  ["two rates", train("--rule", "sgd:rate=1", "--rate", "2"), 2, /the rate is given twice/],
  ["a rate for a rule without one", train("--rule", "polyak", "--rate", "2"), 2, /polyak: unknown option "rate"/],
  ["an unknown loss", train("--loss", "cube"), 2, /"cube" is not known \(known: .*logistic/],
  ["an unknown model", train("--model", "shrub"), 2, /--model: "shrub" is not known/],
  ["an unknown map", train("--features", "rbf:100"), 2, /--features: "rbf" is not known/],
  ["a map of no size", train("--features", "rff"), 2, /needs the number of features to make, e\.g\. rff:2000/],
  ["words that cannot be read", train("--rule", "adam:0.1"), 2, /"0\.1" names no option; write option=value/],
  ["class weights that cannot be read", train("--class-weights", "1:2"), 2, /write balanced, or class=weight/],
  ["two tests", train("--test-share", "0.2", "--test", digits), 2, /both --test and --test-share/],
  ["patience without validation", train("--patience", "2"), 2, /patience needs validate/],
  ["validations without rows", train("--validate-every", "2"), 2, /validateEvery needs validate/],
  [
    "averages of one replica",
    train("--average-every", "2"),
    2,
    /averageEvery is 2, but there is one replica.*use --replicas 2 \[PLAN_MEANING\]$/,
  ],
  [
    "replicated rows of one replica",
    train("--rows", "replicated"),
    2,
    /"replicated", but there is one replica.*\[PLAN_MEANING\]$/,
  ],
  [
    "a loss that does not fit",
    train("--loss", "logistic", "--no-classes"),
    2,
    /loss "logistic" needs classes.*leave one of the options out/,
  ],
  [
    "a line search on minibatches",
    train("--rule", "lbfgs", "--batch", "8"),
    2,
    /needs the full gradient.*--batch all \[RULE_NEEDS_FULL_GRADIENT\]$/,
  ],
  [
    "a plan without meaning",
    train("--workers", "2", "--replicas", "1"),
    2,
    /use --replicas shared or --replicas 2 \[PLAN_MEANING\]$/,
  ],
  [
    "a run that diverges",
    train("--no-classes", "--loss", "squared", "--no-standardise", "--rule", "sgd:rate=10"),
    1,
    /the run diverged.*\[RUN_DIVERGED\]$/,
  ],
  [
    "a folder that cannot be written to",
    train("--out", "/nonexistent/m.safetensors"),
    1,
    /m\.safetensors: cannot be written: the folder \/nonexistent does not exist; make it first, or give another path \[FILE_WRITE\]$/,
  ],
  [
    "predictions that cannot be written",
    ["predict", text, digits, "--out", "x"],
    1,
    /text\.safetensors: is not a safetensors file, or is damaged \(.*\); give another, or write it again \[SAFETENSORS\]$/,
  ],
  ["no model", ["evaluate", file("none"), digits], 1, /none: cannot be read: no such file or folder \[FILE_READ\]$/],
  ["data in the place of a model", ["predict", digits, digits], 1, /digits\.csv: is not a safetensors file/],
  ["no checkpoint", ["train", digits, "--target", "label", "--classes", "--resume", file("none")], 1, /none: cannot be read/],
  [
    "options that the checkpoint brings",
    train("--resume", file("none"), "--rule", "adam"),
    2,
    /--rule was given, but --resume continues the run with its original options/,
  ],
];

it.each(cases)("%s", async (_, args, code, message) => {
  const { stderr, ...outcome } = await ergodic(...args, ...(args[0] === "train" && args.length > 1 ? ["--quiet"] : []));
  expect(outcome).toEqual({ code, stdout: "" });
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr.trimEnd()).toMatch(message);
});

afterEach(() => vi.unstubAllEnvs());

it("prints the stack with ERGODIC_DEBUG", async () => {
  vi.stubEnv("ERGODIC_DEBUG", "1");
  expect((await ergodic("evaluate", file("none"), digits)).stderr).toMatch(/\n {4}at /);
});

it("names options as they are typed on the command line", () => {
  expect(inCommandLineTerms('fill them with impute: "mean", "median" or "mode", or drop: ["a", "b"]')).toBe(
    "fill them with --impute mean, median or mode, or --drop a, b",
  );
  expect(inCommandLineTerms('pass delimiter: ";", or quote the field')).toBe('pass --delimiter ";", or quote the field');
  expect(inCommandLineTerms('pass delimiter: "\\t" if')).toBe('pass --delimiter "\\t" if');
  expect(inCommandLineTerms('take header: false, batch: "all" or replicas: 2')).toBe(
    "take --no-header, --batch all or --replicas 2",
  );
  expect(inCommandLineTerms('--rule: "adma" is not known')).toBe('--rule: "adma" is not known');
});

it("exits with 2 for faults of the command line and with 1 for faults of the data, the host or the run", () => {
  const faults: [unknown, number][] = [
    [new UsageError("--rate", "is none"), 2],
    [new OptionError("fit", "rate is -1", "OPTION_RANGE"), 2],
    [new CapabilityError("fit", "cannot be", "PLAN_MEANING"), 2],
    [new CapabilityError("engine", "this host has no memory to share", "HOST_SHARED_MEMORY"), 1],
    [new DataError("a.csv", "is empty", "DATA_EMPTY"), 1],
    [new ErgodicError("fit", "the run diverged", "RUN_DIVERGED"), 1],
    [new TypeError("a slip of ours"), 1],
    ["text", 1],
    [new NotTrusted(), 1],
  ];
  for (const [error, code] of faults) expect(reportError(error, captured()), String(error)).toBe(code);
});
