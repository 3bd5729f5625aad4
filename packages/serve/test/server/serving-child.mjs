// A server of its own process: serves a folder on a port, says where once it listens, and ends in order on SIGTERM.
import { serve } from "@ergodic/serve";

const [, , models, port, drainMs] = process.argv;
const server = await serve({ models, port: Number(port), pollMs: 10, drainMs: Number(drainMs), log: "nothing" });
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
console.log(server.url);
