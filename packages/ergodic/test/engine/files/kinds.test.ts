/** Sources of other realms, which `instanceof` does not recognise, and objects that only look like sources. */
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { isBlob, isBytes, isUrl } from "../../../src/engine/files/kinds.ts";
import { Dataset, fit, type LinearPredictor, linear, predictor } from "../../../src/entries/everything.ts";

it("recognises bytes of other realms, and no other views", () => {
  const foreign = runInNewContext("[new Uint8Array(2), new Uint8ClampedArray(2), new DataView(new ArrayBuffer(2))]");
  expect(foreign[0]).not.toBeInstanceOf(Uint8Array);
  expect(foreign.map(isBytes)).toEqual([true, false, false]);
  expect(isBytes(Buffer.from("a"))).toBe(true);
});

it("recognises blobs, files and addresses, and no objects with their tags", () => {
  const all = [new Blob(["a"]), new File(["a"], "a"), new URL("file:///a"), "a", null, {}];
  expect(all.map(isBlob)).toEqual([true, true, false, false, false, false]);
  expect(all.map(isUrl)).toEqual([false, false, true, false, false, false]);
  const tagged = ["Blob", "URL", "Uint8Array"].map((tag) => ({ [Symbol.toStringTag]: tag }));
  expect(tagged.map((one) => isBlob(one) || isUrl(one) || isBytes(one))).toEqual([false, false, false]);
});

it("reads a model from bytes of another realm, and starts from it", async () => {
  const data = Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
  const model = await fit(linear(), data, { epochs: 2, seed: 1, deterministic: true });
  const bytes = runInNewContext("new Uint8Array(given)", { given: [...model.toBytes()] });
  expect((await predictor<LinearPredictor>(bytes)).predict([[3]])).toEqual(model.predict([[3]]));
  const later = await fit(linear(), data, { epochs: 1, from: bytes, seed: 1, deterministic: true });
  expect(later.weights.length).toBe(1);
});
