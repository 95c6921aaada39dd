"""Every rule holds, looks at something, and is broken by its mutation and by no other's."""

from __future__ import annotations

import pytest

from rules import ALL, Rule
from stack import Stack, translated

PLAIN = Stack(translated())
RULES_MIN = 40


def _ids(rule: Rule) -> str:
    return rule.id


@pytest.mark.parametrize("rule", ALL, ids=_ids)
def test_the_template_keeps(rule: Rule) -> None:
    assert list(rule.subjects(PLAIN)), "the rule looks at nothing"
    assert not rule.findings(PLAIN)


@pytest.mark.parametrize("rule", ALL, ids=_ids)
def test_its_mutation_breaks(rule: Rule) -> None:
    mutated = translated()
    rule.mutation(mutated)
    assert mutated != PLAIN.template, "the mutation changes nothing"
    stack = Stack(mutated)
    assert [other.id for other in ALL if other.findings(stack)] == [rule.id]


def test_there_are_enough_and_each_has_a_name_and_a_reason() -> None:
    assert len(ALL) >= RULES_MIN
    assert len({rule.id for rule in ALL}) == len(ALL)
    assert [rule.id for rule in ALL if len(rule.reason) < 20] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"StoreBucketName": "shared-bucket"},
        {"ObjectLock": "governance"},
        {"ObjectLock": "compliance", "ObjectLockDays": 400},
        {"StoreSealed": "false"},
        {"OperatorArns": "arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/b"},
        {"ScheduleState": "ENABLED", "Migration": "second", "Customer": "acme"},
    ],
    ids=lambda it: "-".join(it),
)
def test_every_way_to_deploy_resolves(parameters: dict[str, str]) -> None:
    stack = Stack(translated(), parameters)
    assert all(resource.properties for resource in stack.resources.values())
