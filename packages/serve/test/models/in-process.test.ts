/** Predictions on the server's thread. Many rows are split into slices, between which other requests run. */
import type { Row } from "ergodic";
import type { OutputPredictor } from "ergodic/predict";
import { describe, expect, test } from "vitest";
import { InProcess } from "../../src/models/in-process.ts";
import { classifier } from "../server/models.ts";

const count = 2500;
const matrix = Float64Array.from({ length: 3 * count }, (_, i) => Math.sin(i * i));
const list = Array.from({ length: count }, (_, i) => [...matrix.subarray(3 * i, 3 * i + 3)]) as unknown as Row[];

describe.each([
  ["a matrix", matrix],
  ["a list of rows", list],
])("%s", (_, rows) => {
  test("returns the numbers of one call for all classes", async () => {
    const model = await classifier();
    const wanted = new Float64Array(count * model.width);
    model.predictInto(matrix, wanted);
    expect(await new InProcess(model as unknown as OutputPredictor, false).numbers(rows)).toEqual(wanted);
  });

  // Each slice of 256 rows takes that long.
  test.each([
    ["0 ms: at once", 0, [10]],
    ["0.7 ms: three in a turn of the event loop", 0.7, [3, 3, 3, 1]],
    ["2 ms: each in a turn of its own", 2, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])("is computed in parts of %s", async (_, ms, wanted) => {
    const model = await classifier();
    let now = 5;
    let turns = 0;
    const parts: number[] = [];
    const sizes: number[] = [];
    const watched = Object.assign(Object.create(model), {
      predictInto(some: ArrayLike<unknown>, out: Float64Array) {
        parts[turns] = (parts[turns] ?? 0) + 1;
        sizes.push(out.length / model.width);
        now += ms;
        return model.predictInto(some as never, out);
      },
    });
    let isDone = false;
    const turn = (): void => {
      turns++;
      now += 100; // time that others took
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await new InProcess(watched as OutputPredictor, false, { now: () => now }).numbers(rows);
    isDone = true;
    expect(turns, "the answer comes in the turn of its last part").toBe(parts.length - 1);
    expect(parts.filter((count) => count > 0)).toEqual(wanted);
    expect(sizes).toEqual([256, 256, 256, 256, 256, 256, 256, 256, 256, 196]);
  });
});

test("disposes only of its own model", async () => {
  let disposed = 0;
  const model = Object.assign(Object.create(await classifier()), { dispose: () => void disposed++ });
  new InProcess(model as OutputPredictor, false).close();
  expect(disposed).toBe(0);
  new InProcess(model as OutputPredictor, true).close();
  expect(disposed).toBe(1);
});
