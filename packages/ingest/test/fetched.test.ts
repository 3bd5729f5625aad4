/** Addresses and responses as sources, from a server in this process. */

import { getEventListeners } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocks, read, readCsv, readIdxDataset, readLibsvm, readTable, type Source } from "../src/index.ts";
import { cells } from "./writers.ts";

const text = "a,b\n1,x\n2,y\n";
let server: Server;
let origin: string;
/** Requested paths in order. */
const asked: string[] = [];
/** Bytes of /long sent so far. */
let sent = 0;

/** Endless rows, as fast as they are consumed. */
function endless(response: ServerResponse): void {
  response.write("a,b\n");
  const block = "1,2\n".repeat(1 << 14);
  const more = (): void => {
    if (response.destroyed) return;
    sent += block.length;
    if (response.write(block)) setImmediate(more);
    else response.once("drain", more);
  };
  more();
}

const answers: Record<string, (response: ServerResponse) => void> = {
  "/t.csv": (response) => response.end(text),
  "/wrong.csv": (response) => response.end("a,b\n1,x\n2\n"),
  "/t.csv.gz": (response) => response.end(gzipSync(text)),
  "/zipped.csv": (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text)),
  "/t.libsvm": (response) => response.end("1 1:2\n-1 2:3\n"),
  "/nothing": (response) => response.end(text),
  "/moved.csv": (response) => response.writeHead(302, { location: "/t.csv" }).end(),
  "/private.csv": (response) => response.writeHead(403).end("<html>no</html>"),
  "/broken.csv": (response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write(text, () => setTimeout(() => response.destroy(), 20));
  },
  "/app.csv": (response) => response.end("\n<!DOCTYPE html>\n<html>a,b</html>\n1,2\n"),
  "/gone.csv": (response) => response.writeHead(410).end(),
  "/pieces.csv": (response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("a,b\n");
    setTimeout(() => response.write("1,2\n", () => setTimeout(() => response.destroy(), 20)), 30);
  },
  "/long.csv": endless,
  "/slow.csv": (response) => void response.write("a,b\n"),
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    asked.push(pathname);
    const answer = answers[pathname];
    if (answer) answer(response);
    else response.writeHead(404).end("<html>there is no such page</html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const kinds: [string, string, () => Source | Promise<Source>][] = [
  ["an address", "/t.csv", () => `${origin}/t.csv`],
  ["a URL", "/t.csv?since=3#top", () => new URL(`${origin}/t.csv?since=3#top`)],
  ["a packed file", "/t.csv.gz", () => `${origin}/t.csv.gz`],
  ["a packed transfer", "/zipped.csv", () => `${origin}/zipped.csv`],
  ["a file without extension", "/nothing", () => `${origin}/nothing`],
  ["an address that leads elsewhere", "/moved.csv", () => `${origin}/moved.csv`],
  ["a response", "/t.csv", () => fetch(`${origin}/t.csv`)],
  ["a response of a packed file", "/t.csv.gz", () => fetch(`${origin}/t.csv.gz`)],
];

describe("sources on a server", () => {
  test.each(kinds)("reads %s", async (_, path, source) => {
    const table = await readTable(await source());
    expect(cells(table)).toEqual([
      [1, 2],
      ["x", "y"],
    ]);
    expect(table.source).toBe(origin + path);
  });

  test("reads datasets with dense and with sparse rows", async () => {
    expect((await readCsv(new URL(`${origin}/t.csv`), { target: "a" })).rowCount).toBe(2);
    expect((await read(`${origin}/t.libsvm`)).columnCount).toBe(2);
    expect((await readLibsvm(await fetch(`${origin}/t.libsvm`))).rowCount).toBe(2);
  });

  test('names a locally created response "response"', async () => {
    expect((await readTable(new Response(text), { format: "csv" })).source).toBe("response");
  });
});

describe("addresses in errors", () => {
  test("names the address, line and column of a fault in the file", async () => {
    await expect(readCsv(`${origin}/wrong.csv`, { target: "a" })).rejects.toThrow(`${origin}/wrong.csv:3:`);
  });

  test("names the address and status of a server error", async () => {
    const missing = `${origin}/none.csv: the server answered 404 Not Found; check the address [DATA_FILE_MISSING]`;
    await expect(readCsv(`${origin}/none.csv`, { target: "a" })).rejects.toThrow(missing);
    await expect(readCsv(await fetch(`${origin}/none.csv`), { target: "a" })).rejects.toThrow(missing);
    await expect(readTable(`${origin}/private.csv`)).rejects.toThrow(
      `${origin}/private.csv: the server answered 403 Forbidden; check the address, and what the server asks for [DATA_FILE]`,
    );
    await expect(readIdxDataset(`${origin}/none`)).rejects.toThrow(/none: the server answered 404/);
  });

  test("names the address that returned an HTML page instead of a file", async () => {
    for (const source of [`${origin}/app.csv`, await fetch(`${origin}/app.csv`)])
      await expect(readTable(source)).rejects.toThrow(
        /app\.csv: the server answered with an HTML page; check the address.* \[DATA_FILE_MISSING\]$/,
      );
  });

  test("names the address if the server is unreachable, the transfer breaks off or the body was already read", async () => {
    await expect(readTable("http://127.0.0.1:1/t.csv")).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1\/t\.csv: it cannot be fetched \(.+\); check the address.* \[DATA_FILE\]$/,
    );
    await expect(readTable(`${origin}/broken.csv`)).rejects.toThrow(
      /broken\.csv: the transfer broke off after 12 bytes \(.+\); fetch it again \[DATA_FILE\]$/,
    );
    const response = await fetch(`${origin}/t.csv`);
    await response.text();
    await expect(readTable(response)).rejects.toThrow(
      /t\.csv: the body of this response was read already; fetch it again, or pass its URL \[DATA_FILE\]/,
    );
  });
});

describe("a signal", () => {
  test("ends a read that waits for the server, with the signal's own reason", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const reading = readTable(`${origin}/slow.csv`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(reading).rejects.toBe(reason);
    const answered = await fetch(`${origin}/slow.csv`);
    const other = new AbortController();
    const waiting = readTable(answered, { signal: other.signal });
    setTimeout(() => other.abort(reason), 30);
    await expect(waiting).rejects.toBe(reason);
    await expect(readTable(await fetch(`${origin}/t.csv`), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(readTable(text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(readTable(text, { signal: 3 as never })).rejects.toThrow(/signal is 3, but must be an AbortSignal/);
  });
});

test("fetches blocks on demand and stops when the consumer stops", async () => {
  sent = 0;
  const wanted = { rows: 1000, types: { a: "number", b: "number" } as const };
  let rows = 0;
  for await (const block of blocks(`${origin}/long.csv`, wanted)) {
    rows += block.rowCount;
    if (rows >= 20_000) break;
  }
  expect(rows).toBe(20_000);
  const after = sent;
  await new Promise((resolve) => setTimeout(resolve, 100));
  // The system's own buffers hold at most a few megabytes.
  expect(after).toBeLessThan(1 << 25);
  expect(sent - after).toBeLessThan(1 << 22);
});

test("distinguishes paths from addresses in Node and accepts file addresses", async () => {
  asked.length = 0;
  await expect(readTable("t.csv")).rejects.toThrow(/there is no such file/);
  await expect(readTable(new URL("file:///none/t.csv"))).rejects.toThrow(/\/none\/t\.csv: there is no such file/);
  expect(asked).toEqual([]);
});

test("reports 410 Gone as missing, and counts bytes over all chunks", async () => {
  await expect(readTable(`${origin}/gone.csv`)).rejects.toThrow(
    /the server answered 410 Gone; check the address \[DATA_FILE_MISSING\]$/,
  );
  await expect(readTable(`${origin}/pieces.csv`)).rejects.toThrow(/pieces\.csv: the transfer broke off after 8 bytes/);
});

test("passes the signal to fetch and removes its listeners afterwards", async () => {
  const fetching = vi.spyOn(globalThis, "fetch");
  try {
    const { signal } = new AbortController();
    await readTable(`${origin}/t.csv`, { signal });
    expect(fetching.mock.calls[0][1]).toEqual({ signal });
    const own = new AbortController();
    await readTable(await fetch(`${origin}/t.csv`), { signal: own.signal });
    expect(getEventListeners(own.signal, "abort")).toHaveLength(0);
    fetching.mockRejectedValueOnce(new TypeError("fetch failed"));
    await expect(readTable("https://none.example/a.csv")).rejects.toThrow(
      "it cannot be fetched (fetch failed); check the address",
    );
    fetching.mockRejectedValueOnce(new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "EHOW" }) }));
    await expect(readTable("https://none.example/a.csv")).rejects.toThrow("it cannot be fetched (EHOW)");
    // The signal's reason is reported, whatever the failure was.
    const reason = new Error("enough");
    fetching.mockRejectedValueOnce(new TypeError("fetch failed"));
    const controller = new AbortController();
    const reading = readTable("https://none.example/a.csv", { signal: controller.signal });
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  } finally {
    fetching.mockRestore();
  }
});

test("cancels the body of a refused response", async () => {
  const cancelled: string[] = [];
  const body = (name: string) =>
    new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => void cancelled.push(name) });
  await expect(readTable(new Response(body("500"), { status: 500 }))).rejects.toThrow(/the server answered 500/);
  expect(cancelled).toEqual(["500"]);
  const page = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("<html>")),
    cancel: () => void cancelled.push("page"),
  });
  await expect(readTable(new Response(page))).rejects.toThrow(/an HTML page/);
  expect(cancelled).toEqual(["500", "page"]);
});
