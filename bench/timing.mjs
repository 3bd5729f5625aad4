/** Shared reading and timing functions for both sides of predictions.mjs and serving.mjs. */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { sized } from "./size.mjs";

/** Reads the raw float32 numbers of a file. */
export function floatsOf(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/**
 * Returns the microseconds of processor time per call, with enough calls to fill a round. `call(i)` returns the
 * probabilities of batch i, or a promise of them.
 */
export async function timedCalls(call, roundMs) {
  const few = sized(10, 1);
  for (let i = 0; i < 2 * few; i++) await call(i);
  const first = performance.now();
  for (let i = 0; i < few; i++) await call(i);
  const calls = Math.max(few, Math.ceil((few * roundMs) / (performance.now() - first)));
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await call(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

export const meanSquare = (values) => values.reduce((sum, p) => sum + p * p, 0) / values.length;

/**
 * Returns the milliseconds of processor time that all processes together used on a core, without interrupts; undefined
 * if the system does not report it.
 */
function coreMs(core) {
  try {
    const line = new RegExp(`^cpu${core} (\\d+) (\\d+) (\\d+)`, "m").exec(readFileSync("/proc/stat", "latin1"));
    return line ? 10 * (Number(line[1]) + Number(line[2]) + Number(line[3])) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the core of a process that can run on only one. */
function ownCore() {
  try {
    return /^Cpus_allowed_list:\s*(\d+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Measures a server process in pairs of calls, one before and one after requests. The second call returns, since the
 * first: its processor time in microseconds, the 99 % quantile of its event loop delay in milliseconds, and the share
 * of its core's time that other processes used (0 if unknown). Between pairs nothing is measured, because the timers of
 * waiting servers would use a twentieth of the core that they share.
 *
 * All servers let V8 collect its heap as rarely as ours does (keepHeap of packages/serve).
 */
export function serverFigures() {
  for (const flag of ["--heap-growing-percent=200", "--memory-reducer-gc-count=0"]) setFlagsFromString(flag);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const core = ownCore();
  const look = () => ({ at: performance.now(), own: process.cpuUsage(), all: core && coreMs(core) });
  let before;
  return () => {
    const now = look();
    if (!before) {
      before = now;
      delays.enable();
      return null;
    }
    const cpuUs = now.own.user - before.own.user + now.own.system - before.own.system;
    // Subtracts the timer's interval of one millisecond.
    const delayMs = Math.max(0, delays.percentile(99) / 1e6 - 1);
    const others = now.all === undefined ? 0 : Math.max(0, now.all - before.all - cpuUs / 1000) / (now.at - before.at);
    before = undefined;
    delays.disable();
    delays.reset();
    return { cpuUs, delayMs, others };
  };
}
