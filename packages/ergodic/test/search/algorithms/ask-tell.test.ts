/** ask-tell.ts on a scripted search, so that its input can be checked exactly. */
import { describe, expect, it } from "vitest";
import { onePlusOneEs, randomSearch, type SearchAlgorithm, search } from "../../../src/entries/everything.ts";
import { keepState } from "../../../src/search/algorithms/define-search.ts";

/** Batch k consists of the points k + 0.1 j on the first coordinate. `told` records all results. */
function scripted(sizes: number[], given: { inject?: boolean; diverges?: boolean } = {}) {
  const told: { points: number[]; values: number[] }[] = [];
  const injected: [number, number, number][] = [];
  const algorithm: SearchAlgorithm = {
    name: "scripted",
    verb: "minimize",
    options: {},
    summary: "",
    source: "",
    toJSON: () => ({ search: "scripted", options: {} }),
    start: ({ start }) => {
      const numbers = { k: 0 };
      return {
        ...keepState({ numbers, arrays: {} }),
        get stopped() {
          return numbers.k >= sizes.length ? "the script is at its end" : null;
        },
        propose: () =>
          Array.from({ length: sizes[numbers.k] }, (_, j) =>
            start.map((_v, i) => (i === 0 ? (given.diverges ? Infinity : numbers.k + 0.1 * j) : 0)),
          ),
        update: (points, values) => {
          told.push({ points: points.map((p) => p[0]), values: [...values] });
          numbers.k++;
        },
        ...(given.inject
          ? { inject: (point: Float64Array, value: number) => void injected.push([numbers.k, point[0], value]) }
          : {}),
        report: () => ({ k: numbers.k }),
      };
    },
  };
  return { algorithm, told, injected };
}
const space = { x0: [0, 5], stepSize: 1 };
const firsts = (asked: { x: Float64Array }[]): number[] => asked.map(({ x }) => x[0]);
const ids = (asked: { id: number }[]): number[] => asked.map(({ id }) => id);

describe("ask and tell", () => {
  it("returns a batch in pieces, waits for all of it, and continues", () => {
    const { algorithm, told } = scripted([3, 2]);
    const s = search({ ...space, algorithm });
    expect(ids(s.ask(2))).toEqual([0, 1]);
    const [last] = s.ask();
    expect([last.id, ...last.x]).toEqual([2, 0.2, 5]);
    expect(s.ask()).toEqual([]);
    s.tell(2, 12);
    s.tell(0, 10);
    expect(s.ask()).toEqual([]);
    expect(told).toEqual([]);
    s.tell(1, 11);
    expect(told).toEqual([{ points: [0, 0.1, 0.2], values: [10, 11, 12] }]);
    expect(firsts(s.ask())).toEqual([1, 1.1]);
    s.tell(4, 1);
    expect(s.stopped).toBeNull();
    s.tell(3, 2);
    expect(s.stopped).toBe("the script is at its end");
    expect(s.ask()).toEqual([]);
    expect(s.evaluations).toBe(5);
    expect(s.report()).toEqual({ k: 2, evaluations: 5, failed: 0, best: 1 });
  });

  it("returns copies", () => {
    const { algorithm, told } = scripted([1]);
    const s = search({ ...space, algorithm });
    const [{ id, x }] = s.ask();
    x.fill(99);
    s.tell(id, 1);
    s.best?.x.fill(99);
    expect(s.best).toEqual({ x: Float64Array.of(0, 5), value: 1 });
    expect(told[0].points).toEqual([0]);
  });

  it("finds the same best and history in any order of tells, and the first of equal values wins", () => {
    const values = [3, 1, Number.NaN, 1, 2];
    for (const order of [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [3, 0, 4, 2, 1],
    ]) {
      const s = search({ ...space, algorithm: scripted([5]).algorithm });
      s.ask();
      for (const id of order) s.tell(id, values[id]);
      expect(s.best).toEqual({ x: Float64Array.of(0.1, 5), value: 1 });
      expect(s.history).toEqual({
        evaluations: Float64Array.of(1, 2, 3, 4, 5),
        values: Float64Array.from(values),
        best: Float64Array.of(3, 1, 1, 1, 1),
      });
      expect(s.failed).toBe(1);
    }
  });

  it("extends history to the first missing evaluation", () => {
    const s = search({ ...space, algorithm: scripted([1, 3]).algorithm });
    s.tell(s.ask()[0].id, 7);
    s.ask();
    s.tell(3, 1);
    s.tell(1, 9);
    expect([...s.history.values]).toEqual([7, 9]);
    expect([...s.history.best]).toEqual([7, 7]);
    expect(s.best?.value).toBe(1);
  });

  it("ends at the granted evaluations, even within a batch, and accepts more", () => {
    const { algorithm, told } = scripted([2, 3]);
    const s = search({ ...space, algorithm, evaluations: 4 });
    for (const { id } of s.ask()) s.tell(id, id);
    expect(ids(s.ask())).toEqual([2, 3]);
    expect(s.ask()).toEqual([]);
    s.tell(3, 3);
    expect(s.stopped).toBeNull();
    s.tell(2, 2);
    expect(s.stopped).toBe("all evaluations made");
    expect(s.ask()).toEqual([]);
    s.grant(10);
    expect(ids(s.ask())).toEqual([4]);
    s.tell(4, 4);
    expect(told[1].values).toEqual([2, 3, 4]);
  });

  it("passes a failed evaluation to the algorithm as +Infinity, and ends at −Infinity", () => {
    const { algorithm, told } = scripted([4, 1]);
    const s = search({ ...space, algorithm });
    s.ask();
    s.tell(0, Number.NaN);
    s.fail(1);
    s.tell(2, Infinity);
    expect(s.best).toBeUndefined();
    s.tell(3, 5);
    expect(told[0].values).toEqual([Infinity, Infinity, Infinity, 5]);
    expect(s.failed).toBe(2);
    s.ask();
    s.tell(4, -Infinity);
    expect(s.best?.value).toBe(-Infinity);
    expect(s.stopped).toBe("the value is -Infinity, the lowest possible");
  });
});

describe("injected points", () => {
  it("reach the algorithm between batches, and can become the best", () => {
    const { algorithm, injected } = scripted([2, 1], { inject: true });
    const s = search({ ...space, algorithm });
    s.tell([4, 5], 8);
    expect(s.best).toEqual({ x: Float64Array.of(4, 5), value: 8 });
    s.ask();
    s.tell(0, 8);
    s.tell([3, 5], 2);
    expect(injected).toEqual([[0, 4, 8]]);
    s.tell(1, 9);
    expect(injected).toEqual([
      [0, 4, 8],
      [1, 3, 2],
    ]);
    expect(s.best).toEqual({ x: Float64Array.of(3, 5), value: 2 });
    expect(s.evaluations).toBe(2);
    expect([...s.history.values]).toEqual([8, 9]);
  });

  it("help a search that uses them, and do not harm one that does not", () => {
    const f = (x: Float64Array) => (x[0] - 3) ** 2 + (x[1] - 3) ** 2;
    const s = search({ x0: [0, 0], algorithm: onePlusOneEs({ tolerance: 0 }), seed: 1 });
    s.tell([3, 3.001], f(Float64Array.of(3, 3.001)));
    for (let i = 0; i < 3; i++) for (const { id, x } of s.ask()) s.tell(id, f(x));
    expect(s.best?.value).toBeLessThanOrEqual(1.1e-6);
    const r = search({ bounds: [[0, 1]], algorithm: randomSearch(), seed: 1 });
    r.tell([0.5], -1);
    expect(r.ask()).toEqual(search({ bounds: [[0, 1]], algorithm: randomSearch(), seed: 1 }).ask());
  });
});

describe("noise", () => {
  it("is averaged over repetitions of each point, in any order of tells", () => {
    const values = [0.1, 0.2, 0.3, 1e16, 1, -1e16];
    const means = [(0.1 + 0.2 + 0.3) / 3, (1e16 + 1 - 1e16) / 3];
    for (const order of [
      [0, 1, 2, 3, 4, 5],
      [5, 2, 4, 1, 3, 0],
    ]) {
      const { algorithm, told } = scripted([2]);
      const s = search({ ...space, algorithm, repeat: 3 });
      expect(firsts(s.ask())).toEqual([0, 0, 0, 0.1, 0.1, 0.1]);
      for (const id of order) s.tell(id, values[id]);
      expect(told[0].values).toEqual(means);
      expect([...s.history.evaluations]).toEqual([3, 6]);
    }
  });

  it("fails a point if a repetition fails", () => {
    const { algorithm, told } = scripted([2]);
    const s = search({ ...space, algorithm, repeat: 2 });
    s.ask();
    for (const [id, value] of [1, Number.NaN, 2, 4].entries()) s.tell(id, value);
    expect(told[0].values).toEqual([Infinity, 3]);
    expect([s.failed, s.best?.value]).toEqual([1, 3]);
  });

  it("has a seed per evaluation, or per repetition in a batch with common random numbers", () => {
    const seeds = (commonRandomNumbers: boolean, seed = 1): number[] => {
      const s = search({ ...space, algorithm: scripted([2, 2]).algorithm, repeat: 2, commonRandomNumbers, seed });
      const all: number[] = [];
      for (let k = 0; k < 2; k++) {
        for (const asked of s.ask()) {
          all.push(asked.seed);
          s.tell(asked.id, 1);
        }
      }
      return all;
    };
    expect(new Set(seeds(false)).size).toBe(8);
    const common = seeds(true);
    expect([common[2], common[3], common[6], common[7]]).toEqual([common[0], common[1], common[4], common[5]]);
    expect(new Set(common).size).toBe(4);
    expect(seeds(false)).toEqual(seeds(false));
    expect(seeds(false, 2)).not.toEqual(seeds(false));
    for (const seed of common) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
  });
});

describe("snapshots", () => {
  it("contain pending and injected points", () => {
    const options = { ...space, seed: 3, repeat: 2 };
    const first = scripted([2, 2], { inject: true });
    const s = search({ ...options, algorithm: first.algorithm });
    const asked = s.ask(3);
    s.tell(0, 4);
    s.tell(2, Number.NaN);
    s.tell([7, 5], Infinity);
    s.tell([8, 5], 3);
    const second = scripted([2, 2], { inject: true });
    const t = search({ ...options, algorithm: second.algorithm });
    t.restore(structuredClone(s.snapshot()));
    expect(t.snapshot()).toEqual(s.snapshot());
    expect(t.pending).toEqual([asked[1]]);
    expect(t.best).toEqual(s.best);
    expect(() => t.tell(0, 1)).toThrow("[SEARCH_TOLD]");
    expect(ids(t.ask())).toEqual([3]);
    t.tell(1, 6);
    t.tell(3, 1);
    expect(second.told).toEqual([{ points: [0, 0.1], values: [5, Infinity] }]);
    expect(second.injected).toEqual([
      [1, 7, Infinity],
      [1, 8, 3],
    ]);
    expect([...t.history.values]).toEqual([5, Number.NaN]);
    expect(t.failed).toBe(1);
  });

  it("are refused by another search", () => {
    const s = search({ ...space, algorithm: scripted([2]).algorithm, seed: 1 });
    const t = search({ ...space, algorithm: scripted([2]).algorithm, seed: 2 });
    expect(() => t.restore(s.snapshot())).toThrow(
      "search.restore: the snapshot is of a search with other options; give it the same space, algorithm, seed, evaluations and repeat [SEARCH_OTHER]",
    );
  });
});

describe("refused input", () => {
  const asked = () => {
    const s = search({ ...space, algorithm: scripted([2, 1]).algorithm });
    s.ask(1);
    return s;
  };

  it("refuses ids that were never issued or were already told, even in old batches", () => {
    const s = asked();
    for (const id of [1, 5, -1, 0.5, Number.NaN])
      expect(() => s.tell(id, 1)).toThrow(`search.tell: id ${id} was never asked for; tell the ids that ask() gave [SEARCH_ID]`);
    s.tell(0, 1);
    expect(() => s.tell(0, 1)).toThrow("search.tell: id 0 was told before; tell each once [SEARCH_TOLD]");
    s.tell(s.ask()[0].id, 1);
    expect(() => s.fail(0)).toThrow("[SEARCH_TOLD]");
    expect(() => s.tell(2, 1)).toThrow("[SEARCH_ID]");
    expect(s.evaluations).toBe(2);
  });

  it("refuses values that are not numbers, points outside the space, and invalid counts", () => {
    const s = asked();
    expect(() => s.tell(0, "3" as unknown as number)).toThrow(
      'search.tell: the value is "3", but must be a number, NaN for a failure [SEARCH_VALUE]',
    );
    expect(() => s.tell([1], 3)).toThrow("search.tell: x has 1 coordinates, but the space has 2 [SEARCH_POINT]");
    expect(() => s.tell([1, Number.NaN], 3)).toThrow("search.tell: x[1] is NaN, but must be a number [SEARCH_POINT]");
    expect(() => s.ask(0)).toThrow("[OPTION_RANGE]");
    expect(s.evaluations).toBe(0);
  });

  it("refuses invalid options", () => {
    const made = (options: object) => () => search({ ...space, ...options });
    expect(made({ algorithms: 1 })).toThrow('search: unknown option "algorithms"; did you mean "algorithm"?');
    expect(made({ algorithm: onePlusOneEs })).toThrow(
      "algorithm is the function onePlusOneEs, not called, but must be a search: write cmaEs() [OPTION_TYPE]",
    );
    expect(made({ algorithm: "cmaEs" })).toThrow(`algorithm is "cmaEs", but must be a search: write cmaEs() [OPTION_TYPE]`);
    expect(made({ repeat: 0 })).toThrow("repeat is 0, but must be an integer >= 1 [OPTION_RANGE]");
    expect(made({ evaluations: 1.5 })).toThrow("[OPTION_RANGE]");
    expect(made({ seed: -1 })).toThrow("[OPTION_RANGE]");
    expect(made({ commonRandomNumbers: 1 })).toThrow("[OPTION_TYPE]");
  });

  it("ends a search that proposes invalid numbers", () => {
    const s = search({ ...space, algorithm: scripted([1], { diverges: true }).algorithm });
    expect(() => s.ask()).toThrow(
      "scripted: coordinate 0 of a proposed point is not finite after 0 evaluations: the search diverged; use a smaller rate or step size, or bounds [SEARCH_DIVERGED]",
    );
  });
});
