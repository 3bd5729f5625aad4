/**
 * `npm run conformance uai [all | ALGORITHM …] [--seconds 20]`: computes marginals, the partition function and the best
 * states of the 17 graphs of the UAI competition that are in the reference data next to the repository
 * (../shared/data/graphs/uai). Each graph has the given number of seconds, including reading and ordering, on one
 * worker.
 *
 * solved: every marginal within 0.01 and log10 Z within 0.01. wrong: off by more than that and by more than the
 * certificate claims; the script then exits with 1. flagged: the rest. false alarm: right, but without a guarantee.
 * score: 100 · max(0, 1 − Hellinger error / error of uniform marginals), as in the competition of 2022.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../shared/data/graphs/uai/", import.meta.url));
const CLOSE = 0.01;
/** Precision with which reference answers are printed. */
const PRINTED = 2e-3;

const numbersOf = (file) => readFileSync(join(folder, file), "utf8").split(/\s+/).filter(Boolean).slice(1).map(Number);

function truthOf(name) {
  const flat = numbersOf(`${name}.uai.MAR`);
  const marginals = [];
  for (let at = 1; marginals.length < flat[0]; at += flat[at] + 1) marginals.push(flat.slice(at + 1, at + 1 + flat[at]));
  const table = readFileSync(join(folder, "map-optimal.tsv"), "utf8")
    .split("\n")
    .map((line) => line.split("\t"));
  return {
    marginals,
    logZ: numbersOf(`${name}.uai.PR`)[0] * Math.LN10,
    best: Number(table.find(([graph]) => graph === name)[1]),
  };
}

/** Largest error of each state's probability according to the certificate. */
function claimed(certificate, p, state) {
  if ("exact" in certificate) return 0;
  if ("interval" in certificate) return Math.max(...certificate.interval[state].map((end) => Math.abs(end - p)));
  if ("lower" in certificate) return Math.max(Math.abs(certificate.lower[state] - p), Math.abs(certificate.upper[state] - p));
  if ("khat" in certificate) return certificate.khat > 0.7 ? Infinity : 3.3 * Math.sqrt(0.25 / certificate.ess);
  if ("mcse" in certificate) return 3.3 * certificate.mcse[state];
  return Infinity;
}

function claimedOfLogZ(certificate, value) {
  if ("exact" in certificate) return 0;
  if ("interval" in certificate) return Math.max(...certificate.interval.map((end) => Math.abs(end - value)));
  if ("lower" in certificate) return Math.max(Math.abs(certificate.lower - value), Math.abs(certificate.upper - value));
  if ("khat" in certificate) return certificate.khat > 0.7 ? Infinity : 3.3 / Math.sqrt(certificate.ess);
  return Infinity;
}

function judgeMarginals(answer, truth) {
  let [worst, wrong, certain, error, uniform] = [0, false, true, 0, 0];
  const distance = (p, q) => Math.sqrt(Math.max(0, 1 - p.reduce((sum, value, s) => sum + Math.sqrt(value * q[s]), 0)));
  truth.marginals.forEach((q, variable) => {
    const { p, certificate } = answer.marginal(variable);
    error += distance(p, q);
    uniform += distance(
      q.map(() => 1 / q.length),
      q,
    );
    certain &&= !("none" in certificate);
    p.forEach((value, s) => {
      const off = Math.abs(value - q[s]);
      worst = Math.max(worst, off);
      wrong ||= off > CLOSE && off > claimed(certificate, value, s) + PRINTED;
    });
  });
  return { worst, wrong, certain, score: uniform > 0 ? 100 * Math.max(0, 1 - error / uniform) : 100 };
}

const cell = (text, width) => String(text).padEnd(width);

export async function conformanceUai(args) {
  if (!existsSync(folder)) {
    console.error(`conformance: skipped: ${folder} is not here`);
    return 0;
  }
  const { infer, inferenceFromJson, inferenceNames } = await import("../packages/ergodic/dist/entries/graphs.js");
  const { readUai } = await import("../packages/ingest/dist/graphs/index.js");
  const at = args.indexOf("--seconds");
  const seconds = at < 0 ? 20 : Number(args[at + 1]);
  const words = at < 0 ? args : args.toSpliced(at, 2);
  const algorithms = words.includes("all") ? inferenceNames() : words.length > 0 ? words : ["automatic"];
  const graphs = readdirSync(folder)
    .filter((file) => file.endsWith(".uai"))
    .map((file) => file.slice(0, -4));
  const run = async (name, task, algorithm) => {
    const start = performance.now();
    const graph = await readUai(join(folder, `${name}.uai`), { evidence: join(folder, `${name}.uai.evid`) });
    const left = seconds - (performance.now() - start) / 1000;
    const answer = await infer(graph, { task, algorithm, until: { seconds: left } }).catch((error) => ({
      failed: error.code ?? String(error),
    }));
    return { answer, took: (performance.now() - start) / 1000 };
  };
  let bad = 0;
  for (const name of algorithms) {
    const algorithm = inferenceFromJson({ algorithm: name });
    const tally = { solved: 0, flagged: 0, wrong: 0, alarms: 0, proved: 0 };
    console.log(`\n${name}, ${seconds} s a graph, one worker`);
    console.log(
      ["graph".padEnd(20), "marginals", "largest error", "score", "log10 Z", "off by", "seconds", "best state: gap"]
        .map((t) => cell(t, 14))
        .join(""),
    );
    for (const graph of graphs) {
      const truth = truthOf(graph);
      const row = [cell(graph, 20)];
      let verdict = [];
      const times = [];
      if (algorithm.tasks.includes("marginals")) {
        const { answer, took } = await run(graph, "marginals", algorithm);
        times.push(took);
        if (answer.failed) verdict.push("flagged");
        else {
          const { worst, wrong, certain, score } = judgeMarginals(answer, truth);
          verdict.push(wrong ? "wrong" : worst <= CLOSE && certain ? "solved" : worst <= CLOSE ? "alarm" : "flagged");
          row.push(worst.toExponential(1), score.toFixed(1));
        }
      }
      while (row.length < 3) row.push("–");
      if (algorithm.tasks.includes("partition")) {
        const { answer, took } = await run(graph, "partition", algorithm);
        times.push(took);
        if (answer.failed) verdict.push("flagged");
        else {
          const off = Math.abs(answer.logZ - truth.logZ) / Math.LN10;
          const claim = claimedOfLogZ(answer.logZCertificate, answer.logZ) / Math.LN10;
          verdict.push(
            off > CLOSE && off > claim + PRINTED ? "wrong" : off > CLOSE ? "flagged" : claim === Infinity ? "alarm" : "solved",
          );
          row.push((answer.logZ / Math.LN10).toFixed(4), off.toExponential(1));
        }
      }
      while (row.length < 5) row.push("–");
      row.push(times.map((time) => time.toFixed(1)).join(" + ") || "–");
      if (algorithm.tasks.includes("map")) {
        const { answer, took } = await run(graph, "map", algorithm);
        if (answer.failed) row.push(answer.failed);
        else {
          const above = answer.best.value > truth.best + 1e-5 || answer.best.bound < truth.best - 1e-5;
          if (above) verdict = ["wrong"];
          if (answer.gap === 0) tally.proved++;
          row.push(`${answer.best.value.toFixed(4)}: ${answer.gap.toFixed(4)} (${took.toFixed(1)} s)`);
        }
      }
      const found = ["wrong", "flagged", "alarm", "solved"].find((one) => verdict.includes(one)) ?? "–";
      if (found === "alarm") tally.alarms++;
      else if (found !== "–") tally[found]++;
      console.log([row[0], cell(found, 14), ...row.slice(1).map((text) => cell(text, 14))].join(""));
    }
    console.log(
      `${tally.solved} solved, ${tally.flagged} flagged, ${tally.wrong} silently wrong, ${tally.alarms} false alarms; best states proved: ${tally.proved}`,
    );
    bad += tally.wrong;
  }
  return bad > 0 ? 1 : 0;
}
