"""The catalogue in the template is the one that the schema gives."""

from __future__ import annotations

import json
import re

import tables
from stack import TEMPLATE, Stack, translated


def test_generated_section_is_current() -> None:
    _, kept = tables.split(TEMPLATE.read_text())
    assert kept == tables.generated(), "run infra/check --write-tables"


def test_catalogue_limits() -> None:
    stack = Stack(translated())
    found = stack.of("Glue::Table")
    assert len(found) >= 50
    for table in found:
        columns = table["TableInput.StorageDescriptor.Columns"]
        assert len({column["Name"] for column in columns}) == len(columns)
        for column in columns:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", column["Name"])
            assert len(column["Comment"]) <= 255
        assert "run_id" not in {column["Name"] for column in columns}
    assert len(json.dumps(translated())) < 1_000_000
