/**
 * One thread that evaluates a module's default export: the same program as a Node worker thread and as a Web Worker. Plain JavaScript without imports,
 * since threads are made from its text (threads.ts).
 *
 * Messages in: {id, module, x, context}, the module's URL with each. Out: {id, value, shown} or {id, failure: {name, message,
 * stack}}; `shown`: the value in words.
 */

/**
 * @param {{ id: number, module: string, x: Float64Array, context: object }} message
 * @returns {Promise<object>}
 */
async function answer({ id, module, x, context }) {
  try {
    const { default: f } = await import(/* @vite-ignore */ /* webpackIgnore: true */ module);
    if (typeof f !== "function") throw new TypeError(`${module} has no default export that is a function`);
    // The thread ends where the run does, so that this signal never fires; it stands here so that one f serves all hosts.
    const value = await f(x, { ...context, signal: new AbortController().signal });
    // What is no number may not be sent either; its name is enough.
    return { id, value: typeof value === "number" ? value : undefined, shown: String(value) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { id, failure: { name, message, stack } };
  }
}

if (typeof globalThis.process?.versions?.node === "string") {
  const { parentPort } = globalThis.process.getBuiltinModule("node:worker_threads");
  parentPort?.on("message", async (message) => parentPort.postMessage(await answer(message)));
} else {
  self.addEventListener("message", async (event) => self.postMessage(await answer(event.data)));
}
