/**
 * List of all commands in the order of `ergodic --help`, each with the module that adds it. A new command needs an
 * import and an entry. A module that adds two commands has two entries. The build bundles the modules into one file,
 * because Node reads one file faster than many.
 */
import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import * as calibrateModule from "./calibrate.ts";
import * as criticiseModule from "./criticise.ts";
import * as demoModule from "./demo.ts";
import * as describeModule from "./describe.ts";
import * as evaluateModule from "./evaluate.ts";
import * as exampleModule from "./example.ts";
import * as explainModule from "./explain.ts";
import * as exportModule from "./export.ts";
import * as inferModule from "./infer.ts";
import * as learnModule from "./learn.ts";
import * as measureModule from "./measure.ts";
import * as pathModule from "./path.ts";
import * as predictModule from "./predict.ts";
import * as recommendModule from "./recommend.ts";
import * as rulesModule from "./rules.ts";
import * as sampleModule from "./sample.ts";
import * as serveModule from "./serve.ts";
import * as summaryModule from "./summary.ts";
import * as trainModule from "./train.ts";
import * as tuneModule from "./tune.ts";

export interface CommandModule {
  /** Adds the module's commands to the program. */
  add(program: Command, terminal: Terminal): void;
}

export const commands: Readonly<Record<string, CommandModule>> = {
  train: trainModule,
  tune: tuneModule,
  path: pathModule,
  recommend: recommendModule,
  predict: predictModule,
  evaluate: evaluateModule,
  calibrate: calibrateModule,
  measure: measureModule,
  describe: describeModule,
  explain: explainModule,
  export: exportModule,
  rules: rulesModule,
  sample: sampleModule,
  approximate: sampleModule,
  summary: summaryModule,
  diagnose: summaryModule,
  check: criticiseModule,
  loo: criticiseModule,
  infer: inferModule,
  learn: learnModule,
  serve: serveModule,
  demo: demoModule,
  example: exampleModule,
};
