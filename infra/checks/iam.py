"""Decides requests as IAM does: a denial wins, then something has to allow.

Only what the template uses is known here: any other operator is an error, so that no condition is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from intrinsics import ACCOUNT
from stack import Resource, Stack, listed

Json = Any


@dataclass(frozen=True)
class Request:
    """Who wants to do what to what, and what is known about the request."""

    principal: str
    action: str
    resource: str
    context: dict[str, str] = field(default_factory=dict)

    def known(self, key: str) -> str | None:
        """The value of a condition key, whose case does not matter."""
        values = {name.lower(): value for name, value in self.context.items()}
        values["aws:principalarn"] = self.principal
        return values.get(key.lower())


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: any number of characters, slashes and colons included, or exactly one."""
    parts = re.split(r"([*?])", pattern)
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), text, re.S) is not None


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "StringEquals": lambda found, wanted: found == wanted,
    "StringLike": lambda found, wanted: matches(wanted, found),
    "ArnEquals": lambda found, wanted: matches(wanted, found),
    "ArnLike": lambda found, wanted: matches(wanted, found),
    "NumericLessThan": lambda found, wanted: float(found) < float(wanted),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals"}


def _holds(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    found = request.known(key)
    if operator == "Null":
        return (found is None) == (str(wanted[0]).lower() == "true")
    base = operator.removesuffix("IfExists")
    is_negated = base in NEGATED
    compare = OPERATORS[NEGATED.get(base, base)]
    if found is None:
        # A key that is absent satisfies what is negated as well as what is to hold if it exists.
        return is_negated or operator.endswith("IfExists")
    return is_negated != any(compare(found, str(value)) for value in wanted)


def applies(statement: Json, request: Request) -> bool:
    """Whether a statement speaks about this request. Principals are looked at where a policy has them."""
    if "Principal" in statement and not _is_principal(statement["Principal"], request.principal):
        return False
    action = request.action.lower()
    if not any(matches(pattern.lower(), action) for pattern in listed(statement["Action"])):
        return False
    if not any(matches(pattern, request.resource) for pattern in listed(statement["Resource"])):
        return False
    return all(
        _holds(operator, key, listed(wanted), request)
        for operator, pairs in statement.get("Condition", {}).items()
        for key, wanted in pairs.items()
    )


def _is_principal(principal: Json, arn: str) -> bool:
    if principal == "*":
        return True
    # The account stands for everybody in it whose own policies allow the request; these are asked as well.
    return any(name in (arn, f"arn:aws:iam::{ACCOUNT}:root") for name in listed(principal.get("AWS", [])))


class Access:
    """Everything that decides a request in an account with these stacks."""

    def __init__(self, *stacks: Stack) -> None:
        self.stacks = stacks

    def _policies(self, kind: str) -> list[Resource]:
        return [policy for stack in self.stacks for policy in stack.of(kind)]

    def _own(self, principal: str) -> list[Json]:
        for stack in self.stacks:
            role = stack.by_arn(principal, "IAM::Role")
            if role is not None:
                return stack.statements(role.name)
        # Anybody who is not one of our roles: the broadest administrator that there can be.
        return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]

    def _walls(self, resource: str) -> list[Json]:
        """The statements of the policy on the resource itself."""
        found: list[Json] = []
        for policy in self._policies("S3::BucketPolicy"):
            if resource.split("/")[0] == f"arn:aws:s3:::{policy['Bucket']}":
                found += policy["PolicyDocument.Statement"]
        for policy in self._policies("SecretsManager::ResourcePolicy"):
            if policy["SecretId"] == resource:
                found += policy["ResourcePolicy.Statement"]
        return found

    def can(self, principal: str, action: str, resource: str, **context: str) -> bool:
        """Whether the request is let through. Context keys are written with two underscores for the colon."""
        request = Request(principal, action, resource, {_key(name): value for name, value in context.items()})
        if action.startswith("kms:"):
            return self._can_use_key(request)
        own = [it for it in self._own(principal) if applies(it, request)]
        walls = [it for it in self._walls(resource) if applies(it, request)]
        is_denied = any(it["Effect"] == "Deny" for it in own + walls)
        return not is_denied and any(it["Effect"] == "Allow" for it in own + walls)

    def _can_use_key(self, request: Request) -> bool:
        """A key listens to its own policy first: who is not in it has no way to it, whatever else he may do."""
        for stack in self.stacks:
            for key in stack.of("KMS::Key"):
                if stack.arn(key.name) == request.resource:
                    policy = [it for it in key["KeyPolicy.Statement"] if applies(dict(it, Resource="*"), request)]
                    own = [it for it in self._own(request.principal) if applies(it, request)]
                    is_denied = any(it["Effect"] == "Deny" for it in policy + own)
                    return not is_denied and bool(policy) and any(it["Effect"] == "Allow" for it in own)
        return False


def _key(name: str) -> str:
    """`s3__if_none_match` as the key that it stands for."""
    return KEYS.get(name, name.replace("__", ":"))


KEYS = {
    "if_none_match": "s3:if-none-match",
    "creation": "s3:ObjectCreationOperation",
    "prefix": "s3:prefix",
    "tls": "aws:SecureTransport",
    "tls_version": "s3:TlsVersion",
    "encryption": "s3:x-amz-server-side-encryption",
    "key": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "via": "kms:ViaService",
    "object": "kms:EncryptionContext:aws:s3:arn",
    "secret": "kms:EncryptionContext:SecretARN",
    "log": "kms:EncryptionContext:aws:logs:arn",
    "account": "kms:CallerAccount",
}
