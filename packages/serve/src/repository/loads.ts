import type { Served } from "../models/served.ts";
import { RequestError } from "../server/request-error.ts";

/** How long the end waits for files that are being loaded. */
const CLOSE_MS = 2000;

interface Load {
  readonly stamp: string;
  readonly served: Promise<Served>;
  /** Ends the load when its result is no longer wanted. */
  readonly stop: AbortController;
  /** Nobody waits for it now. */
  isLate: boolean;
}

/** Files that are being loaded. None is waited for longer than a while: one that never ends, as on a disk that does not answer, holds up nothing else. */
export class Loads {
  readonly #load: (path: string, name: string, signal: AbortSignal) => Promise<Served>;
  readonly #patienceMs: number;
  readonly #all = new Map<string, Load>();
  readonly #end = new AbortController();

  /** `load` must stop on its signal, so that no thread computes for a file that is gone. */
  constructor(load: (path: string, name: string, signal: AbortSignal) => Promise<Served>, patienceMs: number) {
    this.#load = load;
    this.#patienceMs = patienceMs;
  }

  /**
   * What the file of this stamp holds, which is the model of that name; a load of it that is under way is not begun again. `isPatient`: however long it takes. `onLate`: where it was there, or could
   * not be loaded, after this had rejected; what nobody takes from here by then is closed.
   *
   * @throws RequestError where it takes long, or the server ends; what the load throws
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
    // close() has what is under way.
    this.#refuseEnded(path);
    if (!settled) {
      if (!mine.isLate) void this.#late(path, mine, onLate);
      const seconds = this.#patienceMs / 1000;
      throw new RequestError(path, `is not loaded after ${seconds} s; it is served as soon as it is`, "MODEL");
    }
    this.#drop(path, mine);
    return mine.served;
  }

  /** Ends the loads of files that no longer exist. */
  keep(paths: ReadonlySet<string>): void {
    for (const [path, { stop }] of this.#all) if (!paths.has(path)) stop.abort(changed(path));
  }

  /** Waits for none that takes long. */
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

  /** It is somebody's now. */
  #drop(path: string, load: Load): void {
    load.isLate = false;
    if (this.#all.get(path) === load) this.#all.delete(path);
  }

  /** Whether it settled in that time, and before the end. */
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

const ENDS = "is not loaded, as the server ends; ask another";

const changed = (path: string): RequestError =>
  new RequestError(path, "has changed or is gone since its load began; what is there now is loaded", "MODEL");

/** Resolves when what came of it, if anything did, has given back what it held. */
async function closeOf(served: Promise<Served>): Promise<void> {
  await served.then((one) => one.close()).catch(() => {});
}
