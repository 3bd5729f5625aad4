/**
 * A static server of packages/ergodic/dist for browser tests, on 127.0.0.1 and a free port.
 *
 * `isolated` adds the headers of cross-origin isolation, without which a page has no shared memory. `files` are served
 * next to dist by their path ("/task.js").
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
/** The whole library in a single file. */
export const singleFile = fileURLToPath(new URL("../../../single-file/dist/ergodic.min.js", import.meta.url));

export interface Site extends AsyncDisposable {
  /** "http://127.0.0.1:12345" */
  origin: string;
}

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
};
const emptyPage = "<!doctype html><meta charset=utf-8><title>Ergodic</title><link rel=icon href=data:,>";

export interface SiteOptions {
  isolated: boolean;
  files?: Record<string, string | Buffer>;
  /** Whether pages of other origins can read the files, as on a CDN. */
  shared?: boolean;
  /** Whether the page lacks Symbol.dispose, as in some browsers. The symbol then exists under no name. */
  older?: boolean;
  /** Text of "/". Default: an empty page. */
  page?: string;
  /** Handler for data that pages post to the server. Its result is the response. */
  receive?: (body: string) => string;
  /** Content-Security-Policy of pages, for scripts and workers. */
  policy?: string;
}

export async function serve({
  isolated,
  files = {},
  shared = false,
  older = false,
  policy,
  page = emptyPage,
  receive,
}: SiteOptions): Promise<Site> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const body =
      request.method === "POST"
        ? receive?.(await text(request))
        : path === "/"
          ? page
          : (files[path] ?? (await readDist(path, older)));
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": types[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream",
      "cache-control": "no-store",
      ...(shared && { "access-control-allow-origin": "*" }),
      ...(policy !== undefined && { "content-security-policy": policy }),
      ...(isolated && { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }),
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readDist(path: string, older: boolean): Promise<Buffer | string | undefined> {
  // A parsed URL contains no "..", so the path stays inside dist.
  if (!path.startsWith("/dist/")) return undefined;
  const found = await readFile(dist + path.slice("/dist/".length)).catch(() => undefined);
  return older ? found?.toString().replaceAll("Symbol.dispose", "Symbol.notThere") : found;
}
