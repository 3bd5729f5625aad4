/** `ergodic evaluate MODEL DATA`: metrics of a saved model on rows whose target is known. */
import type { Command } from "commander";
import { predictor } from "ergodic";
import { type FormatOptions, readHeldOut } from "../data.ts";
import { addFormatOptions } from "../options/training.ts";
import { confusionText, metricsText } from "../report/metrics.ts";
import { counted, json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

export function addEvaluate(program: Command, terminal: Terminal): void {
  const command = program
    .command("evaluate")
    .description("test a saved model on rows whose target is known")
    .argument("<MODEL>", "a file that train wrote")
    .argument("<DATA>", "a file, or - for standard input");
  addFormatOptions(command).option("--json", "one JSON object on standard output");
  command.action((model: string, data: string, options: FormatOptions & { json?: boolean }) =>
    evaluate(model, data, options, terminal),
  );
}

async function evaluate(
  file: string,
  data: string,
  options: FormatOptions & { json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const model = await predictor(file);
  using rows = await readHeldOut(data, model.pipeline, options);
  const metrics = model.evaluate(rows);
  const { task, classes, targetName } = model;
  if (options.json) {
    terminal.out(
      `${json({ command: "evaluate", model: file, data, rows: rows.rowCount, task, target: targetName, classes: classes ?? null, metrics })}\n`,
    );
    return;
  }
  const { out: paint } = terminal.paint;
  terminal.out(`${paint.bold(`${targetName}, ${counted(rows.rowCount, "row")} of ${data}`)}\n${metricsText(metrics, paint)}`);
  if (classes) terminal.out(confusionText(metrics.confusion!, classes, paint));
}
