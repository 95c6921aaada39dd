"""The constants that the functions were built with, read from their source."""

from __future__ import annotations

import re

from stack import INFRA

SOURCE = INFRA.parent / "functions" / "lambda" / "src" / "settings.rs"


def constants() -> dict[str, int]:
    """Name and value of every whole number in settings.rs."""
    found = re.findall(r"^pub const ([A-Z_]+): u\d+ = ([0-9_]+);", SOURCE.read_text(), re.M)
    return {name: int(value.replace("_", "")) for name, value in found}
