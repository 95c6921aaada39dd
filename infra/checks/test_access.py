"""Who may do what, decided by our own evaluator over the resolved roles, bucket policies, key and secrets."""

from __future__ import annotations

import itertools

import pytest

from iam import Access, matches
from intrinsics import ACCOUNT, REGION
from rules.base import statement
from stack import Stack, translated

FUNCTIONS = ("Conduct", "Extract", "Transform", "Load", "Reconcile")
FOLDERS = (
    "lake", "ledger", "runs", "mappings", "reports", "usage", "files", "settings", "recordings", "switches", "quarantine",
    "rollback",
)
WRITES = {
    "Conduct": {"runs", "quarantine"},
    "Extract": {"runs", "lake", "recordings", "quarantine"},
    "Transform": {"runs", "lake", "quarantine"},
    "Load": {"runs", "lake", "ledger", "usage", "switches", "quarantine"},
    "Reconcile": {"runs", "lake", "ledger", "usage", "switches", "reports", "rollback", "quarantine"},
}
# Some folders are read by those alone that need them.
MORE_READS = {
    "Extract": {"recordings"},
    "Load": {"ledger", "recordings", "switches"},
    "Reconcile": {"ledger", "recordings", "switches"},
}
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/operator"

MAIN = Stack(translated(), {"OperatorArns": OPERATOR})
BUCKET = MAIN.resources["Store"]["BucketName"]
STORE = f"arn:aws:s3:::{BUCKET}"
KEY = MAIN.arn("Key")
ACCESS = Access(MAIN)
S3 = f"s3.{REGION}.amazonaws.com"
SECRETS = f"secretsmanager.{REGION}.amazonaws.com"

# A request as our adapter makes it.
GOOD = {"tls": "true", "tls_version": "1.3", "encryption": "aws:kms", "key": KEY, "creation": "true", "if_none_match": "*"}


def role(name: str, stack: Stack = MAIN) -> str:
    """The ARN of a function's role."""
    return stack.arn(f"{name}Role")


def place(folder: str, customer: str = "main", bucket: str = STORE) -> str:
    """An object in a folder of the store."""
    return f"{bucket}/{customer}/migration/{folder}/acme/000001"


def without(*keys: str, **other: str) -> dict[str, str]:
    """A good request without some of what makes it good."""
    return {key: value for key, value in GOOD.items() if key not in keys} | other


@pytest.mark.parametrize(("name", "folder"), list(itertools.product(FUNCTIONS, FOLDERS)))
def test_writes(name: str, folder: str) -> None:
    assert ACCESS.can(role(name), "s3:PutObject", place(folder), **GOOD) == (folder in WRITES[name])


@pytest.mark.parametrize(("name", "folder"), list(itertools.product(FUNCTIONS, FOLDERS)))
def test_reads(name: str, folder: str) -> None:
    kept_apart = {"ledger", "recordings", "switches"}
    wanted = folder not in kept_apart or folder in MORE_READS.get(name, set())
    assert ACCESS.can(role(name), "s3:GetObject", place(folder), tls="true") == wanted


@pytest.mark.parametrize("name", ["Conduct", "Extract", "Transform"])
@pytest.mark.parametrize("hidden", ["ledger/acme/key", "ledger/acme/runs/1", "ledger/lake/v1/x", "ledger/acme/lake/key"])
def test_no_way_into_the_ledger(name: str, hidden: str) -> None:
    target = f"{STORE}/main/migration/{hidden}"
    assert not ACCESS.can(role(name), "s3:GetObject", target, tls="true")
    assert not ACCESS.can(role(name), "s3:PutObject", target, **GOOD)


@pytest.mark.parametrize("who", [*(role(name) for name in FUNCTIONS), role("Schedule"), ADMINISTRATOR, OPERATOR])
@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"])
@pytest.mark.parametrize("folder", ["lake", "ledger"])
def test_nobody_deletes(who: str, action: str, folder: str) -> None:
    assert not ACCESS.can(who, action, place(folder), tls="true")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_deletes_anything(name: str, folder: str) -> None:
    assert not ACCESS.can(role(name), "s3:DeleteObject", place(folder), tls="true")


def test_a_store_can_be_removed_on_purpose() -> None:
    access = Access(Stack(translated(), {"StoreSealed": "false"}))
    assert access.can(ADMINISTRATOR, "s3:DeleteObject", place("ledger"), tls="true")


@pytest.mark.parametrize("who", [role("Load"), ADMINISTRATOR])
@pytest.mark.parametrize("folder", ["lake", "ledger"])
def test_creates_only(who: str, folder: str) -> None:
    assert ACCESS.can(who, "s3:PutObject", place(folder), **GOOD)
    assert not ACCESS.can(who, "s3:PutObject", place(folder), **without("if_none_match"))
    # Parts of an upload bear neither the header nor the encryption.
    parts = without("if_none_match", "encryption", "key", creation="false")
    assert ACCESS.can(who, "s3:PutObject", place(folder), **parts)


def test_elsewhere_objects_may_be_replaced() -> None:
    assert ACCESS.can(role("Load"), "s3:PutObject", place("runs"), **without("if_none_match"))


@pytest.mark.parametrize("who", [role("Load"), ADMINISTRATOR])
@pytest.mark.parametrize("bad", [{"tls": "false"}, {"tls_version": "1.1"}])
def test_no_plain_or_old_transport(who: str, bad: dict[str, str]) -> None:
    assert not ACCESS.can(who, "s3:PutObject", place("runs"), **without(**bad))
    assert not ACCESS.can(who, "s3:GetObject", place("runs"), **{"tls": "true", "tls_version": "1.3"} | bad)
    assert not ACCESS.can(who, "s3:ListBucket", STORE, prefix="main/", **{"tls": "true", "tls_version": "1.3"} | bad)


@pytest.mark.parametrize("who", [role("Load"), ADMINISTRATOR])
def test_our_key_only(who: str) -> None:
    other = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"
    assert not ACCESS.can(who, "s3:PutObject", place("runs"), **without(key=other))
    assert not ACCESS.can(who, "s3:PutObject", place("runs"), **without("key", encryption="AES256"))
    # Without a word about it, S3 takes the bucket's key, which is ours.
    assert ACCESS.can(who, "s3:PutObject", place("runs"), **without("key", "encryption"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lists_its_own_folder(name: str) -> None:
    assert ACCESS.can(role(name), "s3:ListBucket", STORE, prefix="main/migration/runs/", tls="true")
    assert not ACCESS.can(role(name), "s3:ListBucket", STORE, prefix="other/", tls="true")
    # S3 asks this before it says that an object is missing.
    assert ACCESS.can(role(name), "s3:ListBucket", STORE, tls="true")


@pytest.mark.parametrize("name", [*FUNCTIONS, "Schedule"])
@pytest.mark.parametrize("secret", ["LeadDesk", "Gorgias"])
def test_secrets(name: str, secret: str) -> None:
    wanted = (name, secret) in {("Extract", "LeadDesk"), ("Load", "Gorgias"), ("Reconcile", "Gorgias")}
    arn = MAIN.resolver.ref(f"{secret}Secret")
    assert ACCESS.can(role(name), "secretsmanager:GetSecretValue", arn) == wanted
    assert ACCESS.can(role(name), "kms:Decrypt", KEY, via=SECRETS, secret=arn) == wanted
    assert not ACCESS.can(role(name), "secretsmanager:PutSecretValue", arn)


@pytest.mark.parametrize("secret", ["LeadDesk", "Gorgias"])
def test_people_write_secrets_and_do_not_read_them(secret: str) -> None:
    arn = MAIN.resolver.ref(f"{secret}Secret")
    assert not ACCESS.can(ADMINISTRATOR, "secretsmanager:GetSecretValue", arn)
    assert ACCESS.can(ADMINISTRATOR, "secretsmanager:PutSecretValue", arn)
    assert ACCESS.can(ADMINISTRATOR, "kms:GenerateDataKey", KEY, via=SECRETS, account=ACCOUNT)


def test_the_key_serves_functions_and_operators() -> None:
    inside = {"via": S3, "object": place("lake")}
    for who in (*(role(name) for name in FUNCTIONS), OPERATOR):
        assert ACCESS.can(who, "kms:Decrypt", KEY, **inside)
        assert ACCESS.can(who, "kms:GenerateDataKey", KEY, via=S3, object=STORE)
        assert not ACCESS.can(who, "kms:Decrypt", KEY, via=S3, object=place("lake", bucket="arn:aws:s3:::elsewhere"))
        assert not ACCESS.can(who, "kms:Decrypt", KEY, object=place("lake"))
    for who in (ADMINISTRATOR, role("Schedule")):
        assert not ACCESS.can(who, "kms:Decrypt", KEY, **inside)
    assert ACCESS.can(ADMINISTRATOR, "kms:PutKeyPolicy", KEY)
    assert not ACCESS.can(role("Load"), "kms:PutKeyPolicy", KEY)


QUEUES = ("Control", "Extract", "Transform", "Load", "Reconcile")


@pytest.mark.parametrize("name", [*FUNCTIONS, "Schedule"])
@pytest.mark.parametrize("queue", QUEUES)
def test_queues(name: str, queue: str) -> None:
    arn = MAIN.arn(f"{queue}Queue")
    is_own = queue == ("Control" if name == "Conduct" else name)
    is_sent_to = (queue == "Control") != (name == "Conduct")
    assert ACCESS.can(role(name), "sqs:ReceiveMessage", arn) == is_own
    assert ACCESS.can(role(name), "sqs:SendMessage", arn) == is_sent_to
    assert not ACCESS.can(role(name), "sqs:PurgeQueue", arn)
    assert not ACCESS.can(role(name), "sqs:ReceiveMessage", MAIN.arn(f"{queue}Dead"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_logs(name: str) -> None:
    for other in FUNCTIONS:
        log = MAIN.arn(f"{other}Log").removesuffix("*") + "log-stream:today"
        assert ACCESS.can(role(name), "logs:PutLogEvents", log) == (name == other)


# Two customers in one bucket: `acme` made it, `acme2` was given it. One name is the beginning of the other on purpose.
A = Stack(translated(), {"Customer": "acme"}, "stack-a")
SHARED = A.resources["Store"]["BucketName"]
B = Stack(translated(), {"Customer": "acme2", "StoreBucketName": SHARED}, "stack-b")
BOTH = Access(A, B)


@pytest.mark.parametrize(("mine", "other"), [(A, B), (B, A)], ids=["a-b", "b-a"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_customers_do_not_meet(name: str, mine: Stack, other: Stack) -> None:
    who = role(name, mine)
    bucket = f"arn:aws:s3:::{SHARED}"
    own, foreign = (place("runs", stack.value("Customer"), bucket) for stack in (mine, other))
    good = {"tls": "true", "tls_version": "1.3", "encryption": "aws:kms", "key": mine.arn("Key"), "creation": "true"}
    assert BOTH.can(who, "s3:GetObject", own, tls="true")
    assert BOTH.can(who, "s3:PutObject", own, **good)
    assert BOTH.can(who, "kms:Decrypt", mine.arn("Key"), via=S3, object=own)
    for folder in FOLDERS:
        theirs = place(folder, other.value("Customer"), bucket)
        assert not BOTH.can(who, "s3:GetObject", theirs, tls="true")
        assert not BOTH.can(who, "s3:PutObject", theirs, **good | {"if_none_match": "*"})
        assert not BOTH.can(who, "kms:Decrypt", other.arn("Key"), via=S3, object=theirs)
    assert not BOTH.can(who, "kms:Decrypt", mine.arn("Key"), via=S3, object=foreign)
    assert not BOTH.can(who, "s3:PutObject", own, **good | {"key": other.arn("Key")})
    assert not BOTH.can(who, "s3:ListBucket", bucket, prefix=f"{other.value('Customer')}/", tls="true")
    for queue in QUEUES:
        assert not BOTH.can(who, "sqs:SendMessage", other.arn(f"{queue}Queue"))
        assert not BOTH.can(who, "sqs:ReceiveMessage", other.arn(f"{queue}Queue"))
    for secret in ("LeadDeskSecret", "GorgiasSecret"):
        assert not BOTH.can(who, "secretsmanager:GetSecretValue", other.resolver.ref(secret))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_guest_cannot_list_the_whole_bucket(name: str) -> None:
    assert not BOTH.can(role(name, B), "s3:ListBucket", f"arn:aws:s3:::{SHARED}", tls="true")


def test_walls_of_the_bucket_hold_for_guests() -> None:
    who = role("Load", B)
    ledger = place("ledger", "acme2", f"arn:aws:s3:::{SHARED}")
    good = {"tls": "true", "tls_version": "1.3", "encryption": "aws:kms", "key": B.arn("Key"), "creation": "true"}
    assert BOTH.can(who, "s3:PutObject", ledger, **good | {"if_none_match": "*"})
    assert not BOTH.can(who, "s3:PutObject", ledger, **good)
    assert not BOTH.can(ADMINISTRATOR, "s3:DeleteObject", ledger, tls="true")


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [("a*", "a/b/c", True), ("a?c", "abc", True), ("a?c", "ac", False), ("a.c", "abc", False), ("*", "", True), ("a", "A", False)],
)
def test_wildcards(pattern: str, text: str, wanted: bool) -> None:
    assert matches(pattern, text) == wanted


def _denials(stack: Stack) -> list[bool]:
    """What each wall of the store keeps out, asked in the name of somebody who may do everything else."""
    access = Access(stack)
    other = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"
    asked = [
        ("s3:GetObject", place("runs"), {"tls": "false", "tls_version": "1.3"}),
        ("s3:GetObject", place("runs"), {"tls": "true", "tls_version": "1.1"}),
        ("s3:DeleteObject", place("ledger"), {"tls": "true", "tls_version": "1.3"}),
        ("s3:PutObject", place("ledger"), without("if_none_match")),
        ("s3:PutObject", place("runs"), without(key=other)),
        ("s3:PutObject", place("runs"), without("key", encryption="AES256")),
    ]
    return [not access.can(ADMINISTRATOR, action, target, **context) for action, target, context in asked]


@pytest.mark.parametrize(
    ("sid", "position"),
    [("OnlyTls", 0), ("OnlyTls12", 1), ("NobodyDeletes", 2), ("OnlyCreates", 3), ("OnlyOurKey", 4), ("OnlyKms", 5)],
)
def test_each_wall_is_needed(sid: str, position: int) -> None:
    assert all(_denials(MAIN))
    opened = translated()
    statement(opened, "StorePolicy", sid)["Effect"] = "Allow"
    assert [number for number, held in enumerate(_denials(Stack(opened))) if not held] == [position]
