/** Our server of serving.mjs, a process of its own: `run {}` gives what serverFigures does. The problem: { model, options }, `options` as of `serve`. */
import { serve as serveModels } from "@ergodic/serve";
import { problem, serve } from "./peers/lines.mjs";
import { serverFigures } from "./timing.mjs";

const server = await serveModels({ models: { m: problem.model }, port: 0, log: "nothing", ...problem.options });
await serve("ergodic", serverFigures(), { port: Number(new URL(server.url).port) });
