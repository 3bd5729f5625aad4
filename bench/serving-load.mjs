/**
 * The load of serving.mjs, a process of its own. The problem: { requests, size }, a file of whole HTTP requests of `size` bytes each, sent in turn.
 *
 * `run { port, rate, seconds, connections }` is an open loop: requests are due at the times of a Poisson process, whatever the server does, and a latency is
 * counted from when a request was due, so that a slow answer is also told by all that had to wait for it. It spins, and so sends in time; `behindMs` says by how
 * much it did not where a connection was free. A server that falls hopelessly behind is given up early.
 * `run { port, requests, connections }` is a closed loop: each connection asks again once it is answered.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { randomNumbers } from "./data.mjs";
import { problem, serve } from "./peers/lines.mjs";

/** A part of a second that is not counted: queues and speeds settle. */
const WARM_SECONDS = 0.3;
/** Seconds' worth of requests that may be unanswered before a server is given up. */
const HOPELESS_SECONDS = 0.25;

const all = readFileSync(problem.requests);
const requests = Array.from({ length: all.length / problem.size }, (_, i) =>
  all.subarray(i * problem.size, (i + 1) * problem.size),
);
const random = randomNumbers(1);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Connections that are kept; `answered(connection, body, isGood)` is called for each answer. */
async function connectAll(port, count, answered) {
  const open = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(connection));
      const connection = { socket, since: 0 };
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

/** The q-quantile of latencies. */
function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
}

async function openLoop({ port, rate, seconds, connections: count }) {
  const latencies = [];
  const waiting = [];
  let [failed, asked, behindMs, unanswered] = [0, 0, 0, 0];
  let from = Infinity;
  const free = [];
  const connections = await connectAll(port, count, (connection, _, isGood) => {
    unanswered--;
    if (!isGood) failed++;
    if (connection.since >= from) latencies.push(performance.now() - connection.since);
    const due = waiting.shift();
    if (due === undefined) free.push(connection);
    else send(connection, due);
  });
  free.push(...connections);
  const send = (connection, due) => {
    connection.since = due;
    connection.socket.write(requests[asked++ % requests.length]);
  };
  const begin = performance.now();
  from = begin + 1000 * WARM_SECONDS;
  const end = from + 1000 * seconds;
  const most = Math.max(20, rate * HOPELESS_SECONDS);
  const gap = () => (-Math.log(random.uniform()) * 1000) / rate;
  let hopeless = false;
  for (let due = begin + gap(); due < end && !hopeless; await turn()) {
    for (const now = performance.now(); due <= now && due < end; due += gap()) {
      unanswered++;
      const connection = free.shift();
      if (!connection) waiting.push(due);
      else {
        behindMs = Math.max(behindMs, now - due);
        send(connection, due);
      }
    }
    hopeless = unanswered > most;
  }
  for (const late = performance.now() + 2000; unanswered > 0 && !hopeless && performance.now() < late; ) await turn();
  hopeless ||= unanswered > 0;
  close(connections);
  latencies.sort((a, b) => a - b);
  const p99 = hopeless ? null : quantile(latencies, 0.99);
  return { p50: hopeless ? null : quantile(latencies, 0.5), p99, failed, behindMs, answered: latencies.length };
}

async function closedLoop({ port, requests: wanted, connections: count }) {
  let [answered, failed] = [0, 0];
  let asked = count;
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  const connections = await connectAll(port, count, ({ socket }, _, isGood) => {
    if (!isGood) failed++;
    if (++answered === wanted) done();
    else if (asked < wanted) socket.write(requests[asked++ % requests.length]);
  });
  const begin = performance.now();
  for (const [i, { socket }] of connections.entries()) socket.write(requests[i % requests.length]);
  await finished;
  const seconds = (performance.now() - begin) / 1000;
  close(connections);
  return { rate: answered / seconds, failed };
}

/** Each request alone: the mean square of the numbers that came back as FP32 or FP64, and the bytes of an answer. */
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

await serve("load", (options) => (options.rate ? openLoop(options) : options.requests ? closedLoop(options) : look(options)));
