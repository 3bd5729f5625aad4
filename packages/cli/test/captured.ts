/** A terminal that stores its output, and commands that run in the test's process. */
import picocolors from "picocolors";
import { runCommandLine } from "../src/command-line.ts";
import type { Terminal } from "../src/terminal.ts";
import { checked } from "./schemas.ts";

export { digits, temporary } from "./places.ts";

export interface Captured extends Terminal {
  stdout: string;
  stderr: string;
  rewritten: string[];
  /** Is called with each line on standard error, also while a line is rewritten. */
  onLine?: (line: string) => void;
  /** Simulates Ctrl-C while a command listens. */
  interrupt(): void;
}

interface CapturedOptions {
  live?: boolean;
  columns?: number;
  interruptAt?: RegExp;
}

/** With `interruptAt`, Ctrl-C is simulated at the first line on standard error that matches it. */
export function captured({ live = false, columns = 80, interruptAt }: CapturedOptions = {}): Captured {
  const plain = picocolors.createColors(false);
  let handler: (() => void) | undefined;
  const terminal: Captured = {
    stdout: "",
    stderr: "",
    rewritten: [],
    live,
    columns,
    paint: { out: plain, note: plain },
    program: "ergodic",
    out: (text) => void (terminal.stdout += text),
    note(line) {
      terminal.stderr += `${line}\n`;
      terminal.onLine?.(line);
    },
    rewrite(line) {
      terminal.rewritten.push(line);
      terminal.onLine?.(line);
    },
    onInterrupt(given) {
      handler = given;
      return () => {
        handler = undefined;
      };
    },
    interrupt: () => handler?.(),
  };
  if (interruptAt)
    terminal.onLine = (line) => {
      if (!interruptAt.test(line)) return;
      terminal.onLine = undefined;
      terminal.interrupt();
    };
  return terminal;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Checks the --json output of a command against its schema. */
export async function ergodic(...args: string[]): Promise<Outcome> {
  const terminal = captured();
  const code = await runCommandLine(args, terminal);
  if (args.includes("--json") && terminal.stdout !== "") checked(args[0], terminal.stdout);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

/** Fails with the command's own error unless it succeeds. */
export async function works(...args: string[]): Promise<Outcome> {
  const outcome = await ergodic(...args);
  if (outcome.code !== 0) throw new Error(`ergodic ${args.join(" ")} ended with ${outcome.code}:\n${outcome.stderr}`);
  return outcome;
}
