/**
 * All commands, one line each, in the order of `ergodic --help`, with the module that adds each. A module that adds two
 * commands has two lines. Only the module of the command that runs is loaded.
 */
import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";

export interface CommandModule {
  /** Adds the module's commands to the program. */
  add(program: Command, terminal: Terminal): void;
}

export const commands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  train: () => import("./train.ts"),
  tune: () => import("./tune.ts"),
  path: () => import("./path.ts"),
  recommend: () => import("./recommend.ts"),
  predict: () => import("./predict.ts"),
  evaluate: () => import("./evaluate.ts"),
  calibrate: () => import("./calibrate.ts"),
  measure: () => import("./measure.ts"),
  describe: () => import("./describe.ts"),
  export: () => import("./export.ts"),
  rules: () => import("./rules.ts"),
  sample: () => import("./sample.ts"),
  approximate: () => import("./sample.ts"),
  summary: () => import("./summary.ts"),
  diagnose: () => import("./summary.ts"),
  check: () => import("./criticise.ts"),
  loo: () => import("./criticise.ts"),
  infer: () => import("./infer.ts"),
  learn: () => import("./learn.ts"),
  serve: () => import("./serve.ts"),
  demo: () => import("./demo.ts"),
};
