/** Clock of a batcher. Tests pass one that they control. */
export interface Clock {
  /** Returns the number of milliseconds since an arbitrary moment. The number never decreases. */
  now(): number;
  /** Calls `callback` once, after at least `ms` milliseconds. Returns the timer for `clearTimeout`. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Cancels a call that has not been made yet. */
  clearTimeout(timer: unknown): void;
  /** Calls `callback` once all requests that have arrived by now have been delivered. */
  setImmediate(callback: () => void): void;
}

/** Longest delay that Node's timers accept: 2³¹ − 1 ms. Longer delays would fire immediately. */
const LONGEST_MS = 2_147_483_647;

/** The machine's clock: `performance.now()` and Node's timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(Math.ceil(ms), LONGEST_MS)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback) => void setImmediate(callback),
};
