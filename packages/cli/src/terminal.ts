import { existsSync } from "node:fs";
import colors from "picocolors";

export type Paint = ReturnType<typeof colors.createColors>;

/**
 * The environment of a command: two output streams, whether they are terminals, and a signal when the user presses
 * Ctrl-C or closes the terminal.
 *
 * Results go to `out`, everything else to `note`. ANSI codes are used only on a terminal, and never under NO_COLOR or
 * TERM=dumb. `live` is then false too, because rewriting a line needs a code.
 */
export interface Terminal {
  /** Writes to standard output, unchanged. */
  out(text: string): void;
  /** Writes one line to standard error. */
  note(line: string): void;
  /** Rewrites the last line of standard error; "" clears it. Only if `live`. */
  rewrite(line: string): void;
  readonly live: boolean;
  readonly columns: number;
  readonly paint: { readonly out: Paint; readonly note: Paint };
  /**
   * Calls `handler` once on SIGINT, SIGTERM or SIGHUP; a second signal ends the process immediately. Returns a function
   * that removes the handler.
   */
  onInterrupt(handler: () => void): () => void;
  /** Command that started this program, for commands that a user can copy. */
  readonly program: string;
}

const CLEAR_LINE = "\r\x1b[K";
/** SIGHUP: the terminal was closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function processTerminal(): Terminal {
  const plain = Boolean(process.env.NO_COLOR) || process.env.TERM === "dumb";
  const live = process.stderr.isTTY === true && !plain;
  let open = false;
  // If a reader such as `head` closes the pipe early, this is not an error.
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(0);
    process.stderr.write(`ergodic: standard output: cannot be written: ${message} [FILE_WRITE]\n`);
    process.exit(1);
  });
  // If progress messages can no longer be written, the work continues.
  process.stderr.on("error", () => {});
  return {
    out: (text) => void process.stdout.write(text),
    note(line) {
      process.stderr.write(`${open ? CLEAR_LINE : ""}${line}\n`);
      open = false;
    },
    rewrite(line) {
      process.stderr.write(CLEAR_LINE + line);
      open = line !== "";
    },
    live,
    columns: process.stderr.columns || 80,
    paint: { out: colors.createColors(process.stdout.isTTY === true && !plain), note: colors.createColors(live) },
    onInterrupt,
    program: programName(process.argv[1] ?? "", process.cwd(), process.env.PATH ?? ""),
  };
}

function onInterrupt(handler: () => void): () => void {
  let asked = false;
  const serve = (): void => {
    if (asked) process.exit(1);
    asked = true;
    handler();
  };
  for (const signal of SIGNALS) process.on(signal, serve);
  return () => {
    for (const signal of SIGNALS) process.off(signal, serve);
  };
}

/**
 * Returns "ergodic" if the shell finds this command, "npx ergodic" if npm has linked it in `folder`, and otherwise node
 * with the path of the file.
 */
export function programName(
  script: string,
  folder: string,
  path: string,
  exists: (path: string) => boolean = existsSync,
): string {
  const directory = script.slice(0, Math.max(0, script.lastIndexOf("/")));
  const local = directory.endsWith("node_modules/.bin");
  if (script.endsWith("/ergodic") && !local && path.split(":").includes(directory)) return "ergodic";
  const ours = local || script.startsWith(`${folder}/`);
  if (ours && exists(`${folder}/node_modules/.bin/ergodic`)) return "npx ergodic";
  return `node ${quoted(relative(folder, script))}`;
}

/** Returns the path relative to `folder` if the file is below it, otherwise the path itself. */
export function relative(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}

/** Quotes an argument for a shell. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
