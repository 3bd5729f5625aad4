/**
 * Converts an error to one line and an exit code. 0: success. 1: the run failed, the draws cannot be trusted
 * (`diagnose --strict`), or the model does not generate such data (`check --strict`). 2: the command line is wrong.
 *
 * The library's messages name options as in TypeScript (`impute: "mean"`). Such options are converted to the form used
 * on the command line (`--impute mean`).
 */
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { CapabilityError, ErgodicError, OptionError } from "ergodic";
import type { Terminal } from "./terminal.ts";

export class UsageError extends OptionError {
  override readonly name: string = "UsageError";

  constructor(where: string, message: string, options?: ErrorOptions) {
    super(where, message, "USAGE", options);
  }
}

/** Thrown after a negative answer has been printed, to set the exit code: `diagnose --strict`, `check --strict`. */
export class NotTrusted extends Error {}

/** Options that have the same name on the command line and in the library. */
const shared = [
  "impute|indicator|dates|drop|format|target|header|delimiter|decimal|hash|weights|classes|batch|replicas|workers|precision|schedule|loss|rule|rate",
  "deterministic|patience|seed|epochs|features|intercept|standardise|l1|l2|duplicates",
].join("|");
const assignment = new RegExp(`(?<![-\\w])(${shared}): ((?:"[^"]*"|\\[[^\\]]*\\]|-?[\\w.]+)(?:, "[^"]*")*(?: or "[^"]*")?)`, "g");

/** Options that have a different name in the library. */
const translations: readonly [RegExp, string][] = [
  [/\b(algorithm: )?coordinateDescent\(\)/g, "--algorithm coordinate"],
  [/\b(algorithm: )?newtonCholesky\(\)/g, "--algorithm newton"],
  [/\b(algorithm: )?dualCoordinateDescent\(\)/g, "--algorithm dual"],
  [/\bcondition the model with \{ rows: "N" \}, naming/g, "give --rows, naming"],
  [/\b(svgd|meanField)\(\{ (particles|batch): (\d+) \}\)/g, "$1:$2=$3"],
  [/\balgorithm: (nuts|hmc|mala)\(\{ (\w+): (\d[\d.]*) \}\)/g, "--algorithm $1:$2=$3"],
  [/\b(warmup|draws|chains): (\d+)/g, "--$1 $2"],
  [/\btable\(\{ rows: \d+ \}\)/g, "--all"],
  [/^newtonCholesky$/g, "--algorithm newton"],
  [/\bpass type: "f64"/g, "pass --precision f64"],
  [/\btypes: \{ "([^"]*)": "(category|number)" \}/g, "--types '$1=$2'"],
  [/\btypes: \{ "([^"]*)": \[(.*?)\] \}/g, "--levels '$1=$2'"],
  [/\blist it in the option missing\b/g, "list it in --missing"],
  [/\bfirstIndex: 0\b/g, "--first-index 0"],
  [/\bbits: (\d+)/g, "--bits $1"],
  [/\bcomment: "([^"]*)"/g, "--comment '$1'"],
  [/\bragged: "skip"/g, "--ragged skip"],
  [/\bengine: "(own|duckdb)"/g, "--engine $1"],
  [/\blayout: "dense"/g, "--dense"],
  [/\bas in \{ age: "median", city: "level" \}/g, "as in --impute age=median,city=level"],
  [/\bmake the training data with impute\b/g, "train with impute"],
  [/\buse linear\(\)/g, "use --model linear"],
  [/\bmaxWork is\b/g, "--max-work is"],
  [/\blarger maxWork\b/g, "larger --max-work"],
  [/\bmaxMemory is\b/g, "--max-memory is"],
  [/\blarger maxMemory\b/g, "larger --max-memory"],
  [/\bp99Ms\b/g, "--p99-ms"],
  [/\bmaxBatch is\b/g, "--max-batch is"],
  [/\btargetP99Ms is\b/g, "--target-p99 is"],
  [/\bdeadlineMs is\b/g, "--deadline is"],
  [/\bpollMs is\b/g, "--poll is"],
  [/\bmaxBodyBytes\b/g, "--max-body"],
  [/\bmaxJsonBytes is\b/g, "--max-json is"],
  [/\bmaxHeldBytes is\b/g, "--max-held is"],
  [/\brequestMs is\b/g, "--request-time is"],
  [/\bdrainMs is\b/g, "--drain is"],
  [/\bmaxDelayMs is\b/g, "--max-delay is"],
  [
    /^tokens must be a list of (.*): write tokens: .*$/,
    "--token-file must hold $1, one per line: openssl rand -hex 32 makes one",
  ],
  [/^cors must be a list of (.*): write cors: .*$/, "--cors must name $1, with commas between them"],
  [/^(rate|rows) belongs to the scenario/, "--$1 belongs to the scenario"],
  [/\bnonNegative\b/g, "--non-negative"],
  [/\bl1Ratio\b/g, "--l1-ratio"],
  [/\buse implicit: false\b/g, "leave --implicit out"],
];

const translated = (given: string): string =>
  translations.reduce((text, [library, typed]) => text.replace(library, typed), given);

/** Folder of this command's own files. The library would report lines in these files as lines of the user's code. */
const OWN = fileURLToPath(new URL("..", import.meta.url));
const withoutOwnLines = (text: string): string =>
  text.replace(/ \(at ([^()]+)\)/g, (place, file: string) => (file.startsWith(OWN) ? "" : place));

/** Returns the whole message. `where` is never treated as an assigned option, whatever its name. */
function messageOf({ where, said, code }: ErgodicError): string {
  return `${translated(where)}: ${inCommandLineTerms(withoutOwnLines(said))} [${code}]`;
}

export function inCommandLineTerms(given: string): string {
  const message = translated(given);
  return message.replace(assignment, (_, name: string, value: string) => {
    if (value === "true") return `--${name}`;
    if (value === "false") return `--no-${name}`;
    // In a shell, ; and | would end the command, and \t would become t.
    if (name === "delimiter") return `--${name} ${value}`;
    return `--${name} ${value.replaceAll(/["[\]]/g, "")}`;
  });
}

/** Prints the error and returns the exit code. */
export function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    terminal.note(`${terminal.paint.note.red("ergodic:")} ${oneLine(error.message)} [USAGE]`);
    return 2;
  }
  if (error instanceof NotTrusted) return 1;
  const red = terminal.paint.note.red;
  if (error instanceof ErgodicError) terminal.note(`${red("ergodic:")} ${oneLine(messageOf(error))}`);
  else
    terminal.note(`${red("ergodic:")} internal: ${oneLine(String(error instanceof Error ? error.message : error))} [INTERNAL]`);
  if (process.env.ERGODIC_DEBUG && error instanceof Error) terminal.note(stackOf(error));
  const byUser = error instanceof OptionError || (error instanceof CapabilityError && !error.code.startsWith("HOST"));
  return byUser ? 2 : 1;
}

/**
 * Rewrites commander's messages: "error: unknown option '--bacth'\n(Did you mean --batch?)" → "train: unknown option
 * '--bacth'; did you mean --batch?; see …".
 */
export function inOurWords(error: CommanderError, command: string): CommanderError {
  if (error.exitCode === 0) return error;
  const text = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)/, "; did you mean $1?");
  const help = command === "ergodic" ? "ergodic --help" : `ergodic ${command} --help`;
  const where = command === "ergodic" ? "" : `${command}: `;
  return new CommanderError(error.exitCode, error.code, `${where}${text.replace(/\.$/, "")}; see ${help}`);
}

/** Limit on quoted text, which can be as long as a file. */
const MOST_QUOTED = 200;
const LONG_QUOTE = new RegExp(`"([^"]{${MOST_QUOTED}})[^"]+"`, "g");
const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").replaceAll(LONG_QUOTE, '"$1…"');

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
