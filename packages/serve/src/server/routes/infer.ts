import type { Answered } from "../../job.ts";
import { type InferRequest, readInfer } from "../../v2/infer-request.ts";
import { writeInfer } from "../../v2/infer-response.ts";
import { sendBytes } from "../bytes.ts";
import type { Routes } from "../context.ts";
import { heedUnknown } from "../unknown-levels.ts";
import { answers, inferAnswer, inferRequest, modelParams } from "./schemas.ts";

const EMPTY = Buffer.alloc(0);

interface Route {
  Params: { model: string; version?: string };
  Body: Buffer | undefined;
}

/**
 * Routes for inference by the Open Inference Protocol. The body is read and the answer is written without schema
 * checks, so that a request costs little more than its transport.
 */
export const addInfer: Routes = (app, server) => {
  const { repository } = server;
  const summary = "Predictions for tensors: JSON, or binary with the header Inference-Header-Content-Length";
  const schema = { summary, params: modelParams, body: inferRequest, response: answers(inferAnswer, 400, 404, 413, 429, 503) };
  for (const path of ["/v2/models/:model/infer", "/v2/models/:model/versions/:version/infer"]) {
    app.post<Route>(path, { config: { documented: schema, binary: true } }, (request, reply) => {
      const { model, version } = request.params;
      const found = repository.get(model, version);
      let asked: InferRequest<unknown>;
      let unknown: number;
      try {
        asked = readInfer(
          request.body ?? EMPTY,
          request.headers["inference-header-content-length"] as string | undefined,
          found.served,
        );
        unknown = heedUnknown(found, asked.work, server);
      } catch (error) {
        found.unread++;
        throw error;
      }
      const { id, work, outputs } = asked;
      const answer = (answered: Answered<unknown>): void => {
        try {
          const { body, headerLength } = writeInfer(found.names, found.served, id, outputs, answered, unknown);
          if (headerLength === undefined) reply.header("content-type", "application/json");
          else reply.header("content-type", "application/octet-stream").header("inference-header-content-length", headerLength);
          sendBytes(reply, body);
        } catch (error) {
          reply.send(error);
        }
      };
      found.ask(work, asked, reply.raw, answer, (error) => reply.send(error));
    });
  }
};
