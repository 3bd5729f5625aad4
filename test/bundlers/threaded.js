// @ts-nocheck: a program of JavaScript, as users write it.
// The same, and (unless `remote` is false) runs on other threads: of the library's own, of a function of the user's,
// and of predictions. One program has both kinds of thread, because a bundler must keep their files apart.
import { linear } from "ergodic";
import { predictor } from "ergodic/predict/async";
import { worker } from "ergodic/worker";
import { data, main, plan } from "./app.js";

async function threaded({
  script,
  predictScript,
  module = new URL("./objective.js", import.meta.url),
  remote = true,
  ...given
} = {}) {
  const found = await main(given);
  if (!remote) return found;
  const there = worker({ module, ...(script && { script }) });
  const fitted = await there.fit(linear(), data, plan);
  const least = await there.minimize(there.exported("cost"), [0, 0], { evaluations: 500, seed: 1 });
  there.dispose();
  const elsewhere = await predictor(fitted.toBytes(), predictScript && { script: predictScript });
  const asked = await elsewhere.predict([0.5, -0.25]);
  elsewhere.dispose();
  return { ...found, remote: [...fitted.weights], asked: asked.value, least: [...least.x].map((number) => Math.round(number)) };
}

globalThis.outcome = threaded(globalThis.given);
