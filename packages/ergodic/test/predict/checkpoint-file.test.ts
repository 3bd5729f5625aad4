/** A checkpoint that is loaded as a model is recognised and named in the error. */
import { expect, test } from "vitest";
import { encodeDescribed } from "../../src/engine/files/described-file.ts";
import { checkpointBytes } from "../../src/engine/loop/checkpoint.ts";
import { predictor } from "../../src/entries/everything.ts";

test("explains how to resume a run if a checkpoint is loaded as a model", async () => {
  const bytes = checkpointBytes({ snapshot: { tensors: {}, state: {} }, loop: {}, recipe: {} });
  await expect(predictor(bytes)).rejects.toThrow(
    /is the checkpoint of a run, not a model; resume the run, fit\.resume\(file, data\) or ergodic train … --resume file, and take the model that it saves \[MODEL_KIND\]$/,
  );
  const other = encodeDescribed({ format: "constructor", versionName: "", stranger: "", codes: "" }, {}, {}, {});
  await expect(predictor(other)).rejects.toThrow("not a model saved by ergodic; export it from the tool that made it");
});
