/** What both sides of predictions.mjs read and time by. */
import { readFileSync } from "node:fs";

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
