/**
 * Digests of data, by which a run resumes only on its own rows. Every difference changes the digest, and equal data
 * have equal digests.
 */
import { expect, it } from "vitest";
import { datasetDigest, ratingsDigest } from "../../../src/engine/data/digest.ts";
import { Dataset, Ratings, type SparseTable } from "../../../src/entries/everything.ts";

/** Rows (2, 0, 3) and (0, 4, 0). */
const sparse: SparseTable = {
  source: "rows.svm",
  rowCount: 2,
  columnCount: 3,
  rowStart: Uint32Array.of(0, 2, 3),
  columnIndex: Uint32Array.of(0, 2, 1),
  values: Float64Array.of(2, 3, 4),
  target: Float64Array.of(1, -1),
};
const ofSparse = (changed: Partial<SparseTable> = {}): string => {
  using data = Dataset.fromSparse({ ...sparse, ...changed });
  return datasetDigest(data);
};
const x = [
  [1, 2],
  [3, 4],
];
const ofArrays = (changed: Partial<Parameters<typeof Dataset.fromArrays>[0]> = {}): string => {
  using data = Dataset.fromArrays({ x, y: [0.5, 1], ...changed } as Parameters<typeof Dataset.fromArrays>[0]);
  return datasetDigest(data);
};
const ofRatings = (users: (string | number)[], items: (string | number)[], values: number[]): string =>
  ratingsDigest(Ratings.fromTriples({ users, items, values }));

it("equal data have one digest, whatever their names", () => {
  expect(ofSparse()).toMatch(/^[0-9a-f]{8}$/);
  expect(ofSparse({ source: "another.svm" })).toBe(ofSparse());
  expect(ofArrays({ source: "another" })).toBe(ofArrays());
  expect(ofRatings(["b", "a"], ["x", "y"], [1, 2])).toBe(ofRatings(["a", "b"], ["y", "x"], [2, 1]));
});

it("any difference in sparse rows changes the digest", () => {
  const digests = [
    ofSparse(),
    ofSparse({ values: Float64Array.of(2, 3, 5) }),
    ofSparse({ columnIndex: Uint32Array.of(0, 1, 1) }),
    ofSparse({ columnIndex: Uint32Array.of(0, 2, 2) }),
    ofSparse({ rowStart: Uint32Array.of(0, 1, 3), columnIndex: Uint32Array.of(0, 1, 2) }),
    ofSparse({ columnCount: 4 }),
    ofSparse({ target: Float64Array.of(1, -2) }),
    ofSparse({ weights: Float64Array.of(1, 1) }),
    ofSparse({ weights: Float64Array.of(1, 2) }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

it("any difference in dense rows changes the digest", () => {
  const digests = [
    ofArrays(),
    ofArrays({ x: [[1, 2], [3, 5]] }), // biome-ignore format: rows
    ofArrays({ x: [[1, 2, 0], [3, 4, 0]] }), // biome-ignore format: rows
    ofArrays({ y: [0.5, 2] }),
    ofArrays({ y: [1, 0.5] }),
    ofArrays({ type: "f64" }),
    ofArrays({ weights: [1, 2] }),
    ofArrays({ weights: [2, 1] }),
    ofArrays({ x: [[1, 2]], y: [0.5] }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

it("any difference in names, pairs or values changes the digest of ratings", () => {
  const digests = [
    ofRatings(["a", "b"], ["x", "y"], [1, 2]),
    ofRatings(["a", "c"], ["x", "y"], [1, 2]),
    ofRatings(["a", "b"], ["x", "z"], [1, 2]),
    ofRatings(["a", "b"], ["y", "x"], [1, 2]),
    ofRatings(["a", "a"], ["x", "y"], [1, 2]),
    ofRatings(["a", "b"], ["x", "y"], [1, 3]),
    ofRatings([1, 2], ["x", "y"], [1, 2]),
    ofRatings(["1", "2"], ["x", "y"], [1, 2]),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

it("offsets change the digest and differ from equal weights", () => {
  const digests = [
    ofArrays(),
    ...[
      [0, 1],
      [0, 2],
      [1, 0],
    ].map((offset) => ofArrays({ offset })),
    ofArrays({ weights: [0, 1] }),
  ];
  expect(new Set(digests).size).toBe(digests.length);
  expect(ofArrays({ offset: [0, 1] })).toBe(digests[1]);
});
