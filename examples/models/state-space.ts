/**
 * A state space: the local level. Did the Nile's flow change over a hundred years, or does it only differ from year to year?
 *
 *   y_t ~ N(level_t, σ), level_t = level_{t−1} + τ z_t, z_t ~ N(0, 1);  level_0 ~ N(10, 5), σ ~ half-N(2), τ ~ half-N(1)
 *
 * In 10¹⁰ m³ a year. The shocks are not centred: what moves is z, and the level is its running sum.
 * Data: flow at Aswan, 1871 to 1970, Cobb 1978. Durbin and Koopman 2012, 2.10.3 find σ = 1.23 and τ = 0.38 by maximum likelihood.
 *
 * Run: ergodic example state-space
 */
import { fileURLToPath } from "node:url";
import { type Draws, halfNormal, model, normal, nuts, type SampleOptions, sample, summaryTable, vector } from "ergodic";
import { add, at, cumsum, sub } from "ergodic/compiler";

const FIRST_YEAR = 1871;
// A decade a line, in 10⁸ m³.
const decades = [
  "1120 1160 963 1210 1160 1160 813 1230 1370 1140",
  "995 935 1110 994 1020 960 1180 799 958 1140",
  "1100 1210 1150 1250 1260 1220 1030 1100 774 840",
  "874 694 940 833 701 916 692 1020 1050 969",
  "831 726 456 824 702 1120 1100 832 764 821",
  "768 845 864 862 698 845 744 796 1040 759",
  "781 865 845 944 984 897 822 1010 771 676",
  "649 846 812 742 801 1040 860 874 848 890",
  "744 749 838 1050 918 986 797 923 975 815",
  "1020 906 901 1170 912 746 919 718 714 740",
];
export const data = { y: decades.flatMap((line) => line.split(" ").map((flow) => Number(flow) / 100)) };

const nile = model(
  ({ data, param, observe, transformed, generated }) => {
    const { y } = data({ y: vector("T") });
    const sigma = param("sigma", halfNormal(2));
    const tau = param("tau", halfNormal(1));
    const start = param("start", normal(10, 5));
    const shocks = param("shocks", normal(0, tau), { shape: "T", centred: false });
    const level = transformed("level", add(start, cumsum(shocks)));
    observe(y, normal(level, sigma));
    generated("change", sub(at(level, 1920 - FIRST_YEAR), at(level, 1880 - FIRST_YEAR)));
  },
  { name: "local level" },
);
export default nile;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  // Where τ is small the shocks hardly matter, where it is large they are well known: a funnel, which wants short steps.
  const posterior = await sample(nile, data, { seed: 1, algorithm: nuts({ targetAcceptance: 0.99 }), ...options });
  const { change, ...rows } = posterior.summary({ of: ["sigma", "tau", "start", "change"] });
  print(summaryTable({ ...rows, change }));
  const { q5, q95 } = change.quantiles;
  print(`From 1880 to 1920 the level fell by ${(-change.mean).toFixed(1)} (90 %: ${(-q95).toFixed(1)} to ${(-q5).toFixed(1)}).`);
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
