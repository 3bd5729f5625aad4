/**
 * The load generator of serving.mjs, in a separate process. The problem: { requests, size }, a file of whole HTTP
 * requests of `size` bytes each, sent in turn.
 *
 * `run { port, rate, seconds, connections, targetMs }` is an open loop: requests are due at the times of a Poisson
 * process, whatever the server does. A latency is counted from the time when a request was due, so that a slow answer
 * also counts in the latencies of all requests that waited for it. The process spins so that it sends on time;
 * `behindMs` reports its delay when a connection was free. `late` is the share of requests that took more than
 * `targetMs`, `lateByServer` the share that would have done so without the pauses of this process. A server that falls
 * hopelessly behind is given up early. All outstanding answers are awaited, so that the next run finds an idle server.
 *
 * `run { port, mixed, seconds, connections }` is a closed loop that measures latencies. If `mixed`, one more connection
 * sends the problem's `large` request, a file with one whole request.
 *
 * `run { port, requests, seconds, connections }` is a closed loop: each connection sends its next request when it is
 * answered, until the given number of requests or seconds is reached.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { randomNumbers } from "./data.mjs";
import { problem, serve } from "./peers/lines.mjs";
import { sized } from "./size.mjs";

/** Seconds at the start that are not counted, while queues and speeds settle. */
const WARM_SECONDS = sized(0.5, 0.05);
/**
 * Number of unanswered requests, in seconds' worth, after which a server is given up: more than a pause of the machine.
 */
const HOPELESS_SECONDS = 1;
/** Longest wait for unanswered requests at the end. */
const LAST_MS = 20_000;
/** A turn of the event loop that takes longer counts as a pause of this process. */
const PAUSE_MS = 0.5;

const all = readFileSync(problem.requests);
const requests = Array.from({ length: all.length / problem.size }, (_, i) =>
  all.subarray(i * problem.size, (i + 1) * problem.size),
);
const random = randomNumbers(1);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Opens connections that are reused; `answered(connection, body, isGood)` is called for each answer. */
async function connectAll(port, count, answered) {
  const open = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(connection));
      const connection = { socket, request: undefined };
      let rest = Buffer.alloc(0);
      socket.setNoDelay(true);
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed a connection")));
      socket.on("data", (data) => {
        rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
        const headEnd = rest.indexOf("\r\n\r\n");
        if (headEnd < 0) return;
        const head = rest.latin1Slice(0, headEnd);
        const length = Number(/\ncontent-length: (\d+)/i.exec(head)[1]);
        if (rest.length < headEnd + 4 + length) return;
        const body = rest.subarray(headEnd + 4, headEnd + 4 + length);
        const jsonLength = /inference-header-content-length: (\d+)/i.exec(head)?.[1];
        rest = rest.subarray(headEnd + 4 + length);
        answered(connection, { body, jsonLength: Number(jsonLength ?? 0) }, head.startsWith("HTTP/1.1 200"));
      });
    });
  return Promise.all(Array.from({ length: count }, open));
}

const close = (connections) => {
  for (const { socket } of connections) socket.removeAllListeners("close").destroy();
};

/** Returns the q-quantile of latencies. */
function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
}

/**
 * Tracks the total milliseconds in which this process was held up: `turned(now)` is called at each turn of the loop;
 * `until(time)` returns the total for a time no earlier than the last turn but one.
 */
function ownPauses() {
  let [last, before] = [performance.now(), 0];
  let pause = { from: last, ms: 0 };
  return {
    turned(now) {
      before += pause.ms;
      pause = { from: last, ms: now - last > PAUSE_MS ? now - last : 0 };
      last = now;
    },
    until(time) {
      const since = time - last;
      if (since >= 0) return before + pause.ms + (since > PAUSE_MS ? since : 0);
      return before + Math.min(pause.ms, Math.max(0, time - pause.from));
    },
  };
}

async function openLoop({ port, rate, seconds, connections: count, targetMs }) {
  const latencies = [];
  const waiting = [];
  const pauses = ownPauses();
  let [failed, asked, behindMs, unanswered, late, lateByServer] = [0, 0, 0, 0, 0, 0];
  let from = Infinity;
  const free = [];
  const connections = await connectAll(port, count, (connection, _, isGood) => {
    unanswered--;
    if (!isGood) failed++;
    const now = performance.now();
    const { due, paused } = connection.request;
    if (due >= from) {
      const latency = now - due;
      latencies.push(latency);
      if (latency > targetMs) late++;
      if (latency - (pauses.until(now) - paused) > targetMs) lateByServer++;
    }
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else send(connection, next);
  });
  free.push(...connections);
  const send = (connection, request) => {
    connection.request = request;
    connection.socket.write(requests[asked++ % requests.length]);
  };
  const begin = performance.now();
  from = begin + 1000 * WARM_SECONDS;
  const end = from + 1000 * seconds;
  const most = Math.max(20, rate * HOPELESS_SECONDS);
  const gap = () => (-Math.log(random.uniform()) * 1000) / rate;
  let isHopeless = false;
  for (let due = begin + gap(); due < end && !isHopeless; await turn()) {
    const now = performance.now();
    pauses.turned(now);
    for (; due <= now && due < end; due += gap()) {
      unanswered++;
      const request = { due, paused: pauses.until(due) };
      const connection = free.shift();
      if (!connection) waiting.push(request);
      else {
        behindMs = Math.max(behindMs, now - due);
        send(connection, request);
      }
    }
    isHopeless = now >= from && unanswered > most;
  }
  if (isHopeless) unanswered -= waiting.splice(0).length;
  for (const last = performance.now() + LAST_MS; unanswered > 0; await turn()) {
    const now = performance.now();
    pauses.turned(now);
    if (now > last) throw new Error(`${unanswered} requests had no answer within ${LAST_MS / 1000} s`);
  }
  close(connections);
  latencies.sort((a, b) => a - b);
  const shares = {
    late: isHopeless ? 1 : late / latencies.length,
    lateByServer: isHopeless ? 1 : lateByServer / latencies.length,
  };
  const [p50, p99] = isHopeless ? [null, null] : [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return { p50, p99, failed, behindMs, answered: latencies.length, ...shares };
}

async function closedLoop({ port, requests: wanted, seconds: most, connections: count }) {
  let [answered, failed] = [0, 0];
  let asked = count;
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  const begin = performance.now();
  const end = begin + 1000 * most;
  const connections = await connectAll(port, count, ({ socket }, _, isGood) => {
    if (!isGood) failed++;
    if (asked < wanted && performance.now() < end) socket.write(requests[asked++ % requests.length]);
    if (++answered === asked) done();
  });
  for (const [i, { socket }] of connections.entries()) socket.write(requests[i % requests.length]);
  await finished;
  const seconds = (performance.now() - begin) / 1000;
  close(connections);
  return { rate: answered / seconds, answered, failed };
}

async function mixedLoop({ port, mixed, seconds, connections: count }) {
  const latencies = [];
  let [failed, asked, open, large] = [0, 0, 0, 0];
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  const begin = performance.now() + 1000 * WARM_SECONDS;
  const end = begin + 1000 * seconds;
  const whole = mixed && readFileSync(problem.large);
  const send = (connection) => {
    if (performance.now() >= end) {
      if (--open === 0) done();
      return;
    }
    connection.request = performance.now();
    connection.socket.write(connection.isLarge ? whole : requests[asked++ % requests.length]);
  };
  const connections = await connectAll(port, count + Number(mixed), (connection, _, isGood) => {
    if (!isGood) failed++;
    if (connection.request >= begin) {
      if (connection.isLarge) large++;
      else latencies.push(performance.now() - connection.request);
    }
    send(connection);
  });
  connections[0].isLarge = mixed;
  open = connections.length;
  for (const connection of connections) send(connection);
  await finished;
  close(connections);
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((q) => quantile(latencies, q));
  return { p50, p99, failed, large: large / seconds, rate: latencies.length / seconds };
}

/**
 * Sends each request alone. Returns the mean square of the FP32 or FP64 numbers in the answers, and the size of an
 * answer in bytes.
 */
async function look({ port, size }) {
  let resolve;
  const [{ socket }] = await connectAll(port, 1, (_, answer, isGood) => resolve({ ...answer, isGood }));
  let [sum, count, bytes] = [0, 0, 0];
  for (const request of requests) {
    const answer = new Promise((done) => (resolve = done));
    socket.write(request);
    const { body, jsonLength, isGood } = await answer;
    if (!isGood) throw new Error(body.toString());
    bytes = Math.max(bytes, body.length);
    const numbers = body.subarray(jsonLength);
    for (let at = 0; at < numbers.length; at += size, count++)
      sum += (size === 8 ? numbers.readDoubleLE(at) : numbers.readFloatLE(at)) ** 2;
  }
  close([{ socket }]);
  return { loss: sum / count, bytes };
}

await serve("load", (options) => {
  if (options.rate) return openLoop(options);
  if (options.mixed !== undefined) return mixedLoop(options);
  return options.requests ? closedLoop(options) : look(options);
});
