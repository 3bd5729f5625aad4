/** `ergodic summary DIR`: the table of draws that were written; `ergodic diagnose DIR`: whether to trust them, and how the chains went. */
import type { Command } from "commander";
import { type Draws, histogramPlot, loadDraws, rankBars, summaryTable, tracePlot } from "ergodic";
import { UsageError } from "../errors.ts";
import { grouped, json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

interface SummaryWords {
  of?: string;
  probabilities?: string;
  json?: boolean;
}

interface DiagnoseWords {
  plot?: string;
  json?: boolean;
}

export function addSummary(program: Command, terminal: Terminal): void {
  program
    .command("summary")
    .description("means, spreads, effective sizes and R-hat of draws")
    .argument("<DIR>", "a folder that sample wrote, or a CSV file of CmdStan's form")
    .option("--of <names>", "quantities, with commas between; default all")
    .option("--probabilities <list>", "of the quantiles; default 0.05,0.5,0.95")
    .option("--json", "one JSON object on standard output")
    .action((path: string, options: SummaryWords) => summary(path, options, terminal));
}

async function summary(path: string, options: SummaryWords, terminal: Terminal): Promise<void> {
  const draws = await loadDraws(path);
  const probabilities = options.probabilities?.split(",").map(Number);
  const rows = draws.summary({
    ...(options.of === undefined ? {} : { of: options.of.split(",") }),
    ...(probabilities === undefined ? {} : { probabilities }),
  });
  terminal.out(options.json ? `${json({ command: "summary", draws: path, summary: rows })}\n` : `${summaryTable(rows)}\n`);
}

export function addDiagnose(program: Command, terminal: Terminal): void {
  program
    .command("diagnose")
    .description("whether draws can be trusted, and else what to do")
    .argument("<DIR>", "a folder that sample wrote, or a CSV file of CmdStan's form")
    .option("--plot <name>", "also draw one number, as the summary calls it: trace, histogram and ranks")
    .option("--json", "one JSON object on standard output")
    .action((path: string, options: DiagnoseWords) => diagnose(path, options, terminal));
}

async function diagnose(path: string, options: DiagnoseWords, terminal: Terminal): Promise<void> {
  const draws = await loadDraws(path);
  const verdict = draws.verdict();
  const [energy, trees] = [draws.energy(), draws.treeDepths()];
  if (options.json) {
    const { trusted, findings } = verdict;
    const ebfmi = energy ? [...energy.ebfmi] : null;
    terminal.out(
      `${json({ command: "diagnose", draws: path, trusted, findings, divergences: draws.divergences, ebfmi, treeDepths: trees ?? null })}\n`,
    );
    return;
  }
  terminal.out(`${verdict}\n`);
  if (draws.fields.includes("divergent")) terminal.out(`divergences  ${grouped(draws.divergences)}\n`);
  if (energy) terminal.out(`E-BFMI       ${[...energy.ebfmi].map((value) => value.toFixed(2)).join("  ")}\n`);
  if (trees) terminal.out(`tree depths  ${trees.counts.map((count, depth) => `${depth}: ${grouped(count)}`).join("  ")}\n`);
  if (options.plot !== undefined) terminal.out(plots(draws, options.plot, terminal));
}

function plots(draws: Draws, name: string, terminal: Terminal): string {
  const series = draws.scalars().get(name);
  if (!series)
    throw new UsageError("--plot", `there is no "${name}"; there are ${[...draws.scalars().keys()].slice(0, 20).join(", ")}`);
  const width = Math.max(24, Math.min(100, terminal.columns - 1));
  const drawn = [
    tracePlot(series, draws.chains, { width }),
    histogramPlot(series, { width }),
    rankBars(series, draws.chains, { width }),
  ];
  return `\n${drawn.join("\n\n")}\n`;
}
