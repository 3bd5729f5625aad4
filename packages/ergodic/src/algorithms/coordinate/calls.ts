import type { Call } from "../../host/pool.ts";

/**
 * Solvers written as generators of kernel calls, so that several of them can run in step on the workers.
 *
 * What a solver asks to be run, calls side by side that do not depend on each other: workers share them. The results come back.
 */
export type Calls<T> = Generator<readonly Call[], T, readonly number[]>;

type RunCalls = (calls: Call[]) => Promise<readonly number[]>;

/** Runs one solver's calls; the result of its generator. */
export async function follow<T>(calls: Calls<T>, run: RunCalls): Promise<T> {
  let step = calls.next([]);
  while (!step.done) step = calls.next(await run([...step.value]));
  return step.value;
}

/** Runs several solvers in step, so that each round of calls goes to the workers together. */
export async function followAll<T>(all: readonly Calls<T>[], run: RunCalls): Promise<T[]> {
  const steps = all.map((calls) => calls.next([]));
  while (steps.some((step) => !step.done)) {
    const wanted = steps.map((step) => (step.done ? [] : [...step.value]));
    const results = await run(wanted.flat());
    let at = 0;
    for (const [k, calls] of wanted.entries()) {
      const own = results.slice(at, at + calls.length);
      at += calls.length;
      if (!steps[k].done) steps[k] = all[k].next(own);
    }
  }
  return steps.map((step) => step.value as T);
}
