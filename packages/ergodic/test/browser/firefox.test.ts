/**
 * Firefox, whose engine is SpiderMonkey: the bytes of Node in deterministic mode, in training, drawing, searching, inference and prediction, with and without shared memory; and
 * `ergodic/worker`, with and without Symbol.dispose.
 */
import { beforeAll, describe, expect, it } from "vitest";
import * as ergodic from "../../src/index.ts";
import { drawing, graphs, training } from "../loop/training-task.ts";
import { expectTheSame, type Gave } from "../worker/checked.ts";
import { moduleText, verbs } from "../worker/verbs-task.ts";
import { runInFirefox, type Visit, whyNoFirefox } from "./firefox.ts";
import { sampling } from "./sampling-task.ts";

type Bytes = Record<string, string>;

const reason = whyNoFirefox();
if (reason) console.warn(`skipped: Firefox, because ${reason}`);

const tasks: [name: string, task: string, count: number][] = [
  ["training", training, 13],
  ["drawing and searching", drawing, 28],
  ["inferring and learning on graphs", graphs, 11],
  ["sampling", sampling, 15],
];
const places = [{ isolated: true }, { isolated: false }];
const olders = [false, true];

const begin = `const lib = { ...(await import("/dist/index.js")), compiler: await import("/dist/compiler/index.js") };`;
const all = `${begin}return [${tasks.map(([, task]) => `await (async () => {${task}})()`)}];`;
const throughWorker = `${begin}
const { worker } = await import("/dist/worker/index.js");
const module = new URL("/module.js", location.href).href;
${verbs}`;
const files = { "/module.js": moduleText("/dist/index.js") };
const visits: Visit[] = [
  ...places.map((place) => ({ ...place, task: all })),
  ...olders.map((older) => ({ isolated: false, older, task: throughWorker, files })),
];

describe.skipIf(reason)(`Firefox${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let found: unknown[];
  beforeAll(async () => {
    found = await runInFirefox(visits, 600_000);
  });
  const given = (at: number): unknown => {
    if (found[at] instanceof Error) throw found[at];
    return found[at];
  };

  describe.each(tasks)("%s", (name, task, count) => {
    let wanted: Bytes;
    beforeAll(async () => {
      const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (lib: typeof ergodic) => Promise<Bytes>;
      wanted = await new AsyncFunction("lib", task)(ergodic);
    });

    it.each(places)("gives the bytes of Node: %o", (place) => {
      const there = given(places.indexOf(place)) as Bytes[];
      expect(Object.keys(wanted).length).toBe(count);
      for (const text of Object.values(wanted)) expect(/[1-9a-f]/.test(text)).toBe(true);
      expect(there[tasks.findIndex(([known]) => known === name)]).toEqual(wanted);
    });
  });

  it.each(olders)("ergodic/worker gives what the verbs give on the page; without Symbol.dispose: %s", (older) => {
    expectTheSame(given(places.length + olders.indexOf(older)) as Gave);
  });
});
