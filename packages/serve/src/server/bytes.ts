import type { OutgoingHttpHeaders } from "node:http";
import type { FastifyReply } from "fastify";

/** Largest body in bytes that is copied. */
const MOST = 16384;

/**
 * Sends the bytes of an answer. Node writes a string together with the headers of the answer. Bytes are written
 * separately, which takes a few microseconds more. Small answers are therefore sent as a Latin-1 string with the same
 * bytes.
 */
export function sendBytes(reply: FastifyReply, body: Buffer): void {
  if (body.length > MOST) {
    reply.send(body);
    return;
  }
  reply.header("content-length", body.length);
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders).end(body.toString("latin1"), "latin1");
}
