import { existsSync } from "node:fs";
import colors from "picocolors";

export type Paint = ReturnType<typeof colors.createColors>;

/**
 * What a command sees of the outside: two streams, whether they are terminals, and Ctrl-C, or the terminal's end.
 *
 * Results go to `out`, all else to `note`. ANSI codes are used on a terminal alone, and never under NO_COLOR or TERM=dumb; there `live` is
 * false, too, for rewriting a line takes a code.
 */
export interface Terminal {
  /** Writes to standard output, as given. */
  out(text: string): void;
  /** Writes one line to standard error. */
  note(line: string): void;
  /** Rewrites the last line of standard error; "" clears it. Only where `live`. */
  rewrite(line: string): void;
  readonly live: boolean;
  readonly columns: number;
  readonly paint: { readonly out: Paint; readonly note: Paint };
  /** Calls `handler` on SIGINT, SIGTERM and SIGHUP, once; a second one ends the process at once. Returns what takes it back. */
  onInterrupt(handler: () => void): () => void;
  /** How this program was started, for commands that a user can copy. */
  readonly program: string;
}

const CLEAR_LINE = "\r\x1b[K";
/** The last: its terminal is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function processTerminal(): Terminal {
  const plain = Boolean(process.env.NO_COLOR) || process.env.TERM === "dumb";
  const live = process.stderr.isTTY === true && !plain;
  let open = false;
  // A reader that has seen enough (head) is no fault of ours.
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(0);
    process.stderr.write(`ergodic: standard output: cannot be written: ${message} [FILE_WRITE]\n`);
    process.exit(1);
  });
  // Nobody reads what is said along the way: the work is still wanted.
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

/** "ergodic" where the shell finds it, "npx ergodic" where npm has linked it into `folder`, else node and the file's path. */
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

/** The path from `folder` where the file lies below it; else the path itself. */
export function relative(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}

/** An argument as a shell takes it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
