#!/usr/bin/env node
/** The command `ergodic`: the process's arguments and streams, and its exit code. */
import { runCommandLine } from "./command-line.ts";
import { processTerminal } from "./terminal.ts";

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
