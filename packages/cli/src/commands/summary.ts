/**
 * `ergodic summary DIR|FILE`: prints the table of saved draws and pictures of them. `ergodic diagnose DIR|FILE`:
 * reports whether to trust the draws, and how the chains behaved.
 */
import { basename, join } from "node:path";
import type { Command } from "commander";
import type { Draws } from "ergodic";
import { histogramPlot, rankBars, tracePlot } from "ergodic/bayes";
import { writeTogether } from "ergodic/extend";
import { readDraws } from "../draws-files.ts";
import { inCommandLineTerms, NotTrusted, UsageError } from "../errors.ts";
import { given } from "../options/given.ts";
import { listParts } from "../options/names.ts";
import { checkOutputs } from "../outputs.ts";
import { allText, drawsTable, groupEffectsText } from "../report/draws-table.ts";
import { grouped, json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

interface SummaryWords {
  of?: string;
  probabilities?: string;
  groupEffects?: boolean;
  all?: boolean;
  plots?: string;
  json?: boolean;
}

interface DiagnoseWords {
  plot?: string;
  strict?: boolean;
  json?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  addSummary(program, terminal);
  addDiagnose(program, terminal);
}

function addSummary(program: Command, terminal: Terminal): void {
  program
    .command("summary")
    .description("print means, spreads, effective sample sizes and R-hat of draws")
    .argument("<DIR>", "a folder written by sample, a CSV file in CmdStan's format, or an Arrow file")
    .option("--of <names>", "quantities, separated by commas, such as mu,b[1,2]; default: all")
    .option("--probabilities <list>", "probabilities of the quantiles; default 0.05,0.5,0.95")
    .option("--group-effects", `${groupEffectsText}; default: only with --of or --json`)
    .option("--all", `${allText}; default: only with --of or --json`)
    .option("--plots <dir>", "also write SVG plots to this folder: trace, rank, pairs, forest and energy")
    .option("--json", "print the result as one JSON object")
    .action((path: string, options: SummaryWords) => summary(path, options, terminal));
}

async function summary(path: string, options: SummaryWords, terminal: Terminal): Promise<void> {
  if (options.plots === "") throw new UsageError("--plots", "it is empty; name a folder");
  if (options.plots !== undefined)
    await checkOutputs("summary", [{ flag: "--plots", path: join(options.plots, "trace.svg"), folders: true }], []);
  const probabilities = options.probabilities === undefined ? undefined : probabilitiesOf(options.probabilities);
  const draws = await readDraws(path);
  const asked = {
    ...(options.of === undefined ? {} : { of: listParts(options.of) }),
    ...(probabilities === undefined ? {} : { probabilities }),
  };
  const text = () => drawsTable(draws, { ...asked, ...given({ groupEffects: options.groupEffects, all: options.all }) });
  const plots = options.plots === undefined ? undefined : await writePlots(draws, options.plots, asked.of);
  const found = () => ({ command: "summary", draws: path, summary: draws.summary(asked), ...(plots ? { plots } : {}) });
  terminal.out(`${options.json ? json(found()) : text()}\n`);
  if (plots) terminal.note(`plots written to ${options.plots}: ${plots.map((file) => basename(file)).join(", ")}`);
}

/**
 * Writes every kind of plot that these draws support. Plots of observed data need the model, and files of draws do not
 * contain it.
 */
async function writePlots(draws: Draws, folder: string, of: string[] | undefined): Promise<string[]> {
  const { plot } = await import("@ergodic/plots");
  const named = of === undefined ? {} : { of };
  const several = draws.scalars(of).size > 1;
  const pictures = {
    trace: plot(draws, "trace", named),
    rank: plot(draws, "rank", named),
    ...(several ? { pairs: plot(draws, "pairs", named) } : {}),
    forest: plot(draws, "forest", named),
    ...(draws.energy() ? { energy: plot(draws, "energy") } : {}),
  };
  const files = Object.entries(pictures).map(([kind, text]) => ({ name: `${kind}.svg`, content: () => [text] }));
  await writeTogether(folder, files, { folders: true });
  return files.map(({ name }) => join(folder, name));
}

function probabilitiesOf(text: string): number[] {
  return text.split(",").map((part) => {
    const value = Number(part);
    if (part.trim() !== "" && value >= 0 && value <= 1) return value;
    throw new UsageError(
      "--probabilities",
      `"${part}"${part === text ? "" : ` in "${text}"`} is not a number from 0 to 1; separate numbers with commas: 0.05,0.5,0.95`,
    );
  });
}

function addDiagnose(program: Command, terminal: Terminal): void {
  program
    .command("diagnose")
    .description("check whether draws can be trusted, and if not, say what to do")
    .argument("<DIR>", "a folder written by sample, a CSV file in CmdStan's format, or an Arrow file")
    .option("--plot <name>", "also plot one quantity, named as in summary: trace, histogram and ranks")
    .option("--strict", "exit with 1 if the draws cannot be trusted")
    .option("--json", "print the result as one JSON object")
    .action((path: string, options: DiagnoseWords) => diagnose(path, options, terminal));
}

async function diagnose(path: string, options: DiagnoseWords, terminal: Terminal): Promise<void> {
  const draws = await readDraws(path);
  const verdict = draws.verdict();
  const [energy, trees] = [draws.energy(), draws.treeDepths()];
  const { trusted, findings } = verdict;
  if (options.json) {
    const ebfmi = energy ? [...energy.ebfmi] : null;
    const { divergences, report } = draws;
    terminal.out(
      `${json({ command: "diagnose", draws: path, trusted, findings, divergences, ebfmi, treeDepths: trees ?? null, paretoK: report.paretoK ?? null })}\n`,
    );
  } else {
    terminal.out(`${inCommandLineTerms(verdict.text)}\n`);
    transitions(draws, terminal);
    if (options.plot !== undefined) terminal.out(plots(draws, options.plot, terminal));
  }
  if (options.strict && !trusted) throw new NotTrusted();
}

function transitions(draws: Draws, terminal: Terminal): void {
  const [energy, trees] = [draws.energy(), draws.treeDepths()];
  if (draws.fields.includes("divergent")) terminal.out(`divergences  ${grouped(draws.divergences)}\n`);
  if (energy) terminal.out(`E-BFMI       ${[...energy.ebfmi].map((value) => value.toFixed(2)).join("  ")}\n`);
  if (trees) terminal.out(`tree depths  ${trees.counts.map((count, depth) => `${depth}: ${grouped(count)}`).join("  ")}\n`);
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
