/** The search for the highest rate in bench/serving.mjs, on servers of known capacity. */
import { describe, expect, test } from "vitest";

interface Trial {
  readonly isKept: boolean;
  readonly isDisturbed: boolean;
}
interface Found {
  readonly value: number;
  readonly trials: number;
  readonly disturbed: number;
  readonly isCut: boolean;
  readonly rate?: number;
}
type Search = (
  trial: (rate: number) => Promise<Trial & { rate: number }>,
  options: { start: number; precision: number },
) => Promise<Found>;

const { highestRate } = (await import(/* @vite-ignore */ new URL("../bench/rate-search.mjs", import.meta.url).href)) as {
  highestRate: Search;
};

const CAPACITY = 720;

/**
 * Searches on a server that sustains rates up to its capacity, except in the trials (counted from 0) that `spoilt`
 * selects.
 */
async function search(
  start: number,
  spoilt: (trial: number, rate: number) => "held up" | "disturbed" | undefined = () => undefined,
) {
  const rates: number[] = [];
  const found = await highestRate(
    async (rate) => {
      const spoilt_ = spoilt(rates.length, rate);
      rates.push(rate);
      return { isKept: rate <= CAPACITY && spoilt_ === undefined, isDisturbed: spoilt_ === "disturbed", rate };
    },
    { start, precision: 1.04 },
  );
  return { ...found, rates };
}

const isNear = (value: number) => {
  expect(value).toBeLessThanOrEqual(CAPACITY);
  expect(value).toBeGreaterThan(CAPACITY / 1.04);
};

describe("the search for the highest rate", () => {
  test.each([1, 450, 719, 721, 5000])("finds the capacity to 4 % from a start at %d", async (start) => {
    const { value, trials, rates, rate, disturbed, isCut } = await search(start);
    isNear(value);
    expect(rate).toBe(value);
    expect(trials).toBe(rates.length);
    expect(disturbed).toBe(0);
    expect(isCut).toBe(false);
  });

  test("rejects a rate after two failures and retries rejected rates at the end", async () => {
    const { rates, value } = await search(700);
    const counts = new Map<number, number>();
    for (const rate of rates) counts.set(rate, (counts.get(rate) ?? 0) + 1);
    const failed = [...counts].filter(([rate]) => rate > CAPACITY).sort(([a], [b]) => a - b);
    expect(failed[0][1]).toBe(4);
    expect(failed.slice(1).every(([, count]) => count === 2)).toBe(true);
    expect(failed[0][0] / value).toBeLessThanOrEqual(1.04);
  });

  test("is unaffected by one unexplained failure", async () => {
    for (let at = 0; at < 8; at++) isNear((await search(500, (trial) => (trial === at ? "held up" : undefined))).value);
  });

  test("is unaffected by one period in which every trial fails", async () => {
    for (const from of [0, 1, 2, 3, 4, 5])
      isNear((await search(450, (trial) => (trial >= from && trial < from + 4 ? "held up" : undefined))).value);
  });

  test("distinguishes disturbed trials from failures: a rate survives two of them and a failure", async () => {
    const spoilt = ["disturbed", "held up", "disturbed"] as const;
    const { value, rates, disturbed } = await search(700, (trial) => spoilt[trial]);
    expect(rates.slice(0, 4)).toEqual([700, 700, 700, 700]);
    expect(rates[4]).toBeGreaterThan(700);
    expect(disturbed).toBe(2);
    isNear(value);
  });

  test("outlasts a period of disturbed trials at the start", async () => {
    for (const length of [30, 60]) {
      const { value, isCut } = await search(700, (trial) => (trial < length ? "disturbed" : undefined));
      isNear(value);
      expect(isCut).toBe(false);
    }
  });

  test("ends below the capacity on a machine that is always disturbed, and reports the number of disturbances", async () => {
    let random = 1;
    const { value, trials, disturbed, isCut } = await search(600, () => {
      random = (random * 48271) % 2147483647;
      return random % 10 < 8 ? "disturbed" : undefined;
    });
    expect(value).toBeLessThanOrEqual(CAPACITY);
    expect(value).toBeGreaterThan(0);
    expect(trials).toBeLessThan(50);
    expect(disturbed).toBeGreaterThan(10);
    expect(isCut).toBe(trials >= 40);
  });

  test("reports the number of disturbed trials if the server sustains no rate", async () => {
    await expect(search(2, () => "held up")).rejects.toThrow("0 of 8 trials were disturbed");
    await expect(search(2, () => "disturbed")).rejects.toThrow("12 of 12 trials were disturbed");
  });
});
