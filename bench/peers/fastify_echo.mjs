/**
 * A Fastify server that reads requests as bytes and answers with the number of bytes that the problem gives: `bytes`.
 */

import { serverFigures } from "../timing.mjs";
import { packages, problem, serve, versionOf } from "./lines.mjs";

const [{ default: fastify }] = await packages("fastify");
const app = fastify({ keepAliveTimeout: 65_000 });
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
const answer = Buffer.alloc(problem.bytes);
app.post("/v2/models/:model/infer", (_, reply) => {
  reply.header("content-type", "application/octet-stream").send(answer);
});
await app.listen({ port: 0, host: "127.0.0.1" });
await serve(`Fastify ${versionOf("fastify")}`, serverFigures(), { port: app.server.address().port });
