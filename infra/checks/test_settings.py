"""Code and template mean the same seconds, deliveries and days."""

from __future__ import annotations

import pytest

from settings import constants
from stack import Stack, translated

CODE = constants()
STACK = Stack(translated())
FUNCTIONS = ("Conduct", "Extract", "Transform", "Load", "Reconcile")
DAY = 86_400
# What is about the program alone: compared with the others here, and with nothing in the template.
INSIDE = {"STOP_MARGIN_SECONDS", "RETRY_SECONDS"}


def test_every_constant_is_looked_at() -> None:
    outside = {f"{name.upper()}_TIMEOUT_SECONDS" for name in FUNCTIONS}
    outside |= {"VISIBILITY_TIMEOUTS", "RECEIVES_MAX", "BATCH_MESSAGES", "RETENTION_DAYS", "DEAD_RETENTION_DAYS"}
    assert set(CODE) == outside | INSIDE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_timeouts(name: str) -> None:
    timeout = CODE[f"{name.upper()}_TIMEOUT_SECONDS"]
    assert STACK.resources[name]["Timeout"] == timeout
    queue = STACK.resources["ControlQueue" if name == "Conduct" else f"{name}Queue"]
    assert queue["VisibilityTimeout"] == timeout * CODE["VISIBILITY_TIMEOUTS"]
    assert queue["RedrivePolicy.maxReceiveCount"] == CODE["RECEIVES_MAX"]
    assert queue["MessageRetentionPeriod"] == CODE["RETENTION_DAYS"] * DAY
    # A function that is asked to stop must have begun something by then.
    assert CODE["STOP_MARGIN_SECONDS"] < timeout


@pytest.mark.parametrize("name", FUNCTIONS)
def test_batches(name: str) -> None:
    assert STACK.resources[f"{name}Work"]["BatchSize"] == CODE["BATCH_MESSAGES"]


def test_dead_letters() -> None:
    dead = STACK.dead_queues()
    assert len(dead) == len(FUNCTIONS) + 1
    assert {queue["MessageRetentionPeriod"] for queue in dead} == {CODE["DEAD_RETENTION_DAYS"] * DAY}


def test_a_try_again_comes_before_the_message_would_by_itself() -> None:
    shortest = min(queue["VisibilityTimeout"] for queue in STACK.work_queues())
    assert CODE["RETRY_SECONDS"] < shortest
