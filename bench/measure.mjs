/**
 * Times our side and its peers in turn (A B C A B C …) after a warm-up round, and compares medians.
 *
 * A case is `{ name, measures, metric, better: "less" | "more", rounds?, warmUp?, lossTolerance, makeData(folder,
 * closing), ours(problem), peers(problem) }`. `warmUp: false`: there is no warm-up round, because the case measures no
 * time or would take too long. `ours` resolves to a contestant, `peers` to a list of `{ name, goal, open() }`,
 * where `open` resolves to a contestant. A contestant is `{ name, round(i) → { value, loss?, … }, warmUp?(),
 * note?(rounds), close?() }`: `value` in the case's metric, `loss` the final objective as objective.mjs computes it.
 * Without `warmUp`, a regular round serves as warm-up. A peer whose `open` throws Skipped is skipped with a message; so
 * is a case whose `makeData` throws it. Anything that `makeData` pushes onto `closing` is closed at the end, whatever
 * happens.
 *
 * A faster but worse answer does not count: unless a case has its own `compare(ours, theirs, problem)` → { text, passed
 * }, our median loss can exceed the peer's by at most `lossTolerance` (relative); otherwise the comparison fails and
 * has no ratio.
 *
 * At tiny size (size.mjs) there is one round without a warm-up, and our side also runs without a peer.
 */
import { cpus } from "node:os";
import { Skipped } from "./peer.mjs";
import { isTiny } from "./size.mjs";

export const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, node ${process.version}`;

/** Day of the run, ISO 8601. */
export const date = new Date().toISOString().slice(0, 10);

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summary(contestant, rounds) {
  const values = rounds.map((round) => round.value);
  const losses = rounds.map((round) => round.loss);
  return {
    name: contestant.name,
    value: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    loss: losses[0] === undefined ? undefined : median(losses),
    note: contestant.note?.(rounds),
    rounds,
  };
}

/** The default judge: compares final objectives. */
export function compareLosses(tolerance) {
  return (ours, theirs) => ({
    text: `final objective ${ours.loss.toFixed(6)} against ${theirs.loss.toFixed(6)} (may be ${tolerance * 100} % worse)`,
    passed: ours.loss <= theirs.loss * (1 + tolerance),
  });
}

async function opened(benchCase, problem, closing, say) {
  const contestants = [];
  for (const peer of await benchCase.peers(problem)) {
    try {
      say(`${benchCase.name}: preparing ${peer.name}`);
      contestants.push({ goal: peer.goal, ...(await peer.open()) });
      closing.push(contestants[contestants.length - 1]);
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      say(`${benchCase.name}: SKIPPED the peer ${peer.name}: ${error.message}`);
    }
  }
  return contestants;
}

/**
 * Runs one case. Resolves to { ours, peers: [{ …summary, goal, ratio, text, passed }] }, or to null if it was skipped.
 */
export async function measure(benchCase, { rounds, folder, say }) {
  const closing = [];
  try {
    say(`${benchCase.name}: making data`);
    const problem = await benchCase.makeData(folder, closing);
    const peers = await opened(benchCase, problem, closing, say);
    if (peers.length === 0 && !isTiny()) throw new Skipped("no peer is here to compare with");
    say(`${benchCase.name}: preparing ours`);
    const contestants = [await benchCase.ours(problem), ...peers];
    closing.push(contestants[0]);

    const results = contestants.map(() => []);
    for (let i = benchCase.warmUp === false || isTiny() ? 0 : -1; i < rounds; i++) {
      say(`${benchCase.name}: ${i < 0 ? "warm-up" : `round ${i + 1} of ${rounds}`}`);
      for (const [at, contestant] of contestants.entries()) {
        if (i < 0 && contestant.warmUp) await contestant.warmUp();
        else {
          const result = await contestant.round(Math.max(i, 0));
          if (!Number.isFinite(result.value)) throw new Error(`${contestant.name} measured ${result.value} ${benchCase.metric}`);
          if (i >= 0) results[at].push(result);
        }
      }
    }

    const [ours, ...theirs] = contestants.map((contestant, at) => summary(contestant, results[at]));
    const compare = benchCase.compare ?? compareLosses(benchCase.lossTolerance);
    return {
      ours,
      peers: theirs.map((their, at) => ({
        ...their,
        goal: peers[at].goal,
        ratio: benchCase.better === "more" ? ours.value / their.value : their.value / ours.value,
        ...compare(ours, their, problem),
      })),
    };
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    say(`${benchCase.name}: SKIPPED: ${error.message}`);
    return null;
  } finally {
    for (const contestant of closing) await contestant.close?.();
  }
}
