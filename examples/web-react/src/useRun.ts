import { useCallback, useEffect, useRef, useState } from "react";

/** What `fit`, `sample`, `minimize` and `tune` give, here or through `ergodic/worker`. */
interface Run<Result, Tick> extends PromiseLike<Result>, AsyncIterable<Tick> {
  stop(): unknown;
}

interface Seen<Result, Tick> {
  readonly state: "idle" | "running" | "done" | "failed";
  /** The latest; there are about ten a second. */
  readonly tick?: Tick;
  readonly result?: Result;
  readonly error?: unknown;
}

interface Watched<Result, Tick> extends Seen<Result, Tick> {
  /** Begins a run; one that has not ended is aborted. */
  start(): void;
  /** Ends the run soon: its result is what it has by then. */
  stop(): void;
}

/**
 * Starts, watches and stops a run. A component that goes away aborts its run.
 *
 * @param begin begins it, e.g. `(signal) => fit(model, data, { signal })`
 */
export function useRun<Result, Tick>(begin: (signal: AbortSignal) => Run<Result, Tick>): Watched<Result, Tick> {
  const [seen, setSeen] = useState<Seen<Result, Tick>>({ state: "idle" });
  const latest = useRef({ begin, abort: () => {}, stop: () => {} });
  latest.current.begin = begin;
  useEffect(() => () => latest.current.abort(), []);

  const start = useCallback(async () => {
    const { current } = latest;
    current.abort();
    const controller = new AbortController();
    current.abort = () => controller.abort();
    // Of a run that was aborted nobody wants to hear any more.
    const tell = (news: Seen<Result, Tick>): void => {
      if (!controller.signal.aborted) setSeen((before) => ({ ...before, ...news }));
    };
    setSeen({ state: "running" });
    try {
      const run = current.begin(controller.signal);
      current.stop = () => void run.stop();
      for await (const tick of run) tell({ state: "running", tick });
      tell({ state: "done", result: await run });
    } catch (error) {
      tell({ state: "failed", error });
    }
  }, []);
  const stop = useCallback(() => latest.current.stop(), []);

  return { ...seen, start, stop };
}
