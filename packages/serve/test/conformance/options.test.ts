/**
 * Every option of the server, of learners and of batchers is tested with valid and invalid values. A value of another
 * kind is refused with a typed error that names the option, and never causes an error of JavaScript itself. Valid
 * values are tried, too.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sgd } from "ergodic";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as values from "../../../ergodic/test/conformance/options/values.ts";
import { power } from "../../../ergodic/test/power.ts";
import { batcher, openLearner, serve, systemClock } from "../../src/index.ts";
import { regression } from "../server/models.ts";

const {
  above,
  callable,
  either,
  failureOf,
  flag,
  junk,
  knownOptions,
  list,
  made,
  none,
  number,
  one,
  text,
  whole,
  withOption,
  wrongAnswer,
} = values;
/** Number of valid values of an option that are tried. All start a server or a learner in the same way. */
const MOST_ACCEPTED = power(2, Infinity);
const LONGEST_MS = 2 ** 31 - 1;
const endless = one(Infinity);

let line: Awaited<ReturnType<typeof regression>>;
let folder: string;
let folders = 0;
beforeAll(async () => {
  line = await regression();
  folder = mkdtempSync(join(tmpdir(), "ergodic-options-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Declared {
  readonly call: (options: object) => unknown;
  readonly options: Readonly<Record<string, values.Takes>>;
  /** Valid values that are not tried, because they would take long or leave something behind. */
  readonly untried?: (option: string, value: unknown) => boolean;
}

const learning = { keep: whole(1), journalBytes: number(1), maxRows: whole(1), maxQueueRows: either(number(1), endless) };
const declared: Readonly<Record<string, Declared>> = {
  serve: {
    call: async (options) => {
      const server = await serve({ models: { line }, port: 0, log: "nothing", ...options } as never);
      await server.close();
    },
    options: {
      models: either((value) => text(value) && value !== "", list(text)),
      port: whole(0, 65_535),
      host: (value) => text(value) && value !== "",
      maxBatch: whole(1),
      maxDelayMs: number(0),
      targetP99Ms: above(0),
      maxQueueRows: either(number(1), endless),
      deadlineMs: either(above(0), endless),
      workers: whole(0, 1024),
      maxWork: either(above(0), endless),
      maxMemory: either(above(0), endless),
      versions: whole(1),
      join: (value) => Object.prototype.toString.call(value) === "[object Object]" && Object.keys(value as object).length === 0,
      unknown: (value) => value === "zero" || value === "refuse",
      pollMs: either(number(10, LONGEST_MS), endless),
      tokens: none,
      control: flag,
      tls: none,
      cors: (value) => Array.isArray(value) && value.length === 0,
      maxBodyBytes: whole(1, 2 ** 30),
      maxJsonBytes: whole(1, 2 ** 30),
      // At least maxBodyBytes.
      maxHeldBytes: whole(2 ** 24),
      maxConnections: whole(1),
      requestMs: whole(1, LONGEST_MS),
      keepAliveMs: whole(1, LONGEST_MS - 1000),
      drainMs: number(0, LONGEST_MS),
      log: none,
      logTo: none,
    },
    // The network is asked for its names.
    untried: (option) => option === "host",
  },
  openLearner: {
    call: async (options) => {
      const learner = await openLearner({ model: line, folder: join(folder, String(++folders)), ...options } as never);
      await learner.close();
    },
    options: {
      model: (value) => text(value) && value !== "",
      folder: (value) => text(value) && value !== "",
      rule: made("a rule"),
      batch: whole(1, 65_536),
      seed: whole(0, Number.MAX_SAFE_INTEGER),
      ...learning,
    },
    untried: (option) => option === "folder",
  },
  "openLearner of a folder that is there": {
    call: async (options) => {
      const learner = await openLearner({ folder: join(folder, "there"), ...options } as never);
      await learner.close();
    },
    // A valid value that differs from the folder's contents also gives a typed error.
    options: {
      model: (value) => text(value) && value !== "",
      folder: (value) => text(value) && value !== "",
      rule: made("a rule"),
      batch: whole(1, 65_536),
      seed: whole(0, Number.MAX_SAFE_INTEGER),
      ...learning,
    },
    untried: (option) => option === "folder",
  },
  batcher: {
    call: (options) => batcher({ run: (rows: number[]) => rows, ...options } as never),
    options: {
      run: callable,
      rows: callable,
      maxRows: whole(1),
      concurrency: whole(1),
      maxDelayMs: number(0),
      targetP99Ms: above(0),
      maxQueueRows: either(number(1), endless),
      deadlineMs: either(above(0), endless),
      ageingMs: number(0),
      clock: none,
    },
  },
  submit: {
    call: (options) => batcher({ run: (rows: number[]) => rows }).submit(1, options),
    options: { priority: whole(1, 9), deadlineMs: either(above(0), endless), signal: none },
  },
};

beforeAll(async () => {
  const learner = await openLearner({ model: line, folder: join(folder, "there"), rule: sgd({ rate: 0.01 }) });
  await learner.close();
});

describe.each(Object.entries(declared))("options of %s", (_, { call, options, untried }) => {
  it("accept declared values and refuse all others", async () => {
    const wrong: string[] = [];
    for (const [option, takes] of Object.entries(options)) {
      let accepted = 0;
      for (const [what, value] of junk) {
        if (takes(value) && (untried?.(option, value) || ++accepted > MOST_ACCEPTED)) continue;
        const answer = wrongAnswer(option, takes(value), value, await failureOf(() => call(withOption({}, option, value))));
        if (answer) wrong.push(`${option}, ${what}: ${answer}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("are all declared", async () => {
    expect((await knownOptions(call)).sort()).toEqual(Object.keys(options).sort());
  });
});

it("refuses invalid options objects", async () => {
  const learner = await openLearner({ folder: join(folder, "there") });
  const calls: Record<string, (options: never) => unknown> = {
    serve,
    openLearner,
    batcher,
    submit: (options) => batcher({ run: (rows: number[]) => rows }).submit(1, options),
    learn: (options) => learner.learn([[1, 2, 3]], [1], options),
  };
  const wrong: string[] = [];
  for (const [name, call] of Object.entries(calls))
    for (const [what, value] of junk) {
      if (Object.prototype.toString.call(value) === "[object Object]") continue;
      const answer = wrongAnswer("", false, value, await failureOf(() => call(value as never)));
      if (answer) wrong.push(`${name}, ${what}: ${answer}`);
    }
  expect(wrong).toEqual([]);
  expect(learner.stats().requests).toBe(0);
  await learner.close();
});

it("checks the weights of learn", async () => {
  const learner = await openLearner({ folder: join(folder, "there") });
  const taken = list(number(0));
  const wrong: string[] = [];
  for (const [what, value] of junk) {
    const rows = Array.from({ length: (value as ArrayLike<number> | null)?.length === 2 ? 2 : 1 }, () => [1, 2, 3]);
    const failure = await failureOf(() =>
      learner.learn(
        rows,
        rows.map(() => 1),
        { weights: value as never },
      ),
    );
    const answer = wrongAnswer("weigh", taken(value), value, failure);
    if (answer) wrong.push(`${what}: ${answer}`);
  }
  expect(wrong).toEqual([]);
  await learner.close();
});

describe("messages about wrong values", () => {
  const controller = new AbortController();
  const told = async (call: () => unknown): Promise<unknown> => ((await failureOf(call)) as Error).message;
  const batches = batcher({ run: (rows: number[]) => rows, clock: systemClock });

  it("explains wrong options of a batcher", async () => {
    expect(await told(() => batches.submit(1, { signal: controller as never }))).toBe(
      "batcher.submit: signal is of type AbortController, but must be the controller's AbortSignal: write signal: controller.signal [OPTION_TYPE]",
    );
    expect(await told(() => batches.submit(1, { signal: "now" as never }))).toBe(
      'batcher.submit: signal is "now", but must be an AbortSignal: write signal: controller.signal, or signal: AbortSignal.timeout(60_000) [OPTION_TYPE]',
    );
    expect(await told(() => batcher({ run: (rows: number[]) => rows, clock: { now: () => 1 } as never }))).toBe(
      "batcher: clock is an object of now, but must have now, setTimeout, clearTimeout, setImmediate; omit it for the machine's [OPTION_TYPE]",
    );
    expect((await batches.submit(1, { signal: controller.signal })).answer).toBe(1);
  });

  it("explains wrong options of a learner", async () => {
    const open = (options: object) => told(() => openLearner({ model: line, folder: join(folder, "told"), ...options } as never));
    expect(await open({ folder: 10n })).toBe(
      'openLearner: folder is 10n, but must be a path, e.g. "income.learnt" [OPTION_TYPE]',
    );
    const [file, inFile] = [join(folder, "file"), join(folder, "file", "in")];
    writeFileSync(file, "");
    for (const at of [file, inFile])
      expect(await open({ folder: at })).toBe(
        `${at}: cannot be used as a learner's folder (it or a folder above it is a file); give another path [FOLDER_MAKE]`,
      );
    expect(await open({ folder: join(folder, "x".repeat(300)) })).toMatch(
      /cannot be used as a learner's folder \(ENAMETOOLONG: .*\); give another path \[FOLDER_MAKE\]$/,
    );
    expect(await open({ rule: 0 })).toBe("openLearner: rule is 0, but must be a rule: write sgd({ rate: 0.01 }) [OPTION_TYPE]");
    expect(await open({ model: [1] })).toBe(
      "openLearner: model is an array of 1, but must be a trained model, or its file: a path, a URL, a Blob or bytes [OPTION_TYPE]",
    );
    expect(await open({ model: { toBytes: () => Symbol("x") } })).toBe(
      "openLearner: toBytes() of model returned Symbol(x), but must return the bytes of a model file [OPTION_TYPE]",
    );
  });
});
