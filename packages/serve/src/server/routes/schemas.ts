/** Schemas of requests and answers. They are used for the documentation and to check small bodies. */

import { type TSchema, Type } from "@sinclair/typebox";
import { LONGEST_US } from "../../v2/infer-request.ts";

export const errorAnswer = Type.Object({ error: Type.String({ description: "Place of the error, its cause, and what to do" }) });

const parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]));
const metadata = Type.Object({ name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer()) });
const tensor = Type.Object({
  name: Type.String(),
  datatype: Type.String({ description: "BOOL, UINT8 … UINT64, INT8 … INT64, FP16, FP32, FP64, BYTES" }),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  parameters: Type.Optional(Type.Object({ binary_data_size: Type.Optional(Type.Integer()) })),
  data: Type.Optional(
    Type.Array(Type.Unknown(), { description: "Values in row-major order, flat or nested; absent for binary tensors" }),
  ),
});

export const modelParams = Type.Object({ model: Type.String(), version: Type.Optional(Type.String()) });

export const scheduling = Type.Object({
  priority: Type.Optional(Type.Integer({ description: "From 1 (first) to 9 (last); 0: the default", minimum: 0, maximum: 9 })),
  timeout: Type.Optional(
    Type.Integer({ description: "Microseconds after which an answer is useless; 0: no limit", minimum: 0, maximum: LONGEST_US }),
  ),
});

export const inferRequest = Type.Object({
  id: Type.Optional(Type.String()),
  parameters: Type.Optional(Type.Composite([scheduling, Type.Object({ binary_data_output: Type.Optional(Type.Boolean()) })])),
  inputs: Type.Array(tensor),
  outputs: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        parameters: Type.Optional(Type.Object({ binary_data: Type.Optional(Type.Boolean()) })),
      }),
    ),
  ),
});

export const batchParameters = Type.Object({
  batch_rows: Type.Integer({ description: "Number of rows in the request's batch" }),
  queue_us: Type.Integer({ description: "Microseconds that the request waited" }),
  compute_us: Type.Integer({ description: "Microseconds that the batch took to compute" }),
  learnt_version: Type.Optional(
    Type.Integer({
      description: "For a model that learns: version that computed the answer, as returned by POST …/learn",
    }),
  ),
  unknown_levels: Type.Optional(
    Type.Integer({ description: "Number of cells with a level that the model does not know; absent if 0" }),
  ),
});

export const inferAnswer = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  parameters: batchParameters,
  outputs: Type.Array(tensor),
});

/** Refuses unknown fields in our own bodies, because misspelt fields would otherwise be ignored. */
export const NO_OTHERS = { additionalProperties: false } as const;

export const rowsRequest = Type.Object(
  {
    id: Type.Optional(Type.String()),
    rows: Type.Array(Type.Unknown(), {
      description: "Values by column name, or lists of numbers in the order of the columns",
      minItems: 1,
    }),
    parameters: Type.Optional(Type.Object(scheduling.properties, NO_OTHERS)),
  },
  NO_OTHERS,
);

export const rowsAnswer = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  target: Type.String(),
  predictions: Type.Array(
    Type.Object({
      value: Type.Union([Type.String(), Type.Number()]),
      probabilities: Type.Optional(Type.Record(Type.String(), Type.Number())),
    }),
  ),
  parameters: batchParameters,
});

export const rowsMetadata = Type.Object({
  target: Type.String(),
  classes: Type.Optional(Type.Array(Type.String())),
  column_count: Type.Integer(),
  columns: Type.Array(
    Type.Object({ name: Type.String(), kind: Type.String(), levels: Type.Optional(Type.Array(Type.String())) }),
  ),
});

export const serverMetadata = Type.Object({ name: Type.String(), version: Type.String(), extensions: Type.Array(Type.String()) });

export const modelMetadata = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(metadata),
  outputs: Type.Array(metadata),
  parameters: Type.Optional(
    Type.Object(
      {
        joins: Type.Boolean({ description: "Whether requests are joined into one batch" }),
        joins_because: Type.String({ description: "Reason why they are joined or not" }),
      },
      { description: "Only for ONNX models" },
    ),
  ),
});

export const indexRequest = Type.Object({
  ready: Type.Optional(Type.Boolean({ description: "Whether to list only versions that are served" })),
});

export const indexAnswer = Type.Array(
  Type.Object({
    name: Type.String(),
    version: Type.String(),
    state: Type.String(),
    reason: Type.String({ description: "Reason why the version, or the current content of its file, is not served" }),
  }),
);

export const controlRequest = Type.Object({ parameters: Type.Optional(parameters) });

/** Returns the schemas of a route's answers: the given schema for status 200, and errors for the other statuses. */
export function answers(ok: TSchema, ...statuses: number[]): Record<number, TSchema> {
  return { 200: ok, ...Object.fromEntries(statuses.map((status) => [status, errorAnswer])) };
}

/** Schema of an answer that is not JSON. */
export const textAnswer = { 200: Type.String() };
