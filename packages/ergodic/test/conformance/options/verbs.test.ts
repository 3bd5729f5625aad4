/**
 * Every option of every verb is tested with the values of verbs.ts, like the options of factories in options.test.ts.
 * Valid values are not tried, because such runs can be long.
 */
import { describe, expect, it } from "vitest";
import { failureOf, junk, knownOptions, withOption, wrongAnswer } from "./values.ts";
import { fits, others, samples, searchesOf } from "./verbs.ts";

describe.each(Object.entries({ fits, samples, searchesOf, others }))("options of %s", (_, table) => {
  for (const [name, { call, options, base = {} }] of Object.entries(table)) {
    it(name, async () => {
      const wrong: string[] = [];
      for (const [option, takes] of Object.entries(options)) {
        for (const [what, value] of junk) {
          if (takes(value)) continue;
          const failure = await failureOf(() => call(withOption(base[option] ?? {}, option, value) as never));
          const answer = wrongAnswer(option, false, value, failure);
          if (answer) wrong.push(`${option}, ${what}: ${answer}`);
        }
      }
      expect(wrong).toEqual([]);
    });

    it(`${name} refuses unknown options`, async () => {
      const own = Object.keys(options).filter((option) => !option.includes("."));
      const known = await knownOptions(call);
      expect(known.filter((option) => option !== "algorithm" || own.includes(option)).sort()).toEqual(own.sort());
    });
  }
});
