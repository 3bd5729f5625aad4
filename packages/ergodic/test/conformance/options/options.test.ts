/**
 * Every option of every factory is tested with the values of factories.ts. A value of another kind is refused with a
 * typed error that names the option, and never causes an error of JavaScript itself. Factories are found from their
 * registries, and options by asking the factories.
 */
import { describe, expect, it } from "vitest";
import {
  ErgodicError,
  featureMaps,
  inferenceNames,
  layerKinds,
  learnerNames,
  lossNames,
  ruleRegistry,
  samplerNames,
  scheduleNames,
  searchRegistry,
} from "../../../src/entries/everything.ts";
import { builtIn } from "../../reference/built-in.ts";
import * as declared from "./declared.ts";
import * as factories from "./factories.ts";
import { failureOf, junk, knownOptions, withOption, wrongAnswer } from "./values.ts";

const { declaredOf: _, withoutRange, ...tables } = { ...declared, ...factories };

describe.each(Object.entries(tables))("options of %s", (_, table) => {
  for (const [name, { call, options, base = {} }] of Object.entries(table)) {
    it(name, async () => {
      const wrong: string[] = [];
      for (const [option, takes] of Object.entries(options)) {
        for (const [what, value] of junk) {
          const failure = await failureOf(() => call(withOption(base[option] ?? {}, option, value) as never));
          const answer = wrongAnswer(option, takes(value), value, failure);
          if (answer) wrong.push(`${option}, ${what}: ${answer}`);
        }
      }
      expect(wrong).toEqual([]);
    });

    it(`${name} refuses invalid options objects and unknown options`, async () => {
      for (const [what, value] of junk) {
        if (value === null || Object.prototype.toString.call(value) !== "[object Object]")
          expect(await failureOf(() => call(value as never)), what).toBeInstanceOf(ErgodicError);
      }
      const own = Object.keys(options).filter((option) => !option.includes("."));
      const known = await knownOptions(call);
      // The layer knows the arguments that precede the options, but they must not be repeated as options.
      const [mine, before] = [known.filter((option) => own.includes(option)), known.filter((option) => !own.includes(option))];
      expect(mine.sort()).toEqual(own.sort());
      for (const option of before)
        expect(await failureOf(() => call({ [option]: 1 } as never)), option).toMatchObject({ code: "OPTION_CONFLICT" });
    });
  }
});

it("every numeric option has a range, except a minimum of the loss, which can be any number", () => {
  expect(withoutRange().sort()).toEqual(["polyak.optimum", "spsMax.optimum"]);
});

describe("declarations for every registry", () => {
  it.each([
    ["rules", tables.ruleOptions, Object.keys(ruleRegistry)],
    ["schedules", tables.scheduleOptions, scheduleNames()],
    ["searches", tables.searchOptions, Object.keys(searchRegistry)],
    ["samplers", tables.samplerOptions, samplerNames()],
    ["algorithms of infer", tables.inferenceOptions, inferenceNames()],
    ["learners of graphs", tables.learnerOptions, learnerNames()],
    ["feature maps", tables.featureMaps, Object.keys(featureMaps)],
    ["losses", tables.lossOptions, builtIn(lossNames(), "Loss").map((name) => `${name}Loss`)],
  ])("%s", (_, table, names) => {
    expect(Object.keys(table).sort()).toEqual([...names].sort());
  });

  it("every layer is declared", () => {
    // Layers made only of lists of layers are tested in layers.test.ts.
    const without = ["concatenating", "frozen", "grouped"];
    const known = { ...tables.layerOptions, ...tables.madeLayers };
    expect(
      builtIn(layerKinds())
        .filter((kind) => !(kind in known))
        .sort(),
    ).toEqual(without);
  });
});
