/**
 * The package as npm publishes it in workerd, which runs Cloudflare Workers and forbids generating code at run time.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workerd } from "../../packages/ergodic/test/engine/memory/node-binaries.ts";
import { freshProject } from "./bundlers.ts";

const built = new URL("../../packages/ergodic/dist/entries/index.js", import.meta.url);
const { path, reason, title } = workerd("predictions at the edge", built);

interface Found {
  linear: number;
  network: number | string;
  trained: string;
  minimised: number;
  engine?: { build: string; why: string[] };
  /** Whether openEngine({ kernels }) returns the same engine again. */
  again: boolean | string;
}

const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), i % 3, Math.cos(2 * i)]);
const row = { a: 0.5, b: 2, c: -1 };

/** A folder with the bundle, the kernels, the models, and the configuration for workerd. */
async function deployed(folder: string): Promise<string> {
  const { build } = await import("esbuild");
  const [outdir, description] = [join(folder, "edge"), join(folder, "edge.capnp")];
  await build({
    absWorkingDir: folder,
    entryPoints: ["edge.js"],
    bundle: true,
    format: "esm",
    outdir,
    assetNames: "[name]",
    loader: { ".wasm": "copy", ".safetensors": "copy" },
    logLevel: "error",
  });
  const kinds: Record<string, string> = { js: "esModule", wasm: "wasm", safetensors: "data" };
  const files = readdirSync(outdir).sort((a) => (a === "edge.js" ? -1 : 1));
  const modules = files.map((file) => `(name = "${file}", ${kinds[file.split(".").at(-1)!]} = embed "edge/${file}")`);
  writeFileSync(
    description,
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "edge", worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-01-01"))],
      sockets = [(name = "http", http = (), service = "edge")],
    );`,
  );
  return description;
}

describe.skipIf(reason)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-edge-"));
  const wanted: Partial<Found> = {};
  let description: string;

  async function answer(deploys: boolean): Promise<Found> {
    const server = spawn(path!, ["serve", "--socket-addr=http=127.0.0.1:0", "--control-fd=3", description], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    try {
      const port = await listening(server.stdio[3] as Readable);
      const body = JSON.stringify({ row, rows, deploys });
      return (await (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body })).json()) as Found;
    } finally {
      server.kill();
    }
  }

  beforeAll(async () => {
    freshProject(folder);
    cpSync(fileURLToPath(new URL("./edge.js", import.meta.url)), join(folder, "edge.js"));
    const { Dataset, dense, fit, linear, network, relu } = (await import(built.href)) as typeof import("ergodic");
    const data = Dataset.fromArrays({ x: rows, y: rows.map(([a, b]) => a + b), names: ["a", "b", "c"] });
    const options = { epochs: 3, seed: 1, deterministic: true };
    const models = {
      linear: await fit(linear(), data, options),
      network: await fit(network([dense(8), relu(), dense(1)]), data, options),
    };
    for (const [name, model] of Object.entries(models)) {
      writeFileSync(join(folder, `${name}.safetensors`), model.toBytes());
      Object.assign(wanted, { [name]: model.predict([row])[0].value });
    }
    description = await deployed(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("linear models and networks predict the bits of Node, and training is refused because it generates code", async () => {
    const { trained, minimised, engine, again, ...predictions } = await answer(true);
    expect(predictions).toEqual(wanted);
    expect([minimised < 1e-6, again]).toEqual([true, true]);
    expect(trained).toMatch(
      /^CapabilityError: engine: .* models can predict, but training and sampling generate code: do them elsewhere \[HOST_NO_CODE\]$/,
    );
    expect(engine).toMatchObject({
      build: "simd-own",
      why: ["the given kernels use plain SIMD", "one worker: the given kernels are single-threaded"],
    });
  });

  it("a network without its kernels reports which kernels to deploy and when to pass them", async () => {
    const { linear, network, again } = await answer(false);
    expect(linear).toBe(wanted.linear);
    expect(network).toMatch(
      /^CapabilityError: engine: this host does not allow WebAssembly to be compiled .* the host runs only deployed code, give openEngine\(\{ kernels \}\) the modules of ergodic\/kernels\/\*\.wasm \[HOST_NO_CODE\]$/,
    );
    expect(again).toMatch(
      "the engine is open already, without the kernels that are given now; call openEngine({ kernels }) before",
    );
  });
});

/** The port, which workerd reports once it listens. */
async function listening(told: Readable): Promise<number> {
  let text = "";
  for await (const chunk of told.setEncoding("utf8")) {
    text += chunk;
    const port = /"event":"listen","socket":"http","port":(\d+)/.exec(text)?.[1];
    if (port) return Number(port);
  }
  throw new Error(`workerd ended before it listened: ${text}`);
}
