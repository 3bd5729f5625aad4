import { readFile } from "node:fs/promises";
import { DataError, OptionError } from "ergodic";
import { checkKeys, checkNumber, isRule, type OnlineRun, shown } from "ergodic/extend";
import { LearnerError } from "./errors.ts";
import { LearnerFolder, sha256 } from "./folder.ts";
import type { JournalContent } from "./journal-bytes.ts";
import { Learner, type LearnerParts } from "./learner.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { Progress } from "./progress.ts";
import { LearningRun } from "./run.ts";
import { isNotes, LearnerState, type SnapshotNotes } from "./state.ts";
import type { KeptVersion, LearnerOptions, OnlineLearner } from "./types.ts";

const NAMES = ["model", "folder", "rule", "batch", "seed", "keep", "journalBytes", "maxRows", "maxQueueRows"] as const;

/**
 * Opens a folder in which a model learns from requests. A new folder begins with `model`. In an existing folder,
 * learning continues where it ended, bit for bit.
 *
 * Only one process at a time can have it open.
 *
 * @throws OptionError; DataError for a model or a folder that is damaged, and for a folder that cannot be made;
 * CapabilityError for a model that does not learn row by row; LearnerError if another process has the folder open, or
 * the folder was begun with another model or other options
 *
 * @example
 * ```ts
 * const rule = sgd({ rate: 0.01 });
 * const learner = await openLearner({ model: "income.safetensors", folder: "income.learnt", rule });
 * const { loss, version } = await learner.learn([{ age: 40, hours: 38 }], ["yes"]);   // on the disk now
 * learner.current().predictor.predict({ age: 40, hours: 38 });
 * await learner.rollback(0);
 * ```
 */
export async function openLearner(options: LearnerOptions): Promise<OnlineLearner> {
  checkKeys("openLearner", options, NAMES);
  const {
    folder,
    model,
    rule,
    batch = 1,
    seed = 0,
    keep = 5,
    journalBytes = 2 ** 26,
    maxRows = 10_000,
    maxQueueRows = 100_000,
  } = options;
  if (typeof folder !== "string" || folder === "")
    throw new OptionError("openLearner", `folder is ${shown(folder)}, but must be a path, e.g. "income.learnt"`, "OPTION_TYPE");
  if (model !== undefined && !isModel(model)) throw notModel(model);
  if (rule !== undefined && !isRule(rule)) {
    const said = `rule is ${shown(rule)}, but must be a rule: write sgd({ rate: 0.01 })`;
    throw new OptionError("openLearner", said, "OPTION_TYPE");
  }
  checkNumber("openLearner", "batch", batch, { low: 1, high: 65_536, integer: true });
  checkNumber("openLearner", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber("openLearner", "keep", keep, { low: 1, integer: true });
  checkNumber("openLearner", "journalBytes", journalBytes, { low: 1 });
  checkNumber("openLearner", "maxRows", maxRows, { low: 1, integer: true });
  if (maxQueueRows !== Infinity) checkNumber("openLearner", "maxQueueRows", maxQueueRows, { low: 1 });
  const files = await LearnerFolder.open(folder);
  const lock = await lockFolder(folder).catch((error: unknown) => {
    throw explained(error, folder);
  });
  let learner: Learner | undefined;
  try {
    await files.claim(() => lock.verify());
    const settings = { folder: files, lock, keep, journalBytes, maxRows, maxQueueRows };
    const journal = await files.readJournal();
    const versions = await files.versions();
    learner = versions.length === 0 ? await begun(options, settings) : await resumed(options, versions, journal, settings);
    await (journal ? learner.replay(journal) : learner.start());
    await lock.verify();
    return learner;
  } catch (error) {
    const reason = explained(await reasonOf(error, lock), folder);
    await files.abandon();
    await learner?.close();
    await lock.release();
    throw reason;
  }
}

type Settings = Pick<LearnerParts, "lock" | "keep" | "journalBytes" | "maxRows" | "maxQueueRows"> & { folder: LearnerFolder };

/**
 * Returns the error to report. If another process took over while the folder was being opened, this is the cause of all
 * other errors.
 */
async function reasonOf(error: unknown, lock: FolderLock): Promise<unknown> {
  return lock.verify().then(
    () => error,
    (lost: unknown) => (lost instanceof LearnerError ? lost : error),
  );
}

/** Adds the folder to disk errors. */
function explained(error: unknown, folder: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const said = `cannot be opened (${message}); check the disk and the permissions`;
  return new LearnerError(folder, said, "JOURNAL_WRITE", { cause: error });
}

async function begun(options: LearnerOptions, settings: Settings): Promise<Learner> {
  const { model, rule, batch, seed } = options;
  if (model === undefined)
    throw new OptionError(
      "openLearner",
      `${options.folder} is new, but no initial model was given; give model: a trained model`,
      "OPTION_MISSING",
    );
  const bytes = await bytesOf(model);
  const run = await LearningRun.begin(bytes, {
    ...(rule !== undefined && { rule }),
    ...(batch !== undefined && { batch }),
    ...(seed !== undefined && { seed }),
  });
  const notes = {
    version: 0,
    at: "",
    origin: sha256(bytes).toString("hex"),
    requests: 0,
    rollbacks: 0,
    progress: new Progress().toJSON(),
  };
  return new Learner({ ...settings, state: new LearnerState(run, notes), kept: [] });
}

async function resumed(
  options: LearnerOptions,
  versions: readonly number[],
  journal: JournalContent | undefined,
  settings: Settings,
): Promise<Learner> {
  const { folder } = settings;
  const base = journal?.version ?? 0;
  const snapshot = await folder.readSnapshot(base);
  const run = await LearningRun.begin(snapshot);
  try {
    const notes = await notesOf(run.run, snapshot, base, folder.path);
    await refuseOthers(options, run.run, notes, folder.path);
    const kept: KeptVersion[] = [];
    for (const version of versions) {
      const { at, progress } =
        version === base ? notes : await notesOf(run.run, await folder.readSnapshot(version), version, folder.path);
      kept.push({ version, at, rows: progress.all.rows });
    }
    await run.run.restore(snapshot);
    return new Learner({ ...settings, state: new LearnerState(run, notes), kept });
  } catch (error) {
    run.run.dispose();
    throw error;
  }
}

async function notesOf(run: OnlineRun, snapshot: Uint8Array, version: number, where: string): Promise<SnapshotNotes> {
  const { learner } = await run.restore(snapshot);
  if (!isNotes(learner))
    throw new DataError(where, "holds a snapshot that was not written by a learner; use another folder", "FOLDER_DAMAGED");
  if (learner.version === version) return learner;
  const problem = `has a snapshot named version ${version}, which contains version ${learner.version}`;
  throw new DataError(where, `${problem}; restore the folder from a copy`, "FOLDER_DAMAGED");
}

/**
 * Refuses another model or other options. A folder has one model and one rule, because its versions would otherwise not
 * be comparable.
 */
async function refuseOthers(
  { model, rule, batch, seed }: LearnerOptions,
  run: OnlineRun,
  notes: SnapshotNotes,
  where: string,
): Promise<void> {
  const refuse = (what: string): never => {
    throw new LearnerError(
      where,
      `${what}; give the original or leave it out to continue, or use another folder`,
      "FOLDER_OTHER",
    );
  };
  if (model !== undefined && sha256(await bytesOf(model)).toString("hex") !== notes.origin)
    refuse("was started with another model");
  if (rule && JSON.stringify(rule.toJSON()) !== JSON.stringify(run.rule))
    refuse(`uses the rule ${JSON.stringify(run.rule)}, but rule is ${JSON.stringify(rule.toJSON())}`);
  if (batch !== undefined && batch !== run.batch) refuse(`uses batches of ${run.batch} rows, but batch is ${batch}`);
  if (seed !== undefined && seed !== run.seed) refuse(`has seed ${run.seed}, but seed is ${seed}`);
}

async function bytesOf(model: NonNullable<LearnerOptions["model"]>): Promise<Uint8Array> {
  if (model instanceof Uint8Array) return model;
  if (model instanceof Blob) return new Uint8Array(await model.arrayBuffer());
  if (typeof model === "string" || model instanceof URL) {
    try {
      return await readFile(model);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new DataError(
        "openLearner",
        `model is ${JSON.stringify(String(model))}, which cannot be read (${code}); give the path of a model`,
        "FILE_READ",
        { cause },
      );
    }
  }
  const bytes: unknown = model.toBytes();
  if (bytes instanceof Uint8Array) return bytes;
  throw new OptionError(
    "openLearner",
    `toBytes() of model returned ${shown(bytes)}, but must return the bytes of a model file`,
    "OPTION_TYPE",
  );
}

function isModel(value: unknown): value is NonNullable<LearnerOptions["model"]> {
  if (typeof value === "string") return value !== "";
  if (value instanceof Uint8Array || value instanceof Blob || value instanceof URL) return true;
  return typeof (value as { toBytes?: unknown } | null)?.toBytes === "function";
}

function notModel(value: unknown): OptionError {
  const said = `model is ${shown(value)}, but must be a trained model, or its file: a path, a URL, a Blob or bytes`;
  return new OptionError("openLearner", said, "OPTION_TYPE");
}
