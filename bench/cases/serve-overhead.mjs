/**
 * serve-overhead-…: processor time per request with 1 or 64 rows for a linear model on 20 columns, in the binary Open
 * Inference Protocol, against a Fastify server that reads and answers the same number of bytes. Shows the cost of the
 * protocol, the queue and the model on top of the transport.
 */
import { linear } from "ergodic";
import { makeModel, openServer, timeOfRequests } from "../serving.mjs";

const kind = { rowShape: [20], classes: 2, model: () => linear({ standardise: false }) };

export default [1, 64].map((rows) => ({
  name: `serve-overhead-${rows}`,
  measures: `a request of ${rows} ${rows === 1 ? "row" : "rows"} of a linear model on 20 columns, 64 connections`,
  metric: "µs of processor time",
  better: "less",
  compare: (ours, theirs) => ({ text: `${(ours.value / theirs.value).toFixed(2)} times the bare transport`, passed: true }),
  makeData: (folder) => makeModel(folder, kind, rows),
  ours: async (problem) => timeOfRequests(await openServer("../serving-server.mjs", { ...problem, options: {} }, 8), rows),
  peers: (problem) => [{ name: "Fastify that echoes", goal: rows === 1 ? 0.77 : undefined, open: () => echo(problem, rows) }],
}));

async function echo(problem, rows) {
  const ours = await openServer("../serving-server.mjs", { ...problem, options: {} }, 8);
  const { bytes } = await ours.look();
  await ours.close();
  return timeOfRequests(await openServer("fastify_echo.mjs", { ...problem, bytes }), rows);
}
