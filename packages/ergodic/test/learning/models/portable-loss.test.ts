/** Losses as plain data: restored losses have exactly the expressions, and therefore the programs, of the original. */
import { expect, it } from "vitest";
import { scalar, vector } from "../../../src/engine/compiler/index.ts";
import { conjugateProgram, curvedProgram, lossFromJson, lossProgram } from "../../../src/learning/models/loss.ts";
import * as losses from "../../../src/learning/models/losses/index.ts";
import { lossFromPortable, portableLoss } from "../../../src/learning/models/portable-loss.ts";

it.each(Object.values(losses).map((make) => make()))("restores the loss from plain data: $name", (given) => {
  const made = lossFromPortable(structuredClone(portableLoss(given)));
  const { expression, second, conjugate, toJSON, ...facts } = given;
  expect(made.expression).toBe(expression);
  expect(made).toMatchObject(facts);
  expect(made.toJSON()).toEqual(toJSON());
  expect(lossFromJson(made.toJSON()).equation).toBe(given.equation);
  expect([made.second, made.conjugate].map((f) => f !== undefined)).toEqual([second, conjugate].map((f) => f !== undefined));
  for (const [z, y] of [
    [vector("z"), scalar("y")],
    [vector("other"), scalar("target")],
  ])
    expect(made.second?.({ z, y })).toBe(second?.({ z, y }));
  expect(conjugateProgram(made)).toEqual(conjugateProgram(given));
  expect(curvedProgram(made)).toEqual(curvedProgram(given));
  expect(lossProgram(made, given.joint ? 3 : 1, true)).toEqual(lossProgram(given, given.joint ? 3 : 1, true));
});
