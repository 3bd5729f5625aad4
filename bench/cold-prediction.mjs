/**
 * Our side of the cold start in predictions.mjs: one prediction in a new process, timed from before the library is
 * imported.
 */
import { floatsOf } from "./timing.mjs";

const { model, rows, width } = JSON.parse(process.argv[2]);
const before = performance.now();
const { predictor } = await import("ergodic/predict");
const loaded = await predictor(model);
const out = new Float64Array(loaded.width);
loaded.predictInto(floatsOf(rows).subarray(0, width), out);
const value = performance.now() - before;
process.stdout.write(JSON.stringify({ value, loss: out.reduce((sum, p) => sum + p * p, 0) / out.length }));
