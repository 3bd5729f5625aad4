/** Predictions on the server's thread: many rows in slices, between which other requests get their turn. */
import type { OutputPredictor, Row } from "ergodic";
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
  test("has the numbers of one call, of all classes", async () => {
    const model = await classifier();
    const wanted = new Float64Array(count * model.width);
    model.predictInto(matrix, wanted);
    expect(await new InProcess(model as unknown as OutputPredictor, false).numbers(rows)).toEqual(wanted);
  });

  test("is computed in parts, with a turn of the event loop between two", async () => {
    const model = await classifier();
    const parts: number[] = [];
    let turns = 0;
    const watched = Object.assign(Object.create(model), {
      predictInto(some: never, out: Float64Array) {
        parts.push(turns);
        return model.predictInto(some, out);
      },
    });
    let isDone = false;
    const turn = (): void => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await new InProcess(watched as OutputPredictor, false).numbers(rows);
    isDone = true;
    expect(parts).toHaveLength(3);
    expect(new Set(parts).size).toBe(3);
  });
});

test("only what is its own is disposed of", async () => {
  let disposed = 0;
  const model = Object.assign(Object.create(await classifier()), { dispose: () => void disposed++ });
  new InProcess(model as OutputPredictor, false).close();
  expect(disposed).toBe(0);
  new InProcess(model as OutputPredictor, true).close();
  expect(disposed).toBe(1);
});
