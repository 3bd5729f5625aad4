/**
 * Threads of a page, with a Worker of this file: which ways of starting a thread are tried, and that a thread that
 * never answers is given up. Real browsers are tested in browser/policy.slow.test.ts.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openThread } from "../../../src/engine/memory/threads.ts";

vi.mock("../../../src/engine/files/node.ts", async (original) => ({ ...(await original<object>()), inNode: () => false }));

class PageWorker extends EventTarget {
  readonly posted: unknown[] = [];
  isTerminated = false;
  readonly from: string;

  constructor(address: string | URL) {
    super();
    this.from = String(address).startsWith("blob:") ? "text" : "file";
    made.push(this);
  }

  postMessage(message: unknown): void {
    this.posted.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  answer(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  fail(message = ""): void {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }
}

let made: PageWorker[];
let heard: unknown[];
let deaths: string[];

function open(file = () => new PageWorker("worker.js") as never) {
  const source = { name: "ergodic-worker", text: "0", file } as const;
  return openThread(
    source,
    (message) => heard.push(message),
    (cause) => deaths.push((cause as Error).message),
  );
}

beforeEach(() => {
  [made, heard, deaths] = [[], [], []];
  vi.useFakeTimers();
  vi.stubGlobal("Worker", PageWorker);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a thread that starts", () => {
  it("is never given up, however long its first call takes", () => {
    const port = open();
    port.post({ call: 1 });
    made[0].answer({ started: true });
    vi.advanceTimersByTime(3_600_000);
    made[0].answer({ id: 1 });
    expect(made.map(({ from, isTerminated }) => [from, isTerminated])).toEqual([["text", false]]);
    expect([heard, deaths]).toEqual([[{ id: 1 }], []]);
  });

  it("is not replaced by an error after its first message", () => {
    open();
    made[0].answer({ started: true });
    made[0].fail("no memory");
    expect([made.length, made[0].isTerminated, deaths]).toEqual([1, true, ["no memory"]]);
  });
});

describe("a thread that does not start", () => {
  const failures: [name: string, fail: (worker: PageWorker) => void, told: RegExp][] = [
    ["reports an error", (worker) => worker.fail(), /could not be loaded; see configure\(\{ worker \}\)$/],
    ["never answers", () => vi.advanceTimersByTime(10_000), /did not answer within 10 s; see configure\(\{ worker \}\)$/],
  ];

  it.each(failures)("is replaced by one from the file, which receives its messages, if it %s", (_, fail) => {
    const port = open();
    port.post({ call: 1 });
    fail(made[0]);
    port.post({ call: 2 });
    made[1].answer({ started: true });
    made[1].answer({ id: 1 });
    vi.advanceTimersByTime(60_000);
    expect(made.map(({ from }) => from)).toEqual(["text", "file"]);
    expect(made[1].posted).toEqual([{ call: 1 }, { call: 2 }]);
    expect([heard, deaths]).toEqual([[{ id: 1 }], []]);
  });

  it.each(failures)("ends with the reason, once, if the one from the file %s, too", (_, fail, told) => {
    open();
    fail(made[0]);
    fail(made[1]);
    vi.advanceTimersByTime(60_000);
    expect(deaths).toEqual([expect.stringMatching(told)]);
    expect(made[1].isTerminated).toBe(true);
  });

  it("is given up after 20 turns of half a second, not sooner", () => {
    open();
    vi.advanceTimersByTime(9_999);
    expect(made.length).toBe(1);
    vi.advanceTimersByTime(1);
    expect(made.length).toBe(2);
  });

  it("throws the host's error if neither way makes a worker", () => {
    vi.stubGlobal(
      "Worker",
      class {
        constructor() {
          throw new TypeError("requires 'TrustedScriptURL' assignment");
        }
      },
    );
    expect(() => open(() => new Worker("worker.js") as never)).toThrow("requires 'TrustedScriptURL' assignment");
  });

  it("is not given up after it was terminated", async () => {
    const port = open();
    await port.terminate();
    vi.advanceTimersByTime(60_000);
    expect([made.length, deaths]).toEqual([1, ["the worker was terminated"]]);
  });
});
