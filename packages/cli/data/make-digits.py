#!/usr/bin/env python3
"""Writes digits.csv: UCI's hand-written digits, as scikit-learn carries them, with a header row.

Input: sklearn/datasets/data/digits.csv.gz of an installed scikit-learn (Debian: python3-sklearn), 1797 rows of 64 pixels and a label.
Output: digits.csv beside this script; pixel_0_0 … pixel_7_7 (row, column; 0 = white … 16 = black), label (0 … 9), numbers as integers.
Run: /usr/bin/python3 packages/cli/data/make-digits.py
"""

import csv
import gzip
import importlib.util
from pathlib import Path

found = importlib.util.find_spec("sklearn")
if found is None or found.origin is None:
    raise SystemExit("make-digits: scikit-learn is not installed; on Debian: apt-get install python3-sklearn")
source = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"

with gzip.open(source, "rt", newline="") as file:
    rows = [[int(float(cell)) for cell in row] for row in csv.reader(file)]

names = [f"pixel_{i}_{j}" for i in range(8) for j in range(8)]
assert len(rows) == 1797 and all(len(row) == 65 for row in rows)
assert all(0 <= pixel <= 16 for row in rows for pixel in row[:64]) and {row[64] for row in rows} == set(range(10))

with open(Path(__file__).with_name("digits.csv"), "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*names, "label"])
    writer.writerows(rows)
