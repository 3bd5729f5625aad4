/**
 * Whether a gradient is that of its log density ℓ: at one point x, against differences on both sides.
 *
 *   F_h = (ℓ(x + hv) − ℓ(x)) / h,   B_h = (ℓ(x) − ℓ(x − hv)) / h,   h = 1, 10⁻¹ … 10⁻⁷ times max(1, |x_i|), v a coordinate, or random signs of all
 *
 * g·v is wrong where at three of these h in a row all F and B are more than WRONG max(|F|, |g·v|) from it, agree with each other within AGREE of that, and (F − g·v) h would be seen, as it is
 * more than NOISE (1 + |ℓ|). So nothing is said at a kink, where F and B differ, of a density that is noisy, in float32 or on steps, where they vary with h, or outside of the
 * support. Up to COORDINATES coordinates, all or by chance, one central difference each where they are right; where there are more, also SIGNS of the random directions,
 * and all coordinates where one of those is wrong.
 *
 * @throws OptionError that names the coordinate, what was given and what the differences say
 */
import { OptionError } from "../../../engine/errors/errors.ts";
import { stream } from "../../../engine/random/stream.ts";

const STEPS = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
const FIRST = 1e-4;
const IN_A_ROW = 3;
const [WRONG, AGREE, NOISE] = [0.1, 0.05, 1e-6];
const [COORDINATES, SIGNS] = [16, 2];

/** `nameOf`: of coordinate i, as the error calls it. */
export function checkGradient(
  where: string,
  logDensity: (x: Float64Array) => number,
  x: Float64Array,
  gradient: Float64Array,
  nameOf: (i: number) => string,
): void {
  const d = x.length;
  const value = logDensity(x.slice());
  if (!Number.isFinite(value) || !gradient.every(Number.isFinite)) return;
  const scales = x.map((each) => Math.max(1, Math.abs(each)));
  const along = (v: Float64Array): Slope | undefined => {
    const given = v.reduce((sum, each, i) => sum + each * gradient[i], 0);
    return otherSlope((h) => logDensity(x.map((each, i) => each + h * v[i])), value, given);
  };
  const coordinate = (i: number): void => {
    const found = along(x.map((_, j) => (j === i ? scales[i] : 0)));
    if (found) throw wrong(where, nameOf(i), x, gradient[i], found.slope / scales[i]);
  };
  const draws = stream(0, "gradient", d).at(0);
  const all = Array.from(x, (_, i) => i);
  if (d <= COORDINATES) {
    all.forEach(coordinate);
    return;
  }
  for (let k = 0; k < COORDINATES; k++) coordinate(Math.floor(d * draws.uniform()));
  for (let k = 0; k < SIGNS; k++) {
    const v = scales.map((scale) => (draws.uniform() < 0.5 ? -scale : scale) / Math.sqrt(d));
    const found = along(v);
    if (!found) continue;
    all.forEach(coordinate);
    throw wrong(where, "the slope along a direction of all coordinates", x, found.given, found.slope);
  }
}

interface Slope {
  readonly given: number;
  readonly slope: number;
}

/** What differences say, where they agree on another slope than the one that is given. */
function otherSlope(at: (h: number) => number, value: number, given: number): Slope | undefined {
  const tried = (h: number): number => {
    try {
      return at(h);
    } catch {
      // What it throws at points that a run never comes to is no fault; elsewhere the run will say so.
      return Number.NaN;
    }
  };
  const central = (tried(FIRST) - tried(-FIRST)) / (2 * FIRST);
  if (Math.abs(central - given) <= WRONG * Math.max(Math.abs(central), Math.abs(given))) return undefined;
  const slopes = STEPS.map((h) => [(tried(h) - value) / h, (value - tried(-h)) / h] as const);
  // Steps of the density itself, as of numbers that were rounded.
  const flat = slopes.map(([f, b], k) => f === 0 && b === 0 && slopes.slice(0, k).some(([f, b]) => f !== 0 || b !== 0));
  for (let from = 0; from + IN_A_ROW <= STEPS.length; from++) {
    const row = slopes.slice(from, from + IN_A_ROW).flat();
    const slope = row[row.length - 1];
    const off = Math.abs(slope - given);
    const seen = off * STEPS[from + IN_A_ROW - 1] > NOISE * (1 + Math.abs(value));
    const agree = row.every(
      (one) => Math.abs(one - slope) <= AGREE * off && Math.abs(one - given) > WRONG * Math.max(Math.abs(one), Math.abs(given)),
    );
    if (seen && agree && !flat.slice(from, from + IN_A_ROW).includes(true)) return { given, slope };
  }
  return undefined;
}

const MOST_TOLD = 4;

function wrong(where: string, name: string, x: Float64Array, given: number, slope: number): OptionError {
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  const point = `${[...x.subarray(0, MOST_TOLD)].map(short).join(", ")}${x.length > MOST_TOLD ? ", …" : ""}`;
  const sign = Math.abs(given + slope) <= WRONG * Math.abs(slope) ? ", as if its sign were wrong" : "";
  return new OptionError(
    where,
    `gradient gives ${short(given)} for ${name} at x = [${point}], but differences of logDensity give ${short(slope)}${sign}; give the derivatives of logDensity itself, or checkGradient: false if they are to differ`,
    "OPTION_GRADIENT",
  );
}
