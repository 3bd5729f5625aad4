import { DataError, ErgodicError } from "ergodic";
import type { Served } from "../models/served.ts";
import { RefusedError } from "../refused.ts";
import { RequestError } from "../server/request-error.ts";
import { Loads } from "./loads.ts";
import { type Batching, ModelVersion } from "./model-version.ts";
import { type Candidate, candidatesOf, type Source, stampOf } from "./sources.ts";

/** A version in the index. */
export interface IndexEntry {
  /** Name of the model. */
  readonly name: string;
  /** Version of the model. */
  readonly version: string;
  /** Whether the version answers. */
  readonly state: "READY" | "UNAVAILABLE";
  /**
   * Reason why the version is not served, or why the current content of its file or folder is not served; "" if there
   * is no fault.
   */
  readonly reason: string;
}

/** Reports an event to the log. */
export type Report = (level: "info" | "warn", message: string, fields: Record<string, string>) => void;

export interface RepositorySettings {
  readonly sources: readonly Source[];
  /** Models given as objects, by name. */
  readonly fixed: ReadonlyMap<string, Served>;
  readonly batching: Batching;
  /** Number of newest good versions that are served per model. */
  readonly versions: number;
  /** Milliseconds between two scans of the files. Infinity: there are no scans. */
  readonly pollMs: number;
  /** Loads the model `name`. Stops on the signal. */
  readonly load: (path: string, name: string, signal: AbortSignal) => Promise<Served>;
  /** Longest time in milliseconds for which the loading of one model can delay other models. Default 30,000. */
  readonly patienceMs?: number;
  readonly report: Report;
}

const PATIENCE_MS = 30_000;
/** Milliseconds after which a client can ask again for a model that is being loaded. */
const RETRY_MS = 1000;

/** A served version, with the stamp of its file. */
interface Loaded {
  readonly model: ModelVersion;
  readonly stamp: string;
  /** Whether its file was missing at the last scan. While a file is being replaced, it can be missing for a moment. */
  absent: boolean;
}

interface Model {
  /** Loaded versions, newest first. */
  loaded: Map<string, Loaded>;
  /** Reason why a file could not be served, by version. */
  readonly failed: Map<string, { readonly stamp: string; readonly reason: string; readonly cause: unknown }>;
  candidates: readonly Candidate[];
  /** Whether a client unloaded the model. An unloaded model is not loaded again until a client asks for it. */
  unloaded: boolean;
}

/**
 * Served models, by name and version. The served models follow the files, which are scanned regularly and on request. A
 * version is served as soon as it is completely loaded. The previous version answers the requests that it has already
 * accepted, and it is then closed. If a file cannot be loaded, the index shows it and nothing else changes.
 */
export class Repository {
  readonly #settings: RepositorySettings;
  readonly #loads: Loads;
  readonly #models = new Map<string, Model>();
  readonly #retiring = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #trouble = "";
  /** Model names that two files claim. */
  #doubled: ReadonlyMap<string, DataError> = new Map();
  #started = false;
  #closed = false;

  constructor(settings: RepositorySettings) {
    this.#settings = settings;
    this.#loads = new Loads(settings.load, settings.patienceMs ?? PATIENCE_MS);
    for (const [name, served] of settings.fixed) {
      const model = this.#modelOf(name);
      const joining = joiningFields(served);
      if (joining) settings.report("info", "taken", { model: name, version: "1", ...joining });
      model.loaded.set("1", { model: new ModelVersion(name, "1", served, settings.batching), stamp: "fixed", absent: false });
    }
  }

  /** Loads the existing models. @throws DataError if a source does not exist, or is a file that cannot be served */
  async start(): Promise<void> {
    for (const error of (await candidatesOf(this.#settings.sources)).doubled.values()) throw error;
    await this.#inTurn(() => this.#scan());
    this.#started = true;
    for (const { path } of this.#settings.sources) {
      const bad = this.index().find(
        (entry) => entry.state !== "READY" && this.#models.get(entry.name)?.candidates[0].path === path,
      );
      const cause = bad && this.#models.get(bad.name)?.failed.get(bad.version)?.cause;
      // If an error names the file, it is complete.
      if (cause instanceof DataError && cause.where === path) throw cause;
      if (bad) throw new DataError(path, `cannot be served: ${bad.reason}`, "MODEL_FORMAT", { cause });
    }
    if (this.#settings.pollMs < Infinity) this.#poll();
  }

  /** Whether the models that existed at the start have been loaded. */
  get isStarted(): boolean {
    return this.#started;
  }

  /** Names of the known models. */
  get names(): string[] {
    return [...this.#models.keys()].sort();
  }

  /** Yields all served versions. */
  *[Symbol.iterator](): Generator<ModelVersion> {
    for (const name of this.names) for (const { model } of this.#models.get(name)!.loaded.values()) yield model;
  }

  /** Returns the served versions of a model, newest first. */
  versionsOf(name: string): string[] {
    return [...(this.#models.get(name)?.loaded.keys() ?? [])];
  }

  /**
   * Returns the named version, or the newest served version if none is named. @throws RequestError (404); RefusedError
   * (503) while models are still being loaded
   */
  get(name: string, version?: string): ModelVersion {
    const model = this.#models.get(name);
    if (model) for (const [known, { model: found }] of model.loaded) if (version === undefined || known === version) return found;
    if (!this.#started) {
      const said = "models are still being loaded; try again later";
      throw new RefusedError(`model "${name}"`, said, "LOADING", RETRY_MS);
    }
    if (!model) throw notFound(`model "${name}"`, `is not known; there is ${listed(this.names)}`);
    const reason = this.index().find((entry) => entry.name === name && (version ?? entry.version) === entry.version)?.reason;
    if (version === undefined) throw notFound(`model "${name}"`, `is not served (${reason || "it has no version"})`);
    const versions = [...model.loaded.keys()];
    const said = reason ? `is not served (${reason})` : "is not known";
    throw notFound(`version "${version}" of model "${name}"`, `${said}; there is ${listed(versions)}`);
  }

  /** Returns every version of every model, with its state. */
  index(): IndexEntry[] {
    return this.names.flatMap((name) => {
      const { loaded, failed, candidates } = this.#models.get(name)!;
      const versions = new Set([...candidates.map(({ version }) => version), ...loaded.keys(), ...failed.keys()]);
      return [...versions]
        .sort((a, b) => Number(b) - Number(a))
        .map((version): IndexEntry => {
          const state = loaded.has(version) ? "READY" : "UNAVAILABLE";
          return { name, version, state, reason: this.#reasonOf(name, version) };
        });
    });
  }

  #reasonOf(name: string, version: string): string {
    const { loaded, failed, candidates, unloaded } = this.#models.get(name)!;
    const told = this.#doubled.get(name)?.message ?? failed.get(version)?.reason;
    if (told !== undefined) return told;
    const other = candidates.find((one) => one.version === version)?.other;
    if (loaded.has(version)) return other === undefined ? (loaded.get(version)!.model.served.degraded ?? "") : toldOther(other);
    if (unloaded) return "unloaded";
    const newer = [...loaded.keys()].filter((one) => Number(one) > Number(version)).length;
    const { versions } = this.#settings;
    return newer >= versions ? `older than the served versions (at most ${versions})` : "not loaded yet";
  }

  /**
   * Scans the files now. Also tries again to load files of this model that could not be loaded before. @throws
   * RequestError with the reason why it is not served
   */
  async load(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const model = this.#models.get(name);
      if (model) model.unloaded = false;
      await this.#scan(name);
    });
    const model = this.#models.get(name);
    if (!model) throw notFound(`model "${name}"`, `is not known; there is ${listed(this.names)}`);
    const doubled = this.#doubled.get(name);
    if (doubled) throw new RequestError(`model "${name}"`, `cannot be loaded: ${doubled.message}`, "MODEL");
    const [newest] = model.candidates;
    const reason = newest && model.failed.get(newest.version)?.reason;
    if (reason) throw new RequestError(`version "${newest.version}" of model "${name}"`, `cannot be served: ${reason}`, "MODEL");
  }

  /** Stops serving the model. Requests that were already accepted are still answered. */
  async unload(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const model = this.#models.get(name);
      if (!model) throw notFound(`model "${name}"`, `is not known; there is ${listed(this.names)}`);
      model.unloaded = true;
      for (const version of [...model.loaded.keys()]) void this.#retire(name, version);
      this.#settings.report("info", "unloaded", { model: name });
    });
  }

  /** Resolves when all accepted requests are answered, and all models are freed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const loads = this.#loads.close();
    await this.#work;
    for (const name of this.names) for (const version of this.versionsOf(name)) void this.#retire(name, version);
    await Promise.all([loads, ...this.#retiring]);
  }

  #poll(): void {
    this.#timer = setTimeout(async () => {
      await this.#inTurn(() => this.#scan()).catch((error: Error) => {
        // If a folder is missing, this might be temporary, so its models are still served.
        if (this.#trouble !== error.message) this.#settings.report("warn", error.message, {});
        this.#trouble = error.message;
      });
      if (!this.#closed) this.#poll();
    }, this.#settings.pollMs);
    this.#timer.unref();
  }

  /** Runs tasks one at a time. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#work.then(act);
    this.#work = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /**
   * Scans the files. `again`: name of a model. The files of this model are tried again, regardless of earlier results.
   */
  async #scan(again?: string): Promise<void> {
    const { models, doubled } = await candidatesOf(this.#settings.sources);
    this.#trouble = "";
    this.#loads.keep(new Set([...models.values()].flatMap((candidates) => candidates.map(({ path }) => path))));
    for (const [name, { message }] of doubled)
      if (!this.#doubled.has(name)) this.#settings.report("warn", message, { model: name });
    this.#doubled = doubled;
    for (const name of new Set([...models.keys(), ...this.#models.keys()])) {
      // Either of the two files could be the intended one, so the current model is still served.
      if (this.#settings.fixed.has(name) || doubled.has(name)) continue;
      await this.#update(name, models.get(name) ?? [], name === again);
    }
  }

  async #update(name: string, candidates: readonly Candidate[], again: boolean): Promise<void> {
    const model = this.#modelOf(name);
    for (const one of candidates)
      if (one.other && !model.candidates.some(({ version, other }) => version === one.version && other === one.other))
        this.#settings.report("warn", toldOther(one.other), { model: name, version: one.version });
    model.candidates = candidates;
    const isThere = new Set(candidates.map(({ version }) => version));
    for (const version of [...model.failed.keys()]) if (!isThere.has(version)) model.failed.delete(version);
    if (model.unloaded || this.#closed) return;
    let good = 0;
    const superseded: string[] = [];
    for (const candidate of candidates) {
      const { version } = candidate;
      if (good >= this.#settings.versions) superseded.push(version);
      else if (await this.#ready(name, model, candidate, again)) good++;
    }
    for (const version of superseded) {
      model.failed.delete(version);
      void this.#retire(name, version);
    }
    for (const [version, loaded] of [...model.loaded]) {
      if (isThere.has(version)) loaded.absent = false;
      else if (loaded.absent) {
        void this.#retire(name, version);
        this.#settings.report("info", "its file is gone: unloaded", { model: name, version });
      } else loaded.absent = true;
    }
    if (candidates.length === 0 && model.loaded.size === 0) this.#models.delete(name);
  }

  /** Returns whether the version is served afterwards, with the current or the previous content of its file. */
  async #ready(name: string, model: Model, { version, path, stamp }: Candidate, again: boolean): Promise<boolean> {
    const before = model.loaded.get(version);
    if (before?.stamp === stamp && !again) return true;
    if (model.failed.get(version)?.stamp === stamp && !again) return before !== undefined;
    const labels = { model: name, version };
    try {
      const isAwaited = !this.#started && this.#settings.sources.some((source) => source.path === path);
      const served = await this.#loads.of(path, name, stamp, isAwaited, async () => {
        model.failed.delete(version);
        await this.#inTurn(() => this.#scan());
      });
      if ((await stampOf(path).catch(() => "gone")) !== stamp) {
        await served.close();
        throw new RequestError(path, "changed while it was read; it is read again at the next check", "MODEL");
      }
      const next = new ModelVersion(name, version, served, this.#settings.batching);
      if (before) this.#retiring.add(this.#closing(before.model));
      model.loaded.set(version, { model: next, stamp, absent: false });
      model.loaded = new Map([...model.loaded].sort(([a], [b]) => Number(b) - Number(a)));
      model.failed.delete(version);
      this.#settings.report("info", before ? "reloaded" : "loaded", { ...labels, ...joiningFields(served) });
      return true;
    } catch (error) {
      if (this.#closed) return false;
      const reason = error instanceof ErgodicError ? error.message : `internal: ${(error as Error).message}`;
      model.failed.set(version, { stamp, reason, cause: error });
      this.#settings.report("warn", "cannot be served", {
        ...labels,
        reason,
        instead: before ? "its previous content" : model.candidates.at(-1)?.version === version ? "nothing" : "older versions",
      });
      return before !== undefined;
    }
  }

  /** Withdraws a version immediately, and closes it when it has answered its accepted requests. */
  #retire(name: string, version: string): Promise<void> {
    const model = this.#models.get(name);
    const loaded = model?.loaded.get(version);
    if (!model || !loaded) return Promise.resolve();
    model.loaded.delete(version);
    const closing = this.#closing(loaded.model);
    this.#retiring.add(closing);
    return closing;
  }

  #closing(model: ModelVersion): Promise<void> {
    const closing = model
      .close()
      .catch((error: Error) => this.#settings.report("warn", `did not close: ${error.message}`, { model: model.name }))
      .finally(() => this.#retiring.delete(closing));
    return closing;
  }

  #modelOf(name: string): Model {
    const known = this.#models.get(name);
    if (known) return known;
    const model: Model = { loaded: new Map(), failed: new Map(), candidates: [], unloaded: false };
    this.#models.set(name, model);
    return model;
  }
}

/** Fields for the log. */
const joiningFields = ({ joining }: Served): { joins: string; because: string } | undefined =>
  joining && { joins: joining.joins ? "yes" : "no", because: joining.because };

const toldOther = (other: string): string => `${other} is in the same folder, and is not served; remove one of the two`;

function notFound(where: string, message: string): RequestError {
  return new RequestError(where, message, "NOT_FOUND", 404);
}

function listed(names: readonly string[]): string {
  const most = 20;
  if (names.length === 0) return "none";
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
}
