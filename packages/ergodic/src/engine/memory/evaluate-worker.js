/**
 * A thread that evaluates the default export of a module. The same program runs as a Node worker thread and as a Web
 * Worker. It is plain JavaScript without imports, because threads are created from its text (threads.ts).
 *
 * Messages in: {id, module, x, context}, where `module` is a URL. Out: {id, value, shown} or {id, failure: {name,
 * message, stack}}; `shown`: the value as text. {started: true} is sent once the thread hears messages.
 */

/**
 * @param {{ id: number, module: string, x: Float64Array, context: object }} message
 * @returns {Promise<object>}
 */
async function answer({ id, module, x, context }) {
  try {
    const { default: f } = await import(/* @vite-ignore */ /* webpackIgnore: true */ module);
    if (typeof f !== "function") throw new TypeError(`${module} has no default export that is a function`);
    // The thread ends with the run, so this signal never fires. The signal is passed so that the same f works on all
    // hosts.
    const value = await f(x, { ...context, signal: new AbortController().signal });
    // Values that are not numbers might not be cloneable. Their text is enough for the error.
    return { id, value: typeof value === "number" ? value : undefined, shown: String(value) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { id, failure: { name, message, stack } };
  }
}

if (typeof globalThis.process?.versions?.node === "string") {
  const { parentPort } = globalThis.process.getBuiltinModule("node:worker_threads");
  parentPort?.on("message", async (message) => parentPort.postMessage(await answer(message)));
  parentPort?.postMessage({ started: true });
} else {
  self.addEventListener("message", async (event) => self.postMessage(await answer(event.data)));
  self.postMessage({ started: true });
}
