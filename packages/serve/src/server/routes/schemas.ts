/** Schemas of requests and answers, for the documentation and to check small bodies. */

import { type TSchema, Type } from "@sinclair/typebox";
import { LONGEST_US } from "../../v2/infer-request.ts";

export const errorAnswer = Type.Object({ error: Type.String({ description: "What is wrong, where, and what to do" }) });

const parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]));
const metadata = Type.Object({ name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer()) });
const tensor = Type.Object({
  name: Type.String(),
  datatype: Type.String({ description: "BOOL, UINT8 … UINT64, INT8 … INT64, FP16, FP32, FP64, BYTES" }),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  parameters: Type.Optional(Type.Object({ binary_data_size: Type.Optional(Type.Integer()) })),
  data: Type.Optional(
    Type.Array(Type.Unknown(), { description: "Row-major, flat or nested; not where the tensor is in binary" }),
  ),
});

export const modelParams = Type.Object({ model: Type.String(), version: Type.Optional(Type.String()) });

export const scheduling = Type.Object({
  priority: Type.Optional(Type.Integer({ description: "1, first, to 9, last; 0: as by default", minimum: 0, maximum: 9 })),
  timeout: Type.Optional(
    Type.Integer({ description: "Microseconds within which the answer is of use; 0: none", minimum: 0, maximum: LONGEST_US }),
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
  batch_rows: Type.Integer({ description: "Rows of the batch that the request was in" }),
  queue_us: Type.Integer({ description: "Microseconds that it waited" }),
  compute_us: Type.Integer({ description: "Microseconds that the batch took" }),
  learnt_version: Type.Optional(
    Type.Integer({
      description: "Of a model that learns: the version that computed the answer, as POST …/learn answers with it",
    }),
  ),
  unknown_levels: Type.Optional(
    Type.Integer({ description: "Cells of the request with a level that the model does not know, if there are any" }),
  ),
});

export const inferAnswer = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  parameters: batchParameters,
  outputs: Type.Array(tensor),
});

/** Refuses unknown fields in our own bodies, because misspelt ones would be ignored. */
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
        joins: Type.Boolean({ description: "Whether requests are put together in one batch" }),
        joins_because: Type.String({ description: "Why, or why not" }),
      },
      { description: "Of ONNX models" },
    ),
  ),
});

export const indexRequest = Type.Object({ ready: Type.Optional(Type.Boolean({ description: "Those that are served alone" })) });

export const indexAnswer = Type.Array(
  Type.Object({
    name: Type.String(),
    version: Type.String(),
    state: Type.String(),
    reason: Type.String({ description: "Why it, or what its file holds now, is not served" }),
  }),
);

export const controlRequest = Type.Object({ parameters: Type.Optional(parameters) });

/** Returns the schemas of a route's answers: 200 as given, and errors for the other statuses. */
export function answers(ok: TSchema, ...statuses: number[]): Record<number, TSchema> {
  return { 200: ok, ...Object.fromEntries(statuses.map((status) => [status, errorAnswer])) };
}

/** Schema of an answer that is not JSON. */
export const textAnswer = { 200: Type.String() };
