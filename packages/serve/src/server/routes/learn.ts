import { Type } from "@sinclair/typebox";
import { DataError } from "ergodic";
import type { OnlineLearner } from "../../learn/index.ts";
import { LearningModel } from "../../models/learning-model.ts";
import { parseObject } from "../../v2/json.ts";
import type { Routes } from "../context.ts";
import { RequestError } from "../request-error.ts";
import { answers, modelParams, NO_OTHERS } from "./schemas.ts";

/** Largest nesting depth of a body. It suffices for the body, its rows, one row, and the content of a cell. */
const DEEPEST = 8;

const learnRequest = Type.Object(
  {
    rows: Type.Array(Type.Unknown(), { description: "Rows in the same form as for /rows", minItems: 1 }),
    targets: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      description: "Observed target of each row",
    }),
    weights: Type.Optional(Type.Array(Type.Number({ minimum: 0 }))),
  },
  NO_OTHERS,
);
const learnAnswer = Type.Object({
  model_name: Type.String(),
  rows: Type.Integer(),
  loss: Type.Number({ description: "Mean loss of these rows, each measured before the row was learnt" }),
  metrics: Type.Record(Type.String(), Type.Number()),
  version: Type.Integer({ description: "Version of the model after learning these rows" }),
});
const snapshotAnswer = Type.Object({
  model_name: Type.String(),
  version: Type.Integer({ description: "Version to which rollback can return" }),
});
const rollbackRequest = Type.Object({ version: Type.Integer({ minimum: 0 }) }, NO_OTHERS);
const rollbackAnswer = Type.Object({ model_name: Type.String(), version: Type.Integer() });

const learnHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description:
        "Key that identifies the request. A request with the same key gets the same answer and is not learnt again. 1 to 255 printable ASCII characters without spaces",
    }),
  ),
});

interface Learning {
  rows: (Record<string, unknown> | number[])[];
  targets: (string | number | boolean)[];
  weights?: number[];
}

/** Routes for learning and for rollbacks. Rows with their targets are learnt before the answer is sent. */
export const addLearn: Routes = (app, { repository }) => {
  const learnerOf = (name: string): OnlineLearner => {
    const { served } = repository.get(name);
    if (served instanceof LearningModel) return served.learner;
    throw new RequestError(`model "${name}"`, "does not learn; serve it with --learn, or give serve() its learner", "MODEL");
  };
  const body = (request: { body: unknown }): void => {
    request.body = parseObject((request.body as Buffer | undefined) ?? Buffer.alloc(0), "learn", DEEPEST);
  };
  app.get<{ Params: { model: string } }>(
    "/v2/models/:model/learn",
    {
      schema: {
        summary: "State of learning, and the versions available for rollback",
        params: modelParams,
        response: answers(Type.Unknown(), 400, 404),
      },
    },
    ({ params: { model } }) => {
      const learner = learnerOf(model);
      return { model_name: model, ...learner.stats(), versions: learner.versions() };
    },
  );
  app.post<{ Params: { model: string }; Body: Learning; Headers: { "idempotency-key"?: string } }>(
    "/v2/models/:model/learn",
    {
      schema: {
        summary: "Learns rows with their targets",
        params: modelParams,
        headers: learnHeaders,
        body: learnRequest,
        response: answers(learnAnswer, 400, 404, 413, 422, 429, 503),
      },
      preValidation: async (request) => body(request),
    },
    async ({ params: { model }, body: { rows, targets, weights }, headers: { "idempotency-key": key } }) => {
      const learner = learnerOf(model);
      const options = { ...(weights && { weights }), ...(key !== undefined && { idempotencyKey: key }) };
      try {
        return { model_name: model, ...(await learner.learn(rows, targets, options)) };
      } catch (error) {
        // The request is well-formed, but its rows cannot be learnt. Nothing has changed.
        if (error instanceof DataError)
          throw new RequestError(error.where, error.said, error.code === "KEY_REUSED" ? "KEY_REUSED" : "INPUT", 422);
        throw error;
      }
    },
  );
  app.post<{ Params: { model: string } }>(
    "/v2/models/:model/snapshot",
    {
      schema: {
        summary: "Saves the current state as a version for rollback",
        params: modelParams,
        response: answers(snapshotAnswer, 400, 404, 503),
      },
    },
    async ({ params: { model } }) => ({ model_name: model, version: await learnerOf(model).snapshot() }),
  );
  app.post<{ Params: { model: string }; Body: { version: number } }>(
    "/v2/models/:model/rollback",
    {
      schema: {
        summary: "Rolls back to a version",
        params: modelParams,
        body: rollbackRequest,
        response: answers(rollbackAnswer, 400, 404, 429, 503),
      },
      preValidation: async (request) => body(request),
    },
    async ({ params: { model }, body: { version } }) => ({ model_name: model, ...(await learnerOf(model).rollback(version)) }),
  );
};
