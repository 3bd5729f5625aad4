/** Limits on the cost of a saved model, for commands that load one. */
import type { Command } from "commander";
import { given } from "./given.ts";
import { memory, work } from "./number.ts";

export interface LimitOptions {
  readonly maxWork?: number;
  readonly maxMemory?: number;
}

export function addLimitOptions(command: Command): Command {
  return command
    .option(
      "--max-work <n>",
      "limit on a model's multiply-adds per row; Infinity for a file that you trust (default: 2e10)",
      work,
    )
    .option(
      "--max-memory <size>",
      "limit on a model's memory besides its parameters: 512M, 8G; Infinity for a file that you trust (default: 1G)",
      memory,
    );
}

/** Returns the limits in the form that `predictor` expects. */
export const limitsOf = ({ maxWork, maxMemory }: LimitOptions): LimitOptions => given({ maxWork, maxMemory });
