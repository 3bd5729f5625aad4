/**
 * Our server for serving.mjs, in a separate process: `run {}` returns the result of serverFigures. The problem: {
 * model, options }, with `options` as for `serve`.
 */
import { serve as serveModels } from "@ergodic/serve";
import { problem, serve } from "./peers/lines.mjs";
import { serverFigures } from "./timing.mjs";

const server = await serveModels({ models: { m: problem.model }, port: 0, log: "nothing", ...problem.options });
await serve("ergodic", serverFigures(), { port: Number(new URL(server.url).port) });
