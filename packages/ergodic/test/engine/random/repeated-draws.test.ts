/** Repeated draws equal those of the stream, in any order after a restart. */
import { expect, it } from "vitest";
import { RepeatedDraws } from "../../../src/engine/random/repeated-draws.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";

const orders: ((draws: Draws) => number[])[] = [
  (d) => [d.normal(), d.normal(), d.normal()],
  (d) => [d.bits(), d.normal(), d.uniform()],
  (d) => [d.normal(), d.bits(), d.normal(), d.exponential(), d.integer(7)],
  (d) => [d.uniform(), d.normal(), d.normal(), d.normal(), d.normal(), d.bits()],
];

it("repeats the stream's numbers after a restart", () => {
  const own = stream(5, "repeated");
  const draws = new RepeatedDraws(own, 12);
  for (const ask of [...orders, ...orders]) {
    expect(ask(draws)).toEqual(ask(own.at(12)));
    draws.restart();
  }
});
