"""The template as it would be deployed: translated by AWS's own translator, then resolved for some parameters."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intrinsics import Resolver

Json = Any
INFRA = Path(__file__).resolve().parent.parent
TEMPLATE = INFRA / "template.yaml"
# Stands for the archive that `sam deploy` would have put into a bucket.
CODE = {"Bucket": "artifacts", "Key": "deskferry.zip"}


@functools.cache
def source() -> Json:
    """The template as it is written."""
    from samtranslator.yaml_helper import yaml_parse

    return yaml_parse(TEMPLATE.read_text())


@functools.cache
def translated_text() -> str:
    """The template as plain CloudFormation, JSON. Translating asks no service."""
    from samtranslator.translator.transform import transform

    class NoManagedPolicies:
        """The template names none, and looking them up would ask AWS."""

        def load(self) -> dict[str, str]:
            return {}

    template = copy.deepcopy(source())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = dict(CODE)
    defaults = {name: it["Default"] for name, it in template["Parameters"].items() if "Default" in it}
    return json.dumps(transform(template, defaults, NoManagedPolicies()), indent=1)


def translated() -> Json:
    """A copy of the translated template, to be changed at will."""
    return json.loads(translated_text())


class Resource:
    """One resource of a resolved stack."""

    def __init__(self, name: str, attributes: Json, stack: Stack) -> None:
        self.name = name
        self.kind: str = attributes["Type"]
        self.attributes = attributes
        self.stack = stack

    @functools.cached_property
    def properties(self) -> Json:
        """Its properties, resolved when somebody asks: most stacks here differ in one of them."""
        return self.stack.resolver.resolve(self.attributes.get("Properties", {}))

    def __getitem__(self, path: str) -> Json:
        """A property by its path, such as `RedrivePolicy.maxReceiveCount`; None where there is none."""
        node = self.properties
        for step in path.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        return node


class Stack:
    """A template with its parameters filled in."""

    def __init__(self, template: Json, parameters: dict[str, Json] | None = None, name: str = "deskferry") -> None:
        self.template = template
        self.name = name
        self.resolver = Resolver(template, parameters or {}, name)
        self.resources: dict[str, Resource] = {}
        self.others: dict[str, Stack] = {}
        for logical, raw in template["Resources"].items():
            condition = raw.get("Condition")
            if condition and not self.resolver.is_true(condition):
                continue
            self.resources[logical] = Resource(logical, raw, self)

    def with_parameters(self, **parameters: Json) -> Stack:
        """The same template, deployed otherwise."""
        key = json.dumps(parameters, sort_keys=True)
        if key not in self.others:
            self.others[key] = Stack(self.template, parameters, self.name)
        return self.others[key]

    def value(self, name: str) -> Json:
        """The value of a parameter."""
        return self.resolver.values[name]

    def of(self, kind: str) -> list[Resource]:
        """All resources of a type, such as `SQS::Queue`."""
        return [resource for resource in self.resources.values() if resource.kind == f"AWS::{kind}"]

    def one(self, name: str) -> list[Resource]:
        """The resource of this name, in a list that is empty without it."""
        return [self.resources[name]] if name in self.resources else []

    def arn(self, name: str) -> str:
        """The ARN of a resource."""
        return str(self.resolver.attribute(name, "Arn"))

    def by_arn(self, arn: str, kind: str) -> Resource | None:
        """The resource with this ARN."""
        return next((it for it in self.of(kind) if self.arn(it.name) == arn), None)

    def mappings(self) -> Iterator[tuple[Resource, Resource, Resource]]:
        """Event source mappings, with their queue and their function."""
        for mapping in self.of("Lambda::EventSourceMapping"):
            queue = self.by_arn(mapping["EventSourceArn"], "SQS::Queue")
            function = next(
                (it for it in self.of("Lambda::Function") if it["FunctionName"] == mapping["FunctionName"]), None
            )
            if queue and function:
                yield mapping, queue, function

    def work_queues(self) -> list[Resource]:
        """Queues that wake a function."""
        return [queue for _, queue, _ in self.mappings()]

    def dead_queues(self) -> list[Resource]:
        """Queues that wake none: that is where messages are put aside."""
        work = {queue.name for queue in self.work_queues()}
        return [queue for queue in self.of("SQS::Queue") if queue.name not in work]

    def statements(self, role: str) -> list[Json]:
        """The statements of all policies of a role."""
        own = self.resolver.ref(role)
        policies = [policy for policy in self.of("IAM::Policy") if own in policy["Roles"]]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def listed(value: Json) -> list[Json]:
    """IAM writes one thing without its list."""
    return value if isinstance(value, list) else [value]
