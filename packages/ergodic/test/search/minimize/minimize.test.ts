/**
 * `minimize`: both call forms, stopping conditions, evaluations that overlap, fail, hang or run on other threads, and
 * resumed runs.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as e from "../../../src/entries/everything.ts";
import { type BlackBox, type MinimizeOptions, type Minimum, minimize } from "../../../src/entries/everything.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

const f = (x: Float64Array): number => (x[0] - 1) ** 2 + 10 * (x[1] + 2) ** 2;
const start = [0, 0];
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const slow =
  (ms: number): BlackBox =>
  async (x) => {
    await wait(ms);
    return f(x);
  };

/** Everything except the run time. */
const told = ({ x, value, evaluations, failed, history, reason, centre }: Minimum) => ({
  ...{ x, value, evaluations, failed, history, reason, centre },
});
const error = async (run: PromiseLike<unknown>): Promise<e.ErgodicError> =>
  run.then(
    () => {
      throw new Error("did not fail");
    },
    (reason) => reason,
  );

describe("results", () => {
  it("finds the minimum, by CMA-ES unless otherwise specified, and reports how", async () => {
    const found = await minimize(f, start, { seed: 1 });
    expect(Math.abs(found.x[0] - 1)).toBeLessThan(1e-5);
    expect(Math.abs(found.x[1] + 2)).toBeLessThan(1e-5);
    expect(found.value).toBe(f(found.x));
    expect(found.algorithm).toEqual(e.cmaEs().toJSON());
    expect(found.evaluations).toBe(found.history.values.length);
    expect(found.history.best.at(-1)).toBe(found.value);
    expect(found.run.loss).toBe(found.value);
    expect(found.run.updates).toBe(found.evaluations);
    const saved = JSON.parse(JSON.stringify(found.saved));
    expect(saved).toEqual(found.saved);
    expect(saved.x).toEqual([...found.x]);
    expect(saved.search.algorithm.search).toBe("cmaEs");
    expect(e.searchFromJson(saved.search.algorithm).toJSON()).toEqual(found.algorithm);
  });

  it("accepts x0 before or among the options", async () => {
    const options: MinimizeOptions = { seed: 4, evaluations: 200 };
    const one = await minimize(f, start, options);
    for (const x0 of [start, Float64Array.from(start)]) expect(told(await minimize(f, { ...options, x0 }))).toEqual(told(one));
    expect(told(await minimize(f, start, { ...options, seed: 5 }))).not.toEqual(told(one));
  });

  it("searches a space of bounds, log scales and integers", async () => {
    const g = (x: Float64Array): number => Math.abs(Math.log10(x[0]) + 2.5) + (x[1] - 7.3) ** 2 + (x[2] - 0.9) ** 2;
    const found = await minimize(g, {
      bounds: [
        [1e-4, 1],
        [0, 20],
        [0, 0.5],
      ],
      scale: ["log", "linear", "linear"],
      integer: [false, true, false],
      seed: 1,
    });
    expect(Math.abs(Math.log10(found.x[0]) + 2.5)).toBeLessThan(1e-3);
    expect(found.x[1]).toBe(7);
    expect(Math.abs(found.x[2] - 0.5)).toBeLessThan(1e-3);
  });

  it("calls f with a copy of x, the evaluation number and a seed derived from the run's seed", async () => {
    const seen: [number, number][] = [];
    const spoiling: BlackBox = (x, { evaluation, seed }) => {
      const value = f(x);
      seen.push([evaluation, seed]);
      x.fill(Number.NaN);
      return value;
    };
    const spoilt = await minimize(spoiling, start, { seed: 1, evaluations: 50 });
    expect(told(spoilt)).toEqual(told(await minimize(f, start, { seed: 1, evaluations: 50 })));
    expect(seen.map(([evaluation]) => evaluation)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const first = [...seen];
    seen.length = 0;
    await minimize(spoiling, start, { seed: 1, evaluations: 50 });
    expect(seen).toEqual(first);
    expect(new Set(first.map(([, seed]) => seed)).size).toBe(50);
  });

  it("ticks with the best value so far", async () => {
    const run = minimize(slow(2), start, { seed: 1, evaluations: 120 });
    const ticks: e.Tick[] = [];
    for await (const tick of run) ticks.push(tick);
    const { history } = await run;
    expect(ticks.length).toBeGreaterThan(1);
    for (const tick of ticks) {
      expect(tick.loss).toBe(history.best[tick.update - 1]);
      expect(tick.best).toBe(tick.loss);
      expect(tick.value).toBe(history.values[tick.update - 1]);
      expect([tick.evaluations, tick.failed]).toEqual([tick.update, 0]);
    }
  });

  it("describes its plan", async () => {
    const run = minimize(f, start, { seed: 3, until: { target: 1 }, algorithm: e.spsa() });
    const chosen = (await run.chosen) as { search: { seed: number }; until: object };
    expect(chosen.until).toEqual({ evaluations: 2000, seconds: null, target: 1 });
    expect(chosen.search.seed).toBe(3);
    await run;
  });
});

describe("stopping conditions", () => {
  const counted = () => {
    let calls = 0;
    const g: BlackBox = (x) => {
      calls++;
      return f(x);
    };
    return { f: g, calls: () => calls };
  };

  it.each<[string, MinimizeOptions, string]>([
    ["at the evaluations given", { evaluations: 77 }, "all evaluations made"],
    ["at those of until", { until: { evaluations: 77 } }, "all evaluations made"],
  ])("stops %s", async (_, options, reason) => {
    const { f: g, calls } = counted();
    const found = await minimize(g, start, { seed: 1, ...options });
    expect([found.evaluations, found.reason, calls()]).toEqual([77, reason, 77]);
  });

  it("stops after 1000 evaluations per searched coordinate", async () => {
    const options = { algorithm: e.randomSearch() };
    const bounds: [number, number][] = [
      [0, 1],
      [2, 2],
      [0, 1],
    ];
    expect((await minimize(() => 1, { bounds, ...options })).evaluations).toBe(2000);
  });

  it("stops at the first value at or below the target, without another evaluation", async () => {
    const { f: g, calls } = counted();
    const found = await minimize(g, start, { seed: 1, until: { target: 0.5 } });
    expect(found.value).toBeLessThanOrEqual(0.5);
    expect([...found.history.values].slice(0, -1).every((value) => value > 0.5)).toBe(true);
    expect(found.reason).toBe("the target of 0.5 is reached");
    expect(calls()).toBe(found.evaluations);
  });

  it("stops when time is up, even without an evaluation limit", async () => {
    const found = await minimize(slow(1), start, {
      algorithm: e.randomSearch(),
      until: { seconds: 0.05 },
    });
    expect(found.reason).toBe("time is up");
    expect(found.run.seconds).toBeGreaterThanOrEqual(0.05);
    expect(found.evaluations).toBeGreaterThan(0);
  });

  it("stops with its algorithm's reason, and at a value of −Infinity", async () => {
    expect((await minimize(f, start, { algorithm: e.coordinateSearch({ tolerance: 0.1 }) })).reason).toBe(
      "every step is within 0.1 of its start",
    );
    const bottomless = await minimize((x) => Math.log(Math.max(0, x[0])), [1], { seed: 1 });
    expect([bottomless.value, bottomless.reason]).toEqual([-Infinity, "the value is -Infinity, the lowest possible"]);
  });
});

describe("overlapping evaluations", () => {
  /** Later evaluations end earlier about half of the time. */
  const uneven = () => {
    const now = { running: 0, most: 0 };
    const g: BlackBox = async (x, { evaluation }) => {
      now.most = Math.max(now.most, ++now.running);
      await wait((evaluation * 7) % 3);
      now.running--;
      return f(x);
    };
    return { g, now };
  };

  it.each([1, 3, 8])("give the same result byte for byte, %i at a time", async (concurrency) => {
    const { g, now } = uneven();
    const options = { seed: 2, evaluations: 150, algorithm: e.cmaEs({ population: 12 }) };
    const found = await minimize(g, start, { ...options, concurrency });
    expect(told(found)).toEqual(told(await minimize(f, start, options)));
    expect(now).toEqual({ running: 0, most: concurrency });
  });

  it("stop at the same evaluation", async () => {
    const options = { seed: 2, until: { target: 0.3 } };
    const found = await minimize(uneven().g, start, { ...options, concurrency: 4 });
    expect(told(found)).toEqual(told(await minimize(f, start, options)));
  });

  it("end by a signal", async () => {
    const ended: unknown[] = [];
    const g: BlackBox = async (x, { signal }) => {
      signal.addEventListener("abort", () => ended.push(signal.reason));
      await wait(x[0] === 0 ? 0 : 20);
      return f(x);
    };
    await minimize(g, start, { algorithm: e.coordinateSearch(), concurrency: 2, until: { target: 41 } });
    expect(ended.length).toBeGreaterThan(0);
    expect(String(ended[0])).toContain("the run has ended [RUN_ENDED]");
  });
});

describe("failures", () => {
  it("counts NaN as a failed evaluation", async () => {
    const found = await minimize((x) => (x[0] > 1.2 ? Number.NaN : f(x)), start, { seed: 1, evaluations: 500 });
    expect(found.failed).toBeGreaterThan(0);
    expect(found.failed).toBe(found.history.values.filter(Number.isNaN).length);
    expect(found.value).toBeLessThan(1e-3);
  });

  it("reports an error if f returns nothing or not a number", async () => {
    const none = await error(minimize(() => Number.NaN, start, { evaluations: 30 }));
    expect(none.message).toBe(
      "minimize: none of 30 evaluations gave a number below Infinity; start where f has a value, or let f return one [SEARCH_NO_VALUE]",
    );
    const text = await error(minimize((() => "3") as unknown as BlackBox, start, { algorithm: e.coordinateSearch() }));
    expect(text).toBeInstanceOf(e.OptionError);
    expect(text.message).toBe(
      "minimize: f gave 3 at x = [0, 0], but must give a number, or NaN where it has no value [SEARCH_VALUE]",
    );
    expect((await error(minimize((async () => undefined) as unknown as BlackBox, start))).code).toBe("SEARCH_VALUE");
  });

  it.each(["at once", "later"])(
    "fails with an error of f (%s) and its point, and the run can be checkpointed and resumed",
    async (when) => {
      const cause = new RangeError("the bench caught fire");
      const broken: BlackBox = (x, { evaluation }) => {
        if (evaluation < 40) return f(x);
        if (when === "at once") throw cause;
        return Promise.reject(cause);
      };
      const run = minimize(broken, start, { seed: 1, evaluations: 100 });
      const failed = await error(run);
      expect(failed.code).toBe("SEARCH_THROWN");
      expect(failed.message).toMatch(/^minimize: f failed at x = \[-?\d.*\]: the bench caught fire; let it return NaN /);
      expect(failed.cause).toBe(cause);
      await run.checkpoint(at(`thrown ${when}`));
      const resumed = await minimize.resume(at(`thrown ${when}`), f);
      expect(told(resumed)).toEqual(told(await minimize(f, start, { seed: 1, evaluations: 100 })));
    },
  );

  it("aborts immediately although f hangs, and can be checkpointed and resumed", async () => {
    const abort = new AbortController();
    let seen: AbortSignal | undefined;
    const hanging: BlackBox = (x, { evaluation, signal }) => {
      if (evaluation < 25) return f(x);
      seen = signal;
      setTimeout(() => abort.abort(new Error("enough")), 10);
      return new Promise<number>(() => {});
    };
    const run = minimize(hanging, start, { seed: 1, evaluations: 100, signal: abort.signal });
    expect((await error(run)).message).toBe("enough");
    expect(seen?.aborted && (seen.reason as Error).message).toBe("enough");
    await run.checkpoint(at("aborted"));
    const resumed = await minimize.resume(at("aborted"), f);
    expect(told(resumed)).toEqual(told(await minimize(f, start, { seed: 1, evaluations: 100 })));
  });

  it("ticks and detects an abort within a generation of any size", async () => {
    const abort = new AbortController();
    let calls = 0;
    const run = minimize((x) => x[0] + 0 * calls++, new Float64Array(40), {
      algorithm: e.cmaEs({ population: 1e6 }),
      signal: abort.signal,
    });
    const watched = async (): Promise<void> => {
      for await (const { evaluations } of run) {
        expect(evaluations).toBeLessThan(5e5);
        if (calls > 100) abort.abort(new Error("enough"));
      }
    };
    expect((await error(watched())).message).toBe("enough");
    await error(run);
    expect(calls).toBeLessThan(5e5);
  });

  it("evaluates nothing if the signal is already aborted", async () => {
    let calls = 0;
    const run = minimize(() => calls++, start, { signal: AbortSignal.abort(new Error("never mind")) });
    expect((await error(run)).message).toBe("never mind");
    expect(calls).toBe(0);
  });
});

describe("resumed runs", () => {
  it.each([1, 5])("equal uninterrupted runs, %i evaluations at a time", async (concurrency) => {
    const options = { seed: 9, repeat: 2, commonRandomNumbers: true, evaluations: 160 };
    const noisy = (x: Float64Array, seed: number): number => f(x) + (seed % 1000) / 1e4;
    const whole = await minimize((x, { seed }) => noisy(x, seed), start, options);
    let kept: Promise<void> | undefined;
    const run = minimize(
      async (x, { seed, evaluation }) => {
        if (evaluation === 61) kept = run.checkpoint(at(`part ${concurrency}`));
        await wait(evaluation % 2);
        return noisy(x, seed);
      },
      start,
      { ...options, concurrency },
    );
    expect(told(await run)).toEqual(told(whole));
    await kept;
    let calls = 0;
    const resumed = await minimize.resume(at(`part ${concurrency}`), (x, { seed }) => {
      calls++;
      return noisy(x, seed);
    });
    expect(told(resumed)).toEqual(told(whole));
    // A checkpoint is made at the end of a stretch, whose length the clock chooses. On a fast machine it can be the
    // last of the run.
    expect(calls).toBeLessThanOrEqual(160 - 61);
  });

  it("accept more evaluations, even after their end, and keep their schedules", async () => {
    const options = { seed: 1, algorithm: e.spsa(), evaluations: 100 };
    const run = minimize(f, start, options);
    await run;
    await run.checkpoint(at("end"));
    const same = await minimize.resume(at("end"), f);
    expect(told(same)).toEqual(told(await run));
    const more = await minimize.resume(at("end"), f, { evaluations: 150 });
    expect(more.evaluations).toBe(150);
    expect(more.history.values.slice(0, 100)).toEqual((await run).history.values);
    const twice = minimize.resume(at("end"), f, { until: { evaluations: 120 } });
    await twice;
    await twice.checkpoint(at("end2"));
    expect(told(await minimize.resume(at("end2"), f, { evaluations: 150 }))).toEqual(told(more));
  });

  it("support a user-defined search", async () => {
    e.defineSearch("walkOfTheTests", { rate: 1 }, (_, given) => e.onePlusOneEs().start(given), { summary: "", source: "" });
    const json = { search: "walkOfTheTests", options: { rate: 2 } };
    const run = minimize(f, start, { algorithm: e.searchFromJson(json), evaluations: 60, seed: 1 });
    const whole = await run;
    await run.checkpoint(at("mine"));
    const resumed = await minimize.resume(at("mine"), f);
    expect(resumed.algorithm).toEqual(json);
    expect(told(resumed)).toEqual(told(whole));
  });

  it("must come from minimize", async () => {
    const data = e.Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
    const run = e.fit(e.linear({ loss: "squared" }), data, { epochs: 1 });
    await run;
    await run.checkpoint(at("fit"));
    const refused = await error(minimize.resume(at("fit"), f));
    expect(refused.message).toContain(
      "is the checkpoint of another kind of run; resume it with the verb that wrote it [CHECKPOINT_KIND]",
    );
  });
});

describe("workers", () => {
  const module = async (name: string, text: string): Promise<URL> => {
    await writeFile(at(name), text);
    return pathToFileURL(at(name));
  };
  const objective = "(x, { seed }) => (x[0] - 1) ** 2 + 10 * (x[1] + 2) ** 2 + (seed % 8)";
  const here: BlackBox = (x, { seed }) => f(x) + (seed % 8);

  it.each([undefined, 3])("%s threads compute the same result as the main thread", async (workers) => {
    const url = await module(`f${workers}.mjs`, `export default ${objective};`);
    const options = { seed: 1, evaluations: 60 };
    expect(told(await minimize(url, start, { ...options, workers }))).toEqual(told(await minimize(here, start, options)));
  });

  it("evaluate simultaneously", async () => {
    // Each waits for three threads, so fewer threads would wait for ever.
    const url = await module(
      "meet.mjs",
      `import { threadId } from "node:worker_threads";
       import { existsSync, writeFileSync } from "node:fs";
       export default async (x, { evaluation }) => {
         if (evaluation < 3) {
           writeFileSync(new URL("./met" + evaluation, import.meta.url), String(threadId));
           while (![0, 1, 2].every((i) => existsSync(new URL("./met" + i, import.meta.url)))) await new Promise((r) => setTimeout(r, 2));
         }
         return threadId;
       };`,
    );
    const found = await minimize(url, start, { workers: 3, evaluations: 6 });
    expect(new Set(found.history.values.slice(0, 3)).size).toBe(3);
  });

  it("pass their errors on to the run, by name and message", async () => {
    const url = await module("throws.mjs", `export default () => { throw new RangeError("no such tank"); };`);
    const failed = await error(minimize(url, start, { workers: 2 }));
    expect(failed.code).toBe("SEARCH_THROWN");
    expect([(failed.cause as Error).name, (failed.cause as Error).message]).toEqual(["RangeError", "no such tank"]);
    const nothing = await module("nothing.mjs", "export const f = () => 1;");
    expect((await error(minimize(nothing, start))).message).toContain("nothing.mjs has no default export that is a function");
    const absent = await error(minimize(pathToFileURL(at("absent.mjs")), start));
    expect(absent.message).toContain("absent.mjs");
    const text = await module("text.mjs", `export default () => "high";`);
    expect((await error(minimize(text, start))).message).toContain("f gave high at x = [");
  });

  it("fail the run when a thread ends, and the run can be checkpointed", async () => {
    const url = await module(
      "ends.mjs",
      `export default (x, { evaluation }) => { if (evaluation === 20) process.exit(3); return (${objective})(x, { seed: 0 }); };`,
    );
    const run = minimize(url, start, { workers: 2, seed: 1, evaluations: 50 });
    const failed = await error(run);
    expect((failed.cause as e.WorkerError).message).toBe(
      "worker: ended in the middle of an evaluation: the thread ended with code 3 [WORKER_DIED]",
    );
    await run.checkpoint(at("ended"));
    expect(told(await minimize.resume(at("ended"), f))).toEqual(told(await minimize(f, start, { seed: 1, evaluations: 50 })));
  });

  it("are terminated by an abort even if they hang", async () => {
    const url = await module("hangs.mjs", "export default () => { for (;;); };");
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("enough")), 200);
    expect((await error(minimize(url, start, { workers: 2, signal: abort.signal }))).message).toBe("enough");
  });
});

describe("refused input", () => {
  const given =
    (g: unknown, ...more: unknown[]) =>
    () =>
      (minimize as (...args: unknown[]) => unknown)(g, ...more);
  const url = new URL("file:///f.mjs");

  it.each<[string, () => unknown, string]>([
    [
      "a closure for threads",
      given(f, start, { workers: 2 }),
      'minimize: workers is 2, but f is a function, and a closure cannot be sent to a thread; make it the default export of a module and give new URL("./f.js", import.meta.url), or use concurrency for an f that gives promises [MINIMIZE_CLOSURE]',
    ],
    [
      "a path for f",
      given("f.js", start),
      'minimize: f is "f.js", but must be a function of x, or the URL of a module: write new URL("./f.js", import.meta.url) [OPTION_TYPE]',
    ],
    [
      "workers and concurrency",
      given(url, start, { workers: 2, concurrency: 2 }),
      "minimize: both workers and concurrency were given, but each worker makes one evaluation at a time; leave concurrency out [OPTION_CONFLICT]",
    ],
    [
      "half a worker",
      given(url, start, { workers: 0.5 }),
      "minimize: workers is 0.5, but must be an integer >= 1 [OPTION_RANGE]",
    ],
    [
      "no concurrency",
      given(f, start, { concurrency: 0 }),
      "minimize: concurrency is 0, but must be an integer >= 1 [OPTION_RANGE]",
    ],
    ["a number for x0", given(f, 3), "minimize: x0 is 3, but must be an array: write [3] [OPTION_TYPE]"],
    ["x0 twice", given(f, start, { x0: start }), "minimize: x0 was given twice; leave one out [OPTION_CONFLICT]"],
    [
      "nothing to search",
      given(f, {}),
      "minimize: neither x0 nor bounds were given; give the start x0, or the bounds to search [OPTION_MISSING]",
    ],
    [
      "an unknown option",
      given(f, start, { evaluation: 3 }),
      'minimize: unknown option "evaluation"; did you mean "evaluations"?',
    ],
    ["an unknown limit", given(f, start, { until: { epochs: 3 } }), 'minimize.until: unknown option "epochs"'],
    [
      "evaluations twice",
      given(f, start, { evaluations: 3, until: { evaluations: 3 } }),
      "minimize: evaluations were given twice; leave them out of until [OPTION_CONFLICT]",
    ],
    [
      "no evaluations",
      given(f, start, { evaluations: 0 }),
      "minimize: evaluations is 0, but must be an integer >= 1 [OPTION_RANGE]",
    ],
    [
      "no time",
      given(f, start, { until: { seconds: 0 } }),
      "minimize.until: seconds is 0, but must be a number > 0 [OPTION_RANGE]",
    ],
    [
      "a target that is none",
      given(f, start, { until: { target: Number.NaN } }),
      "minimize.until: target is NaN, but must be a number [OPTION_RANGE]",
    ],
    [
      "x0 outside",
      given(f, [3], { bounds: [[0, 1]] }),
      "minimize: x0[0] is 3, but must lie within its bounds [0, 1] [SEARCH_START]",
    ],
    [
      "an algorithm of fit",
      given(f, start, { algorithm: e.adam() }),
      "minimize: algorithm is adam(), but must be a search: write cmaEs() [OPTION_TYPE]",
    ],
  ])("refuses %s", (_, call, message) => {
    expect(call).toThrow(message);
  });

  it("refuses unknown options of resume", () => {
    expect(() => minimize.resume("x", f, { seed: 3 } as object)).toThrow('minimize.resume: unknown option "seed"');
  });
});
