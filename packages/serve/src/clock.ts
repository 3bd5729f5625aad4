/** Time as a batcher sees it. Tests give one that they move themselves. */
export interface Clock {
  /** Milliseconds since any moment; never decreases. */
  now(): number;
  /** Calls `callback` once, after `ms` milliseconds or more. Gives what `clearTimeout` takes. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Takes back a call that has not happened. */
  clearTimeout(timer: unknown): void;
  /** Calls `callback` once all that has arrived by now is handed out. */
  setImmediate(callback: () => void): void;
}

/** The longest delay that Node's timers take: 2³¹ − 1 ms; longer ones would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** The clock of the machine: `performance.now()` and Node's timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(Math.ceil(ms), LONGEST_MS)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback) => void setImmediate(callback),
};
