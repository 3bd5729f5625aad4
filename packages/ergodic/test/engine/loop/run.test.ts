/** The loop over a scripted progression: its stops, validation, state, ticks, aborts and checkpoints. */
import { describe, expect, it } from "vitest";
import type { JsonObject, Snapshot, Tick } from "../../../src/engine/contract/index.ts";
import { Run, type RunSummary } from "../../../src/engine/loop/run.ts";
import { resolveStopping, type StoppingOptions, type Until } from "../../../src/engine/loop/stopping.ts";
import { type Script, Scripted } from "./scripted.ts";

interface Ended {
  parameters: number[];
  summary: RunSummary;
}
interface Kept {
  snapshot: Snapshot;
  loop: JsonObject;
}
interface Options {
  until?: Until;
  validateEvery?: number;
  patience?: number;
  validate?: (parameters: Float64Array) => Record<string, number>;
  signal?: AbortSignal;
  resume?: { snapshot: Snapshot; loop: JsonObject };
  hasMeanLoss?: boolean;
}

function begin(script: Script, options: Options = {}): { run: Run<Ended>; progression: Scripted; kept: Kept[] } {
  const progression = new Scripted(script);
  const kept: Kept[] = [];
  const { until, validateEvery, patience, validate, signal, resume, hasMeanLoss } = options;
  const stopping: StoppingOptions = resolveStopping("fit", { until, validateEvery, patience }, validate !== undefined);
  const run = new Run<Ended>({
    signal,
    validate,
    hasMeanLoss,
    start: async () => ({ progression, stopping, chosen: { scripted: true }, ...(resume ? { resume } : {}) }),
    finish: (parameters, summary) => ({ parameters: [...parameters], summary }),
    keep: (snapshot, loop) => {
      kept.push({ snapshot, loop: JSON.parse(JSON.stringify(loop)) });
      return new Uint8Array();
    },
  });
  return { run, progression, kept };
}

const pause = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("stopping", () => {
  it.each([
    { until: { epochs: 3 }, step: 30 },
    { until: { epochs: 0.5 }, step: 5 },
    { until: { epochs: 1.25 }, step: 13 },
    { until: { updates: 17 }, step: 17 },
    { until: { epochs: 5, updates: 1 }, step: 1 },
    { until: { epochs: 1, updates: 100 }, step: 10 },
  ])("stops at $until", async ({ until, step }) => {
    const { run, progression } = begin({}, { until });
    const { summary } = await run;
    expect(progression.step).toBe(step);
    expect(summary).toMatchObject({ updates: step, epochs: step / 10, reason: "all updates made" });
    expect(progression.disposed).toBe(1);
  });

  it("stops at the step that ends part of an epoch, although a check comes just before", async () => {
    const { run, progression } = begin({}, { until: { epochs: 1.25 }, validateEvery: 0.6, validate: () => ({ loss: 1 }) });
    await run;
    expect(progression.step).toBe(13);
  });

  it("stops at the first step that reaches the number of updates, also if lanes end early", async () => {
    // Four lanes for six steps of an epoch, then one lane for four steps.
    const updatesAt = (s: number): number => (s < 6 ? 4 : 1);
    for (const [updates, step] of [
      [1, 1],
      [4, 1],
      [5, 2],
      [24, 6],
      [25, 7],
      [28, 10],
      [29, 11],
      [100, 34],
    ]) {
      const { run, progression } = begin({ updatesAt }, { until: { updates } });
      await run;
      expect(progression.step).toBe(step);
    }
  });

  it("stops when the loss of an epoch falls by less than the tolerance", async () => {
    const lossAt = (step: number): number => 2 ** -Math.floor(step / 10) + 1;
    const { run, progression } = begin({ lossAt }, { until: { epochs: 50, tolerance: 0.05 } });
    const { summary } = await run;
    // The losses are 2, 1.5, 1.25, 1.125, 1.0625. The last falls by 0.0625 > 0.053, and 1.03125 would fall by 0.031.
    expect(progression.step).toBe(60);
    expect(summary.reason).toBe("the loss of an epoch fell by less than 0.05");
    expect(summary.loss).toBe(1.03125);
    const rising = begin({ lossAt: (step) => Math.floor(step / 10) }, { until: { epochs: 50, tolerance: 0 } });
    await rising.run;
    expect(rising.progression.step).toBe(20);
    // The losses are -1, -2, -2.01. The fall relative to a negative loss is used, too.
    const below = begin(
      { lossAt: (step) => [-1, -2, -2.01][Math.floor(step / 10)] ?? -3 },
      { until: { epochs: 50, tolerance: 0.05 } },
    );
    await below.run;
    expect(below.progression.step).toBe(30);
  });

  it("stops while it is paused", async () => {
    const { run } = begin({ stepsPerEpoch: 1e9, onAdvance: () => pause(1) }, { until: { epochs: 1 } });
    run.pause();
    await pause(50);
    run.stop("enough");
    const late = pause(10_000).then(() => Promise.reject(new Error("it is still paused")));
    expect((await Promise.race([run, late])).summary.reason).toBe("enough");
  });

  it("stops after the given seconds of training", async () => {
    const { run, progression } = begin({ stepsPerEpoch: 1e9, onAdvance: () => pause(5) }, { until: { seconds: 0.06 } });
    const { summary } = await run;
    expect(summary.reason).toBe("time is up");
    expect(summary.seconds).toBeGreaterThanOrEqual(0.06);
    // Stretches grow at most sixteenfold, so the first ones must be short.
    expect(progression.asked[0]).toBe(1);
    for (const [i, steps] of progression.asked.slice(1).entries()) expect(steps).toBeLessThanOrEqual(16 * progression.asked[i]);
  });

  describe("reason that reports a falling loss", () => {
    /** The loss is 1 in the first epoch of ten steps, and changes by `factor` in each later one. */
    const falling = (factor: number) => (step: number) => factor ** Math.floor(step / 10);
    const reasonOf = async (script: Script, options: Options): Promise<string> =>
      (await begin(script, { hasMeanLoss: true, ...options }).run).summary.reason;

    it.each<[string, number, Until, string]>([
      ["1 % or more", 0.9899, { epochs: 3 }, "all updates made, but the loss still fell by 1 % in the last epoch"],
      ["less", 0.9901, { epochs: 3 }, "all updates made"],
      ["a rise", 1.5, { epochs: 3 }, "all updates made"],
      ["half", 0.5, { updates: 25 }, "all updates made, but the loss still fell by 50 % in the last epoch"],
      ["half, of one epoch alone", 0.5, { epochs: 1.5 }, "all updates made"],
    ])("reports the fall or not: %s", async (_, factor, until, reason) =>
      expect(await reasonOf({ lossAt: falling(factor) }, { until })).toBe(reason),
    );

    it("reports the fall relative to the size of a negative loss", async () => {
      const lossAt = (step: number): number => -1 - Math.floor(step / 10);
      expect(await reasonOf({ lossAt }, { until: { epochs: 3 } })).toMatch(/fell by 50 % in the last epoch$/);
    });

    it("omits the fall for a log density or another reason to end", async () => {
      const lossAt = falling(0.5);
      expect(await reasonOf({ lossAt }, { until: { epochs: 3 }, hasMeanLoss: false })).toBe("all updates made");
      expect(await reasonOf({ lossAt, convergesAt: 25 }, { until: { epochs: 3 } })).toBe("converged");
    });

    it("reports that a converging algorithm has not converged, unless it has", async () => {
      const script = { lossAt: falling(0.5), converges: true };
      expect(await reasonOf(script, { until: { epochs: 3 } })).toBe("all updates made, before it converged");
      expect(await reasonOf({ ...script, onAdvance: () => pause(5) }, { until: { seconds: 0.05 } })).toBe(
        "time is up, before it converged",
      );
      for (const convergesAt of [25, 30])
        expect(await reasonOf({ ...script, convergesAt }, { until: { epochs: 3 } })).toBe("converged");
      // A run resumed at its end makes no step and reports no fall.
      const { run, kept } = begin({ ...script, convergesAt: 20 }, { until: { epochs: 2 }, hasMeanLoss: true });
      await run;
      await run.checkpoint();
      const again = { until: { epochs: 2 }, resume: kept[0] };
      expect(await reasonOf({ ...script, convergesAt: 20 }, again)).not.toMatch(/before it converged/);
    });

    it("gives advice that does not mention rates if a converging algorithm diverges", async () => {
      const lossAt = (step: number): number => (step < 15 ? 1 : Number.POSITIVE_INFINITY);
      const until = { epochs: 3 };
      await expect(reasonOf({ lossAt, converges: true }, { until })).rejects.toThrow(
        /^fit: the training loss is Infinity after 20 updates: the run diverged; look for columns in extreme units; an offset is added unchanged, so counts need the logarithm of the exposure/,
      );
      await expect(reasonOf({ lossAt }, { until })).rejects.toThrow(
        /the run diverged; use a smaller rate, standardised columns or clipNorm/,
      );
    });

    it("reports the fall when time is up and after a checkpoint, except an old one", async () => {
      const script = { lossAt: falling(0.5), onAdvance: () => pause(5) };
      expect(await reasonOf(script, { until: { seconds: 0.15 } })).toMatch(/^time is up, but the loss still fell by 50 % in/);
      const { run, kept } = begin({ lossAt: falling(0.5) }, { until: { epochs: 2 }, hasMeanLoss: true });
      await run;
      await run.checkpoint();
      const [resume] = kept;
      const until = { updates: 23 };
      expect(await reasonOf({ lossAt: falling(0.5) }, { until, resume })).toMatch(/but the loss still fell by 50 %/);
      const { fell: _, ...loop } = resume.loop;
      expect(await reasonOf({ lossAt: falling(0.5) }, { until, resume: { ...resume, loop } })).toBe("all updates made");
    });
  });

  it("stops when the algorithm has converged", async () => {
    const { run } = begin({ convergesAt: 7, stepsPerEpoch: 1 }, { until: { epochs: 100 } });
    expect((await run).summary).toMatchObject({ updates: 7, reason: "converged" });
  });
});

describe("divergence", () => {
  const message =
    /fit: the training loss is NaN after 20 updates: the run diverged; use a smaller rate, standardised columns or clipNorm\(\) \[RUN_DIVERGED\]/;
  it("throws at the end of the epoch", async () => {
    const { run, progression } = begin({ lossAt: (step) => (step === 13 ? Number.NaN : 1) }, { until: { epochs: 9 } });
    await expect(run).rejects.toThrow(message);
    expect(progression.disposed).toBe(1);
  });

  it("throws at the end of a run that ends within an epoch", async () => {
    await expect(begin({ lossAt: () => Infinity }, { until: { updates: 3 } }).run).rejects.toThrow(
      /training loss is Infinity after 3 updates.*RUN_DIVERGED/,
    );
  });

  it("throws if the last step leaves no finite parameters although the loss was finite before", async () => {
    await expect(begin({ parametersAt: () => [1, Number.NaN] }, { until: { updates: 3 } }).run).rejects.toThrow(
      /largest parameter is NaN.*RUN_DIVERGED/,
    );
    const validated = begin({ parametersAt: () => [-Infinity] }, { until: { epochs: 3 }, validate: () => ({ loss: 1 }) });
    await expect(validated.run).rejects.toThrow(/largest parameter is -Infinity after 10.*RUN_DIVERGED/);
    await expect(begin({}, { until: { epochs: 3 }, validate: () => ({ loss: Number.NaN }) }).run).rejects.toThrow(
      /validation loss is NaN after 10.*RUN_DIVERGED/,
    );
  });
});

describe("validation", () => {
  async function stepsOf(validateEvery: number | undefined, until: Until): Promise<number[]> {
    const seen: number[] = [];
    const validate = ([step]: Float64Array): Record<string, number> => {
      seen.push(step);
      return { loss: 1, accuracy: 0.5 };
    };
    const { run } = begin({}, { until, validateEvery, validate });
    const { summary } = await run;
    expect(summary.ticks.filter((t) => t.validation).map((t) => t.update)).toEqual(seen);
    return seen;
  }

  it.each([
    [undefined, { epochs: 3 }, [10, 20, 30]],
    [0.5, { epochs: 2 }, [5, 10, 15, 20]],
    [0.25, { epochs: 1 }, [3, 5, 8, 10]],
    [2, { epochs: 5 }, [20, 40, 50]],
    [1, { updates: 14 }, [10, 14]],
    [1e-9, { updates: 4 }, [1, 2, 3, 4]],
  ] as const)("validates every %s epochs until %j", async (every, until, steps) => {
    expect(await stepsOf(every, until)).toEqual(steps);
  });

  it("ends early with patience and returns the best parameters", async () => {
    const losses = [5, 4, 3, 3.5, 3, 3.2, 1];
    const validate = ([step]: Float64Array): Record<string, number> => ({ loss: losses[step / 10 - 1] });
    const { run, progression } = begin({}, { until: { epochs: 7 }, validate, patience: 3 });
    const { parameters, summary } = await run;
    expect(summary.reason).toBe("no lower validation loss in 3 validations");
    expect(progression.step).toBe(60);
    expect(parameters).toEqual([30]);
    const patient = await begin({}, { until: { epochs: 7 }, validate, patience: 4 }).run;
    expect(patient.parameters).toEqual([70]);
    // Each lower loss restarts patience.
    const anew = [5, 6, 4, 6, 3, 6, 6];
    const { run: long } = begin({}, { until: { epochs: 7 }, validate: ([step]) => ({ loss: anew[step / 10 - 1] }), patience: 2 });
    expect((await long).summary).toMatchObject({ updates: 70, reason: "no lower validation loss in 2 validations" });
    const watched = await begin({}, { until: { epochs: 4 }, validate }).run;
    expect(watched.parameters).toEqual([40]);
  });
});

describe("watching a run", () => {
  it("receives ticks in order, each later than the last, with the algorithm's report", async () => {
    const { run } = begin(
      { stepsPerEpoch: 1000, onAdvance: () => pause(1), lossAt: (s) => s },
      { until: { epochs: 2 }, validateEvery: 0.2, validate: () => ({ loss: 1 }) },
    );
    const seen: Tick[] = [];
    for await (const tick of run) seen.push(tick);
    const { summary } = await run;
    expect(seen).toEqual(summary.ticks);
    expect(seen.length).toBeGreaterThanOrEqual(10);
    seen.forEach((tick, i) => {
      expect(tick.epoch).toBe(tick.update / 1000);
      expect(tick.rate).toBe(1 / (1 + tick.update));
      expect(tick.updatesPerSecond).toBeGreaterThan(0);
      if (i === 0) return;
      expect(tick.update).toBeGreaterThan(seen[i - 1].update);
      expect(tick.seconds).toBeGreaterThan(seen[i - 1].seconds);
      // Mean of a loss that counts steps, over steps a … b − 1.
      expect(tick.loss).toBeCloseTo((seen[i - 1].update + tick.update - 1) / 2, 9);
    });
    expect(seen[seen.length - 1].update).toBe(2000);
  });

  it("gives all watchers the same ticks, and continues if one leaves early", async () => {
    const { run } = begin({ onAdvance: () => pause(1) }, { until: { epochs: 4 }, validate: () => ({ loss: 1 }) });
    const watch = async (): Promise<Tick[]> => {
      const all: Tick[] = [];
      for await (const tick of run) all.push(tick);
      return all;
    };
    const early = (async () => {
      for await (const _ of run) break;
    })();
    const [a, b, ended] = await Promise.all([watch(), watch(), run, early]);
    expect(a).toEqual(b);
    expect(await watch()).toEqual(a);
    expect(ended.summary.ticks).toEqual(a);
    expect(await run.chosen).toEqual({ scripted: true });
  });

  it("delivers an error to watchers, awaiters and pending checkpoints", async () => {
    const failing = (): ReturnType<typeof begin> =>
      begin(
        {
          onAdvance: (_, from) => {
            if (from >= 20) throw new Error("the kernel burnt");
          },
        },
        { until: { epochs: 9 }, validate: () => ({ loss: 1 }) },
      );
    const { run, progression } = failing();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const tick of run) seen.push(tick.update);
    })();
    await expect(watching).rejects.toThrow("the kernel burnt");
    await expect(run).rejects.toThrow("the kernel burnt");
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen[seen.length - 1]).toBe(20);
    await expect(run.checkpoint("after")).rejects.toThrow(/the run failed, so there is nothing to keep; .* \[RUN_FAILED\]/);
    expect(progression.disposed).toBe(1);
  });

  it("rejects every promise if the start fails", async () => {
    const run = new Run<number>({
      start: () => Promise.reject(new Error("no data")),
      finish: () => 1,
      keep: () => new Uint8Array(),
    });
    const kept = run.checkpoint("x");
    await expect(kept).rejects.toThrow("[RUN_FAILED]");
    await expect(run).rejects.toThrow("no data");
    await expect(run.chosen).rejects.toThrow("no data");
    const iterate = async (): Promise<void> => {
      for await (const _ of run);
    };
    await expect(iterate()).rejects.toThrow("no data");
  });
});

describe("abort signals", () => {
  it("end the run after the current stretch with its reason, and complete checkpoints requested before", async () => {
    const controller = new AbortController();
    const reason = new Error("the user left");
    const { run, progression, kept } = begin(
      {
        stepsPerEpoch: 1e6,
        onAdvance: async (_, from) => {
          if (from > 20 && !controller.signal.aborted) {
            void run.checkpoint();
            controller.abort(reason);
          }
          await pause(1);
        },
      },
      { until: { epochs: 1 }, signal: controller.signal },
    );
    await expect(run).rejects.toBe(reason);
    expect(kept).toHaveLength(1);
    expect(kept[0].snapshot.state.step).toBe(progression.step);
    const calls = progression.asked.length;
    await pause(20);
    expect(progression.asked.length).toBe(calls);
    expect(progression.disposed).toBe(1);
  });

  it("end a paused run", async () => {
    const controller = new AbortController();
    const reason = new Error("the user left");
    const { run, progression } = begin({ stepsPerEpoch: 1e6 }, { until: { epochs: 1 }, signal: controller.signal });
    run.pause();
    await pause(5);
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect([progression.asked, progression.disposed]).toEqual([[], 1]);
  });

  it("allow a checkpoint afterwards, unless a stretch failed", async () => {
    const controller = new AbortController();
    const reason = new Error("the user left");
    const stepping = begin(
      { stepsPerEpoch: 1e6, onAdvance: async (_, from) => void (from > 20 && controller.abort(reason)) },
      { until: { epochs: 1 }, signal: controller.signal },
    );
    await expect(stepping.run).rejects.toBe(reason);
    await stepping.run.checkpoint();
    expect(stepping.kept).toHaveLength(1);
    expect(stepping.kept[0].snapshot.state.step).toBe(stepping.progression.step);
    const second = new AbortController();
    const broken = begin(
      {
        stepsPerEpoch: 1e6,
        onAdvance: async (_, from) => {
          if (from <= 20) return;
          second.abort(reason);
          throw reason;
        },
      },
      { until: { epochs: 1 }, signal: second.signal },
    );
    await expect(broken.run).rejects.toBe(reason);
    await expect(broken.run.checkpoint("afterwards")).rejects.toThrow("RUN_FAILED");
  });

  it("prevent the start if already aborted", async () => {
    const { run, progression } = begin({}, { signal: AbortSignal.abort(new Error("never mind")) });
    await expect(run).rejects.toThrow("never mind");
    expect(progression.asked).toEqual([]);
  });

  it("end a busy run from a timer", async () => {
    const { run } = begin({ stepsPerEpoch: 1e9 }, { until: { epochs: 1 }, signal: AbortSignal.timeout(30) });
    await expect(run).rejects.toThrow(/timeout/);
  });
});

describe("checkpoints and resuming", () => {
  const validate = ([step]: Float64Array): Record<string, number> => ({ loss: Math.abs(step - 40) + 1 });

  it("ends with the same result from any checkpoint, including best parameters, patience and epoch loss", async () => {
    const options: Options = { until: { epochs: 30, tolerance: 1e-3 }, validate, validateEvery: 0.5, patience: 6 };
    const script: Script = { lossAt: (step) => 1 / (1 + step) };
    const whole = await begin(script, options).run;
    expect(whole.parameters).toEqual([40]);
    for (const at of [1, 5, 10, 33, 40, 57]) {
      const first = begin(
        { ...script, onAdvance: (_, from) => void (from >= at && first.kept.length === 0 && first.run.checkpoint()) },
        options,
      );
      await first.run;
      const { snapshot, loop } = first.kept[0];
      const again = await begin(script, { ...options, resume: { snapshot, loop } }).run;
      expect(again.parameters).toEqual(whole.parameters);
      expect(again.summary).toMatchObject({ updates: whole.summary.updates, reason: whole.summary.reason });
      expect(again.summary.loss).toBeCloseTo(whole.summary.loss, 12);
      expect(again.summary.seconds).toBeGreaterThanOrEqual(Number(loop.seconds));
    }
  });

  it("stores the loss of the previous epoch, so that a resumed run can report its fall", async () => {
    const script: Script = { lossAt: (step) => 2 ** -Math.floor(step / 10) + 1 };
    const options: Options = { until: { epochs: 50, tolerance: 0.05 } };
    for (const at of [31, 40]) {
      const first = begin(
        { ...script, onAdvance: (_, from) => void (from >= at && first.kept.length === 0 && first.run.checkpoint()) },
        options,
      );
      await first.run;
      const again = begin(script, { ...options, resume: first.kept[0] });
      await again.run;
      expect([first.progression.step, again.progression.step]).toEqual([60, 60]);
    }
  });

  it("makes no step while it writes a checkpoint", async () => {
    const { run, progression } = begin({ onAdvance: () => pause(1) }, { until: { epochs: 5 } });
    const made: number[] = [];
    const write = async () => {
      made.push(progression.step);
      await pause(50);
      made.push(progression.step);
    };
    const done = async () => {};
    await run.checkpoint({ name: "slow", createWritable: async () => ({ write, close: done, abort: done }) });
    await run;
    expect(made).toEqual([0, 0]);
    expect(progression.step).toBe(50);
  });

  it("saves and continues a finished run", async () => {
    const { run, kept } = begin({}, { until: { epochs: 1 } });
    await run;
    await run.checkpoint();
    const { snapshot, loop } = kept[0];
    const same = begin({}, { until: { epochs: 1 }, resume: { snapshot, loop } });
    const { summary } = await same.run;
    expect(same.progression.asked).toEqual([]);
    expect(summary).toMatchObject({ updates: 10, loss: 1, reason: "all updates made" });
    expect((await begin({}, { until: { epochs: 3 }, resume: { snapshot, loop } }).run).summary.updates).toBe(30);
  });

  describe("resuming a finished run, which ends immediately or continues under other options", () => {
    const ended = async (script: Script, options: Options): Promise<{ resume: Kept; reason: string }> => {
      const { run, kept } = begin(script, options);
      const { reason } = (await run).summary;
      await run.checkpoint();
      return { resume: kept[0], reason };
    };
    const resumed = async (script: Script, options: Options): Promise<[step: number, asked: number, reason: string]> => {
      const { run, progression } = begin(script, options);
      const { reason } = (await run).summary;
      return [progression.step, progression.asked.length, reason];
    };

    it("ends by the tolerance", async () => {
      const script: Script = { lossAt: (step) => 2 ** -Math.floor(step / 10) + 1 };
      const { resume, reason } = await ended(script, { until: { epochs: 50, tolerance: 0.05 } });
      expect(reason).toBe("the loss of an epoch fell by less than 0.05");
      expect(await resumed(script, { until: { epochs: 50, tolerance: 0.05 }, resume })).toEqual([60, 0, reason]);
      expect((await resumed(script, { until: { epochs: 8 }, resume }))[0]).toBe(80);
      // 2⁻⁶ + 1 is 2⁻⁶ below the previous value, and 2⁻⁷ + 1 is 2⁻⁷ below.
      const [step, , why] = await resumed(script, { until: { epochs: 50, tolerance: 0.01 }, resume });
      expect([step, why]).toEqual([80, "the loss of an epoch fell by less than 0.01"]);
      // A checkpoint of an earlier version lacks the fall, so it leads to one more epoch.
      const { drop: _, ...loop } = resume.loop;
      const older = { until: { epochs: 50, tolerance: 0.05 }, resume: { ...resume, loop } };
      expect(await resumed(script, older)).toEqual([70, expect.any(Number), reason]);
    });

    it("ends by the tolerance, but not in the middle of an epoch", async () => {
      const script: Script = { lossAt: (step) => 2 ** -Math.floor(step / 10) + 1 };
      const { resume } = await ended(script, { until: { updates: 45 } });
      expect((await resumed(script, { until: { epochs: 50, tolerance: 0.2 }, resume }))[0]).toBe(50);
    });

    it("ends by patience", async () => {
      const losses = [5, 4, 3, 3.5, 3, 3.2, 1];
      const seen: number[] = [];
      const validate = ([step]: Float64Array): Record<string, number> => {
        seen.push(step);
        return { loss: losses[step / 10 - 1] };
      };
      const options: Options = { until: { epochs: 7 }, validate, patience: 3 };
      const { resume, reason } = await ended({}, options);
      expect(reason).toBe("no lower validation loss in 3 validations");
      seen.length = 0;
      expect(await resumed({}, { ...options, resume })).toEqual([60, 0, reason]);
      expect(seen).toEqual([]);
      expect(await resumed({}, { ...options, patience: 4, resume })).toEqual([70, expect.any(Number), "all updates made"]);
    });

    it("ends by its algorithm, whatever the limits", async () => {
      const script: Script = { convergesAt: 30, converges: true };
      const { resume, reason } = await ended(script, { until: { epochs: 5 } });
      expect(reason).toBe("converged");
      for (const until of [{ epochs: 5 }, { epochs: 500 }, { updates: 3 }, { seconds: 1e-9 }])
        expect(await resumed(script, { until, resume })).toEqual([30, 0, "converged"]);
    });
  });

  it("makes the first stretch after a checkpoint that precedes it, even if the algorithm has already converged", async () => {
    const { run, kept } = begin({ convergesAt: 0 }, { until: { epochs: 2 } });
    await run.checkpoint();
    const whole = await run;
    const again = begin({ convergesAt: 0 }, { until: { epochs: 2 }, resume: kept[0] });
    expect((await again.run).summary).toMatchObject({ updates: whole.summary.updates, reason: "converged" });
    expect(whole.summary.updates).toBe(1);
  });

  it("reports a failed write to its caller and continues", async () => {
    const progression = new Scripted({ onAdvance: () => pause(1) });
    const run = new Run<number>({
      start: async () => ({ progression, stopping: resolveStopping("fit", { epochs: 2 }, false), chosen: {} }),
      finish: (_, { updates }) => updates,
      keep: () => {
        throw new Error("disk full");
      },
    });
    await expect(run.checkpoint("x")).rejects.toThrow("disk full");
    expect(await run).toBe(20);
  });
});

describe("refused stopping options", () => {
  it.each([
    [
      { epochs: 2, until: { epochs: 3 } },
      false,
      "fit: both epochs and until were given; put the epochs into until [OPTION_CONFLICT]",
    ],
    [
      { until: {} },
      false,
      "fit: until is empty, so the run would never stop; give epochs, updates, seconds or tolerance [OPTION_MISSING]",
    ],
    [
      { until: { epoch: 3 } as Until },
      false,
      'fit.until: unknown option "epoch"; did you mean "epochs"? (known: epochs, updates, seconds, tolerance) [OPTION_UNKNOWN]',
    ],
    [{ epochs: 0 }, false, "fit: epochs is 0, but must be a number > 0 [OPTION_RANGE]"],
    [{ until: { seconds: Number.NaN } }, false, "fit.until: seconds is NaN, but must be a number > 0 [OPTION_RANGE]"],
    [{ until: { tolerance: -1 } }, false, "fit.until: tolerance is -1, but must be a number >= 0 [OPTION_RANGE]"],
    [{ patience: 2 }, false, "fit: patience needs validate: held-out rows whose loss is watched [OPTION_MISSING]"],
    [{ patience: 1.5 }, true, "fit: patience is 1.5, but must be an integer >= 1 [OPTION_RANGE]"],
    [{ validateEvery: 2 }, false, "fit: validateEvery needs validate: held-out rows whose loss is watched [OPTION_MISSING]"],
    [{ validateEvery: 0 }, true, "fit: validateEvery is 0, but must be a number > 0 [OPTION_RANGE]"],
  ])("refuses %j", (given, validates, message) => {
    expect(() => resolveStopping("fit", given, validates)).toThrow(message);
  });
});
