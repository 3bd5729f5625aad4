/** Output for other programs and for people: metrics, OpenAPI and the page. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, whyNoBrowser } from "../../../ergodic/test/browser/chromium.ts";
import { openLearner, type Serving } from "../../src/index.ts";
import { classifier, get, post, regression, serving, table } from "./models.ts";

let server: Serving;
beforeAll(async () => {
  server = await serving({ models: { line: await regression(), species: await classifier(), people: await table() } });
  const input = { name: "input", datatype: "FP64", shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };
  for (let i = 0; i < 5; i++) await post(`${server.url}/v2/models/line/infer`, { inputs: [input] });
  await post(`${server.url}/v2/models/line/infer`, { inputs: [] });
  await fetch(`${server.url}/nothing`);
});

describe("metrics", () => {
  const metrics = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();

  test("count requests, rows and answers", async () => {
    const text = await metrics();
    const value = (line: string): number =>
      Number(
        text
          .split("\n")
          .find((one) => one.startsWith(`${line} `))
          ?.split(" ")[1],
      );
    const labels = 'model="line",version="1"';
    expect(value(`ergodic_requests_total{${labels},outcome="answered"}`)).toBe(5);
    expect(value(`ergodic_requests_total{${labels},outcome="invalid"}`)).toBe(1);
    expect(value(`ergodic_rows_total{${labels}}`)).toBe(10);
    expect(value(`ergodic_model_ready{${labels}}`)).toBe(1);
    expect(value('ergodic_http_answers_total{route="/v2/models/:model/infer",status="200"}')).toBe(5);
    expect(value('ergodic_http_answers_total{route="/v2/models/:model/infer",status="400"}')).toBe(1);
    expect(value('ergodic_http_answers_total{route="(none)",status="404"}')).toBe(1);
    expect(value(`ergodic_batch_rows_bucket{le="1",${labels}}`)).toBe(0);
    expect(value(`ergodic_batch_rows_bucket{le="2.5",${labels}}`)).toBe(5);
    expect(value(`ergodic_latency_seconds_bucket{le="+Inf",${labels}}`)).toBe(5);
    expect(value(`ergodic_latency_seconds_count{${labels}}`)).toBe(5);
    const seconds = value(`ergodic_latency_seconds_sum{${labels}}`);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(600);
    // Buckets never decrease, and the last equals the count.
    const buckets = text
      .split("\n")
      .filter((line) => line.startsWith("ergodic_latency_seconds_bucket") && line.includes('"line"'));
    const counts = buckets.map((line) => Number(line.split(" ")[1]));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(5);
  });

  const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
  if (!hasPromtool) console.warn("skipped: what promtool says of the metrics (Debian: apt-get install prometheus)");
  test.skipIf(!hasPromtool)("are accepted by promtool", async () => {
    // Includes the metrics of a model that learns, after it has learnt.
    const folder = mkdtempSync(join(tmpdir(), "ergodic-metrics-"));
    const learner = await openLearner({ model: await regression(), folder });
    await learner.learn([[1, 2, 3]], [4]);
    const learns = await serving({ models: { line: await regression(), grows: learner } });
    const text = await (await fetch(`${learns.url}/metrics`)).text();
    await learner.close();
    rmSync(folder, { recursive: true });
    expect(text).toContain("ergodic_progressive_loss{");
    const outcome = await new Promise<string>((resolve) => {
      const child = execFile("promtool", ["check", "metrics"], (error, stdout, stderr) =>
        resolve(`${error?.code ?? 0}${stdout}${stderr}`),
      );
      child.stdin!.end(text);
    });
    expect(outcome).toBe("0");
  });
});

test("OpenAPI lists every route and is valid", async () => {
  const { json } = await get(`${server.url}/openapi.json`);
  expect(json.openapi).toBe("3.1.0");
  expect(await new Validator().validate(json)).toEqual({ valid: true });
  type Operation = { parameters?: { in: string; name: string; required: boolean }[] };
  const operations = Object.entries(json.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const model = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"];
  expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual(
    [
      ...["/", "/page.js", "/page.css", "/metrics", "/openapi.json", "/v2", "/v2/", "/v2/health/live", "/v2/health/ready"].map(
        (path) => `get ${path}`,
      ),
      ...model.flatMap((path) => [`get ${path}`, ...["config", "ready", "rows", "stats"].map((end) => `get ${path}/${end}`)]),
      ...model.flatMap((path) => ["infer", "rows"].map((end) => `post ${path}/${end}`)),
      ...["learn", "snapshot", "rollback"].map((end) => `post ${model[0]}/${end}`),
      `get ${model[0]}/learn`,
      "get /v2/models/stats",
      "post /v2/repository/index",
      ...["load", "unload"].map((end) => `post /v2/repository/models/{model}/${end}`),
    ].sort(),
  );
  // The parameters of a path must be those in its name, as the specification requires. Generated clients have an
  // argument for each of them.
  for (const { path, method, operation } of operations) {
    const told = (operation.parameters ?? []).filter(({ in: place }) => place === "path");
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, required: true }));
    expect({ method, path, told: told.map(({ name, required }) => ({ name, required })) }).toEqual({
      method,
      path,
      told: wanted,
    });
  }
  const infer = json.paths["/v2/models/{model}/infer"].post;
  expect(infer.summary).toMatch(/Predictions for tensors/);
  // The server's responses match their description.
  const schema = infer.responses["200"].content["application/json"].schema;
  const input = { name: "input", datatype: "FP64", shape: [1, 3], data: [1, 2, 3] };
  const answer = (await post(`${server.url}/v2/models/line/infer`, { inputs: [input] })).json;
  const fits = new Ajv({ strict: false }).compile(schema);
  expect(fits(answer), JSON.stringify(fits.errors)).toBe(true);
  expect(fits({ ...answer, outputs: 3 })).toBe(false);
});

const why = whyNoBrowser();
if (why) console.warn(`skipped: the page in Chromium: ${why}`);
let browser: Awaited<ReturnType<typeof openBrowser>> | undefined;
beforeAll(async () => {
  if (!why) browser = await openBrowser();
});
afterAll(() => browser?.close());

describe("the page", () => {
  test("loads nothing from other origins, and forbids it", async () => {
    for (const [path, type] of [
      ["/", "text/html; charset=utf-8"],
      ["/page.js", "text/javascript; charset=utf-8"],
      ["/page.css", "text/css; charset=utf-8"],
    ]) {
      const response = await fetch(server.url + path);
      expect(response.headers.get("content-type")).toBe(type);
      expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'/);
      expect(response.headers.get("content-security-policy")).not.toMatch(/unsafe|\*/);
      const text = await response.text();
      expect(text.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\/|innerHTML/);
    }
  });

  test.skipIf(why)("shows a form, predicts and plots response times", async () => {
    const page = await browser!.newPage();
    const wrong: string[] = [];
    page.on("pageerror", (error) => void wrong.push(error.message));
    page.on("console", (message) => void (message.type() === "error" && wrong.push(message.text())));
    await page.goto(server.url);
    await page.selectOption("#model", "people");
    await page.selectOption("select[name=city]", "Zürich");
    await page.fill("input[name=age]", "70");
    await page.click("button");
    await page.waitForSelector("#answer td");
    expect(await page.textContent("#answer tr:first-child")).toBe("richyes");
    expect(await page.locator("#answer tr").count()).toBe(3);
    await page.waitForSelector('#times rect[height="140"]');
    expect(await page.textContent("#counts")).toMatch(/^1 answered, half within/);
    // Requests of others appear without a click.
    await post(`${server.url}/v2/models/people/rows`, { rows: [{ age: 70, city: "Zürich" }] });
    await page.waitForFunction(() => document.querySelector("#counts")?.textContent?.startsWith("2 answered"));
    const drawn = await page.getAttribute("#times svg", "aria-label");
    expect([...drawn!.matchAll(/: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(2);
    // An error response of the server.
    await page.selectOption("#model", "line");
    await page.fill("input[name=a]", "");
    await page.click("button");
    await page.waitForFunction(() => document.querySelector("#said")?.textContent !== "");
    expect(wrong.filter((text) => !text.includes("favicon") && !text.includes("400"))).toEqual([]);
  });
});

describe("the page of a server that requires tokens", () => {
  test.skipIf(why)("requests a token, and shows the models once it has one", async () => {
    const { url } = await serving({ models: { line: await regression() }, tokens: ["0123456789abcdef"] });
    const page = await browser!.newPage();
    await page.goto(url);
    await page.waitForFunction(() => document.querySelector("#said")?.textContent?.includes("a token is required"));
    await page.fill("#token", "0123456789abcdef");
    await page.press("#token", "Tab");
    await page.waitForSelector("input[name=a]");
    await page.click("button");
    await page.waitForSelector("#answer td");
    expect(await page.textContent("#said")).toBe("");
  });
});

test("the page's files are built", () => {
  expect(existsSync(new URL("../../dist/page/page.js", import.meta.url))).toBe(true);
});
