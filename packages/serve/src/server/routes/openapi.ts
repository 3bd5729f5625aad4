import { Type } from "@sinclair/typebox";
import type { Routes } from "../context.ts";
import { answers } from "./schemas.ts";

/** Route for the OpenAPI description of this interface. */
export const addOpenApi: Routes = (app) => {
  app.get("/openapi.json", { schema: { summary: "OpenAPI document", response: answers(Type.Unknown()) } }, () => app.swagger());
};
