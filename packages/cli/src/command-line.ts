/** The command line: every command, wired. One file a command in commands/. */
import { Command } from "commander";
import { addCalibrate } from "./commands/calibrate.ts";
import { addCheck, addLoo } from "./commands/criticise.ts";
import { addDemo } from "./commands/demo.ts";
import { addDescribe } from "./commands/describe.ts";
import { addEvaluate } from "./commands/evaluate.ts";
import { addExport } from "./commands/export.ts";
import { addInfer } from "./commands/infer.ts";
import { addLearn } from "./commands/learn.ts";
import { addMeasure } from "./commands/measure.ts";
import { addPath } from "./commands/path.ts";
import { addPredict } from "./commands/predict.ts";
import { addRecommend } from "./commands/recommend.ts";
import { addRules } from "./commands/rules.ts";
import { addApproximate, addSample } from "./commands/sample.ts";
import { addServe } from "./commands/serve.ts";
import { addDiagnose, addSummary } from "./commands/summary.ts";
import { addTrain } from "./commands/train.ts";
import { addTune } from "./commands/tune.ts";
import { inOurWords, reportError } from "./errors.ts";
import { noteTyped } from "./keeping.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

export { processTerminal, type Terminal };

const VERSION = "0.1.0";

/** Every command, as it reads its words. */
export function commandLine(terminal: Terminal): Command {
  const program = new Command("ergodic")
    .description("One engine for stochastic iterative algorithms: pick a point at random, update the model, repeat.")
    .version(VERSION)
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: () => {} })
    .helpCommand(false);
  const training = [
    addTrain,
    addTune,
    addPath,
    addRecommend,
    addPredict,
    addEvaluate,
    addCalibrate,
    addMeasure,
    addDescribe,
    addExport,
    addRules,
  ];
  const sampling = [addSample, addApproximate, addSummary, addDiagnose, addCheck, addLoo, addInfer, addLearn];
  for (const add of [...training, ...sampling, addServe, addDemo]) add(program, terminal);
  for (const command of [program, ...program.commands]) {
    if (command !== program) command.copyInheritedSettings(program);
    noteTyped(command);
    command.exitOverride((error) => {
      throw inOurWords(error, command.name());
    });
  }
  return program;
}

/** Runs one command; the result is its exit code. Nothing is thrown. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = commandLine(terminal);
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
