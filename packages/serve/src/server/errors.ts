import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { CapabilityError, DataError, ErgodicError, MemoryLimitError, OptionError, WorkerError } from "ergodic";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RefusedError } from "../refused.ts";
import { NO_ROUTE, type Server } from "./context.ts";
import { RequestError } from "./request-error.ts";
import { type SchemaFault, sentenceOfFaults } from "./schema-fault.ts";

/** HTTP status of an error. Errors that the client can fix are 4xx. */
export function statusOf(error: unknown): number {
  // Errors of the server itself, and errors of models in other processes.
  const { status } = error as { status?: unknown };
  if (error instanceof ErgodicError && typeof status === "number" && status >= 400 && status < 600) return status;
  if (error instanceof MemoryLimitError) return 413;
  // The thread that computed the request has ended. Another thread is opened.
  if (error instanceof WorkerError) return 503;
  if (error instanceof DataError || error instanceof OptionError || error instanceof CapabilityError) return 400;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

/** Messages for faults that the HTTP layer finds. */
const sentences: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Content-Type: is not valid; send application/json or application/octet-stream [BODY]",
  FST_ERR_BAD_URL: "the URL cannot be decoded; write % as %25 [REQUEST]",
  FST_ERR_MAX_PARAM_LENGTH: "the URL holds a name of more than 200 characters [REQUEST]",
};

/** For each connection, the last request that was answered before its whole body had arrived. */
const answeredEarly = new WeakMap<Socket, IncomingMessage>();

/** Records a request that has been answered. If a fault is later found in its body, there is no second answer. */
export function noteAnswered({ raw }: FastifyRequest): void {
  if (!raw.complete) answeredEarly.set(raw.socket, raw);
}

/** Answers with {"error": …}. Errors that the client did not cause are logged, and the client gets no details. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, server: Server): void {
  const status = statusOf(error);
  if (status >= 500 && !(error instanceof ErgodicError))
    server.log.error({ request: request.id, url: request.url, stack: (error as Error).stack }, (error as Error).message);
  if (error instanceof RefusedError) reply.header("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
  if (error instanceof WorkerError) reply.header("retry-after", "1");
  if (status === 401) reply.header("www-authenticate", "Bearer");
  // Fastify closes the connection when it refuses a body, whereas body.ts drops the rest of the body.
  if (!server.draining && reply.hasHeader("connection")) reply.removeHeader("connection");
  noteAnswered(request);
  reply.code(status).send({ error: shortened(sentenceOf(error, status, request)) });
}

/** Shortens a message that might quote the request. The end of the message is kept, because it says what to do. */
const shortened = (sentence: string): string =>
  sentence.length > 2000 ? `${sentence.slice(0, 1000)} … ${sentence.slice(-900)}` : sentence;

function sentenceOf(error: unknown, status: number, request: FastifyRequest): string {
  if (error instanceof ErgodicError) return error.message;
  const { code, validation } = error as { code?: string; validation?: readonly SchemaFault[] };
  if (validation) return sentenceOfFaults(validation, request);
  const known = code && Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  if (known) return known;
  return status < 500
    ? `${(error as Error).message} [REQUEST]`
    : `the server failed; its log gives the cause, under request id ${request.id} [INTERNAL]`;
}

export function unknownRoute({ method, url }: FastifyRequest, server: Server): never {
  countFault(server, 404);
  const [path] = url.split("?");
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  throw new RequestError(
    `${method} ${shown}`,
    "is not a route of this server; GET /openapi.json lists the routes",
    "NOT_FOUND",
    404,
  );
}

/** Node's socket with the current answer, in the order of requests. Node has no public name for it. */
interface Answering {
  readonly _httpMessage?: (ServerResponse & { readonly _last: boolean }) | null;
}

/** Sockets with a fault that is reported when all preceding answers have been sent. */
const faulty = new WeakSet<Socket>();

/**
 * Answers requests that have no route, because they are not HTTP or do not arrive in time. Earlier requests on the
 * connection are answered first.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket & Answering, server: Server): void {
  if (error.code === "ECONNRESET") socket.destroy();
  else if (!faulty.has(socket)) tellFault(error.code, socket, server);
}

function tellFault(code: string | undefined, socket: Socket & Answering, server: Server): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const answer = socket._httpMessage;
  const isAnswered = !answer && answeredEarly.get(socket)?.complete === false;
  // Nothing more is sent after an answer that closes the connection, or about a body whose request was already
  // answered.
  if (answer?._last || isAnswered) {
    socket.destroySoon();
    return;
  }
  // If the request is complete, its computation continues. If its body is faulty, this is its only answer.
  if (answer?.req.complete) {
    faulty.add(socket);
    answer.once("finish", () => tellFault(code, socket, server));
    return;
  }
  // Each answer is written in one piece, so all earlier output consists of complete answers or "100 Continue". Another
  // answer may follow.
  const [status, words, said] = clientFault(code, server);
  countFault(server, status);
  const body = JSON.stringify({ error: said });
  const head = `HTTP/1.1 ${status} ${words}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

function countFault({ answers }: Server, status: number): void {
  const counts = answers.get(NO_ROUTE) ?? new Map<number, number>();
  answers.set(NO_ROUTE, counts.set(status, (counts.get(status) ?? 0) + 1));
}

function clientFault(code: string | undefined, { settings }: Server): [status: number, words: string, said: string] {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const said = `the request did not arrive completely within ${settings.requestMs} ms; send it faster, or in parts [REQUEST]`;
    return [408, "Request Timeout", said];
  }
  if (code === "HPE_HEADER_OVERFLOW")
    return [431, "Request Header Fields Too Large", "the headers have more than 16 KiB [REQUEST]"];
  return [400, "Bad Request", `the request is not HTTP/1.1${code ? ` (${code})` : ""} [REQUEST]`];
}
