import { Type } from "@sinclair/typebox";
import type { Routes } from "../context.ts";
import { RequestError } from "../request-error.ts";
import { VERSION } from "../version.ts";
import { answers, modelMetadata, modelParams, serverMetadata } from "./schemas.ts";

const EXTENSIONS = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "schedule_policy",
  "statistics",
];

const degraded = (name: string, reason: string): RequestError =>
  new RequestError(`model "${name}"`, `still answers, but no longer learns: ${reason}`, "DEGRADED", 503);

interface ModelParams {
  model: string;
  version?: string;
}

/** Routes for liveness, readiness, and metadata of the server and its models. */
export const addHealth: Routes = (app, server) => {
  const { repository } = server;
  const live = Type.Object({ live: Type.Boolean() });
  const ready = Type.Object({ ready: Type.Boolean() });
  const modelReady = Type.Object({ name: Type.String(), ready: Type.Boolean() });
  const open = { config: { open: true } };

  app.get("/v2/health/live", { ...open, schema: { summary: "Whether the server runs", response: answers(live) } }, () => ({
    live: true,
  }));
  app.get(
    "/v2/health/ready",
    { ...open, schema: { summary: "Whether the server accepts requests", response: answers(ready, 503) } },
    (_, reply) => {
      if (server.draining) {
        reply.code(503).header("retry-after", "1");
        return { error: "the server is shutting down and accepts no more requests; use another server [CLOSING]" };
      }
      if (!repository.isStarted) {
        reply.code(503).header("retry-after", "1");
        return { error: "the models are still being loaded; try again later [LOADING]" };
      }
      for (const { name, served } of repository) if (served.degraded !== undefined) throw degraded(name, served.degraded);
      return { ready: true };
    },
  );
  // The protocol's own description has the second form.
  for (const path of ["/v2", "/v2/"])
    app.get(path, { schema: { summary: "Server metadata", response: answers(serverMetadata) } }, () => ({
      name: "ergodic",
      version: VERSION,
      extensions: EXTENSIONS,
    }));

  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get<{ Params: ModelParams }>(
      path,
      { schema: { summary: "Model metadata: inputs and outputs", params: modelParams, response: answers(modelMetadata, 404) } },
      ({ params: { model, version } }) => {
        const { name, served } = repository.get(model, version);
        const { platform, inputs, outputs, joining } = served;
        const about = { name, versions: repository.versionsOf(name), platform, inputs, outputs };
        return joining ? { ...about, parameters: { joins: joining.joins, joins_because: joining.because } } : about;
      },
    );
    app.get<{ Params: ModelParams }>(
      `${path}/ready`,
      { schema: { summary: "Whether the model answers requests", params: modelParams, response: answers(modelReady, 404, 503) } },
      ({ params: { model, version } }) => {
        const { name, served } = repository.get(model, version);
        if (served.degraded !== undefined) throw degraded(name, served.degraded);
        if (server.draining)
          throw new RequestError(
            "server",
            "it is shutting down and accepts no more requests; use another server",
            "CLOSING",
            503,
          );
        return { name, ready: true };
      },
    );
  }
};
