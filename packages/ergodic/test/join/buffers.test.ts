/** Bytes from users can be Node's Buffer, which is usually a part of a pool and whose slice() returns a view. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Dataset, Draws, fit, type LinearPredictor, linear, loadDraws, predictor } from "../../src/entries/everything.ts";
import { example } from "../bayes/draws/contents.ts";

/** The same bytes within a larger Buffer, at an odd offset. */
function pooled(bytes: Uint8Array): Buffer {
  const pool = Buffer.alloc(bytes.length + 21, 0xff);
  pool.set(bytes, 13);
  return pool.subarray(13, 13 + bytes.length);
}

it("models, checkpoints and draws are read from Node buffers", async () => {
  const data = Dataset.fromArrays({ x: [[1], [2], [3], [5]], y: [1, 2, 3, 4] });
  const run = fit(linear(), data, { epochs: 3, seed: 1 });
  const model = await run;
  const bytes = pooled(model.toBytes());
  const loaded = await predictor<LinearPredictor>(bytes);
  bytes.fill(0);
  expect(loaded.weights).toEqual(model.weights);
  expect(loaded.predict({ x0: 4 })).toEqual(model.predict({ x0: 4 }));
  const folder = mkdtempSync(join(tmpdir(), "buffers-"));
  await run.checkpoint(join(folder, "run"));
  const resumed = await fit.resume(pooled(readFileSync(join(folder, "run"))), data);
  rmSync(folder, { recursive: true });
  expect(resumed.weights).toEqual(model.weights);
  const draws = example();
  const json = new TextEncoder().encode(JSON.stringify(draws.toJSON()));
  expect((await loadDraws(pooled(json))).toJSON()).toEqual(draws.toJSON());
  expect(await loadDraws(pooled(json))).toBeInstanceOf(Draws);
});
