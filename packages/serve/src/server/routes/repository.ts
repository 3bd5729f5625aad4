import { Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { parseObject } from "../../v2/json.ts";
import type { Routes } from "../context.ts";
import { RequestError } from "../request-error.ts";
import { answers, controlRequest, indexAnswer, indexRequest } from "./schemas.ts";

const DEEPEST = 8;

/**
 * Routes of the protocol's model repository extension: the index of models with their states, and loading and
 * unloading.
 */
export const addRepository: Routes = (app, { repository, settings }) => {
  // The body is optional.
  const preValidation = async (request: FastifyRequest): Promise<void> => {
    const body = request.body as Buffer | undefined;
    request.body = body && body.length > 0 ? parseObject(body, "repository", DEEPEST) : {};
  };
  app.post<{ Body: { ready?: boolean } }>(
    "/v2/repository/index",
    {
      schema: {
        summary: "All models and versions, with the reason if one is not served",
        body: indexRequest,
        response: answers(indexAnswer, 400),
      },
      preValidation,
    },
    ({ body: { ready } }) => repository.index().filter(({ state }) => !ready || state === "READY"),
  );
  for (const action of ["load", "unload"] as const)
    app.post<{ Params: { model: string }; Body: { parameters?: Record<string, unknown> } }>(
      `/v2/repository/models/:model/${action}`,
      {
        schema: {
          summary: action === "load" ? "Checks the model's files now and reloads the model" : "Stops serving the model",
          params: Type.Object({ model: Type.String() }),
          body: controlRequest,
          response: answers(Type.Object({}), 400, 403, 404),
        },
        preValidation,
      },
      async ({ params: { model }, body }) => {
        if (!settings.control) {
          const said = "is not allowed here; start the server with a token, or with control: true";
          throw new RequestError(`${action} of "${model}"`, said, "FORBIDDEN", 403);
        }
        const [extra] = Object.keys(body.parameters ?? {}).filter((name) => name !== "unload_dependents");
        if (extra !== undefined)
          throw new RequestError(
            "parameters",
            `"${extra}" is not known; send no parameters, because models are files of the server`,
            "PARAMETER",
          );
        await repository[action](model);
        return {};
      },
    );
};
