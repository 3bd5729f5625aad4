/** What both sides of predictions.mjs and serving.mjs read and time by. */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** The raw float32 numbers of a file. */
export function floatsOf(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Microseconds of processor time a call, of as many as take a round. `call(i)` gives the probabilities of batch i, or a promise of them. */
export async function timedCalls(call, roundMs) {
  for (let i = 0; i < 20; i++) await call(i);
  const first = performance.now();
  for (let i = 0; i < 10; i++) await call(i);
  const calls = Math.max(10, Math.ceil((10 * roundMs) / (performance.now() - first)));
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await call(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

export const meanSquare = (values) => values.reduce((sum, p) => sum + p * p, 0) / values.length;

/** Of a process that serves: the processor time since the last look, in microseconds, and the 99 % quantile of the delay of its event loop, in milliseconds. */
export function serverFigures() {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    // Of a timer each millisecond.
    const delayMs = Math.max(0, delays.percentile(99) / 1e6 - 1);
    before = process.cpuUsage();
    delays.reset();
    return { cpuUs: user + system, delayMs };
  };
}
