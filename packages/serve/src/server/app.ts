import { randomBytes } from "node:crypto";
import cors from "@fastify/cors";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, type FastifySchema, type onRequestHookHandler } from "fastify";
import { tokenCheck } from "./auth.ts";
import { bodyReader } from "./body.ts";
import type { Routes, Server } from "./context.ts";
import { answerClientError, answerError, noteAnswered, unknownRoute } from "./errors.ts";
import { HeldBytes } from "./held-bytes.ts";
import { addConfig } from "./routes/config.ts";
import { addHealth } from "./routes/health.ts";
import { addInfer } from "./routes/infer.ts";
import { addLearn } from "./routes/learn.ts";
import { addMetrics } from "./routes/metrics.ts";
import { addOpenApi } from "./routes/openapi.ts";
import { addPage } from "./routes/page.ts";
import { addRepository } from "./routes/repository.ts";
import { addRows } from "./routes/rows.ts";
import { addStats } from "./routes/stats.ts";
import { closeUnread } from "./unread.ts";

/** All routes, one entry per concern. */
const routes: readonly Routes[] = [
  addHealth,
  addInfer,
  addRows,
  addLearn,
  addStats,
  addConfig,
  addRepository,
  addMetrics,
  addOpenApi,
  addPage,
];

/**
 * Makes the application, which consists of the routes and their common limits, tokens, request ids and error handling.
 */
export async function appOf(server: Server): Promise<FastifyInstance> {
  const { settings } = server;
  const { requestMs, keepAliveMs } = settings;
  const held = new HeldBytes(settings.maxHeldBytes);
  const connectionsCheckingInterval = Math.min(1000, Math.ceil(requestMs / 4));
  // Node compares the header timeout with the request timeout, but Fastify sets the request timeout later.
  const http = { connectionsCheckingInterval, headersTimeout: requestMs, requestTimeout: requestMs };
  const app = fastify({
    ...(settings.tls ? { https: { ...http, ...settings.tls } } : { http }),
    logger: false,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    genReqId: requestIds(),
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, server),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, server),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = settings.maxConnections;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", bodyReader(settings, held));
  // Schemas only document answers. They never remove fields from answers.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, server));
  app.setNotFoundHandler((request) => unknownRoute(request, server));
  closeUnread(app.server, settings.tls !== undefined, requestMs);
  app.addHook("onRequest", openings(server, held));
  countAnswers(app, server);
  if (settings.cors.length > 0) await app.register(cors, { origin: [...settings.cors], maxAge: 600 });
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "Ergodic models", version: "2" } },
    transform: ({ schema, url, route }) => ({ schema: ofPath(route.config?.documented ?? schema, url), url }),
  });
  for (const add of routes) add(app, server);
  return app;
}

/**
 * Removes parameters that do not occur in the path. Routes with and without a version share a schema, whereas OpenAPI
 * accepts only parameters that occur in the path.
 */
function ofPath(schema: FastifySchema, url: string): FastifySchema {
  const { properties } = (schema?.params ?? {}) as { properties?: Record<string, unknown> };
  if (!properties) return schema;
  const own = Object.entries(properties).filter(([name]) => url.includes(`:${name}`));
  return { ...schema, params: { ...(schema.params as object), properties: Object.fromEntries(own) } };
}

/**
 * The request id from a client is used if it is safe to log. Other requests get a random prefix and a counter as their
 * id.
 */
function requestIds(): (request: { headers: Record<string, string | string[] | undefined> }) => string {
  const beginning = randomBytes(6).toString("base64url");
  let count = 0;
  return ({ headers }) => {
    const given = headers["x-request-id"];
    if (given !== undefined && typeof given === "string" && /^[\w.:-]{1,128}$/.test(given)) return given;
    return `${beginning}-${(++count).toString(36)}`;
  };
}

/**
 * Headers of W3C Trace Context, which OpenTelemetry sends. They contain the trace ids of a request, and vendor-specific
 * trace data. At least 512 characters of the vendor-specific data must be forwarded.
 */
const TRACE = ["traceparent", "tracestate"] as const;

/** Handles the beginning of every request: its id, its trace headers and its token. */
function openings(server: Server, held: HeldBytes): onRequestHookHandler {
  const { tokens, cors: origins } = server.settings;
  const check = tokens.length > 0 ? tokenCheck(tokens) : undefined;
  return (request, reply, done) => {
    const { headers } = request;
    reply.header("x-request-id", request.id);
    for (const name of TRACE) {
      const given = headers[name];
      if (typeof given === "string" && given.length <= 512) reply.header(name, given);
    }
    held.watch(request.raw, reply.raw);
    if (server.draining) reply.header("connection", "close");
    const isPreflight = request.method === "OPTIONS" && origins.length > 0;
    try {
      if (check && !isPreflight && !request.routeOptions.config.open) check(headers.authorization);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

function countAnswers(app: FastifyInstance, server: Server): void {
  const { log } = server;
  const all = server.settings.log === "requests";
  app.addHook("onRoute", (route) => {
    const { url } = route;
    const counts = server.answers.get(url) ?? new Map<number, number>();
    server.answers.set(url, counts);
    const own = route.onResponse ? [route.onResponse].flat() : [];
    route.onResponse = [
      ...own,
      (request, reply, done) => {
        noteAnswered(request);
        counts.set(reply.statusCode, (counts.get(reply.statusCode) ?? 0) + 1);
        if (all) {
          const { id, method, ip, headers } = request;
          const fields = { request: id, method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime, ip };
          log.info(headers.traceparent === undefined ? fields : { ...fields, traceparent: headers.traceparent }, "answered");
        }
        done();
      },
    ];
  });
}
