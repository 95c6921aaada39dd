"""The tables of the catalogue: generated from the schema in `snapshot`, kept at the end of the template.

`python tables.py --write` puts them there; a test compares.
"""

from __future__ import annotations

import os
import subprocess
import sys

from stack import INFRA, TEMPLATE

MARK = "  # --- Tables, generated: infra/check --write-tables "
RULE = 119


def generated() -> str:
    """The resources as the schema gives them now. DESKFERRY_SNAPSHOT names a program that is built already."""
    built = os.environ.get("DESKFERRY_SNAPSHOT")
    program = [built] if built else ["cargo", "run", "--quiet", "--locked", "-p", "snapshot", "--"]
    command = [*program, "ddl", "--engine", "cloudformation"]
    done = subprocess.run(command, cwd=INFRA.parent, check=True, capture_output=True, text=True)
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if not line.startswith("Next:")).rstrip("\n") + "\n"


def split(text: str) -> tuple[str, str]:
    """The template up to the mark, and what stands below it."""
    head, mark, tail = text.partition(MARK)
    if not mark:
        return text.rstrip("\n") + "\n\n", ""
    return head, tail.partition("\n")[2]


def main() -> int:
    """Writes the section anew."""
    if sys.argv[1:] != ["--write"]:
        print("usage: tables.py --write", file=sys.stderr)
        return 2
    head, _ = split(TEMPLATE.read_text())
    TEMPLATE.write_text(head + MARK + "-" * (RULE - len(MARK)) + "\n" + generated())
    return 0


if __name__ == "__main__":
    sys.exit(main())
