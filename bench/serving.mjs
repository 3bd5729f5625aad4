/**
 * Servers under load: the benchmarks `serve` and `serve-overhead`.
 *
 * A server has core 0, with all its threads; the load generator, serving-load.mjs, has core 1. All are processes of one
 * Node, that of peer.mjs. All servers receive the same bytes: the Open Inference Protocol with binary tensors over
 * persistent connections. Models are made as in predictions.mjs, and `loss` is the mean square of the returned
 * probabilities, in which sides must agree.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { toOnnx } from "@ergodic/serve/onnx";
import { Dataset, fit } from "ergodic";
import { randomNumbers } from "./data.mjs";
import { median } from "./measure.mjs";
import { openPeer, Skipped } from "./peer.mjs";
import { highestRate } from "./rate-search.mjs";
import { sized } from "./size.mjs";

const CLASSES = 10;
/** Number of requests that are sent in turn. */
const SETS = 8;
const CONNECTIONS = 256;
/** Latency that 99 % of the requests must meet. */
const TARGET_MS = 10;
const MAY_BE_LATE = 0.01;
/** Duration of a trial: enough seconds for TRIAL_REQUESTS requests, within limits. */
const [TRIAL_REQUESTS, LEAST_SECONDS, MOST_SECONDS] = sized([2000, 1, 3], [100, 0.1, 0.1], [4000, 2, 8]);
/** Relative precision of the highest rate. */
const PRECISION = sized(1.08, 2, 1.04);

/**
 * A model, its ONNX export, and the requests: `rows` rows of FP32 each. `largeRows`: number of rows of one more request,
 * which is in a file of its own.
 */
export async function makeModel(folder, { model, rowShape, classes = CLASSES }, rows, largeRows) {
  if (availableParallelism() < 2) throw new Skipped("there is one core, but the load needs one of its own");
  const width = rowShape.reduce((product, extent) => product * extent, 1);
  const random = randomNumbers(1);
  const uniform = (length) => Float32Array.from({ length }, () => random.uniform());
  const y = Array.from({ length: 256 }, (_, i) => String(i % classes));
  const data = Dataset.fromArrays({ x: { values: uniform(256 * width), columnCount: width }, y, type: "f32", rowShape });
  const trained = await fit(model(classes), data, { epochs: 1, seed: 1 });
  const [file, onnx, requests] = ["model.safetensors", "model.onnx", "requests"].map((name) => join(folder, name));
  await trained.save(file);
  writeFileSync(onnx, toOnnx(trained));
  const all = Array.from({ length: SETS }, () => request(uniform(rows * width), [rows, width]));
  writeFileSync(requests, Buffer.concat(all));
  const made = { model: file, onnx, requests, size: all[0].length, rows, classes };
  if (largeRows === undefined) return made;
  const large = join(folder, "large");
  writeFileSync(large, request(uniform(largeRows * width), [largeRows, width]));
  return { ...made, large };
}

/** Returns the bytes of a request. */
function request(values, shape) {
  const json = JSON.stringify({
    inputs: [{ name: "input", datatype: "FP32", shape, parameters: { binary_data_size: values.byteLength } }],
    outputs: [{ name: "probabilities", parameters: { binary_data: true } }],
  });
  const head = [
    "POST /v2/models/m/infer HTTP/1.1",
    "Host: 127.0.0.1",
    "Content-Type: application/octet-stream",
    `Inference-Header-Content-Length: ${json.length}`,
    `Content-Length: ${json.length + values.byteLength}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n${json}`), Buffer.from(values.buffer)]);
}

/** A server on core 0 and its load generator on core 1. `numberBytes`: size of a number in its answers. */
export async function openServer(script, { requests, size, large, ...problem }, numberBytes = 4) {
  const server = await openPeer(script, problem, { core: 0 });
  const load = await openPeer("../serving-load.mjs", { requests, size, large }, { core: 1 });
  const { port } = server.ready;
  return {
    name: server.version,
    figures: () => server.run(),
    ask: (options) => load.run({ port, ...options }),
    look: () => load.run({ port, size: numberBytes }),
    async close() {
      await load.close();
      await server.close();
    },
  };
}

/**
 * A trial of a rate, for rate-search.mjs. It was disturbed if pauses of the load generator made more requests late than
 * allowed, or if other processes used too much of the core. `mostDelayMs`: largest delay of the server's event loop, in
 * 99 % of samples.
 */
export const trialOf =
  ({ ask, figures }, mostDelayMs) =>
  async (rate) => {
    await figures();
    const seconds = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, TRIAL_REQUESTS / rate));
    const trial = await ask({ rate, seconds, connections: CONNECTIONS, targetMs: TARGET_MS });
    if (trial.failed > 0) throw new Error(`${trial.failed} requests failed at ${rate} a second`);
    const { delayMs, others } = await figures();
    const isInTime = trial.p99 !== null && trial.p99 <= TARGET_MS;
    const isLateByOthers = !isInTime && trial.lateByServer <= MAY_BE_LATE;
    const isKept = isInTime && delayMs <= mostDelayMs;
    return { ...trial, delayMs, others, isKept, isDisturbed: isLateByOthers || others > MAY_BE_LATE };
  };

/** Closed loop: number of requests, largest number of seconds, and number of connections. */
const [CLOSED_REQUESTS, CLOSED_SECONDS, CLOSED_CONNECTIONS] = sized([60_000, 2, 64], [200, 0.2, 64], [60_000, 4, 64]);

/**
 * Processor time per request in microseconds, and requests per second, while connections send their next request as
 * soon as they are answered.
 */
export async function closedLoop({ ask, figures }) {
  await figures();
  const { rate, answered, failed } = await ask({
    requests: CLOSED_REQUESTS,
    seconds: CLOSED_SECONDS,
    connections: CLOSED_CONNECTIONS,
  });
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return { cpuUs: (await figures()).cpuUs / answered, rate };
}

/** Replaces the search at tiny size: one trial, whose success is not judged, at a rate that leaves some requests. */
async function oneTrial(trial, { start }) {
  const rate = Math.max(200, start);
  return { ...(await trial(rate)), value: rate, trials: 1, disturbed: 0, isCut: true };
}

const search = sized(highestRate, oneTrial);

/** A contestant whose rounds return the highest rate. */
export async function underLoad(server, { called = "", mostDelayMs = Infinity } = {}) {
  let last;
  return {
    name: called + server.name,
    close: () => server.close(),
    /** The search takes minutes, whereas code is compiled after seconds, so a short warm-up suffices. */
    warmUp: () => closedLoop(server),
    async round() {
      const { loss } = await server.look();
      const { cpuUs, rate } = await closedLoop(server);
      // A round that was disturbed from its start may have ended far too low.
      const start = Math.max(last ?? 0, 0.9 * rate);
      const result = await search(trialOf(server, mostDelayMs), { start, precision: PRECISION });
      last = result.value;
      return { ...result, cpuUs, loss };
    },
    note(rounds) {
      const of = (key) => median(rounds.map((round) => round[key])).toFixed(1);
      const disturbed = rounds.reduce((sum, round) => sum + round.disturbed, 0);
      const trials = rounds.reduce((sum, round) => sum + round.trials, 0);
      const cut = rounds.some(({ isCut }) => isCut) ? "; the search was ended before it was sure" : "";
      const excuse =
        disturbed > 0 ? `; AT LEAST so much: others used the machine in ${disturbed} of ${trials} trials, which failed` : "";
      return `p50 ${of("p50")} ms; event loop's delay, p99: ${of("delayMs")} ms; ${of("cpuUs")} µs of processor time a request when busy; load behind by up to ${of("behindMs")} ms${cut}${excuse}`;
    },
  };
}

/** A contestant whose rounds return the processor time per request. */
export async function timeOfRequests(server, rows) {
  return {
    name: server.name,
    close: () => server.close(),
    async round() {
      const { cpuUs, rate } = await closedLoop(server);
      return { value: cpuUs, rate };
    },
    note: (rounds) => `${Math.round(rows * median(rounds.map(({ rate }) => rate))).toLocaleString("en")} rows a second`,
  };
}

/** Closed loop next to large requests: seconds, and number of connections with one-row requests. */
const [MIXED_SECONDS, MIXED_CONNECTIONS] = [sized(5, 0.3, 20), 8];

/**
 * A contestant whose rounds return the p99 of one-row requests in a closed loop. `isMixed`: whether one more connection
 * sends large requests, each as soon as the last one is answered.
 */
export async function besideLarge(server, { called = "", isMixed = true } = {}) {
  return {
    name: called + server.name,
    close: () => server.close(),
    async round() {
      const { loss } = await server.look();
      const found = await server.ask({ mixed: isMixed, seconds: MIXED_SECONDS, connections: MIXED_CONNECTIONS });
      if (found.failed > 0) throw new Error(`${found.failed} requests failed`);
      return { ...found, value: found.p99, loss };
    },
    note(rounds) {
      const of = (key) => median(rounds.map((round) => round[key])).toFixed(1);
      return `p50 ${of("p50")} ms; ${of("large")} large requests per second; ${of("rate")} small`;
    },
  };
}
