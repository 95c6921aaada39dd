"""The key: who may use it, and for what."""

from __future__ import annotations

from collections.abc import Callable

from rules.base import Json, change, edit, rule, statement, text
from stack import Resource, Stack, listed

USES = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
        "kms:ReEncryptTo", "kms:CreateGrant"}


def _keys(stack: Stack) -> list[Resource]:
    return stack.of("KMS::Key")


def _entries(stack: Stack) -> list[Entry]:
    return [Entry(key, entry) for key in _keys(stack) for entry in key["KeyPolicy.Statement"]]


class Entry:
    """One statement of the key's policy."""

    def __init__(self, key: Resource, entry: Json) -> None:
        self.stack = key.stack
        self.raw = entry
        self.sid = entry.get("Sid", "?")
        self.actions = set(listed(entry["Action"]))

    def __str__(self) -> str:
        return self.sid


def _named(sid: str) -> Callable[[Stack], list[Entry]]:
    return lambda stack: [entry for entry in _entries(stack) if entry.sid == sid]


@rule("K01", "a key that turns over every year limits what one leak opens", _keys, change("Key", "EnableKeyRotation", False))
def rotation(key: Resource) -> str | None:
    return None if key["EnableKeyRotation"] is True else "is never turned over"


@rule("K02", "whoever can do everything can read everything", _entries,
      lambda it: statement(it, "Key", "Administration")["Action"].append("kms:Tag*"))
def no_wildcard(entry: Entry) -> str | None:
    wild = [action for action in entry.actions if "*" in action]
    return f"allows {wild}" if wild else None


@rule("K03", "administrators manage the key and do not read the records", _named("Administration"),
      lambda it: statement(it, "Key", "Administration")["Action"].append("kms:Decrypt"))
def administration(entry: Entry) -> str | None:
    uses = entry.actions & USES
    return f"may also {sorted(uses)}" if uses else None


@rule("K04", "a key whose policy cannot be changed any more is lost", _named("Administration"),
      lambda it: statement(it, "Key", "Administration")["Action"].remove("kms:PutKeyPolicy"))
def manageable(entry: Entry) -> str | None:
    return None if {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= entry.actions else "cannot be managed"


@rule("K05", "the key is for one purpose at a time: the store, the secrets, the logs",
      lambda it: [entry for entry in _entries(it) if entry.actions & USES and entry.sid != "Administration"],
      lambda it: statement(it, "Key", "SecretsByFunctions").pop("Condition"))
def bounded(entry: Entry) -> str | None:
    return None if entry.raw.get("Condition") else "may use it for anything"


@rule("K06", "one role of a function per name: no function, no key", _named("StoreByFunctions"),
      lambda it: statement(it, "Key", "StoreByFunctions").update(Principal={"AWS": [{"Ref": "AWS::AccountId"}]}))
def functions(entry: Entry) -> str | None:
    wanted = {entry.stack.arn(f"{function.name}Role") for function in entry.stack.of("Lambda::Function")}
    return None if set(entry.raw["Principal"]["AWS"]) == wanted else "is used by others"


@rule("K07", "the encryption context holds the key to this customer's folder", _named("StoreByFunctions"),
      lambda it: statement(it, "Key", "StoreByFunctions")["Condition"].pop("StringLike"))
def context(entry: Entry) -> str | None:
    # S24 holds the bucket to this name.
    bucket = f"arn:aws:s3:::deskferry-{entry.stack.value('Customer')}-111122223333-eu-west-1"
    wanted = {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/{entry.stack.value('Customer')}/*"]}
    is_bound = entry.raw.get("Condition", {}).get("StringLike") == wanted
    return None if is_bound else "is used for other objects"


@rule("K08", "what secrets need is given through Secrets Manager only", _named("SecretsByAccount"),
      lambda it: statement(it, "Key", "SecretsByAccount")["Condition"]["StringEquals"].pop("kms:ViaService"))
def account(entry: Entry) -> str | None:
    condition = entry.raw.get("Condition", {}).get("StringEquals", {})
    is_bound = condition.get("kms:ViaService", "").startswith("secretsmanager.") and "kms:CallerAccount" in condition
    return None if is_bound else "is open to the whole account"


@rule("K09", "who is not named must not be meant", _entries,
      lambda it: statement(it, "Key", "Logs").update(Principal="*"))
def principals(entry: Entry) -> str | None:
    principal = entry.raw["Principal"]
    is_named = isinstance(principal, dict) and "*" not in listed(next(iter(principal.values())))
    return None if is_named else "is for everybody"


@rule("K10", "with the key everything goes", _keys, lambda it: it["Resources"]["Key"].update(DeletionPolicy="Delete"))
def kept(key: Resource) -> str | None:
    return None if key.attributes.get("DeletionPolicy") == "Retain" else "goes with the stack"


@rule("K11", "a month to notice that it was a mistake", _keys, change("Key", "PendingWindowInDays", 7))
def window(key: Resource) -> str | None:
    return None if key["PendingWindowInDays"] == 30 else "is gone within days"


@rule("K12", "the service of the logs uses the key for these logs", _named("Logs"),
      edit("Key", "Logs", Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": text("arn:${AWS::Partition}:logs:*")}}))
def logs(entry: Entry) -> str | None:
    pattern = entry.raw["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    head = f"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/{entry.stack.name}-"
    return None if pattern == f"{head}*" else "is used for other logs"


@rule("K13", "people have the key when they are named, and not before", _keys,
      lambda it: it["Conditions"].update(HasOperators={"Fn::Equals": ["a", "b"]}))
def operators(key: Resource) -> str | None:
    def entries(stack: Stack) -> list[Json]:
        return [it for it in stack.resources[key.name]["KeyPolicy.Statement"] if it["Sid"] == "StoreByOperators"]

    if entries(key.stack):
        return "is given to people without a name"
    named = "arn:aws:iam::111122223333:role/engineer"
    given = entries(key.stack.with_parameters(OperatorArns=named))
    return None if given and given[0]["Principal"] == {"AWS": [named]} else "is not given to operators"
