/**
 * Servers in separate processes: behind a proxy during a rolling restart, killed during a reload, and with thousands of
 * silent connections.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { get, post, regression, serving, temporary } from "./models.ts";
import { type OwnProcess, ownServer, run } from "./processes.ts";

const path = temporary();
const [two, five] = ["two", "five"].map((name) => path(`${name}.safetensors`));
beforeAll(async () => {
  await (await regression(2)).save(two);
  await (await regression(5)).save(five);
});
/** Replaces the file atomically, like a careful writer. */
const put = (from: string, to: string): void => {
  copyFileSync(from, `${to}.part`);
  renameSync(`${to}.part`, to);
};
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const rows = JSON.stringify({
  rows: [
    [1, 0, 0],
    [0, 0, 0],
  ],
});
const agent = new Agent({ keepAlive: true });
/** Status and slope over a persistent connection, or 0 without an answer. */
function ask(port: number): Promise<{ status: number; slope: number }> {
  return new Promise((resolve) => {
    const options = { agent, port, host: "127.0.0.1", method: "POST", path: "/v2/models/m/rows" };
    const asked = request(options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", () => resolve({ status: 0, slope: 0 }));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status !== 200) return resolve({ status, slope: 0 });
        const [one, zero] = JSON.parse(Buffer.concat(parts).toString()).predictions;
        resolve({ status, slope: Math.round(one.value - zero.value) });
      });
    });
    asked.on("error", () => resolve({ status: 0, slope: 0 }));
    asked.end(rows);
  });
}

const hasProxy = spawnSync("haproxy", ["-v"]).status === 0;
if (!hasProxy) console.error("tests: SKIPPED what stands behind haproxy: it is not here (apt-get install haproxy brings it)");

describe.skipIf(!hasProxy)("servers behind a proxy", () => {
  /** The configuration from docs/serving.md. */
  async function proxy(ports: readonly number[]): Promise<{ port: number; child: ChildProcess; socket: string }> {
    const port = await freePort();
    const socket = path("haproxy.sock");
    const servers = ports.map((to, i) => `  server s${i} 127.0.0.1:${to} check inter 100ms fall 1 rise 1`);
    const lines = [
      "global",
      `  stats socket ${socket}`,
      "defaults",
      "  mode http",
      "  timeout connect 10s",
      "  timeout check 10s",
      "  timeout client 60s",
      "  timeout server 60s",
      "frontend f",
      `  bind 127.0.0.1:${port}`,
      "  default_backend b",
      "backend b",
      "  option httpchk GET /v2/health/ready",
      "  http-check expect status 200",
      ...servers,
      "",
    ];
    writeFileSync(path("haproxy.cfg"), lines.join("\n"));
    const child = spawn("haproxy", ["-db", "-f", path("haproxy.cfg")], { stdio: "ignore" });
    return { port, child, socket };
  }
  /** Number of servers that the proxy reports as up. */
  const up = (socket: string): number => {
    const script = `import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\ns.send(b"show stat\\n")\nt=b""\nwhile True:\n d=s.recv(65536)\n if not d: break\n t+=d\nprint(t.decode())`;
    const stats = execFileSync("python3", ["-c", script, socket], { encoding: "utf8" });
    return stats.split("\n").filter((line) => /^b,s\d/.test(line) && line.includes(",UP,")).length;
  };

  test("a rolling restart under load fails no request", async () => {
    const models = path("rolled");
    mkdirSync(models);
    put(two, `${models}/m.safetensors`);
    const ports = [await freePort(), await freePort()];
    const servers = await Promise.all(ports.map((port) => ownServer(models, port, 1000)));
    const { port, child, socket } = await proxy(ports);
    try {
      await expect.poll(() => up(socket), { timeout: 60_000 }).toBe(2);
      let stopped = false;
      const statuses = new Map<number, number>();
      const load = Array.from({ length: 16 }, async () => {
        while (!stopped) {
          const { status } = await ask(port);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      });
      for (const [i, server] of servers.entries()) {
        await server.end("SIGTERM");
        await expect.poll(() => up(socket), { timeout: 60_000 }).toBe(1);
        servers[i] = await ownServer(models, ports[i], 1000);
        await expect.poll(() => up(socket), { timeout: 60_000 }).toBe(2);
      }
      const answered = async ({ url }: { url: string }): Promise<number> =>
        (await get(`${url}/v2/models/m/stats`)).json.model_stats[0].inference_count;
      for (const server of servers) await expect.poll(() => answered(server), { timeout: 60_000 }).toBeGreaterThan(0);
      stopped = true;
      await Promise.all(load);
      expect([...statuses.keys()]).toEqual([200]);
      expect(statuses.get(200)).toBeGreaterThan(100);
    } finally {
      child.kill("SIGKILL");
      for (const server of servers) await server.end("SIGKILL");
    }
  });
});

describe("a server killed during a reload", () => {
  const good = [2, 5];

  test("leaves files unchanged, and serves them after a restart", async () => {
    const models = path("killed");
    const file = `${models}/m.safetensors`;
    mkdirSync(models);
    put(two, file);
    const slopes = new Set<number>();
    let reloads = 0;
    for (let round = 0; round < power(1, 4); round++) {
      const server = await ownServer(models, 0);
      const port = Number(new URL(server.url).port);
      for (let i = 0; i < 11 + round; i++) {
        put(i % 2 === 0 ? five : two, file);
        reloads++;
        // Only complete files are ever served.
        const { status, slope } = await ask(port);
        expect([status, good.includes(slope)]).toEqual([200, true]);
        slopes.add(slope);
        // Shorter and longer than the server's interval.
        await sleep(i % 4 < 2 ? 5 : 14);
      }
      await server.end("SIGKILL");
      expect(readdirSync(models)).toEqual(["m.safetensors"]);
      expect([two, five].some((one) => readFileSync(one).equals(readFileSync(file)))).toBe(true);
    }
    expect(reloads).toBeGreaterThan(4);
    expect(slopes.size).toBe(2);
    const again = await ownServer(models, 0);
    const held = readFileSync(two).equals(readFileSync(file)) ? 2 : 5;
    expect(await ask(Number(new URL(again.url).port))).toEqual({ status: 200, slope: held });
    await again.end("SIGKILL");
  });

  test.skipIf(process.platform !== "linux")("recovers from a kill while it reads a large new version", async () => {
    const models = path("held");
    for (const version of ["1", "2"]) mkdirSync(`${models}/m/${version}`, { recursive: true });
    const [first, second] = ["1", "2"].map((version) => `${models}/m/${version}/model.safetensors`);
    put(two, first);
    const server = await ownServer(models, 0);
    const opened = (): boolean =>
      readdirSync(`/proc/${server.child.pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${server.child.pid}/fd/${fd}`) === second;
        } catch {
          return false;
        }
      });
    // Beyond its tensors the file is sparse zeros, which take no space on the disk.
    writeFileSync(`${models}/whole`, readFileSync(five));
    truncateSync(`${models}/whole`, 2 ** 29);
    renameSync(`${models}/whole`, second);
    while (!opened()) await sleep(1);
    expect(await ask(Number(new URL(server.url).port))).toEqual({ status: 200, slope: 2 });
    const listed = (): string[] => (readdirSync(models, { recursive: true }) as string[]).sort();
    const before = ["m", "m/1", "m/1/model.safetensors", "m/2", "m/2/model.safetensors"];
    await server.end("SIGKILL");
    expect(listed()).toEqual(before);
    expect(readFileSync(first).equals(readFileSync(two))).toBe(true);
    rmSync(second);
    put(five, second);
    const again = await ownServer(models, 0);
    expect(await ask(Number(new URL(again.url).port))).toEqual({ status: 200, slope: 5 });
    await again.end("SIGKILL");
    expect(listed()).toEqual(before);
  });

  test("serves the previous version if the new one is incomplete", async () => {
    const models = path("half");
    for (const version of ["1", "2"]) mkdirSync(`${models}/m/${version}`, { recursive: true });
    put(two, `${models}/m/1/model.safetensors`);
    // A file as a killed writer leaves it.
    writeFileSync(`${models}/m/2/model.safetensors`, readFileSync(five).subarray(0, 300));
    const again = await ownServer(models, 0);
    const port = Number(new URL(again.url).port);
    expect(await ask(port)).toEqual({ status: 200, slope: 2 });
    const [newest] = (await post(`${again.url}/v2/repository/index`, {})).json;
    expect(newest).toMatchObject({
      name: "m",
      version: "2",
      state: "UNAVAILABLE",
      reason: expect.stringMatching(/model\.safetensors/),
    });
    put(five, `${models}/m/2/model.safetensors`);
    await expect.poll(async () => (await ask(port)).slope, { timeout: 60_000 }).toBe(5);
    await again.end("SIGKILL");
    rmSync(models, { recursive: true });
  });
});

/** Maximum number of open files of a process. Node raises its limit to this. */
const files = Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).replace("unlimited", "1e9"));
const SILENT = power(500, 10_000);
const hasFiles = files >= SILENT + 500;
if (!hasFiles) console.error(`tests: SKIPPED ${SILENT} silent connections: a process may have ${files} files open (ulimit -n)`);

test.skipIf(!hasFiles)(`${SILENT} silent connections are closed after a time limit while others are answered`, async () => {
  const requestMs = power(1000, 5000);
  const { url } = await serving({ models: { m: await regression() }, requestMs, maxConnections: SILENT + 100 });
  const port = Number(new URL(url).port);
  const clients: OwnProcess = run("idle-child.mjs", port, SILENT);
  expect(await clients.line()).toBe(`opened ${SILENT} 0`);
  expect((await ask(port)).status).toBe(200);
  const before = process.memoryUsage().rss;
  const [said, count, first] = (await clients.line())!.split(" ");
  expect([said, count]).toEqual(["closed", String(SILENT)]);
  expect(Number(first)).toBeGreaterThan(0.9 * requestMs);
  await clients.end("SIGKILL");
  expect((await ask(port)).status).toBe(200);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});
