#!/usr/bin/env node
/** The command `ergodic`: connects the process's arguments and streams, and sets its exit code. */
import { runCommandLine } from "./command-line.ts";
import { processTerminal } from "./terminal.ts";

let ended = false;
// Without this listener, Node would silently exit with code 13. Other listeners for the same event run first and may
// end the command.
process.once("beforeExit", () => {
  setImmediate(() => {
    process.once("beforeExit", () => {
      if (ended) return;
      process.stderr.write("ergodic: internal: the command is waiting for an event that cannot occur [INTERNAL]\n");
      process.exit(1);
    });
  });
});
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
ended = true;
