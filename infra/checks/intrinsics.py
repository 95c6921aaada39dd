"""What CloudFormation would make of the translated template: parameters filled in, conditions decided, names spelt out.

Rules and policy tests read the outcome, since `!If [CreatesStore, ...]` says nothing about which bucket is meant.
Names that AWS would draw at random are the logical names here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-west-1"
NO_VALUE = object()

Json = Any


def arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """An ARN of the account and region that the checks pretend to deploy to."""
    return f"arn:aws:{service}:{region}:{account}:{rest}"


class Resolver:
    """Resolves the intrinsic functions that the template uses; any other one is an error."""

    def __init__(self, template: Json, parameters: dict[str, Json], stack: str) -> None:
        self.template = template
        self.stack = stack
        self.values: dict[str, Json] = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
        }
        for name, declared in template.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default"))
            if declared["Type"] == "CommaDelimitedList" and isinstance(value, str):
                value = value.split(",")
            elif declared["Type"] == "Number":
                value = int(value)
            self.values[name] = value
        unknown = set(parameters) - set(template.get("Parameters", {}))
        if unknown:
            raise KeyError(f"the template has no parameters {sorted(unknown)}")

    def is_true(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self.resolve(self.template["Conditions"][condition]))

    def resolve(self, node: Json) -> Json:
        """The node with every intrinsic function replaced by what it gives."""
        if isinstance(node, list):
            items = [self.resolve(item) for item in node]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (word, argument), *_ = node.items()
            function = FUNCTIONS.get(word)
            if function:
                return function(self, argument)
            if word.startswith("Fn::"):
                raise ValueError(f"{word} is not known to the checks")
        pairs = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in pairs.items() if value is not NO_VALUE}

    def properties(self, logical: str) -> Json:
        """The raw properties of a resource."""
        return self.template["Resources"][logical].get("Properties", {})

    def named(self, logical: str, key: str) -> str:
        """The name of a resource: the one that the template gives it, or else its logical name."""
        given = self.properties(logical).get(key)
        return str(self.resolve(given)) if given is not None else f"{self.stack}-{logical}"

    def ref(self, name: str) -> Json:
        """`Ref`."""
        if name in self.values:
            return self.values[name]
        kind = self.template["Resources"][name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.named(name, 'QueueName')}"
        if kind == "AWS::SecretsManager::Secret":
            return arn("secretsmanager", f"secret:{self.named(name, 'Name')}-AbCdEf")
        if kind == "AWS::Glue::Database":
            return self.resolve(self.properties(name)["DatabaseInput"]["Name"])
        return self.named(name, NAME_KEYS.get(kind, "Name"))

    def attribute(self, name: str, attribute: str) -> Json:
        """`Fn::GetAtt`."""
        kind = self.template["Resources"][name]["Type"]
        if attribute == "QueueName":
            return self.named(name, "QueueName")
        if attribute != "Arn":
            raise ValueError(f"{name}.{attribute} is not known to the checks")
        own = self.named(name, NAME_KEYS.get(kind, "Name"))
        return {
            "AWS::SQS::Queue": lambda: arn("sqs", own),
            "AWS::IAM::Role": lambda: arn("iam", f"role/{own}", region=""),
            "AWS::KMS::Key": lambda: arn("kms", f"key/{own}"),
            "AWS::S3::Bucket": lambda: f"arn:aws:s3:::{own}",
            "AWS::Logs::LogGroup": lambda: arn("logs", f"log-group:{own}:*"),
            "AWS::Lambda::Function": lambda: arn("lambda", f"function:{own}"),
        }[kind]()

    def substitute(self, argument: Json) -> str:
        """`Fn::Sub`, with or without variables of its own."""
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = {name: self.resolve(value) for name, value in own.items()}

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return str(own[name])
            if "." in name:
                return str(self.attribute(*name.split(".", 1)))
            return str(self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def choose(self, argument: Json) -> Json:
        """`Fn::If`; the branch that is not taken is not looked at."""
        condition, then, otherwise = argument
        return self.resolve(then if self.is_true(condition) else otherwise)


NAME_KEYS = {
    "AWS::Athena::WorkGroup": "Name",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Key": "KeyName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
}

FUNCTIONS: dict[str, Callable[[Resolver, Json], Json]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": lambda self, at: self.attribute(*(at.split(".", 1) if isinstance(at, str) else at)),
    "Fn::Sub": Resolver.substitute,
    "Fn::If": Resolver.choose,
    "Fn::Join": lambda self, at: at[0].join(str(part) for part in self.resolve(at[1])),
    "Fn::Equals": lambda self, at: self.resolve(at[0]) == self.resolve(at[1]),
    "Fn::Not": lambda self, at: not self.resolve(at[0]),
    "Fn::And": lambda self, at: all(self.resolve(part) for part in at),
    "Fn::Or": lambda self, at: any(self.resolve(part) for part in at),
    "Condition": lambda self, at: self.is_true(at) if isinstance(at, str) else {"Condition": self.resolve(at)},
}
