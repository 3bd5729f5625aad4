/** Single requests: the results that callers see, and failures. */
import { describe, expect, test } from "vitest";
import { Batcher } from "../src/batcher.ts";
import { type Answered, type BatcherOptions, batcher, RefusedError } from "../src/index.ts";
import { FakeClock } from "./simulation.ts";

interface Setting {
  clock: FakeClock;
  batches: number[][];
  one: Batcher<number, number>;
}

/** A model that takes 10 ms per batch and 1 ms per row, and answers twice the request. */
function setting(options: Partial<BatcherOptions<number, number>> = {}): Setting {
  const clock = new FakeClock();
  const batches: number[][] = [];
  const { rows: rowsOf = () => 1 } = options;
  const one = batcher<number, number>({
    clock,
    run: (requests) => {
      batches.push(requests);
      return new Promise((resolve) =>
        clock.setTimeout(() => resolve(requests.map((x) => 2 * x)), 10 + requests.reduce((sum, x) => sum + rowsOf(x), 0)),
      );
    },
    ...options,
  });
  return { clock, batches, one };
}

/**
 * A model of texts, one row per letter, that answers in capital letters. It splits requests unless they begin with "!",
 * refuses texts with "?" and fails with "#". `ms`: time of a batch, by its first request.
 */
function inParts(
  maxRows: number,
  options: Partial<BatcherOptions<string, string>> = {},
  ms: (first: string) => number = () => 10,
) {
  const clock = new FakeClock();
  const batches: string[][] = [];
  const run = (requests: string[]) => {
    batches.push(requests);
    const answers = requests.map((text) => (text.includes("?") ? new Error(`refused ${text}`) : text.toUpperCase()));
    return new Promise<(string | Error)[]>((resolve, reject) =>
      clock.setTimeout(() => (requests[0].includes("#") ? reject(new Error("failed")) : resolve(answers)), ms(requests[0])),
    );
  };
  const parts = {
    part: (text: string, from: number, to: number) => (text.startsWith("!") ? undefined : text.slice(from, to)),
    joined: (answers: readonly string[]) => answers.join(""),
  };
  const one = new Batcher<string, string>({ clock, run, rows: (text) => text.length, maxRows, ...options }, parts);
  return { clock, batches, one };
}

/** Error with which a promise rejects, or undefined. */
const errorOf = async (promise: Promise<unknown>): Promise<Error | undefined> =>
  promise.then(
    () => undefined,
    (error) => error as Error,
  );

/** A setting with known times: 10 ms per batch, 1 ms per row. */
async function warm(options: Partial<BatcherOptions<number, number>> = {}): Promise<Setting> {
  const made = setting(options);
  for (const count of [1, 3]) {
    const all = Array.from({ length: count }, (_, i) => made.one.submit(i));
    await made.clock.run();
    await Promise.all(all);
  }
  made.batches.length = 0;
  return made;
}

describe("batches", () => {
  test("batches simultaneous requests, and those that arrive during a batch form the next one", async () => {
    const { clock, batches, one } = setting();
    const answers = [1, 2, 3].map((x) => one.submit(x));
    clock.at(4, () => answers.push(one.submit(4)));
    clock.at(6, () => answers.push(one.submit(5)));
    await clock.run();
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    const told = { batchRows: 2, batchRequests: 2, computeUs: 12_000 };
    expect(await Promise.all(answers)).toEqual([
      ...[2, 4, 6].map((answer) => ({ answer, batchRows: 3, batchRequests: 3, queueUs: 0, computeUs: 13_000 })),
      { answer: 8, queueUs: 9000, ...told },
      { answer: 10, queueUs: 7000, ...told },
    ]);
  });

  test("counts rows rather than requests, and runs a request larger than a batch alone", async () => {
    const { clock, batches, one } = setting({ rows: (x) => x, maxRows: 10 });
    for (const x of [4, 6, 1, 12, 3, 8]) void one.submit(x);
    await clock.run();
    expect(batches).toEqual([[4, 6], [1], [12], [3], [8]]);
  });

  test("computes a large request in parts if the model can split it, with other requests between them", async () => {
    const { clock, batches, one } = inParts(4);
    const large = one.submit("abcdefghij");
    const small: Promise<Answered<string>>[] = [];
    clock.at(1, () => small.push(one.submit("x")));
    clock.at(2, () => small.push(one.submit("y", { priority: 1 })));
    clock.at(2, () => expect(one.stats().waiting.rows).toBe(8));
    await clock.run();
    // "y" overtakes "x" within the batch, and both precede the second part, which was queued after them.
    expect(batches).toEqual([["abcd"], ["y", "x"], ["efgh"], ["ij"]]);
    expect(await large).toEqual({ answer: "ABCDEFGHIJ", batchRows: 4, batchRequests: 1, queueUs: 0, computeUs: 30_000 });
    expect((await Promise.all(small)).map(({ answer, queueUs }) => [answer, queueUs])).toEqual([
      ["X", 9000],
      ["Y", 8000],
    ]);
    const { answered, rows, batches: count, histograms, waiting } = one.stats();
    expect({ answered, rows, count, latencies: histograms.latencyUs.count, waiting }).toEqual({
      ...{ answered: 3, rows: 12, count: 4, latencies: 3 },
      waiting: { requests: 0, rows: 0, running: 0 },
    });
  });

  test("computes as many parts simultaneously as there are workers, in any order of answers", async () => {
    const { clock, batches, one } = inParts(2, { concurrency: 2 }, (part) => (part === "ab" ? 30 : 10));
    const large = one.submit("abcdefgh");
    await clock.run();
    expect(batches).toEqual([["ab"], ["cd"], ["ef"], ["gh"]]);
    expect((await large).answer).toBe("ABCDEFGH");
  });

  test("runs a large request whole if the model cannot split it", async () => {
    const { clock, batches, one } = inParts(2);
    const large = one.submit("!bcd");
    await clock.run();
    expect(batches).toEqual([["!bcd"]]);
    expect((await large).answer).toBe("!BCD");
  });

  test("drops the remaining parts if a request is cancelled, late, refused by its model or failed", async () => {
    const refusals: [string, Partial<BatcherOptions<string, string>>, object, RegExp, object][] = [
      ["ab?defgh", {}, {}, /^refused b?\?/, { rejected: 1 }],
      ["ab#defgh", {}, {}, /^failed/, { failed: 1 }],
      ["abcdefgh", {}, { deadlineMs: 25 }, /required within 25 ms/, {}],
      ["abcdefgh", {}, { signal: AbortSignal.abort }, /^left/, { cancelled: 1 }],
    ];
    for (const [request, more, asked, said, counted] of refusals) {
      const { clock, batches, one } = inParts(2, { concurrency: 1, ...more });
      const leave = new AbortController();
      const options = "signal" in asked ? { signal: leave.signal } : asked;
      const large = errorOf(one.submit(request, options));
      clock.at(15, () => leave.abort(new Error("left")));
      let last: Promise<Answered<string>> | undefined;
      clock.at(16, () => (last = one.submit("z")));
      await clock.run();
      expect((await large)?.message).toMatch(said);
      expect((await last)?.answer).toBe("Z");
      expect(batches.flat().join("")).not.toMatch(/gh/);
      const { answered, rejected, failed, cancelled, refused, waiting } = one.stats();
      const deadline = "deadlineMs" in asked ? 1 : 0;
      expect({ answered, rejected, failed, cancelled, deadline: refused.deadline }).toEqual({
        ...{ answered: 1, rejected: 0, failed: 0, cancelled: 0, deadline },
        ...counted,
      });
      expect(waiting).toEqual({ requests: 0, rows: 0, running: 0 });
      await one.close();
    }
  });

  test("counts the rows of all parts as waiting, refuses requests beyond the limit, and closes after the last part", async () => {
    const { clock, batches, one } = inParts(2, { maxQueueRows: 9 });
    const large = one.submit("abcdefgh");
    clock.at(1, async () => {
      expect(await errorOf(one.submit("ijkl"))).toMatchObject({ code: "QUEUE_FULL" });
      void one.close().then(() => expect(batches.length).toBe(4));
    });
    await clock.run();
    expect((await large).answer).toBe("ABCDEFGH");
  });

  test("runs priority 1 first, 5 by default and 9 last, except requests that waited long enough", async () => {
    const { clock, batches, one } = setting({ maxRows: 1, ageingMs: 2 });
    clock.at(0, () => void one.submit(0));
    clock.at(1, () => void one.submit(9, { priority: 9 }));
    clock.at(2, () => void one.submit(5));
    clock.at(3, () => void one.submit(1, { priority: 1 }));
    // A request that arrives 16 ms after the one of priority 9 stays behind it.
    clock.at(16.9, () => void one.submit(11, { priority: 1 }));
    clock.at(17.1, () => void one.submit(12, { priority: 1 }));
    await clock.run();
    expect(batches.flat()).toEqual([0, 1, 5, 11, 9, 12]);
  });

  test("supports models that answer synchronously or with a thenable", async () => {
    const { clock, one } = setting({ run: (requests) => requests.map((x) => x + 1) });
    const answer = one.submit(1);
    await clock.run();
    expect((await answer).answer).toBe(2);
    const thenable = setting({
      // biome-ignore lint/suspicious/noThenProperty: that is what is tried
      run: (requests) => ({ then: (done: (x: number[]) => void) => done(requests) }) as never,
    });
    const other = thenable.one.submit(7);
    await thenable.clock.run();
    expect((await other).answer).toBe(7);
  });

  test("works with the machine's clock", async () => {
    const sizes: number[] = [];
    const one = batcher<number, number>({
      run: async (requests) => {
        sizes.push(requests.length);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return requests;
      },
      maxRows: 4,
    });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((x) => one.submit(x, { deadlineMs: 60_000 })));
    expect(sizes).toEqual([4, 2]);
    expect(answers.map(({ answer }) => answer)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(answers[0].computeUs).toBeGreaterThan(3000);
    expect(answers[5].queueUs).toBeGreaterThanOrEqual(answers[0].computeUs * 0.9);
    await one.close();
  });

  test("lets the event loop run between batches of a blocking model", async () => {
    let turns = 0;
    const seen: number[] = [];
    const one = batcher<number, number>({
      run: (requests) => {
        seen.push(turns);
        return requests;
      },
      maxRows: 1,
    });
    const ticking = setInterval(() => turns++, 0);
    const turn = (): void => void setImmediate(() => ++turns < 50 && turn());
    turn();
    await Promise.all(Array.from({ length: 10 }, (_, i) => one.submit(i)));
    clearInterval(ticking);
    expect(new Set(seen).size).toBe(10);
  });
});

describe("a model that answers synchronously", () => {
  /** A model with one row per batch. `turns` are the callbacks that the event loop must run next. */
  function atOnce(options: Partial<BatcherOptions<number, number>> = {}) {
    const turns: (() => void)[] = [];
    const order: number[] = [];
    const clock = {
      now: () => 0,
      setTimeout: () => undefined,
      clearTimeout() {},
      setImmediate: (turn: () => void) => void turns.push(turn),
    };
    const run = (requests: number[]): number[] => {
      order.push(...requests);
      return requests;
    };
    return { turns, order, one: batcher<number, number>({ clock, run, maxRows: 1, ...options }) };
  }

  test.each([1, 2])("accepts requests between two batches before it forms the second, with concurrency %i", (concurrency) => {
    const { turns, order, one } = atOnce({ concurrency });
    void one.submit(1);
    void one.submit(2);
    expect(turns).toHaveLength(1);
    turns.shift()!();
    expect(order).toEqual([1]);
    void one.submit(3, { priority: 1 });
    // One callback serves both.
    expect(turns).toHaveLength(1);
    turns.shift()!();
    expect(order).toEqual([1, 3]);
    turns.shift()!();
    expect(order).toEqual([1, 3, 2]);
    turns.shift()!();
    expect(turns).toEqual([]);
  });

  test("processes waiting requests even if the model fails", async () => {
    let calls = 0;
    const { turns, one } = atOnce({
      run: (requests) => {
        if (++calls === 1) throw new Error("not today");
        return requests;
      },
    });
    const asked = [one.submit(1), one.submit(2)];
    const outcomes = Promise.allSettled(asked);
    while (turns.length > 0) turns.shift()!();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });
});

describe("failures", () => {
  test("an error of the model rejects only its batch and is passed on unchanged", async () => {
    const fault = new Error("no memory");
    const { clock, one } = setting({
      run: (requests) => (requests.includes(13) ? Promise.reject(fault) : requests),
      maxRows: 2,
    });
    const errors = [1, 13, 3, 4].map((x) => errorOf(one.submit(x)));
    await clock.run();
    expect(await Promise.all(errors)).toEqual([fault, fault, undefined, undefined]);
    expect(one.stats()).toMatchObject({ answered: 2, failed: 2, batches: 1, waiting: { requests: 0, rows: 0, running: 0 } });
  });

  test("an error in place of an answer rejects only that request and is not counted as answered", async () => {
    const fault = new Error("no such row");
    const { clock, one } = setting({ run: (requests) => requests.map((x) => (x === 13 ? fault : 2 * x)) });
    const asked = [1, 13, 3].map((x) => one.submit(x));
    const outcomes = Promise.allSettled(asked);
    await clock.run();
    expect(await outcomes).toMatchObject([
      { status: "fulfilled", value: { answer: 2, batchRows: 3 } },
      { status: "rejected", reason: fault },
      { status: "fulfilled", value: { answer: 6, batchRows: 3 } },
    ]);
    const { answered, failed, rejected, batches, rows, histograms } = one.stats();
    expect({ answered, failed, rejected, batches, rows }).toEqual({ answered: 2, failed: 0, rejected: 1, batches: 1, rows: 3 });
    expect([histograms.latencyUs.count, histograms.queueUs.count, histograms.computeUs.count]).toEqual([2, 2, 1]);
  });

  test("a synchronous exception or too few answers reject the batch", async () => {
    const thrown = setting({
      run: () => {
        throw new TypeError("not today");
      },
    });
    const first = errorOf(thrown.one.submit(1));
    await thrown.clock.run();
    expect(await first).toBeInstanceOf(TypeError);
    for (const [answers, said] of [
      [[1], "1 answers"],
      [undefined, "undefined"],
    ] as const) {
      const few = setting({ run: () => answers as never });
      const errors = [1, 2].map((x) => errorOf(few.one.submit(x)));
      await few.clock.run();
      for (const error of await Promise.all(errors))
        expect(error!.message).toBe(
          `batcher: run was given 2 requests and returned ${said}, but must return one answer per request, in order [BATCH_ANSWERS]`,
        );
    }
  });

  test("a full queue refuses requests (429) with a time to retry, but an empty one accepts any request", async () => {
    const { clock, one } = await warm({ maxQueueRows: 5, rows: (x) => x || 1 });
    void one.submit(7);
    await clock.run(clock.now() + 5);
    void one.submit(6);
    const error = (await errorOf(one.submit(1))) as RefusedError;
    expect(error).toBeInstanceOf(RefusedError);
    expect(error.message).toBe(
      "batcher: 6 rows are waiting, and 1 more would exceed maxQueueRows = 5; try again later [QUEUE_FULL]",
    );
    expect([error.status, error.code, error.name]).toEqual([429, "QUEUE_FULL", "RefusedError"]);
    expect(error.retryAfterMs).toBeCloseTo(17 - 5 + 10 + 7, 6);
    await clock.run();
    expect(one.stats().refused).toEqual({ full: 1, deadline: 0, closed: 0 });
    expect(one.stats().answered).toBe(6);
  });

  test("a queue accepts requests up to its exact limit", async () => {
    const { clock, one } = setting({ maxQueueRows: 5, rows: (x) => x });
    void one.submit(1);
    await clock.run(1);
    const [fills, tooMany] = [2, 3, 1].map((x) => errorOf(one.submit(x))).slice(1);
    await clock.run();
    expect([await fills, ((await tooMany) as RefusedError).code]).toEqual([undefined, "QUEUE_FULL"]);
  });

  test("an unreachable deadline is refused immediately (503), except while the model is idle", async () => {
    const { clock, one } = await warm({ deadlineMs: 1000 });
    const attempt = one.submit(1, { deadlineMs: 3 });
    await clock.run(clock.now() + 1);
    // 10 of the 11 ms remain, and its own batch takes 11.
    const error = (await errorOf(one.submit(2, { deadlineMs: 20.9 }))) as RefusedError;
    expect(error.message).toBe(
      "batcher: the answer was required within 20.9 ms, but would take 21 ms; try again later, or allow more time [DEADLINE]",
    );
    expect(error.status).toBe(503);
    expect(error.retryAfterMs).toBe(1);
    expect(one.predictMs()).toBeCloseTo(21, 9);
    expect(one.predictMs(5)).toBeCloseTo(25, 9);
    const met = one.submit(3, { deadlineMs: 21.1 });
    await clock.run();
    expect([(await attempt).answer, (await met).answer]).toEqual([2, 6]);
  });

  test("a request whose deadline passes while it waits is refused at that time", async () => {
    const { clock, one } = setting({
      run: (requests) => new Promise((resolve) => clock.setTimeout(() => resolve(requests), 500)),
    });
    const at: number[] = [];
    void one.submit(1);
    await clock.run(0.5);
    const late = [3, 9, 5].map((deadlineMs) => errorOf(one.submit(2, { deadlineMs })).finally(() => at.push(clock.now())));
    await clock.run();
    expect((await Promise.all(late)).map((error) => (error as RefusedError).status)).toEqual([503, 503, 503]);
    expect(at).toEqual([3.5, 5.5, 9.5]);
    expect(clock.now()).toBe(500);
  });

  test("a batch that exceeds its expected time is assumed to need as long again", async () => {
    let ms = 0;
    const { clock, one } = setting({
      run: (requests) => new Promise((resolve) => clock.setTimeout(() => resolve(requests), ms)),
    });
    for (ms of [11, 1000]) {
      void one.submit(1);
      await clock.run(clock.now() + 61);
    }
    expect(one.predictMs()).toBeCloseTo(50 + 11, 6);
    await clock.run();
  });
});

describe("predictions with several concurrent batches", () => {
  test("running batches do not delay a request that can start now, unless it waits for others", async () => {
    const { clock, one } = await warm({ concurrency: 2, maxDelayMs: 3 });
    expect(one.predictMs()).toBeCloseTo(11 + 3, 9);
    void one.submit(1);
    await clock.run(clock.now() + 1);
    expect(one.predictMs()).toBeCloseTo(11 + 3, 9);
    void one.submit(2);
    await clock.run(clock.now() + 4);
    // Both batches have 6 and 10 ms left, and a new request waits for at most half of that.
    expect(one.predictMs()).toBeCloseTo((6 + 10) / 2 + 11 + 3, 9);
    await clock.run();
  });
});

describe("cancelling", () => {
  test("cancels before, during waiting and during running", async () => {
    const { clock, batches, one } = setting({ maxRows: 2 });
    const before = errorOf(one.submit(0, { signal: AbortSignal.abort(new Error("before")) }));
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const all = controllers.map(({ signal }, i) => errorOf(one.submit(i + 1, { signal })));
    await clock.run(1);
    controllers[0].abort(new Error("running"));
    controllers[2].abort(new Error("waiting"));
    expect((await all[0])?.message).toBe("running");
    expect((await all[2])?.message).toBe("waiting");
    expect((await before)?.message).toBe("before");
    await clock.run();
    expect(await Promise.all([all[1], all[3]])).toEqual([undefined, undefined]);
    expect(batches).toEqual([[1, 2], [4]]);
    expect(one.stats()).toMatchObject({ answered: 2, cancelled: 2, waiting: { requests: 0, rows: 0 } });
    // After the answer, cancelling has no effect.
    controllers[1].abort();
    expect(one.stats().cancelled).toBe(2);
  });

  test("allows one signal for many requests without a warning", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warn);
    const controller = new AbortController();
    const { signal } = controller;
    const { clock, one } = setting({ maxRows: 10 });
    const answered = one.submit(1, { signal });
    await clock.run();
    const all = Array.from({ length: 50 }, (_, i) => errorOf(one.submit(i, { signal })));
    await clock.run(clock.now() + 1);
    controller.abort(new Error("all of them"));
    expect(new Set((await Promise.all(all)).map((error) => error?.message))).toEqual(new Set(["all of them"]));
    await clock.run();
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("warning", warn);
    expect(warnings).toEqual([]);
    expect((await answered).answer).toBe(2);
    expect(one.stats()).toMatchObject({ answered: 1, cancelled: 50, waiting: { requests: 0, rows: 0, running: 0 } });
  });
});

describe("closing", () => {
  test("finishes accepted requests, refuses new ones and then resolves", async () => {
    const { clock, one } = setting({ maxRows: 2 });
    const all: Promise<Answered<number>>[] = [1, 2, 3].map((x) => one.submit(x));
    await clock.run(1);
    let closed = 0;
    const closing = one.close().then(() => (closed = clock.now()));
    const error = (await errorOf(one.submit(4))) as RefusedError;
    expect([error.code, error.status, error.retryAfterMs]).toEqual(["CLOSED", 503, 1000]);
    await clock.run();
    expect((await Promise.all(all)).map(({ answer }) => answer)).toEqual([2, 4, 6]);
    await closing;
    expect(closed).toBe(12 + 11);
    expect(one.stats().refused.closed).toBe(1);
    await one.close();
  });

  test("resolves immediately if idle, and does not wait for cancelled and late requests", async () => {
    await setting().one.close();
    const { clock, one } = setting();
    void one.submit(1);
    await clock.run(1);
    const controller = new AbortController();
    const error = errorOf(one.submit(2, { signal: controller.signal }));
    const closing = one.close();
    controller.abort();
    await error;
    await clock.run();
    await closing;
    expect(clock.now()).toBe(11);
  });
});

describe("options", () => {
  const run = (requests: number[]): number[] => requests;
  test.each([
    [{}, "run is undefined, but must be a function of requests"],
    [{ run, rows: 3 }, "rows is 3, but must be a function"],
    [{ run, maxRow: 3 }, 'unknown option "maxRow"; did you mean "maxRows"'],
    [{ run, maxRows: 0 }, "maxRows is 0, but must be an integer >= 1"],
    [{ run, maxRows: 1.5 }, "maxRows is 1.5"],
    [{ run, concurrency: 0 }, "concurrency is 0"],
    [{ run, maxDelayMs: -1 }, "maxDelayMs is -1"],
    [{ run, targetP99Ms: 0 }, "targetP99Ms is 0, but must be a number > 0"],
    [{ run, maxQueueRows: 0 }, "maxQueueRows is 0"],
    [{ run, deadlineMs: 0 }, "deadlineMs is 0"],
    [{ run, deadlineMs: Number.NaN }, "deadlineMs is NaN"],
    [{ run, ageingMs: -1 }, "ageingMs is -1"],
    [{ run, ageingMs: Infinity }, "ageingMs is Infinity"],
  ])("refuses %j", (options, said) => {
    expect(() => batcher(options as never)).toThrow(`batcher: ${said}`);
  });

  test.each([
    [{ priority: 0 }, "priority is 0, but must be an integer >= 1 and <= 9"],
    [{ priority: 2.5 }, "priority is 2.5"],
    [{ deadlineMs: -1 }, "deadlineMs is -1"],
    [{ deadline: 3 }, 'unknown option "deadline"; did you mean "deadlineMs"'],
  ])("refuses %j of a request", async (options, said) => {
    const { one } = setting();
    expect((await errorOf(one.submit(1, options as never)))?.message).toContain(`batcher.submit: ${said}`);
    expect(one.stats().waiting.requests).toBe(0);
  });

  test("refuses rows of a request that are not a positive whole number", async () => {
    const { one } = setting({ rows: (x) => x });
    for (const rows of [0, -1, 1.5, Number.NaN])
      expect((await errorOf(one.submit(rows)))?.message).toContain(`batcher.submit: rows is ${rows}`);
  });
});

test("statistics are plain data", async () => {
  const { clock, one } = await warm({ targetP99Ms: 40 });
  void one.submit(1);
  await clock.run();
  const stats = one.stats();
  expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  expect(stats).toMatchObject({ answered: 5, batches: 3, rows: 5, waiting: { requests: 0, rows: 0, running: 0 } });
  expect(stats.time.perRowMs).toBeCloseTo(1, 9);
  expect(stats.time.perBatchMs).toBeCloseTo(10, 9);
  // 5 % of fixed cost: 19 · 10 / 1.
  expect(Math.abs(stats.maxRows - 190)).toBeLessThanOrEqual(1);
  expect(stats.histograms.batchRows).toMatchObject({ count: 3, sum: 5, min: 1, max: 3 });
  expect(stats.histograms.computeUs).toMatchObject({ count: 3, min: 11_000, max: 13_000 });
  expect(stats.histograms.latencyUs.sum).toBeCloseTo(11_000 + 3 * 13_000 + 11_000, 6);
  expect(one.histograms.queueUs.count).toBe(5);
});
