import type { WebWorker } from "../threads/web-types.ts";
import { workerText } from "./builds/threads.ts";
import { openThread, type Port, type ThreadSource } from "./threads.ts";

const source: ThreadSource = {
  name: "ergodic-worker",
  text: workerText,
  file: (): WebWorker => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "ergodic-worker" }),
};

/** Opens a thread for the pool. Hosts without shared memory never load this module, which contains the program. */
export function openPoolThread<M>(onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  return openThread(source, onMessage, onDeath);
}
