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
      "most multiply-adds per row that a model may take; Infinity for a file that you trust (default: 2e10)",
      work,
    )
    .option(
      "--max-memory <size>",
      "most memory that a model may take besides its numbers: 512M, 8G; Infinity for a file that you trust (default: 1G)",
      memory,
    );
}

/** Returns the limits in the form that `predictor` expects. */
export const limitsOf = ({ maxWork, maxMemory }: LimitOptions): LimitOptions => given({ maxWork, maxMemory });
