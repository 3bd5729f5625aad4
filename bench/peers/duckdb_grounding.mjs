/**
 * Creates the factors of three rules by SQL in memory, like sqlite_grounding.py. One thread. Also reports the time to
 * load the factors' columns into JavaScript.
 */
import { readFileSync } from "node:fs";
import { packages, problem, serve } from "./lines.mjs";

const [{ DuckDBInstance, version }] = await packages("@duckdb/node-api");
const db = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();

function numbers(name) {
  const bytes = readFileSync(problem[name]);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

async function load(table, columns, count, values) {
  await db.run(`CREATE TABLE ${table} (${columns})`);
  const appender = await db.createAppender(table);
  for (let i = 0; i < count; i++) {
    for (const value of values(i)) typeof value === "number" ? appender.appendInteger(value) : appender.appendVarchar(value);
    appender.endRow();
  }
  appender.closeSync();
}

await load("likes", "id INTEGER, who VARCHAR", problem.people, (i) => [i, `person ${i}`]);
const [one, other, who, word] = ["one", "other", "who", "word"].map(numbers);
await load("pairs", "one VARCHAR, other VARCHAR", one.length, (i) => [`person ${one[i]}`, `person ${other[i]}`]);
await load("says", "who VARCHAR, word VARCHAR", who.length, (i) => [`person ${who[i]}`, `word ${word[i]}`]);

const MADE = {
  weights: "SELECT row_number() OVER () AS id, word AS name FROM (SELECT DISTINCT word FROM says)",
  words: "SELECT q.id AS head, w.id AS weight FROM says s JOIN likes q ON q.who = s.who JOIN weights w ON w.name = s.word",
  alike:
    "SELECT p.id AS body, q.id AS head FROM pairs a JOIN likes p ON p.who = a.one JOIN likes q ON q.who = a.other WHERE p.who <> q.who",
  reached:
    "SELECT q.id AS head FROM pairs a JOIN pairs b ON b.one = a.other JOIN likes q ON q.who = b.other WHERE a.one <> b.other",
};

await serve(`DuckDB ${version()}, in memory`, async () => {
  let start = performance.now();
  for (const [table, query] of Object.entries(MADE)) await db.run(`CREATE TABLE ${table} AS ${query}`);
  const seconds = (performance.now() - start) / 1000;
  const first = async (query) => (await db.runAndReadAll(query)).getRows()[0].map(Number);
  const sums = [
    await first("SELECT count(*), sum(head) FROM words"),
    await first("SELECT count(*), sum(head) + sum(body) FROM alike"),
    await first("SELECT count(*), sum(head) FROM reached"),
  ];
  start = performance.now();
  for (const table of ["words", "alike", "reached"]) (await db.runAndReadAll(`SELECT * FROM ${table}`)).getColumns();
  const reading = (performance.now() - start) / 1000;
  for (const table of Object.keys(MADE)) await db.run(`DROP TABLE ${table}`);
  const total = (at) => sums.reduce((sum, row) => sum + row[at], 0);
  return { seconds, reading, factors: total(0), sum: total(1) };
});
