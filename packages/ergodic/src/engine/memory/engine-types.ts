import type { HostFunction } from "./host-function.ts";
import type { EngineMemory } from "./memory.ts";
import type { Holder, LinkedFunction } from "./modules.ts";
import type { Call } from "./pool.ts";

/** What the engine runs on this host, and why. */
export interface EngineDescription {
  /** "relaxed-shared", "simd-own" … */
  build: string;
  /** Whether relaxed SIMD instructions are used. */
  relaxedSimd: boolean;
  /** Whether memory is shared with worker threads. */
  sharedMemory: boolean;
  /** How many workers this host can run at the same time. */
  workers: number;
  /** The reasons for the above, one sentence each. */
  why: string[];
}

export interface HostLink extends LinkedFunction, Disposable {
  /** Gives the slot back. */
  dispose(): void;
}

export interface LinkOptions {
  /** Default: `forGood`. */
  readonly holder?: Holder;
  /** Of the kernels that the module imports: must be given if it imports any. */
  readonly deterministic?: boolean;
}

export interface RunOptions {
  workers: number;
  deterministic: boolean;
  /** On a worker even where this thread would do for one: several runs are made at once. */
  apart?: boolean;
  /** Drops the calls not yet started; `run` rejects with its reason once those in flight have ended. */
  signal?: AbortSignal;
}

/** Kernels on one memory, called on this thread. */
export interface Machine {
  /** The memory of kernels and data. */
  readonly memory: EngineMemory;
  /** A kernel export on this thread. */
  kernel(name: string, deterministic: boolean): (...args: number[]) => number;
}

/**
 * The engine: kernels, compiled models and worker threads on one memory. One per process or realm.
 *
 * Kernels come in families (families.ts), which are loaded when first asked for. Two builds of each may be live on that memory: the best that the host can
 * run, and plain SIMD for deterministic runs. Every thread has
 * a table of its own; slots are assigned here and filled alike on each thread, so that a slot number can stand in memory. Slots below
 * 1024 belong to the kernels' own function references.
 *
 * In Node and in a module worker, `run` with one worker runs on the calling thread, and pauses every few milliseconds so that signals
 * and timers are served; where `crowded` says that others want the thread as well, on a worker of its own. With as many workers as the machine has threads,
 * the calling thread is one of them: systems start a thread too many on a processor that has one already, where it waits for milliseconds while another
 * processor is idle. On a page's own thread calls
 * run on a worker where memory can be shared, and otherwise in slices on the thread itself: what keeps a page free on any host is
 * `ergodic/worker`.
 *
 * @throws CapabilityError where the host cannot run kernels; WorkerError when one fails; the reason of an aborted `signal`
 */
export interface Engine extends Machine {
  /**
   * The same kernels on a memory of their own, which grows to at most `pages` of 64 KiB: they reach nothing else, whatever they are given. It is
   * collected with what refers to it.
   *
   * @throws MemoryLimitError where the system has no more address space
   */
  apart(pages: number): Machine;
  /**
   * Puts functions of an emitted module into the table of every thread, where they stay until the holder lets go (modules.ts). The module imports
   * env.memory and kernels by name; one for each content.
   */
  link(bytes: Uint8Array, exports: string[], options?: LinkOptions): Record<string, LinkedFunction>;
  /**
   * Puts a function of JavaScript into this thread's table alone: (i32, i32, i32) → f64. What it throws ends `run` as it is.
   */
  linkHost(f: HostFunction): HostLink;
  /** The table slot of a kernel export, the same on every thread. */
  kernelSlot(name: string, deterministic: boolean): number;
  /** What stands at a slot, on this thread. */
  atSlot(slot: number): (...args: number[]) => number;
  /** Call i on worker i % workers, in order on each; a kernel is named, or a table slot. Results in the order of the calls. */
  run(calls: Call[], options: RunOptions): Promise<number[]>;
  /** Whether several runs are made at once, so that each should have a worker. */
  crowded: boolean;
  /** What the engine runs on this host, and why. */
  describe(): EngineDescription;
}
