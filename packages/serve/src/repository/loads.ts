import type { Served } from "../models/served.ts";
import { RequestError } from "../server/request-error.ts";

/** Milliseconds for which `close` waits for files that are being loaded. */
const CLOSE_MS = 2000;

interface Load {
  readonly stamp: string;
  readonly served: Promise<Served>;
  /** Aborts the load if its result is no longer needed. */
  readonly stop: AbortController;
  /** Whether no caller waits for it any more. */
  isLate: boolean;
}

/**
 * Files that are being loaded. Each load is awaited only for a limited time, so that a load that never ends blocks
 * nothing else. For example, a load never ends if a disk does not respond.
 */
export class Loads {
  readonly #load: (path: string, name: string, signal: AbortSignal) => Promise<Served>;
  readonly #patienceMs: number;
  readonly #all = new Map<string, Load>();
  readonly #end = new AbortController();

  /** `load` must stop on its signal, so that no thread continues to compute for a deleted file. */
  constructor(load: (path: string, name: string, signal: AbortSignal) => Promise<Served>, patienceMs: number) {
    this.#load = load;
    this.#patienceMs = patienceMs;
  }

  /**
   * Returns the model from the file with this stamp, to be served under this name. A load that is already in progress
   * is not started again. `isPatient`: waits without a limit. `onLate`: called when a load succeeds or fails after this
   * call had rejected. If no caller fetches the result before that callback ends, the result is closed.
   *
   * @throws RequestError if the load takes long, or the server ends; errors of the load
   */
  async of(path: string, name: string, stamp: string, isPatient: boolean, onLate: () => Promise<void>): Promise<Served> {
    this.#refuseEnded(path);
    let load = this.#all.get(path);
    if (load?.stamp !== stamp) {
      load?.stop.abort(changed(path));
      const stop = new AbortController();
      load = { stamp, served: this.#load(path, name, stop.signal), stop, isLate: false };
      this.#all.set(path, load);
    }
    const mine = load;
    const settled = await this.#patience(mine.served, isPatient ? Infinity : this.#patienceMs);
    // close() handles loads that are in progress.
    this.#refuseEnded(path);
    if (!settled) {
      if (!mine.isLate) void this.#late(path, mine, onLate);
      const seconds = this.#patienceMs / 1000;
      throw new RequestError(path, `is still loading after ${seconds} s; it will be served once loaded`, "MODEL");
    }
    this.#drop(path, mine);
    return mine.served;
  }

  /** Aborts the loads of files that no longer exist. */
  keep(paths: ReadonlySet<string>): void {
    for (const [path, { stop }] of this.#all) if (!paths.has(path)) stop.abort(changed(path));
  }

  /** Closes all loads, without waiting for slow ones. */
  async close(): Promise<void> {
    this.#end.abort();
    const all = [...this.#all];
    for (const [path, load] of all) {
      this.#drop(path, load);
      load.stop.abort(new RequestError(path, ENDS, "CLOSING", 503));
    }
    const closed = Promise.all(all.map(([, { served }]) => closeOf(served)));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))]);
    clearTimeout(timer);
  }

  async #late(path: string, load: Load, onLate: () => Promise<void>): Promise<void> {
    load.isLate = true;
    await load.served.catch(() => {});
    if (!this.#end.signal.aborted) await onLate().catch(() => {});
    if (!load.isLate) return;
    this.#drop(path, load);
    await closeOf(load.served);
  }

  #refuseEnded(path: string): void {
    if (this.#end.signal.aborted) throw new RequestError(path, ENDS, "CLOSING", 503);
  }

  /** Forgets a load whose result a caller has taken. */
  #drop(path: string, load: Load): void {
    load.isLate = false;
    if (this.#all.get(path) === load) this.#all.delete(path);
  }

  /** Returns whether the load succeeded or failed in time, before the server began to close. */
  async #patience(served: Promise<Served>, ms: number): Promise<boolean> {
    const { signal } = this.#end;
    let timer: NodeJS.Timeout | undefined;
    let giveUp = (): void => {};
    const late = new Promise<boolean>((resolve) => {
      giveUp = () => resolve(false);
      signal.addEventListener("abort", giveUp);
      if (ms < Infinity) timer = setTimeout(giveUp, ms);
    });
    const settled = served.then(
      () => true,
      () => true,
    );
    const found = await Promise.race([settled, late]);
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
    return found;
  }
}

const ENDS = "was not loaded because the server is shutting down; use another server";

const changed = (path: string): RequestError =>
  new RequestError(path, "was changed or removed while it was loading; the current file is loaded instead", "MODEL");

/** Resolves when the result of the load has been closed, if the load had a result. */
async function closeOf(served: Promise<Served>): Promise<void> {
  await served.then((one) => one.close()).catch(() => {});
}
