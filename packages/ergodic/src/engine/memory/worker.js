/**
 * One thread of the engine. The same program runs as a Node worker thread, as a Web Worker, and (through
 * `createThread`) on the thread that opened the engine. It is plain JavaScript without imports, because threads are
 * created from its text (threads.ts).
 *
 * Messages in: {kind: "start", memory}, {kind: "module", build, module}, {kind: "link", module, exports, slots, build},
 * {kind: "unlink", slots}, {kind: "slot", build, kernel, slot}, {kind: "run", id, build, calls, stop}. Out: {id,
 * results, failure}, and {started: true} once the thread hears messages. `stop` is the address of an i32, or 0 for
 * none. Once the i32 is not zero, all workers of the batch drop the calls that they have not started. A call that fails
 * sets this i32.
 */

/** @typedef {{ kernel: string | number, args: number[] }} Call */
/** @typedef {{ call: Call, name: string, message: string, stack: string | undefined }} Failure */
/**
 * @typedef {object} Thread
 * @property {(build: string, module: WebAssembly.Module) => void} addBuild adds one family of a build, instantiated when first used
 * @property {(build: string, name: string) => WebAssembly.Module | undefined} moduleOf the module that exports a kernel; undefined: not loaded
 * @property {(build: string, name: string) => (...args: number[]) => number} kernel
 * @property {(module: WebAssembly.Module, exports: string[], slots: number[], build: string) => void} link `build`: build of imported kernels
 * @property {(slot: number, f: ((...args: number[]) => number) | null) => void} setSlot
 * @property {(slot: number) => (...args: number[]) => number} atSlot
 * @property {(build: string, calls: Call[], stop: number) => { results: number[], failure: Failure | undefined }} runCalls
 */

/**
 * Long because its functions share one table and one set of instances, and the program has no imports.
 *
 * @param {WebAssembly.Memory} memory
 * @returns {Thread}
 */
export function createThread(memory) {
  const table = new WebAssembly.Table({ initial: 2048, element: "anyfunc" });
  /**
   * For each build, the module that exports each kernel, by kernel name.
   * @type {Map<string, Map<string, WebAssembly.Module>>}
   */
  const builds = new Map();
  /** @type {Map<WebAssembly.Module, WebAssembly.Exports>} */
  const instances = new Map();
  const environment = {
    memory,
    table,
    /** @type {(message: number, file: number, line: number, column: number) => never} */
    abort: (_message, _file, line, column) => {
      throw new Error(`the kernel aborted at ${line}:${column}`);
    },
  };

  /** @type {Thread["addBuild"]} */
  function addBuild(build, module) {
    const exporting = builds.get(build) ?? new Map();
    builds.set(build, exporting);
    for (const { kind, name } of WebAssembly.Module.exports(module)) if (kind === "function") exporting.set(name, module);
  }

  /** @type {Thread["moduleOf"]} */
  const moduleOf = (build, name) => builds.get(build)?.get(name);

  /** @type {Thread["kernel"]} */
  function kernel(build, name) {
    const module = moduleOf(build, name);
    if (!module) throw new Error(`no kernel named "${name}" in the families that are loaded`);
    let exports = instances.get(module);
    if (!exports) {
      exports = new WebAssembly.Instance(module, { env: environment }).exports;
      instances.set(module, exports);
    }
    return /** @type {(...args: number[]) => number} */ (exports[name]);
  }

  /** @type {Thread["setSlot"]} */
  function setSlot(slot, f) {
    if (slot >= table.length) table.grow(Math.max(table.length, slot + 1 - table.length));
    table.set(slot, f);
  }

  /** @type {Thread["atSlot"]} */
  function atSlot(slot) {
    const found = slot < table.length ? table.get(slot) : null;
    if (!found) throw new Error(`no function in slot ${slot}`);
    return found;
  }

  /** @type {Thread["link"]} */
  function link(module, names, slots, build) {
    /** @type {WebAssembly.ModuleImports} */
    const env = { ...environment };
    for (const { kind, name } of WebAssembly.Module.imports(module)) if (kind === "function") env[name] = kernel(build, name);
    const { exports } = new WebAssembly.Instance(module, { env });
    for (let i = 0; i < names.length; i++) setSlot(slots[i], /** @type {() => number} */ (exports[names[i]]));
  }

  /** @param {number} address */
  const cell = (address) => new Int32Array(memory.buffer, address, 1);

  /** @type {Thread["runCalls"]} */
  function runCalls(build, calls, stop) {
    /** @type {number[]} */
    const results = [];
    for (const call of calls) {
      if (stop !== 0 && Atomics.load(cell(stop), 0) !== 0) break;
      try {
        const f = typeof call.kernel === "number" ? atSlot(call.kernel) : kernel(build, call.kernel);
        results.push(f(...call.args) ?? 0);
      } catch (error) {
        if (stop !== 0) Atomics.store(cell(stop), 0, 1);
        const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
        return { results, failure: { call, name, message, stack } };
      }
    }
    return { results, failure: undefined };
  }

  return { addBuild, moduleOf, kernel, link, setSlot, atSlot, runCalls };
}

/**
 * Returns a function that handles messages until the thread ends.
 * @param {(message: object) => void} post
 * @returns {(message: any) => void}
 */
function createServer(post) {
  /** @type {Thread} */
  let thread;
  return (message) => {
    if (message.kind === "start") {
      thread = createThread(message.memory);
    } else if (message.kind === "module") thread.addBuild(message.build, message.module);
    else if (message.kind === "link") thread.link(message.module, message.exports, message.slots, message.build);
    else if (message.kind === "unlink") for (const slot of message.slots) thread.setSlot(slot, null);
    else if (message.kind === "slot") thread.setSlot(message.slot, thread.kernel(message.build, message.kernel));
    else if (message.kind === "run") post({ id: message.id, ...thread.runCalls(message.build, message.calls, message.stop) });
  };
}

// The engine's own thread imports this file for createThread. A worker is recognised by the name that the pool gives it
// (threads.ts). Node's module of threads takes two milliseconds to load, so only workers load it.
const WORKER_NAME = "ergodic-worker";
if (typeof globalThis.process?.versions?.node === "string") {
  if (/** @type {{ ergodicThread?: string }} */ (globalThis).ergodicThread === WORKER_NAME) {
    const { parentPort } = globalThis.process.getBuiltinModule("node:worker_threads");
    parentPort?.on(
      "message",
      createServer((message) => parentPort.postMessage(message)),
    );
    parentPort?.postMessage({ started: true });
  }
} else if ("WorkerGlobalScope" in globalThis && /** @type {{ name?: string }} */ (globalThis).name === WORKER_NAME) {
  const serve = createServer((message) => globalThis.postMessage(message));
  globalThis.addEventListener("message", (event) => serve(/** @type {MessageEvent} */ (event).data));
  globalThis.postMessage({ started: true });
}
