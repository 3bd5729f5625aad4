"""Factors of three rules by SQL in memory, as DeepDive grounds: indexes for the joins, then a table of factors for each rule. One thread."""

import sqlite3
import time
from array import array

from lines import problem, serve


def numbers(name):
    values = array("i")
    with open(problem[name], "rb") as file:
        values.frombytes(file.read())
    return values


db = sqlite3.connect(":memory:", isolation_level=None)
db.execute("PRAGMA cache_size = -1000000")
db.execute("PRAGMA temp_store = MEMORY")
db.execute("CREATE TABLE likes (id INTEGER PRIMARY KEY, who TEXT)")
db.executemany("INSERT INTO likes VALUES (?, ?)", ((i, f"person {i}") for i in range(problem["people"])))
db.execute("CREATE TABLE pairs (one TEXT, other TEXT)")
db.executemany("INSERT INTO pairs VALUES (?, ?)", ((f"person {a}", f"person {b}") for a, b in zip(numbers("one"), numbers("other"))))
db.execute("CREATE TABLE says (who TEXT, word TEXT)")
db.executemany("INSERT INTO says VALUES (?, ?)", ((f"person {a}", f"word {b}") for a, b in zip(numbers("who"), numbers("word"))))

MADE = ["words", "alike", "reached", "weights"]


def ground():
    db.execute("CREATE UNIQUE INDEX likes_who ON likes (who)")
    db.execute("CREATE INDEX pairs_one ON pairs (one)")
    db.execute("CREATE TABLE weights (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    db.execute("INSERT INTO weights (name) SELECT DISTINCT word FROM says")
    db.execute(
        "CREATE TABLE words AS SELECT q.id AS head, w.id AS weight FROM says s"
        " JOIN likes q ON q.who = s.who JOIN weights w ON w.name = s.word"
    )
    db.execute(
        "CREATE TABLE alike AS SELECT p.id AS body, q.id AS head FROM pairs a"
        " JOIN likes p ON p.who = a.one JOIN likes q ON q.who = a.other WHERE p.who <> q.who"
    )
    db.execute(
        "CREATE TABLE reached AS SELECT q.id AS head FROM pairs a JOIN pairs b ON b.one = a.other"
        " JOIN likes q ON q.who = b.other WHERE a.one <> b.other"
    )


def run(options):
    start = time.perf_counter()
    ground()
    seconds = time.perf_counter() - start
    one = db.execute("SELECT count(*), sum(head) FROM words").fetchone()
    two = db.execute("SELECT count(*), sum(head) + sum(body) FROM alike").fetchone()
    three = db.execute("SELECT count(*), sum(head) FROM reached").fetchone()
    for table in MADE:
        db.execute(f"DROP TABLE {table}")
    db.execute("DROP INDEX likes_who")
    db.execute("DROP INDEX pairs_one")
    return {"seconds": seconds, "factors": one[0] + two[0] + three[0], "sum": one[1] + two[1] + three[1]}


serve(f"SQLite {sqlite3.sqlite_version}, in memory", run)
