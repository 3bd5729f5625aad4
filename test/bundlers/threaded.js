// @ts-nocheck: a program of JavaScript, as users write it.
// The same, and (unless `remote` is false) runs on another thread: of the library's own, and of a function of the
// user's.
import { linear } from "ergodic";
import { worker } from "ergodic/worker";
import { data, main, plan } from "./app.js";

async function threaded({ script, module = new URL("./objective.js", import.meta.url), remote = true, ...given } = {}) {
  const found = await main(given);
  if (!remote) return found;
  const there = worker({ module, ...(script && { script }) });
  const fitted = await there.fit(linear(), data, plan);
  const least = await there.minimize(there.exported("cost"), [0, 0], { evaluations: 500, seed: 1 });
  there.dispose();
  return { ...found, remote: [...fitted.weights], least: [...least.x].map((number) => Math.round(number)) };
}

globalThis.outcome = threaded(globalThis.given);
