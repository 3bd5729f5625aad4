/**
 * Engines other than Chromium's: SpiderMonkey in Firefox and JavaScriptCore in WebKit. In deterministic mode, training,
 * drawing, searching, inference and prediction give the bytes of Node with and without shared memory. `ergodic/worker`
 * gives the same results with and without shared memory, and without Symbol.dispose.
 */
import { beforeAll, describe, expect, it } from "vitest";
import * as ergodic from "../../src/entries/everything.ts";
import { drawing, graphs, training } from "../engine/loop/training-task.ts";
import { expectTheSame, type Gave } from "../join/worker/checked.ts";
import { moduleText, verbs } from "../join/worker/verbs-task.ts";
import { firefox } from "./firefox.ts";
import { sampling } from "./sampling-task.ts";
import { runIn, type Visit, whyNot } from "./told.ts";
import { webkit } from "./webkit.ts";
import { wholeLibrary } from "./whole-library.ts";

type Bytes = Record<string, string>;

const tasks: [name: string, task: string, count: number][] = [
  ["training", training, 13],
  ["drawing and searching", drawing, 28],
  ["inferring and learning on graphs", graphs, 19],
  ["sampling", sampling, 15],
];
const places = [{ isolated: true }, { isolated: false }];
const threads = [...places, { isolated: false, older: true }];

const begin = `const lib = { ...(${wholeLibrary("/dist/entries/")}), compiler: await import("/dist/entries/compiler.js") };`;
const all = `${begin}return {
  given: [${tasks.map(([, task]) => `await (async () => {${task}})()`)}],
  shared: (await lib.openEngine()).describe().sharedMemory,
};`;
const throughWorker = `${begin}
const { worker } = await import("/dist/join/worker/index.js");
const module = new URL("/module.js", location.href).href;
${verbs}`;
const files = { "/module.js": moduleText("/dist/entries/index.js") };
const visits: Visit[] = [
  ...places.map((place) => ({ ...place, task: all })),
  ...threads.map((place) => ({ ...place, task: throughWorker, files })),
];

const wanted = new Map(
  tasks.map(([name, task]) => {
    const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (lib: typeof ergodic) => Promise<Bytes>;
    let made: Promise<Bytes> | undefined;
    return [name, () => (made ??= new AsyncFunction("lib", task)(ergodic))];
  }),
);

describe.each([firefox, webkit])("$name", (browser) => {
  const reason = whyNot(browser);
  if (reason) console.warn(`skipped: ${browser.name}, because ${reason}`);

  describe.skipIf(reason)(reason ? `skipped: ${reason}` : "has", () => {
    let found: unknown[];
    beforeAll(async () => {
      found = await runIn(browser, visits, 600_000);
    });
    const told = (at: number): unknown => {
      if (found[at] instanceof Error) throw found[at];
      return found[at];
    };

    it.each(places)("shares memory only on isolated pages: %o", (place) => {
      expect((told(places.indexOf(place)) as { shared: boolean }).shared).toBe(place.isolated);
    });

    describe.each(tasks)("results of Node: %s", (name, _, count) => {
      it.each(places)("gives the same bytes: %o", async (place) => {
        const bytes = await wanted.get(name)!();
        const { given } = told(places.indexOf(place)) as { given: Bytes[] };
        expect(Object.keys(bytes).length).toBe(count);
        for (const text of Object.values(bytes)) expect(/[1-9a-f]/.test(text)).toBe(true);
        expect(given[tasks.findIndex(([known]) => known === name)]).toEqual(bytes);
      });
    });

    it.each(threads)("returns the results of the main thread from ergodic/worker: %o", (place) => {
      expectTheSame(told(places.length + threads.indexOf(place)) as Gave);
    });
  });
});
