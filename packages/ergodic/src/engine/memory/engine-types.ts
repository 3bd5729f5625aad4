import type { HostFunction } from "./host-function.ts";
import type { EngineMemory } from "./memory.ts";
import type { Holder, LinkedFunction } from "./modules.ts";
import type { Call } from "./pool.ts";

/** Configuration of the engine on this host, with reasons. */
export interface EngineDescription {
  /** "relaxed-shared", "simd-own" … */
  build: string;
  /** Whether relaxed SIMD instructions are used. */
  relaxedSimd: boolean;
  /** Whether memory is shared with worker threads. */
  sharedMemory: boolean;
  /** Number of workers that this host can run simultaneously. */
  workers: number;
  /** Reasons for these settings, one sentence each. */
  why: string[];
}

export interface HostLink extends LinkedFunction, Disposable {
  /** Frees the slot. */
  dispose(): void;
}

export interface LinkOptions {
  /** Holder of the module. Default: `forGood`. */
  readonly holder?: Holder;
  /** Whether the module's imported kernels come from the deterministic build. Required if it imports any. */
  readonly deterministic?: boolean;
}

export interface RunOptions {
  workers: number;
  deterministic: boolean;
  /**
   * Whether to run on a worker, even if this thread could do the work of one worker. Set this option if several runs
   * are active simultaneously.
   */
  apart?: boolean;
  /**
   * Cancels all calls that have not started. `run` then rejects with the signal's reason once the running calls have
   * ended.
   */
  signal?: AbortSignal;
}

/** Kernels on one memory, callable on this thread. */
export interface Machine {
  /** Memory of kernels and data. */
  readonly memory: EngineMemory;
  /** Returns a kernel export on this thread. */
  kernel(name: string, deterministic: boolean): (...args: number[]) => number;
}

/**
 * The engine: kernels, compiled models and worker threads on one memory. There is one engine per process or realm.
 *
 * Kernels come in families (families.ts), which are loaded when first needed. Each family can have two builds on the
 * same memory: the best build for the host and, for deterministic runs, the plain SIMD build. Every thread has its own
 * function table. The engine assigns slots and fills them identically on all threads, so that slot numbers can be
 * stored in memory. Slots below 1024 hold functions that the kernels themselves refer to.
 *
 * In Node and in a module worker, `run` with one worker runs on the calling thread. The run pauses every few
 * milliseconds so that the thread can process signals and timers. If other runs need the thread too, `crowded` is set,
 * and the run uses a separate worker. If there are as many workers as hardware threads, the calling thread is one of
 * the workers. An additional thread would share a processor with another thread, and could wait for milliseconds while
 * another processor is idle. On a page's main thread, calls run on a worker if memory can be shared. Otherwise they run
 * in slices on the main thread. `ergodic/worker` keeps a page responsive on any host.
 *
 * @throws CapabilityError if the host cannot run kernels; WorkerError when a worker fails; the reason of an aborted
 * `signal`
 */
export interface Engine extends Machine {
  /**
   * Returns the same kernels on a separate memory. This memory grows to at most `pages` pages of 64 KiB. The kernels
   * cannot access any other memory, whatever arguments they get. The memory is garbage collected.
   *
   * @throws MemoryLimitError if the system has no more address space
   */
  apart(pages: number): Machine;
  /**
   * Puts the functions of a generated module into the table of every thread. The functions stay in the tables until the
   * holder releases them (modules.ts). The module imports env.memory and kernels by name. Modules with equal contents
   * are linked only once.
   */
  link(bytes: Uint8Array, exports: string[], options?: LinkOptions): Record<string, LinkedFunction>;
  /**
   * Puts a JavaScript function into the table of this thread only: (i32, i32, i32) → f64. If the function throws, `run`
   * rejects with its error.
   */
  linkHost(f: HostFunction): HostLink;
  /** Returns the table slot of a kernel export, which is the same on every thread. */
  kernelSlot(name: string, deterministic: boolean): number;
  /** Returns the function in a slot, on this thread. */
  atSlot(slot: number): (...args: number[]) => number;
  /**
   * Runs call i on worker i % workers. Each worker runs its calls in order. A kernel is a name or a table slot. Returns
   * the results in the same order as the calls.
   */
  run(calls: Call[], options: RunOptions): Promise<number[]>;
  /** Whether several runs are active simultaneously. If so, each run should have its own worker. */
  crowded: boolean;
  /** Returns the configuration of the engine on this host, with reasons. */
  describe(): EngineDescription;
}
