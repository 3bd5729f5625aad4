/** Formats tuning as text: its progress, and a table of its trials. */
import type { Trial, Tuned } from "ergodic/search";
import { readable } from "../options/over.ts";
import type { Paint } from "../terminal.ts";
import type { CountedReport } from "./counted-progress.ts";
import { counted, decimal, grouped, significant } from "./numbers.ts";
import { table } from "./text-table.ts";

/** Number of trials that are shown; --json lists all. */
const SHOWN = 20;
export const tuneReport: CountedReport = {
  unit: "trial",
  header: ["trial", "of #", "stopped", "failed", "best"],
  cells: ({ update, finished, stopped, failed, loss }) => [
    grouped(update),
    grouped(Number(finished)),
    grouped(Number(stopped)),
    grouped(Number(failed)),
    decimal(loss),
  ],
  words: ({ stopped, loss }) => [`${grouped(Number(stopped))} stopped`, `best ${decimal(loss)}`],
};

/** Formats the trials, best first: finished, then stopped, then failed ones. */
export function trialTable({ trials }: Tuned, paint: Paint): string {
  const names = Object.keys(trials[0].settings);
  const order: readonly Trial["state"][] = ["finished", "stopped", "failed"];
  const sorted = order.flatMap((state) => trials.filter((trial) => trial.state === state).sort((a, b) => a.value - b.value));
  const rows = sorted
    .slice(0, SHOWN)
    .map(({ number, settings, value, epochs, state, rung }) => [
      String(number + 1),
      ...names.map((name) => String(readable(settings)[name])),
      decimal(value),
      significant(epochs, 3),
      state === "stopped" ? `stopped at ${significant(rung!, 3)}` : state,
    ]);
  const left = sorted.length - rows.length;
  const header = ["trial", ...names, "loss", "epochs", ""];
  return `${table(header, rows, { left: [header.length - 1], paint })}${left > 0 ? `  and ${counted(left, "trial")} more\n` : ""}`;
}
