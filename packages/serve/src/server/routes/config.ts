import { Type } from "@sinclair/typebox";
import type { Served, TensorMetadata } from "../../models/served.ts";
import type { Routes } from "../context.ts";
import { answers, modelParams } from "./schemas.ts";

const port = Type.Object({
  name: Type.String(),
  data_type: Type.String({ description: "TYPE_FP32, TYPE_STRING …" }),
  format: Type.String(),
  dims: Type.Array(Type.Integer({ description: "Extent of an axis; -1: any" })),
});

const configAnswer = Type.Object({
  name: Type.String(),
  platform: Type.String(),
  version_policy: Type.Object({ latest: Type.Object({ num_versions: Type.Integer() }) }),
  max_batch_size: Type.Integer({ description: "If > 0, dims do not include the first axis, which counts the rows" }),
  input: Type.Array(port),
  output: Type.Array(port),
  instance_group: Type.Array(Type.Object({ kind: Type.String(), count: Type.Integer() })),
  dynamic_batching: Type.Optional(Type.Object({ priority_levels: Type.Integer(), default_priority_level: Type.Integer() })),
});

/** Routes for the model configuration extension, which Triton's load generator and image clients ask for. */
export const addConfig: Routes = (app, { repository, settings }) => {
  for (const path of ["/v2/models/:model/config", "/v2/models/:model/versions/:version/config"])
    app.get<{ Params: { model: string; version?: string } }>(
      path,
      {
        schema: {
          summary: "Model configuration, as Triton's clients read it",
          params: modelParams,
          response: answers(configAnswer, 404),
        },
      },
      ({ params: { model, version } }) => {
        const { name, served } = repository.get(model, version);
        return configOf(name, served, settings);
      },
    );
};

function configOf(name: string, served: Served, { maxBatch, versions }: { maxBatch: number; versions: number }): object {
  const joins = served.joining?.joins ?? true;
  // Shapes in a configuration have at least one axis, so the axis of rows is left out only if others remain.
  const isBatched = joins && [...served.inputs, ...served.outputs].every(({ shape }) => shape.length > 1 && shape[0] === -1);
  const portOf = ({ name: own, datatype, shape }: TensorMetadata): object => ({
    name: own,
    data_type: datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${datatype}`,
    format: "FORMAT_NONE",
    dims: isBatched ? shape.slice(1) : shape,
  });
  return {
    name,
    platform: served.platform,
    version_policy: { latest: { num_versions: versions } },
    max_batch_size: isBatched ? maxBatch : 0,
    input: served.inputs.map(portOf),
    output: served.outputs.map(portOf),
    instance_group: [{ kind: "KIND_CPU", count: served.concurrency ?? 1 }],
    ...(joins ? { dynamic_batching: { priority_levels: 9, default_priority_level: 5 } } : {}),
  };
}
