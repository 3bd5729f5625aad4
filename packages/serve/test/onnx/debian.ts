/**
 * Debian's onnxruntime (python3-onnxruntime), with which tests compare exported models. One process serves a test file.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PYTHON = "/usr/bin/python3";

/** Reason why it cannot be used, or undefined. */
export const lacking: string | undefined =
  spawnSync(PYTHON, ["-B", "-c", "import onnxruntime, numpy"], { stdio: "ignore" }).status === 0
    ? undefined
    : "no python3-onnxruntime for /usr/bin/python3 (Debian: apt-get install python3-onnxruntime python3-onnx)";
if (lacking) console.error(`tests: SKIPPED what asks Debian's onnxruntime: ${lacking}`);

export interface Answer {
  readonly outputs: Readonly<Record<string, { type: string; shape: number[]; values: Float64Array }>>;
  /** Name of the first existing input: `columns`. */
  readonly input: { name: string; type: string; shape: unknown[] };
  readonly inputs: { name: string; type: string; shape: unknown[] }[];
  readonly metadata: Record<string, string>;
  readonly operations: string[];
  /** Whether onnx.checker has checked the file. */
  readonly checked: boolean;
}

export class DebianRuntime {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder = mkdtempSync(join(tmpdir(), "ergodic-onnx-"));
  #count = 0;
  #ready: Promise<unknown>;

  constructor() {
    this.#child = spawn(PYTHON, ["-B", fileURLToPath(new URL("run_onnx.py", import.meta.url))], {
      // Debian's two packages share a library, which prints long warnings that all operations are already registered.
      // Errors arrive as answers.
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, OMP_NUM_THREADS: "1" },
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.#ready = this.#next();
  }

  /** Outputs of the model for float32 rows, and for an offset per row if the model has such an input. */
  async run(model: Uint8Array, columns: Float32Array, width: number, offset?: Float32Array): Promise<Answer> {
    await this.#ready;
    const [file, rows] = [join(this.#folder, `${this.#count}.onnx`), join(this.#folder, `${this.#count++}.rows`)];
    writeFileSync(file, model);
    writeFileSync(rows, columns);
    if (offset) writeFileSync(`${rows}.offset`, offset);
    this.#child.stdin!.write(`${JSON.stringify({ model: file, columns: rows, width, offset: offset && `${rows}.offset` })}\n`);
    const answer = (await this.#next()) as Answer & { error?: string };
    if (answer.error) throw new Error(`onnxruntime: ${answer.error}`);
    for (const output of Object.values(answer.outputs) as { path?: string; values: Float64Array }[]) {
      const bytes = readFileSync(output.path!);
      output.values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    }
    return answer;
  }

  close(): void {
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process of onnxruntime has ended");
    return JSON.parse(value);
  }
}
