import { checkChoice } from "../errors/checks.ts";
import { assert, CapabilityError, checkKeys, checkNumber } from "../errors/errors.ts";
import { inNode } from "../files/node.ts";
import { later } from "../threads/later.ts";
import { turn } from "../threads/turn.ts";
import type { WebAssemblyModule } from "../threads/web-types.ts";
import type { Engine, EngineDescription, HostLink, LinkOptions, Machine, RunOptions } from "./engine-types.ts";
import { families as allFamilies, type Family, familyOfModule, makesCode } from "./families.ts";
import { callable, type HostFunction } from "./host-function.ts";
import { hardwareThreads, hasAllKernels, type Instructions, isPageThread, loadFamily, probeInstructions } from "./load.ts";
import { EngineMemory, engineMemory } from "./memory.ts";
import { type Filled, forGood, type LinkedFunction, Modules } from "./modules.ts";
import { type Call, Pool, trapError } from "./pool.ts";
import type { openPoolThread } from "./pool-thread.ts";
import { Slots } from "./slots.ts";
import { createThread } from "./worker.js";

export type { Engine, EngineDescription, HostLink, LinkOptions, Machine, RunOptions } from "./engine-types.ts";
export type { LinkedFunction };

const FIRST_SLOT = 1024;
/** Longest time for which calls on this thread can block its event loop. */
const PAUSE_EVERY_MS = 10;

class HostEngine implements Engine {
  readonly memory: EngineMemory;
  readonly pool: Pool;
  private readonly description: EngineDescription;
  private readonly best: Instructions;
  /** Loaded families per build. */
  private readonly loaded: Readonly<Record<Instructions, Set<Family>>> = { simd: new Set(), relaxed: new Set() };
  /** Families being loaded. */
  private readonly loads = new Map<string, Promise<void>>();
  /** Whether the caller supplied the kernels. If so, no others can be loaded. */
  given = false;
  private readonly thread: ReturnType<typeof createThread>;
  readonly modules: Modules;
  private readonly kernelSlots = new Map<string, number>();
  private readonly slots = new Slots(FIRST_SLOT);
  /** Slots of host functions. */
  private readonly hostSlots = new Set<number>();
  /** Last error that a host function threw. */
  private thrown: { readonly error: unknown } | undefined;
  private pausedAt = 0;
  crowded = false;

  constructor(memory: EngineMemory, pool: Pool, best: Instructions, description: EngineDescription) {
    this.memory = memory;
    this.pool = pool;
    this.best = best;
    this.description = description;
    this.thread = createThread(memory.memory);
    this.modules = new Modules(this.slots, (module, exports, slots, build) => this.fill(module, exports, slots, build));
  }

  kernel(name: string, deterministic: boolean): (...args: number[]) => number {
    return this.thread.kernel(this.buildOf(name, deterministic), name);
  }

  apart(pages: number): Machine {
    const memory = new EngineMemory(this.memory.shared, pages);
    const thread = createThread(memory.memory);
    const added = new Set<WebAssembly.Module>();
    return {
      memory,
      kernel: (name, deterministic) => {
        const build = this.buildOf(name, deterministic);
        const module = this.thread.moduleOf(build, name)!;
        if (!added.has(module)) thread.addBuild(build, module);
        added.add(module);
        return thread.kernel(build, name);
      },
    };
  }

  link(
    bytes: Uint8Array,
    exports: string[],
    { holder = forGood, deterministic }: LinkOptions = {},
  ): Record<string, LinkedFunction> {
    return this.modules.link(bytes, exports, holder, deterministic === undefined ? "" : this.build(deterministic));
  }

  linkHost(f: HostFunction): HostLink {
    const slot = this.slots.take();
    const guarded: HostFunction = (a, b, c) => {
      try {
        return f(a >>> 0, b >>> 0, c >>> 0);
      } catch (error) {
        this.thrown = { error };
        throw error;
      }
    };
    this.thread.setSlot(slot, callable(guarded));
    this.hostSlots.add(slot);
    let live = true;
    const dispose = (): void => {
      if (!live) return;
      live = false;
      this.thread.setSlot(slot, null);
      this.hostSlots.delete(slot);
      this.slots.give(slot);
    };
    return { slot, call: this.thread.atSlot(slot), dispose, [Symbol.dispose]: dispose };
  }

  kernelSlot(name: string, deterministic: boolean): number {
    const build = this.buildOf(name, deterministic);
    const key = `${build} ${name}`;
    const known = this.kernelSlots.get(key);
    if (known !== undefined) return known;
    const f = this.thread.kernel(build, name);
    const slot = this.slots.take();
    this.thread.setSlot(slot, f);
    this.pool.broadcast({ kind: "slot", build, kernel: name, slot });
    this.kernelSlots.set(key, slot);
    return slot;
  }

  atSlot(slot: number): (...args: number[]) => number {
    return this.thread.atSlot(slot);
  }

  async run(calls: Call[], { workers, deterministic, signal, apart }: RunOptions): Promise<number[]> {
    checkNumber("run", "workers", workers, { low: 1, high: 1024, integer: true });
    signal?.throwIfAborted();
    for (const { kernel } of calls) if (typeof kernel === "string") this.buildOf(kernel, deterministic);
    const build = this.build(deterministic);
    const hosted = calls.some(({ kernel }) => this.hostSlots.has(kernel as number));
    // Kernels can call functions through slots stored in memory. While host functions exist, any call might therefore
    // reach one.
    const free = !(isPageThread || this.crowded || apart);
    const here = !this.description.sharedMemory || (workers === 1 && (free || this.hostSlots.size > 0));
    if (!here && hosted)
      throw new CapabilityError(
        "run",
        `workers is ${workers}, but a plain function runs only on the calling thread; leave workers out`,
        "PLAN_MEANING",
      );
    const runHere = (own: readonly Call[], stop: number): Promise<number[]> => this.runHere(build, own, signal, stop);
    if (here) return runHere(calls, 0);
    const fills = free && Math.min(workers, calls.length) >= hardwareThreads();
    return this.pool.run(build, calls, workers, signal, fills ? runHere : undefined);
  }

  describe(): EngineDescription {
    return { ...this.description, why: [...this.description.why] };
  }

  /** Links a module into the tables of this thread and of all workers. This includes workers that start later. */
  private fill(module: WebAssembly.Module, exports: string[], slots: number[], build: string): Filled {
    for (const { kind, name } of WebAssembly.Module.imports(module))
      if (kind === "function") this.buildOf(name, build === "simd");
    this.thread.link(module, exports, slots, build);
    const message = { kind: "link", module, exports, slots, build };
    this.pool.broadcast(message);
    const functions = exports.map((name, i) => [name, { slot: slots[i], call: this.thread.atSlot(slots[i]) }]);
    return {
      functions: Object.fromEntries(functions),
      clear: () => {
        for (const slot of slots) this.thread.setSlot(slot, null);
        this.pool.revoke(message, { kind: "unlink", slots });
      },
    };
  }

  private async runHere(build: string, calls: readonly Call[], signal: AbortSignal | undefined, stop: number): Promise<number[]> {
    const results: number[] = [];
    for (const call of calls) {
      if (performance.now() - this.pausedAt > PAUSE_EVERY_MS) {
        await turn();
        this.pausedAt = performance.now();
      }
      signal?.throwIfAborted();
      this.thrown = undefined;
      const { results: one, failure } = this.thread.runCalls(build, [call], stop);
      if (failure && this.thrown) throw (this.thrown as { error: unknown }).error;
      if (failure) throw trapError(failure, "this thread");
      results.push(one[0]);
    }
    return results;
  }

  /** Loads families that are not loaded yet. */
  async load(families: readonly Family[], deterministic: boolean): Promise<void> {
    const build = this.build(deterministic);
    await Promise.all(families.map((family) => this.loadOne(family, build)));
  }

  /** Adds kernels that the host has compiled. */
  give(modules: readonly WebAssembly.Module[]): void {
    this.given = true;
    for (const module of modules) {
      const family = familyOfModule(module);
      if (family) this.add(family, this.best, module);
    }
  }

  private async loadOne(family: Family, build: Instructions): Promise<void> {
    if (this.loaded[build].has(family)) return;
    if (this.given)
      throw new CapabilityError(
        "engine",
        makesCode(family)
          ? `this trains or samples with kernels of the family "${family}", which requires generating code; do it on a host that allows this, and leave kernels out there`
          : `this needs the kernels of the family "${family}", but openEngine({ kernels }) was given others; give it ergodic/kernels/${family}.wasm too`,
        "HOST_NO_CODE",
      );
    const key = `${build} ${family}`;
    const load = async (): Promise<void> => this.add(family, build, await loadFamily(family, build, this.memory.shared));
    const loading = this.loads.get(key) ?? load().finally(() => this.loads.delete(key));
    this.loads.set(key, loading);
    await loading;
  }

  /**
   * Adds the kernels to every thread. A thread instantiates the kernels when it uses one of them for the first time.
   */
  private add(family: Family, build: Instructions, module: WebAssembly.Module): void {
    this.loaded[build].add(family);
    this.thread.addBuild(build, module);
    this.pool.broadcast({ kind: "module", build, module });
  }

  private build(deterministic: boolean): Instructions {
    return deterministic ? "simd" : this.best;
  }

  /** Returns the build that contains a kernel. */
  private buildOf(kernel: string, deterministic: boolean): Instructions {
    const build = this.build(deterministic);
    if (!this.thread.moduleOf(build, kernel))
      assert(
        false,
        `the kernel ${kernel} has not been loaded${deterministic ? " for deterministic runs" : ""}: it is in none of the families ${[...this.loaded[build]].join(", ")}`,
      );
    return build;
  }
}

let one: Promise<HostEngine> | undefined;
let opened: HostEngine | undefined;

export interface EngineOptions {
  /** Whether runs will be deterministic. Deterministic runs need a different build of the kernels. Default false. */
  readonly deterministic?: boolean;
  /**
   * Kernel families to load now. All other families are loaded when they are first needed. In Node, all families are
   * loaded, unless `alone` is set. Default: none.
   */
  readonly families?: readonly Family[];
  /** Whether to load only these families even in Node, where loading the others takes about 10 ms. Default false. */
  readonly alone?: boolean;
  /**
   * Compiled kernels, for hosts that forbid compilation at run time. On edge platforms, for example: `import training
   * from "ergodic/kernels/training.wasm"`, one module per family. Kernels must be given in the first call. All runs
   * then use them, on one thread.
   */
  readonly kernels?: WebAssemblyModule | readonly WebAssemblyModule[];
}

/**
 * Opens the engine of this process or realm on first use, and returns it. @throws CapabilityError if the host cannot
 * run kernels
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  checkKeys("openEngine", options, ["deterministic", "families", "alone", "kernels"]);
  const { deterministic = false, families = [], alone = false, kernels } = options;
  for (const family of families) checkChoice("openEngine", "families", family, allFamilies);
  one ??= open(kernels).catch((error: unknown) => {
    one = undefined;
    throw error;
  });
  const engine = await one;
  if (kernels && !engine.given) throw tooLate("the engine is open already, without the kernels that are given now");
  if (hasAllKernels && !alone && !engine.given) await Promise.all([false, true].map((build) => engine.load(allFamilies, build)));
  await engine.load(families, deterministic);
  return engine;
}

/** Returns the engine, which must have been opened before. For callers that cannot wait. */
export function currentEngine(): Engine {
  assert(opened, "the engine has not been opened");
  return opened;
}

/** Returns the worker pool, for tests that terminate a busy worker. */
export async function enginePool(): Promise<Pool> {
  await openEngine();
  assert(one, "the engine is open");
  return (await one).pool;
}

/** Returns the linked modules, for tests that count them. */
export async function engineModules(): Promise<Modules> {
  await openEngine();
  assert(one, "the engine is open");
  return (await one).modules;
}

async function open(kernels: WebAssembly.Module | readonly WebAssembly.Module[] | undefined): Promise<HostEngine> {
  const given = kernels === undefined ? undefined : [kernels].flat();
  const { best, why } = given ? { best: "simd" as const, why: ["the given kernels use plain SIMD"] } : probeInstructions();
  const memory = engineMemory({ own: given !== undefined });
  if (given && memory.shared) throw tooLate("the given kernels are single-threaded, but the memory is already shared");
  const threads = hardwareThreads();
  const pool = new Pool(memory, await poolThread(memory.shared));
  // A page's policy can forbid threads in ways that show only when one is started.
  const refusal = memory.shared && !inNode() ? await refusalOf(pool) : undefined;
  const shared = memory.shared && refusal === undefined;
  const engine = new HostEngine(memory, pool, best, {
    build: `${best}-${memory.shared ? "shared" : "own"}`,
    relaxedSimd: best === "relaxed",
    sharedMemory: shared,
    workers: shared ? threads : 1,
    why: [...why, given ? "one worker: the given kernels are single-threaded" : (refusal ?? whyWorkers(shared, threads))],
  });
  if (given) engine.give(given);
  opened = engine;
  return engine;
}

/** Only shared memory has threads, so other hosts do not load the code that opens one. */
async function poolThread(shared: boolean): Promise<typeof openPoolThread> {
  if (shared) return (await later(() => import("./pool-thread.ts"))).openPoolThread;
  return () => {
    throw new Error("memory that is not shared has no threads");
  };
}

/** Returns why this page starts no thread, or undefined if one is running. */
const refusalOf = (pool: Pool): Promise<string | undefined> =>
  pool.start().then(
    () => undefined,
    ({ cause }: Error) =>
      `one worker: this page starts no thread: ${cause instanceof Error ? cause.message : cause}; allow worker-src blob: or 'self' in its policy, or use configure({ worker })`,
  );

const tooLate = (what: string): CapabilityError =>
  new CapabilityError("engine", `${what}; call openEngine({ kernels }) before anything else`, "HOST_NO_CODE");

function whyWorkers(shared: boolean, threads: number): string {
  if (shared) return `${threads} ${threads === 1 ? "worker" : "workers"}: one for each hardware thread of this machine`;
  return "one worker: no SharedArrayBuffer, which pages get by Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
}
