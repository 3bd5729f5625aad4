/** `tune`: the decisions of halving for each trial, values, failures, signals, checkpoints, and real fits. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { engineMemory } from "../../src/engine/memory/memory.ts";
import * as e from "../../src/entries/everything.ts";
import {
  adagrad,
  Dataset,
  fit,
  linear,
  type MakeTrial,
  minimize,
  type Trial,
  type TrialTick,
  type Tuned,
  tune,
} from "../../src/entries/everything.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const one = { rate: { low: 0, high: 1 } };
const measured = (epoch: number, loss: number): TrialTick => ({ epoch, validation: { loss } });

/** A fake run with these losses at epochs 1, 2, 3 … */
async function* losses(...values: number[]): AsyncGenerator<TrialTick> {
  for (const [i, loss] of values.entries()) {
    yield { epoch: i + 0.5, loss: 1e6 };
    yield measured(i + 1, loss);
  }
}

/** Trial i follows row i. */
const scripted =
  (...rows: number[][]): MakeTrial<"rate"> =>
  (_, { trial }) =>
    losses(...rows[trial]);

const brief = ({ trials }: { trials: Trial[] }) => trials.map(({ value, state, rung, epochs }) => [state, value, rung, epochs]);
const error = async (run: PromiseLike<unknown>): Promise<e.ErgodicError> =>
  run.then(
    () => {
      throw new Error("did not fail");
    },
    (reason) => reason,
  );
/** Everything except the run time. */
const told = ({ run: _, ...tuned }: Tuned<string>) => tuned;

describe("halving", () => {
  const nine = (...values: number[]): number[] => Array.from({ length: 9 }, (_, i) => values[Math.min(i, values.length - 1)]);

  it("stops all but the best 1/η at a rung: by hand, η = 3, rungs at 1 and 3 of 9 epochs", async () => {
    const make = scripted(
      nine(0.5, 0.5, 0.4), // the first runs to its end, and defines the rungs: n = 1 at each
      nine(0.6), // 2nd of 2 at rung 1: stopped
      nine(0.45, 0.45, 0.5), // 1st of 3 at rung 1; 2nd of 2 at rung 3: stopped
      nine(0.44, 0.3, 0.3), // 1st of 4; 1st of 3
      nine(0.445), // 2nd of 5, and ⌊5/3⌋ = 1 continues: stopped
      nine(0.445, 0.2, 0.1), // ties for 3rd of 6, and 2 continue; only one is lower (0.44), so it continues, 1st of 4 at rung 3
    );
    const tuned = await tune(make, { over: one, trials: 6, seed: 1 });
    expect(brief(tuned)).toEqual([
      ["finished", 0.4, undefined, 9],
      ["stopped", 0.6, 1, 1],
      ["stopped", 0.5, 3, 3],
      ["finished", 0.3, undefined, 9],
      ["stopped", 0.445, 1, 1],
      ["finished", 0.1, undefined, 9],
    ]);
    expect([tuned.finished, tuned.stopped, tuned.failed]).toEqual([3, 3, 0]);
    expect([tuned.epochs, tuned.epochsSaved]).toEqual([32, 6 * 9 - 32]);
    expect(tuned.best).toBe(tuned.trials[5]);
    expect(tuned.value).toBe(0.1);
    expect(tuned.settings).toEqual(tuned.trials[5].settings);
    expect(tuned.trials[2].losses).toEqual([1, 2, 3].map((epoch) => ({ epoch, loss: epoch < 3 ? 0.45 : 0.5 })));
  });

  it.each<[string, { eta?: number; first?: number }, number, number[]]>([
    ["R/η, R/η² … down to the first measurement", {}, 30, [30 / 27, 30 / 9, 10]],
    ["four of them at most", { eta: 2 }, 64, [4, 8, 16, 32]],
    ["none where a run is measured once", {}, 1, []],
    ["first, first·η … below the length", { first: 1 }, 10, [1, 3, 9]],
    ["never at the end", { first: 3, eta: 2 }, 12, [3, 6]],
  ])("places rungs: %s", async (_, halving, length, rungs) => {
    // Trial k + 1 is better than all earlier ones until just after rung k, then worse, and is therefore stopped at rung
    // k + 1. The last one is worse only at its end, and is therefore not stopped.
    const turns = [0, 0, ...rungs.map(Math.ceil)];
    turns[rungs.length + 1] = length - 1;
    const make: MakeTrial<"rate"> = (_, { trial }) =>
      losses(...Array.from({ length }, (_, i) => (trial === 0 ? 1 : i < turns[trial] ? 1 - trial / 100 : 1 + trial)));
    const { trials, finished } = await tune(make, { over: one, trials: rungs.length + 2, halving });
    expect([finished, trials[0].state, trials.at(-1)!.state]).toEqual([2, "finished", "finished"]);
    const stopped = trials.slice(1, -1);
    expect(stopped.length).toBe(rungs.length);
    for (const [k, { rung, epochs }] of stopped.entries()) {
      expect(rung).toBeCloseTo(rungs[k], 12);
      expect(epochs).toBe(Math.ceil(rungs[k]));
    }
  });

  it("uses the first loss at or after a rung if a run is measured rarely", async () => {
    const seldom: MakeTrial<"rate"> = async function* (_, { trial }) {
      for (const epoch of [4, 8, 12]) yield measured(epoch, trial + epoch);
    };
    const { trials } = await tune(seldom, { over: one, trials: 2, halving: { first: 1 } });
    expect(trials.map(({ state, rung, epochs }) => [state, rung, epochs])).toEqual([
      ["finished", undefined, 12],
      ["stopped", 1, 4],
    ]);
  });

  it("stops no trial if it is false", async () => {
    const tuned = await tune(scripted([1, 1, 1], [3, 2, 0.5], [9, 9, 9]), { over: one, trials: 3, halving: false });
    expect(tuned.trials.map(({ state }) => state)).toEqual(["finished", "finished", "finished"]);
    expect([tuned.value, tuned.epochs, tuned.epochsSaved]).toEqual([0.5, 9, 0]);
  });

  it("selects a finished trial as best, even if a stopped one was lower when it was stopped", async () => {
    const tuned = await tune(scripted([1, 1, 5], [2, 2, 2]), { over: one, trials: 2 });
    expect(brief(tuned)).toEqual([
      ["finished", 5, undefined, 3],
      ["stopped", 2, 1, 1],
    ]);
    expect(tuned.value).toBe(5);
  });

  it("is asynchronous: judges trials in the order in which they reach a rung", async () => {
    const make: MakeTrial<"rate"> = async function* (_, { trial }) {
      for (let epoch = 1; epoch <= 3; epoch++) {
        await wait(trial === 0 ? 40 : 5);
        yield measured(epoch, trial === 0 ? 2 : 1);
      }
    };
    const tuned = await tune(make, { over: one, trials: 2, concurrency: 2, halving: { first: 1 } });
    expect(brief(tuned)).toEqual([
      ["stopped", 2, 1, 1],
      ["finished", 1, undefined, 3],
    ]);
    expect(tuned.settings).toEqual(tuned.trials[1].settings);
  });

  it("aborts the signal of a stopped trial, which ends before the next begins", async () => {
    const log: string[] = [];
    const make: MakeTrial<"rate"> = (_, { trial, signal }) => {
      log.push(`begin ${trial}`);
      signal.addEventListener("abort", () => log.push(`abort ${trial}`));
      const ended = wait(20).then(() => void log.push(`end ${trial}`));
      // biome-ignore lint/suspicious/noThenProperty: as a run is
      return Object.assign(losses(trial, trial, trial), { then: ended.then.bind(ended) });
    };
    await tune(make, { over: one, trials: 3 });
    expect(log.slice(0, 7)).toEqual(["begin 0", "end 0", "begin 1", "abort 1", "end 1", "begin 2", "abort 2"]);
  });
});

describe("values", () => {
  it("are the last loss, or the smallest", async () => {
    const rows = [
      [3, 1, 2],
      [3, 2.5, 1.5],
    ];
    const options = { over: one, trials: 2, halving: false } as const;
    expect((await tune(scripted(...rows), options)).trials.map(({ value }) => value)).toEqual([2, 1.5]);
    const least = await tune(scripted(...rows), { ...options, value: "best" });
    expect([least.trials.map(({ value }) => value), least.value]).toEqual([[1, 1.5], 1]);
  });

  it("are computed from ticks by measure", async () => {
    const make = ({ rate }: { rate: number }) =>
      (async function* () {
        yield { epoch: 1, loss: 0, auc: 1 - rate };
      })();
    const tuned = await tune(make, { over: one, trials: 20, measure: ({ auc }) => -auc, seed: 2 });
    expect(tuned.value).toBe(tuned.settings.rate - 1);
    const silent = await error(tune(make, { over: one, trials: 2 }));
    expect([silent.code, silent.where]).toEqual(["TUNE_NO_LOSS", "tune"]);
  });

  it("have settings with names, types and ranges", async () => {
    const seen: Record<"rate" | "batch" | "half", number>[] = [];
    const tuned = await tune(
      (settings, { trial, seed }) => {
        expectTypeOf(settings).toEqualTypeOf<Record<"rate" | "batch" | "half", number>>();
        expect([trial, seed]).toEqual([seen.length, seed >>> 0]);
        seen.push(settings);
        return losses(settings.rate);
      },
      {
        over: {
          rate: { low: 1e-4, high: 1, scale: "log" },
          batch: { low: 1, high: 256, scale: "log", integer: true },
          half: { low: 0.5, high: 0.5 },
        },
        trials: 200,
        algorithm: e.randomSearch(),
        seed: 3,
      },
    );
    expectTypeOf(tuned.settings).toEqualTypeOf<Record<"rate" | "batch" | "half", number>>();
    expect(tuned.trials.map(({ settings }) => settings)).toEqual(seen);
    for (const { rate, batch, half } of seen) {
      expect(rate >= 1e-4 && rate <= 1).toBe(true);
      expect(Number.isInteger(batch) && batch >= 1 && batch <= 256).toBe(true);
      expect(half).toBe(0.5);
    }
    // Uniform in the logarithm: the median of 200 lies within 5 standard errors (0.5/√200, times 4 decades) of the
    // middle.
    const logs = seen.map(({ rate }) => Math.log10(rate)).sort((a, b) => a - b);
    expect(Math.abs(logs[100] + 2)).toBeLessThan((5 * 0.5 * 4) / Math.sqrt(200));
  });

  it("come from random points, from CMA-ES from 20 trials per searched setting, or from a given search", async () => {
    const over = { rate: { low: 0, high: 1 }, l2: { low: 0, high: 1 }, fixed: { low: 3, high: 3 } };
    const name = async (options: object) =>
      (await tune(() => losses(1), { over, until: { target: 1 }, ...options })).algorithm.search;
    expect(await name({})).toBe("randomSearch");
    expect(await name({ trials: 39 })).toBe("randomSearch");
    expect(await name({ trials: 40 })).toBe("cmaEs");
    expect(await name({ until: { seconds: 9, target: 1 } })).toBe("randomSearch");
    expect(await name({ algorithm: e.nelderMead() })).toBe("nelderMead");
  });

  it("find a planted optimum if learning beats chance", async () => {
    const loss = ({ rate, l2 }: { rate: number; l2: number }) => (Math.log10(rate) + 1.5) ** 2 + (Math.log10(l2) + 4) ** 2;
    const over = { rate: { low: 1e-4, high: 1, scale: "log" }, l2: { low: 1e-6, high: 0.1, scale: "log" } } as const;
    const { settings } = await tune((s) => losses(loss(s)), { over, trials: 400, seed: 1 });
    expect(Math.abs(Math.log10(settings.rate) + 1.5)).toBeLessThan(1e-3);
    expect(Math.abs(Math.log10(settings.l2) + 4)).toBeLessThan(1e-3);
  });
});

describe("failures", () => {
  const diverged = new e.ErgodicError("fit", "the training loss is NaN after 3 updates", "RUN_DIVERGED");

  it("marks a diverged trial as failed, and keeps its measurements at the rungs that it reached", async () => {
    const make: MakeTrial<"rate"> = async function* (_, { trial }) {
      if (trial === 1) {
        yield measured(1, 0.1);
        throw diverged;
      }
      if (trial === 2) throw diverged;
      if (trial === 3) yield measured(1, Number.NaN);
      yield* losses(0.5, 0.5, 0.5);
    };
    const tuned = await tune(make, { over: one, trials: 5 });
    expect(brief(tuned)).toEqual([
      ["finished", 0.5, undefined, 3],
      ["failed", Number.NaN, undefined, 1],
      ["failed", Number.NaN, undefined, 0],
      ["failed", Number.NaN, undefined, 0],
      ["stopped", 0.5, 1, 1],
    ]);
    expect([tuned.failed, tuned.value]).toEqual([3, 0.5]);
  });

  it("has no best trial if all diverge", async () => {
    const failed = await error(tune(() => losses(Number.POSITIVE_INFINITY), { over: one, trials: 3 }));
    expect(failed.message).toMatch(/^tune: all of 3 trials diverged; .* \[TUNE_NO_VALUE\]$/);
  });

  it("ends at other errors, and names the trial", async () => {
    const cause = new Error("disk full");
    const make: MakeTrial<"rate"> = async function* (_, { trial }) {
      if (trial === 2) throw cause;
      yield measured(1, 1);
    };
    const failed = await error(tune(make, { over: one, trials: 9, seed: 1 }));
    expect(failed.message).toMatch(/^tune: trial 2 \(rate 0\.\d+\) failed: disk full; .* \[TUNE_THROWN\]$/);
    expect(failed.cause).toBe(cause);
    const thrown = await error(tune(() => { throw cause; }, { over: one })); // biome-ignore format: one line
    expect([thrown.code, thrown.cause]).toEqual(["TUNE_THROWN", cause]);
  });

  it("refuses a trial that is not a run", async () => {
    const make = (async () => losses(1)) as unknown as MakeTrial<"rate">;
    expect((await error(tune(make, { over: one }))).message).toMatch(
      /^tune: make gave a promise, .* leave async out \[OPTION_TYPE\]$/,
    );
  });

  it.each<[string, object, string]>([
    ["no ranges", { over: {} }, "OPTION_TYPE"],
    ["nothing to search", { over: { rate: { low: 1, high: 1 } } }, "SEARCH_DIMENSION"],
    ["over of another kind", { over: 3 }, "OPTION_TYPE"],
    ["a range of another kind", { over: { rate: [0, 1] } }, "OPTION_TYPE"],
    ["a range upside down", { over: { rate: { low: 1, high: 0 } } }, "OPTION_RANGE"],
    ["a logarithm of 0", { over: { rate: { low: 0, high: 1, scale: "log" } } }, "OPTION_RANGE"],
    ["a scale unknown", { over: { rate: { low: 1, high: 2, scale: "ln" } } }, "OPTION_RANGE"],
    ["integers between halves", { over: { rate: { low: 0.5, high: 2, integer: true } } }, "OPTION_RANGE"],
    ["no trial", { over: one, trials: 0 }, "OPTION_RANGE"],
    ["trials twice", { over: one, trials: 2, until: { trials: 2 } }, "OPTION_CONFLICT"],
    ["η below 2", { over: one, halving: { eta: 1.5 } }, "OPTION_RANGE"],
    ["a rung at 0", { over: one, halving: { first: 0 } }, "OPTION_RANGE"],
    ["halving unknown", { over: one, halving: { rungs: 3 } }, "OPTION_UNKNOWN"],
    ["a value unknown", { over: one, value: "mean" }, "OPTION_RANGE"],
    ["concurrency 0", { over: one, concurrency: 0 }, "OPTION_RANGE"],
    ["an option unknown", { over: one, evaluations: 3 }, "OPTION_UNKNOWN"],
    ["an algorithm not called", { over: one, algorithm: e.cmaEs }, "OPTION_TYPE"],
  ])("refuses %s", (_, options, code) => {
    expect(() => tune(() => losses(1), options as never)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses a make that is not a function", () => {
    expect(() => tune(losses(1) as never, { over: one })).toThrow(/make is .* \[OPTION_TYPE\]$/);
  });
});

describe("a run of the engine", () => {
  const slow: MakeTrial<"rate"> = async function* ({ rate }, { signal }) {
    for (let epoch = 1; epoch <= 3; epoch++) {
      await wait(0);
      signal.throwIfAborted();
      yield measured(epoch, rate + 1 / epoch);
    }
  };

  it("ticks, describes its plan, and stops at a target or in time", async () => {
    const run = tune(slow, { over: one, trials: 40, seed: 1, halving: { eta: 3 } });
    const chosen = (await run.chosen) as e.TuneOptions & Record<string, never>;
    expect(chosen).toMatchObject({ names: ["rate"], halving: { eta: 3, first: null }, until: { trials: 40, seconds: null } });
    const ticks: e.Tick[] = [];
    for await (const tick of run) ticks.push(tick);
    const tuned = await run;
    const last = ticks.at(-1)!;
    expect(ticks.length).toBeGreaterThan(1);
    expect([last.update, last.loss, last.finished, last.stopped, last.epochs, last.epochsSaved]).toEqual([
      ...[40, tuned.value, tuned.finished, tuned.stopped, tuned.epochs, tuned.epochsSaved],
    ]);
    expect(tuned.reason).toBe("all evaluations made");
    const early = await tune(slow, { over: one, trials: 40, seed: 1, until: { target: 0.6 } });
    expect(early.value).toBeLessThanOrEqual(0.6);
    expect(early.trials.length).toBeLessThan(40);
    expect(early.reason).toBe("the target of 0.6 is reached");
    expect((await tune(slow, { over: one, until: { seconds: 0.05 } })).reason).toBe("time is up");
  });

  it("produces the same trials and stops with the same seed, and others with another seed", async () => {
    const options = { over: one, trials: 25, seed: 7 };
    const first = await tune(slow, options);
    expect(told(await tune(slow, options))).toEqual(told(first));
    expect(first.stopped).toBeGreaterThan(0);
    expect(told(await tune(slow, { ...options, seed: 8 }))).not.toEqual(told(first));
  });

  it("overlaps trials concurrently, with the same result without halving", async () => {
    let now = 0;
    let most = 0;
    const counted: MakeTrial<"rate"> = async function* (settings, context) {
      most = Math.max(most, ++now);
      await wait((context.trial * 7) % 5);
      yield* slow(settings, context);
      now--;
    };
    const options = { over: one, trials: 20, seed: 4, halving: false } as const;
    const together = await tune(counted, { ...options, concurrency: 4 });
    expect(most).toBe(4);
    expect(told(together)).toEqual(told(await tune(slow, options)));
  });

  it("ends by a signal, together with the current trial", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    let ended: unknown;
    const make: MakeTrial<"rate"> = (settings, context) => {
      context.signal.addEventListener("abort", () => (ended = context.signal.reason));
      if (context.trial === 3) stop.abort(reason);
      return slow(settings, context);
    };
    expect(await error(tune(make, { over: one, signal: stop.signal }))).toBe(reason);
    expect(ended).toBe(reason);
  });

  it.each([
    ["one at a time", 1],
    ["three at once", 3],
  ])("resumes from a checkpoint as if uninterrupted, %s, and repeats unfinished trials", async (name, concurrency) => {
    const halving = concurrency === 1 ? {} : (false as const);
    const options = { over: one, trials: 45, seed: 5, halving, algorithm: e.cmaEs() };
    const straight = await tune(slow, options);
    const stop = new AbortController();
    const begun: number[] = [];
    const interrupted: MakeTrial<"rate"> = (settings, context) => {
      begun.push(context.trial);
      if (context.trial === 20) setTimeout(() => stop.abort(new Error("stop")), 3);
      return slow(settings, context);
    };
    const run = tune(interrupted, { ...options, concurrency, signal: stop.signal });
    expect((await error(run)).message).toBe("stop");
    await run.checkpoint(at(name));
    const again: number[] = [];
    const make: MakeTrial<"rate"> = (settings, context) => {
      again.push(context.trial);
      return slow(settings, context);
    };
    const resumed = await tune.resume(at(name), make, { concurrency });
    expect(told(resumed)).toEqual(told(straight));
    expect(Math.min(...again)).toBeGreaterThan(10);
    expect(again.length).toBe(
      45 - Math.min(...again) - begun.filter((trial) => trial > Math.min(...again) && !again.includes(trial)).length,
    );
    const longer = await tune.resume(at(name), slow, { trials: 50, concurrency });
    expect(longer.trials.slice(0, 45)).toEqual(straight.trials);
    expect(longer.trials.length).toBe(50);
  });

  it("resumes a failed run after a fix, and refuses checkpoints of other runs", async () => {
    let broken = true;
    const make: MakeTrial<"rate"> = (settings, context) => {
      if (broken && context.trial === 4) throw new Error("disk full");
      return slow(settings, context);
    };
    const run = tune(make, { over: one, trials: 9, seed: 1 });
    expect((await error(run)).code).toBe("TUNE_THROWN");
    await run.checkpoint(at("failed"));
    broken = false;
    expect(told(await tune.resume(at("failed"), make))).toEqual(told(await tune(slow, { over: one, trials: 9, seed: 1 })));
    const other = minimize((x) => x[0] ** 2, [1], { evaluations: 10 });
    await other;
    await other.checkpoint(at("other"));
    expect((await error(tune.resume(at("other"), make))).code).toBe("CHECKPOINT_KIND");
    expect((await error(minimize.resume(at("failed"), (x) => x[0]))).code).toBe("CHECKPOINT_KIND");
  });

  it("finds the settings of least validation loss for fits, and a fit with them has the same loss", async () => {
    const x = Array.from({ length: 240 }, (_, i) => [((i * 37) % 64) / 32 - 1, ((i * 23) % 50) / 25 - 1]);
    using data = Dataset.fromArrays({ x, y: x.map(([a, b], i) => 2 * a - b + (((i * 53) % 20) - 9.5) / 10) });
    const { train, test } = data.split(0.7, { seed: 1 });
    const options = {
      over: { rate: { low: 1e-5, high: 1e4, scale: "log" }, l2: { low: 1e-6, high: 10, scale: "log" } },
      trials: 15,
      seed: 1,
    } as const;
    const start = (settings: { rate: number; l2: number }, more: object) =>
      fit(linear({ loss: "squared", l2: settings.l2 }), train, {
        rule: e.sgd({ rate: settings.rate }),
        epochs: 9,
        validate: test,
        seed: 1,
        ...more,
      });
    // However a trial ends, it leaves no memory in use. Garbage collection can free what earlier tests left.
    const used: number[] = [];
    await start({ rate: 0.1, l2: 0 }, {});
    const tuned = await tune((settings, { signal }) => {
      used.push(engineMemory().usedBytes);
      return start(settings, { signal });
    }, options);
    for (const [k, bytes] of used.entries()) expect(bytes, `before trial ${k}`).toBeLessThanOrEqual(used[Math.max(0, k - 1)]);
    expect(tuned.failed).toBeGreaterThan(0);
    expect(tuned.stopped).toBeGreaterThan(0);
    for (const { state, settings, value } of tuned.trials) {
      if (state === "failed") expect((await error(start(settings, {}))).code).toBe("RUN_DIVERGED");
      else if (state === "finished") {
        const run = await start(settings, {});
        expect(run.run.ticks.at(-1)!.validation!.loss).toBe(value);
      }
    }
    expect(tuned.value).toBe(Math.min(...tuned.trials.filter(({ state }) => state === "finished").map(({ value }) => value)));
    expect(told(await tune((settings, { signal }) => start(settings, { signal }), options))).toEqual(told(tuned));
    const refused = await error(tune(({ rate }) => fit(linear(), train, { rule: adagrad({ rate }), batch: -1 }), options));
    expect([refused.code, (refused.cause as e.ErgodicError).code]).toEqual(["TUNE_THROWN", "OPTION_RANGE"]);
    expect((await error(tune(({ rate }) => fit(linear(), train, { rule: adagrad({ rate }) }), options))).code).toBe(
      "TUNE_NO_LOSS",
    );
  });

  it("tunes searches, too", async () => {
    const rosen = (x: Float64Array): number => (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2;
    const { settings, trials } = await tune(
      ({ stepSize }, { seed, signal }) => minimize(rosen, [-1, 1], { stepSize, seed, signal, evaluations: 200 }),
      { over: { stepSize: { low: 1e-3, high: 10, scale: "log" } }, trials: 8, measure: ({ loss }) => loss, seed: 1 },
    );
    expect(trials.every(({ state }) => state === "finished")).toBe(true);
    expect(settings.stepSize).toBeGreaterThan(1e-3);
  });
});
