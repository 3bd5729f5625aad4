import type { ModelVersion } from "../../repository/model-version.ts";
import { parseObject } from "../../v2/json.ts";
import type { Routes } from "../context.ts";
import { RequestError } from "../request-error.ts";
import { heedUnknown } from "../unknown-levels.ts";
import { answers, modelParams, rowsAnswer, rowsMetadata, rowsRequest } from "./schemas.ts";

/** Largest nesting depth of a body: the body, its rows, one row, and the content of a cell. */
const DEEPEST = 8;
/** Largest number of columns that a description lists. Models with hashed strings have millions of columns. */
const MOST_COLUMNS = 10_000;

interface Params {
  model: string;
  version?: string;
}

interface Body {
  id?: string;
  rows: unknown[];
  parameters?: { priority?: number; timeout?: number };
}

/** Routes for rows by column name. These answers contain class names and probabilities by class name. */
export const addRows: Routes = (app, server) => {
  const { repository } = server;
  const served = ({ model, version }: Params) => {
    const found = repository.get(model, version);
    const { description, fromRows, rows } = found.served;
    if (!description || !fromRows || !rows)
      throw new RequestError(`model "${model}"`, "takes tensors, not rows by column name; POST to /infer", "MODEL");
    return { found, description };
  };
  for (const path of ["/v2/models/:model/rows", "/v2/models/:model/versions/:version/rows"]) {
    app.get<{ Params: Params }>(
      path,
      { schema: { summary: "Columns of the model's rows", params: modelParams, response: answers(rowsMetadata, 400, 404) } },
      ({ params }) => {
        const { target, classes, columns } = served(params).description;
        return { target, classes, column_count: columns.length, columns: columns.slice(0, MOST_COLUMNS) };
      },
    );
    app.post<{ Params: Params; Body: Body }>(
      path,
      {
        schema: {
          summary: "Predictions for rows by column name",
          params: modelParams,
          body: rowsRequest,
          response: answers(rowsAnswer, 400, 404, 413, 429, 503),
        },
        // If a request does not fit the schema, the handler refuses and counts it.
        attachValidation: true,
        preValidation: async (request) => {
          const { found } = served(request.params);
          request.body = counted(found, () =>
            parseObject((request.body as unknown as Buffer | undefined) ?? Buffer.alloc(0), "rows", DEEPEST),
          ) as unknown as Body;
        },
      },
      async ({ params, body, validationError }, reply) => {
        const { found, description } = served(params);
        const [work, unknown] = counted(found, () => {
          if (validationError) throw validationError;
          const read = found.served.fromRows!(body.rows);
          return [read, heedUnknown(found, read, server)];
        });
        const { priority, timeout } = body.parameters ?? {};
        const given = { priority: priority || undefined, deadlineMs: timeout ? timeout / 1000 : undefined };
        const { answer, batchRows, queueUs, computeUs } = await found.answer(work, given, reply.raw);
        return {
          model_name: found.name,
          model_version: found.version,
          ...(body.id === undefined ? {} : { id: body.id }),
          target: description.target,
          predictions: found.served.rows!(answer),
          parameters: {
            ...{ batch_rows: batchRows, queue_us: Math.round(queueUs), compute_us: Math.round(computeUs) },
            ...found.served.parameters?.(answer),
            ...(unknown > 0 ? { unknown_levels: unknown } : {}),
          },
        };
      },
    );
  }
};

/** Reads a part of a request. A request that cannot be read is counted for the model. */
function counted<T>(found: ModelVersion, read: () => T): T {
  try {
    return read();
  } catch (error) {
    found.unread++;
    throw error;
  }
}
