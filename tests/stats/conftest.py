import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="session")
def reference():
    return json.loads((REFERENCE / "statistics.json").read_text())


@pytest.fixture(scope="session")
def stories():
    return json.loads((REFERENCE / "stories.json").read_text())


@pytest.fixture(scope="session")
def story_a():
    return columns("story_a.csv.gz")


@pytest.fixture(scope="session")
def story_b():
    return columns("story_b.csv.gz")


def columns(name):
    with gzip.open(REFERENCE / name, "rt") as lines:
        rows = list(csv.DictReader(lines))
    found = {}
    for key in rows[0]:
        values = np.array([row[key] for row in rows])
        try:
            found[key] = values.astype(float)
        except ValueError:
            found[key] = values
    return found
