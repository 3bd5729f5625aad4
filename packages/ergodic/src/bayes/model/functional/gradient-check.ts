/**
 * Checks at one point x whether a gradient matches its log density ℓ. The check uses one-sided finite differences:
 *
 *   F_h = (ℓ(x + hv) − ℓ(x)) / h,   B_h = (ℓ(x) − ℓ(x − hv)) / h,   h = 1, 10⁻¹ … 10⁻⁷ times max(1, |x_i|), v a coordinate, or random signs of all
 *
 * g·v is wrong if three successive values of h satisfy all of the following. All values of F and B differ from g·v by
 * more than WRONG max(|F|, |g·v|). All values of F and B agree with each other to within AGREE times their difference
 * from g·v.
 *
 * The difference (F − g·v) h exceeds the noise, NOISE (1 + |ℓ|). At a kink, F and B differ, so nothing is reported.
 * Nothing is reported outside the support either. Densities with noise, float32 arithmetic or steps are not reported
 * either, because their F and B vary with h.
 *
 * At most COORDINATES coordinates are checked: either all, or a random selection. The check of a correct coordinate
 * costs one central difference. If there are more coordinates, SIGNS random directions are also checked. If the
 * gradient is wrong in one of these directions, all coordinates are checked.
 *
 * @throws OptionError that names the coordinate, the given slope and the slope by differences
 */
import { OptionError } from "../../../engine/errors/errors.ts";
import { stream } from "../../../engine/random/stream.ts";

const STEPS = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
const FIRST = 1e-4;
const IN_A_ROW = 3;
const [WRONG, AGREE, NOISE] = [0.1, 0.05, 1e-6];
const [COORDINATES, SIGNS] = [16, 2];

/** Checks the gradient at x. `nameOf`: name of coordinate i in error messages. */
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

/** Returns the slope from finite differences if they agree with each other but not with the given slope. */
function otherSlope(at: (h: number) => number, value: number, given: number): Slope | undefined {
  const tried = (h: number): number => {
    try {
      return at(h);
    } catch {
      // An exception is not an error if the run never visits the point. At other points, the run will report the
      // exception.
      return Number.NaN;
    }
  };
  const central = (tried(FIRST) - tried(-FIRST)) / (2 * FIRST);
  if (Math.abs(central - given) <= WRONG * Math.max(Math.abs(central), Math.abs(given))) return undefined;
  const slopes = STEPS.map((h) => [(tried(h) - value) / h, (value - tried(-h)) / h] as const);
  // If differences vanish at small h but not at larger h, the density has steps, for example because it rounds numbers.
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
    `gradient gives ${short(given)} for ${name} at x = [${point}], but finite differences of logDensity give ${short(slope)}${sign}; return the derivatives of logDensity itself, or give checkGradient: false if they differ on purpose`,
    "OPTION_GRADIENT",
  );
}
