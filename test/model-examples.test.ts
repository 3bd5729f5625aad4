import { readdirSync } from "node:fs";
import { test } from "vitest";
const names = readdirSync(new URL("../examples/models/", import.meta.url)).filter((n) => /state/.test(n));
for (const n of names) test(n, async () => {
  const m = await import(`../examples/models/${n}`);
  const lines: string[] = [];
  const t0 = performance.now();
  const p = await m.main((l: string) => void lines.push(l), { chains: 4, warmup: 400, draws: 400, deterministic: true, workers: 1 });
  const ms = performance.now() - t0;
  const rows = p.summary();
  const rhat = Math.max(...Object.values(rows).map((r: any) => r.rhat).filter((x) => !Number.isNaN(x)));
  console.log(n, `${ms.toFixed(0)} ms rhat ${rhat.toFixed(3)} div ${p.divergences} td ${p.treeDepths()?.leapfrogs}`);
  for (const [k, v] of Object.entries(m.truth ?? {})) console.log("   ", k, v, rows[k] ? `${rows[k].mean.toFixed(3)} sd ${rows[k].sd.toFixed(3)} z ${((rows[k].mean - (v as number)) / rows[k].sd).toFixed(2)}` : "MISSING");
  console.log(lines.slice(-4).join("\n"));
});
