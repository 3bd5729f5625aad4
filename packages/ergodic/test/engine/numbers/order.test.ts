/** Selection by rank agrees with a complete sort. */
import { expect, it } from "vitest";
import { order } from "../../../src/engine/numbers/order.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const draws = stream(3, "order").at(0);
const lists: Record<string, (n: number) => Float64Array> = {
  random: (n) => Float64Array.from({ length: n }, () => draws.normal()),
  "few values": (n) => Float64Array.from({ length: n }, () => draws.integer(3)),
  equal: (n) => new Float64Array(n).fill(2),
  falling: (n) => Float64Array.from({ length: n }, (_, i) => -i),
  "with infinities and NaN": (n) =>
    Float64Array.from({ length: n }, () => [Number.NaN, -Infinity, Infinity, draws.normal()][draws.integer(4)]),
};

it.each(Object.entries(lists))("puts every rank in its place: %s", (_, make) => {
  for (let n = 0; n <= 17; n++) {
    const list = make(n);
    const sorted = list.slice().sort();
    for (let place = 0; place < n; place++) {
      const x = list.slice();
      order(x, place);
      expect(x[place]).toBe(sorted[place]);
      expect([...x].slice(0, place).every((below) => below <= x[place] || Number.isNaN(x[place]))).toBe(true);
      expect([...x.slice().sort()]).toEqual([...sorted]);
    }
  }
});

it("keeps elements before `from`, and does nothing for a rank among them", () => {
  const x = Float64Array.of(9, 8, 3, 1, 2);
  order(x, 3, 2);
  expect([...x.subarray(0, 2), x[3]]).toEqual([9, 8, 2]);
  const before = [...x];
  order(x, 1, 2);
  expect([...x]).toEqual(before);
});
