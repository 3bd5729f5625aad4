/**
 * Problems of several classes whose columns have the scales of three known data sets. `target` holds class numbers.
 *
 * Each class has its own mean, and rows of a class share latent directions, so that columns are correlated and classes
 * overlap.
 */
import { randomNumbers } from "./data.mjs";

/**
 * Draws rows of classes with the given shares: x = mean of the class + latent directions + noise, and column j is
 * `shape(x, j)`. `spread`: distance of the means in units of the noise.
 */
function classProblem({ rowCount, columnCount, classShares, latent, spread, seed, shape }) {
  const random = randomNumbers(seed);
  const normals = (count) => Float64Array.from({ length: count }, () => random.normal());
  const means = classShares.map(() => normals(columnCount).map((x) => x * spread));
  const directions = normals(latent * columnCount);
  const values = new Float32Array(rowCount * columnCount);
  const target = new Float64Array(rowCount);
  for (let i = 0, at = 0; i < rowCount; i++) {
    let left = random.uniform();
    // The first rows have one class each, so that no class is empty.
    const k =
      i < classShares.length
        ? i
        : Math.max(
            0,
            classShares.findIndex((share) => (left -= share) < 0),
          );
    target[i] = k;
    const common = normals(latent);
    for (let j = 0; j < columnCount; j++, at++) {
      let x = means[k][j] + random.normal();
      for (let l = 0; l < latent; l++) x += common[l] * directions[l * columnCount + j];
      values[at] = shape(x, j, random);
    }
  }
  return { format: "dense", rowCount, columnCount, classCount: classShares.length, values, target };
}

const equalShares = (count) => new Array(count).fill(1 / count);

/** Like letter: 16 integers of 0 to 15 with mean 7, 26 classes. */
export const letterLike = (rowCount, seed) =>
  classProblem({
    ...{ rowCount, columnCount: 16, classShares: equalShares(26), latent: 2, spread: 0.9, seed },
    shape: (x) => Math.min(15, Math.max(0, Math.round(7 + 1.3 * x))),
  });

/** Like shuttle: 9 integers whose scales differ a hundredfold, 7 classes of which one has 80 % of the rows. */
export const shuttleLike = (rowCount, seed) => {
  const scales = [12, 80, 9, 40, 9, 180, 14, 22, 21];
  const centres = [48, 0, 85, 0, 35, 1, 37, 50, 13];
  return classProblem({
    ...{
      rowCount,
      columnCount: 9,
      classShares: [0.786, 0.0008, 0.003, 0.154, 0.0555, 0.0002, 0.0005],
      latent: 2,
      spread: 0.9,
      seed,
    },
    shape: (x, j) => Math.round(centres[j] + (scales[j] * x) / 3),
  });
};

/** Like covertype: 10 measurements up to 7000, 44 columns of 0 and 1 for levels, 7 classes. */
export const covertypeLike = (rowCount, seed) => {
  const scales = [280, 112, 7.5, 212, 58, 1560, 27, 20, 38, 1325];
  const centres = [2960, 155, 14, 270, 46, 2350, 212, 223, 142, 1980];
  return classProblem({
    ...{
      rowCount,
      columnCount: 54,
      classShares: [0.365, 0.488, 0.0615, 0.0047, 0.0163, 0.0299, 0.0346],
      latent: 3,
      spread: 0.5,
      seed,
    },
    shape: (x, j) => (j < 10 ? Math.round(centres[j] + (scales[j] * x) / 2) : Number(x > 3 + (j % 7) * 0.3)),
  });
};

/** Returns the problem with columns of mean 0 and variance 1; constant columns become 0. */
export function scaledColumns(problem) {
  const { rowCount, columnCount } = problem;
  const values = problem.values.slice();
  for (let j = 0; j < columnCount; j++) {
    let [sum, squares] = [0, 0];
    for (let at = j; at < values.length; at += columnCount) sum += values[at];
    const mean = sum / rowCount;
    for (let at = j; at < values.length; at += columnCount) squares += (values[at] - mean) ** 2;
    const deviation = Math.sqrt(squares / rowCount) || 1;
    for (let at = j; at < values.length; at += columnCount) values[at] = (values[at] - mean) / deviation;
  }
  return { ...problem, values };
}
