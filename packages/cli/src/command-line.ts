/** The command line. Each command is a file in commands/. */
import { Command } from "commander";
import { type CommandModule, commands } from "./commands/all.ts";
import { inOurWords, reportError } from "./errors.ts";
import { noteTyped } from "./keeping.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

export { processTerminal, type Terminal };

const VERSION = "0.1.0";

/** Returns the module of the command `word`, or the modules of all commands if there is no such command. */
export function commandModules(word = ""): CommandModule[] {
  const wanted = Object.hasOwn(commands, word) ? [commands[word]] : Object.values(commands);
  // The set removes duplicates, because a module with two commands occurs twice.
  return [...new Set(wanted)];
}

/** Returns the `ergodic` program with the commands of the given modules. */
export function commandLine(terminal: Terminal, modules: readonly CommandModule[]): Command {
  const program = new Command("ergodic")
    .description("One engine for stochastic iterative algorithms: pick a point at random, update the model, repeat.")
    .version(VERSION)
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: () => {} })
    .helpCommand(false);
  for (const { add } of modules) add(program, terminal);
  for (const command of [program, ...program.commands]) {
    if (command !== program) command.copyInheritedSettings(program);
    noteTyped(command);
    command.exitOverride((error) => {
      throw inOurWords(error, command.name());
    });
  }
  return program;
}

/** Runs one command and returns its exit code. Never throws. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = commandLine(terminal, commandModules(args[0]));
  if (args.length === 0) {
    terminal.note(program.helpInformation().trimEnd());
    return 2;
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    return reportError(error, terminal);
  }
}
