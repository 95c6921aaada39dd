"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stack import Resource, Stack

Json = Any
ALL: list[Rule] = []


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks at, when that is wrong, and a change to the translated template that makes it so."""

    id: str
    reason: str
    subjects: Callable[[Stack], Iterable[Any]]
    problem: Callable[[Any], str | None]
    mutation: Callable[[Json], Any]

    def findings(self, stack: Stack) -> list[str]:
        """Everything that breaks the rule."""
        found = []
        for subject in self.subjects(stack):
            problem = self.problem(subject)
            if problem:
                name = subject.name if isinstance(subject, (Resource, Stack)) else str(subject)[:60]
                found.append(f"{self.id} {name}: {problem} ({self.reason})")
        return found


def rule(
    id: str, reason: str, subjects: Callable[[Stack], Iterable[Any]], breaks: Callable[[Json], Any]
) -> Callable[[Callable[[Any], str | None]], Callable[[Any], str | None]]:
    """Registers a function as a rule. It gets one subject and says what is wrong with it, or nothing."""

    def register(problem: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        ALL.append(Rule(id, reason, subjects, problem, breaks))
        return problem

    return register


def properties(template: Json, name: str) -> Json:
    """The properties of a resource in a raw template, for mutations."""
    return template["Resources"][name].setdefault("Properties", {})


def change(name: str, path: str, value: Json) -> Callable[[Json], None]:
    """A mutation: sets a property, or takes it away where the value is None. Numbers in the path index lists."""

    def mutate(template: Json) -> None:
        *way, last = path.split(".")
        node = properties(template, name)
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        key: Any = int(last) if isinstance(node, list) else last
        if value is None:
            del node[key]
        else:
            node[key] = value

    return mutate


def statement(template: Json, name: str, sid: str) -> Json:
    """A statement of a policy, a bucket policy or a key policy in a raw template."""
    own = properties(template, name)
    document = own.get("PolicyDocument") or own.get("KeyPolicy") or own.get("ResourcePolicy")
    for entry in document["Statement"]:
        entry = entry["Fn::If"][1] if "Fn::If" in entry else entry
        if entry.get("Sid") == sid:
            return entry
    raise KeyError(sid)


def permit(name: str, action: Json, resource: Json, **more: Json) -> Callable[[Json], None]:
    """A mutation: one more permission in a role's policy."""

    def mutate(template: Json) -> None:
        entry = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
        properties(template, name)["PolicyDocument"]["Statement"].append(entry)

    return mutate


def text(template_text: str) -> Json:
    """A text with the names of the deployment in it, for mutations."""
    return {"Fn::Sub": template_text}


def folder(name: str) -> Json:
    """The ARN of a folder of the store, for mutations."""
    bucket = "deskferry-${Customer}-${AWS::AccountId}-${AWS::Region}"
    return text("arn:${AWS::Partition}:s3:::" + bucket + "/${Customer}/*/" + name + "/*")


def edit(name: str, sid: str, **keys: Json) -> Callable[[Json], None]:
    """A mutation: other keys in a statement; None takes one away."""

    def mutate(template: Json) -> None:
        entry = statement(template, name, sid)
        for key, value in keys.items():
            entry.pop(key, None)
            if value is not None:
                entry[key] = value

    return mutate
