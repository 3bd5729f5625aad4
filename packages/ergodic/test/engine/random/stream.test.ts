import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { multiplyHigh, philox } from "../../../src/engine/random/philox.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const counter = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);

// Known answers of Random123 1.14 (kat_vectors): counter, key, block.
const known = [
  { counter: [0, 0, 0, 0], key: [0, 0], block: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    block: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    block: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

describe("philox", () => {
  it.each(known)("returns Random123's known answer for counter $counter", async ({ counter, key, block }) => {
    const [c0, c1, c2, c3] = counter;
    const out = new Uint32Array(4);
    philox(out, c0, c1, c2, c3, key[0], key[1]);
    expect([...out]).toEqual(block);
    const engine = await openEngine();
    for (const deterministic of [true, false]) {
      engine.kernel("philox", deterministic)(...counter, ...key);
      const word = engine.kernel("philoxWord", deterministic);
      expect([0, 1, 2, 3].map((i) => word(i) >>> 0)).toEqual(block);
    }
  });

  it("multiplies exactly", () => {
    fc.assert(
      fc.property(u32, u32, (a, b) => {
        expect(multiplyHigh(a, b) >>> 0).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
      }),
      { seed: 1, numRuns: 2000 },
    );
    expect(multiplyHigh(0xffffffff, 0xffffffff) >>> 0).toBe(0xfffffffe);
  });
});

describe("stream", () => {
  it("repeats only for the same seed, names and counter", () => {
    const first = (...of: [number, ...(string | number)[]]) =>
      stream(...of)
        .at(3)
        .bits();
    expect(first(1, "chain", 3)).toBe(first(1, "chain", 3));
    const others = [
      first(1, "chain", 3),
      first(2, "chain", 3),
      first(1, "chain", "3"),
      first(1, "chain", 4),
      first(1, "chain3"),
      first(1, "chain"),
      first(-1),
    ];
    expect(new Set(others).size).toBe(others.length);
    expect(stream(1).at(4).bits()).not.toBe(stream(1).at(3).bits());
  });

  it("keeps its first draws, because a changed key or order would change every saved result", () => {
    const { key, at } = stream(42, "chain", 3);
    const draws = at(7);
    expect({
      key,
      bits: draws.bits(),
      uniform: draws.uniform(),
      integer: draws.integer(1000),
      normal: draws.normal(),
      exponential: draws.exponential(),
    }).toMatchInlineSnapshot(`
      {
        "bits": 1270137878,
        "exponential": 1.4850475012718456,
        "integer": 281,
        "key": [
          4061931267,
          363645851,
        ],
        "normal": -0.15322778780871887,
        "uniform": 0.9710862507820777,
      }
    `);
  });

  it("keeps its keys, whether or not the names fill the last block", () => {
    const keys = [["a"], ["ab"], ["abc"], ["abcd"]].map((names) => stream(7, ...names).key);
    expect(keys).toEqual([
      [2922136630, 2783852937],
      [1026451300, 3049661489],
      [338778278, 3607137332],
      [1144143212, 235105723],
    ]);
  });

  it("refuses a seed that is not a 53-bit integer", () => {
    for (const seed of [0.5, NaN, 2 ** 53, "1" as unknown as number]) expect(() => stream(seed)).toThrow("[OPTION_RANGE]");
    expect(() => stream(1).at(-1)).toThrow("counter");
    expect(() => stream(1).at(0).integer(0)).toThrow("below 0");
  });

  it("draws integers within range, and every one of them for a small n", () => {
    const draws = stream(1, "small").at(0);
    const seen = new Set(Array.from({ length: 200 }, () => draws.integer(6)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(draws.integer(1)).toBe(0);
    expect(draws.integer(2 ** 32)).toBeGreaterThanOrEqual(0);
  });
});

type Kind = keyof Draws;
const kernels: Record<Kind, string> = {
  bits: "randomBits",
  uniform: "randomUniform",
  integer: "randomInteger",
  normal: "randomNormal",
  exponential: "randomExponential",
};
const script = fc.array(
  fc.record({
    kind: fc.constantFrom(...(Object.keys(kernels) as Kind[])),
    n: fc.oneof(
      u32.filter((n) => n > 0),
      fc.constantFrom(1, 2, 3, 0x80000001, 0xffffffff),
    ),
  }),
  {
    maxLength: 30,
  },
);

it.each([true, false])(
  "has a WebAssembly twin with the same bits for any script of draws (deterministic: %s)",
  async (deterministic) => {
    const engine = await openEngine();
    const kernel = (name: string) => engine.kernel(name, deterministic);
    fc.assert(
      fc.property(fc.integer(), counter, script, (seed, update, steps) => {
        const { key, at } = stream(seed, "script");
        const draws = at(update);
        kernel("randomSeek")(...key, update);
        for (const { kind, n } of steps) {
          const given = kernel(kernels[kind])(n);
          const isWord = kind === "bits" || kind === "integer";
          expect(isWord ? given >>> 0 : given).toBe(draws[kind](n));
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  },
);

it.each([
  ["uniform", 0],
  ["normal", 1],
  ["exponential", 2],
] as const)("fills any length with %s draws, equal to single draws", async (kind, code) => {
  const engine = await openEngine();
  const { key, at } = stream(5, "fill");
  for (const deterministic of [true, false]) {
    for (const count of [...Array(18).keys(), 100, 257]) {
      using piece = engine.memory.allocate(8 * (count + 1), "test");
      engine.kernel("randomFill", deterministic)(piece.pointer, count, code, ...key, 9);
      const draws = at(9);
      const wanted = Array.from({ length: count }, () => draws[kind]());
      expect([...engine.memory.f64(piece.pointer, count + 1)]).toEqual([...wanted, 0]);
    }
  }
});

it("word w of update c is word w mod 4 of the block with counter [⌊w/4⌋, 0, c mod 2^32, ⌊c/2^32⌋]", () => {
  const { key } = stream(7, "a");
  for (const update of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 2 ** 31, 2 ** 53 - 1]) {
    const draws = stream(7, "a").at(update);
    const words = Array.from({ length: 9 }, () => draws.bits());
    const wanted = [0, 1, 2].flatMap((block) => {
      const out = new Uint32Array(4);
      philox(out, block, 0, update % 2 ** 32, Math.floor(update / 2 ** 32), ...key);
      return [...out];
    });
    expect(words).toEqual(wanted.slice(0, 9));
  }
});
