/**
 * `ergodic export MODEL --out m.onnx`: writes a linear model, a network or trees as an ONNX file, for onnxruntime and other
 * runtimes.
 */
import type { Command } from "commander";
import { type LinearPredictor, predictor } from "ergodic";
import { writeWhole } from "ergodic/extend";
import type { AnyPredictor } from "ergodic/predict";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { checkOutputs } from "../outputs.ts";
import { bytes } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

interface ExportOptions extends LimitOptions {
  readonly out: string;
}

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("export")
    .description("write a model as an ONNX file")
    .argument("<MODEL>", "a linear model, a network or trees, written by train or path, or a model of XGBoost or LightGBM")
    .requiredOption("--out <file>", "ONNX file to write, such as m.onnx");
  addLimitOptions(command).action((model: string, options: ExportOptions) => exportModel(model, options, terminal));
}

async function exportModel(file: string, options: ExportOptions, terminal: Terminal): Promise<void> {
  const { out } = options;
  await checkOutputs("export", [{ flag: "--out", path: out }], [{ flag: "MODEL", path: file }]);
  const model = await predictor<AnyPredictor>(file, limitsOf(options));
  const { toOnnx } = await import("@ergodic/serve/onnx");
  // toOnnx rejects unsupported models and names the reason.
  const written = toOnnx(model as LinearPredictor);
  await writeWhole(out, written);
  terminal.note(`${file} written to ${out} as ONNX (${bytes(written.length)})`);
}
