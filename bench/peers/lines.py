"""The peer's side of bench/peer.mjs: the problem comes as JSON in the first argument, commands as lines, answers as lines of JSON."""

import json
import sys

problem = json.loads(sys.argv[1])


def rows(part):
    """The float32 rows and the target of a dataset."""
    import numpy as np

    values = np.fromfile(part["values"], "<f4").reshape(part["rowCount"], part["columnCount"])
    return values, np.fromfile(part["target"], "<f8")


def say(answer):
    print(json.dumps(answer), flush=True)


def missing(error):
    """A module is not installed: says which, so that the benchmark can skip this peer aloud."""
    say({"missing": error.name})
    sys.exit(0)


def serve(version, run):
    """Says that the peer is ready, then answers each line `run {options}` with what run(options) returns, until stdin ends."""
    say({"version": version})
    for line in sys.stdin:
        command, _, options = line.strip().partition(" ")
        if command != "run":
            raise SystemExit(f'peer: "{command}" is not a command; the only one is "run"')
        say(run(json.loads(options or "{}")))
