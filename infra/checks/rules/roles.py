"""Roles: what each function may do, and that it may do nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rules.base import Json, change, edit, folder, permit, properties, rule, statement, text
from stack import Resource, Stack, listed

FUNCTIONS = ("Conduct", "Extract", "Transform", "Load", "Reconcile")
WRITES = {
    "Conduct": {"runs", "quarantine"},
    "Extract": {"runs", "lake", "recordings", "quarantine"},
    "Transform": {"runs", "lake", "quarantine"},
    "Load": {"runs", "lake", "ledger", "usage", "switches", "quarantine"},
    "Reconcile": {"runs", "lake", "ledger", "usage", "switches", "reports", "rollback", "quarantine"},
}
READS = {"lake", "runs", "mappings", "reports", "usage", "files", "settings", "quarantine", "rollback"}
# Some folders are read by those alone that need them.
MORE_READS = {
    "Extract": {"recordings"},
    "Load": {"ledger", "recordings", "switches"},
    "Reconcile": {"ledger", "recordings", "switches"},
}
SECRETS = {"Extract": "LeadDesk", "Load": "Gorgias", "Reconcile": "Gorgias"}
# All that any role of ours may ever do. Deleting is not in it, nor is passing a role on or changing a policy.
ACTIONS = {
    "kms:Decrypt", "kms:GenerateDataKey",
    "logs:CreateLogStream", "logs:PutLogEvents",
    "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
}


def _roles(stack: Stack) -> list[Resource]:
    return stack.of("IAM::Role")


def _policies(stack: Stack) -> list[Resource]:
    return stack.of("IAM::Policy")


class Allowed:
    """One statement that allows something, and whose."""

    def __init__(self, policy: Resource, entry: Json) -> None:
        self.name = f"{policy.name}.{entry.get('Sid', '?')}"
        self.stack = policy.stack
        self.function = policy.name.removesuffix("Policy")
        self.actions = listed(entry.get("Action", []))
        self.resources = listed(entry.get("Resource", []))
        self.condition = entry.get("Condition", {})

    def __str__(self) -> str:
        return self.name


def _allowed(stack: Stack) -> Iterator[Allowed]:
    for policy in _policies(stack):
        for entry in policy["PolicyDocument.Statement"]:
            if entry["Effect"] == "Allow":
                yield Allowed(policy, entry)


def _doing(*actions: str) -> Callable[[Stack], list[Allowed]]:
    return lambda stack: [it for it in _allowed(stack) if set(actions) & set(it.actions)]


def _functions(stack: Stack) -> list[tuple[str, list[Allowed]]]:
    every = list(_allowed(stack))
    return [(name, [it for it in every if it.function == name]) for name in FUNCTIONS]


def _folders(stack: Stack, statements: list[Allowed], action: str) -> set[str]:
    """The folders of the store in which an action is allowed; whatever is not one of them comes back whole."""
    head = f"arn:aws:s3:::{stack.resources['Store']['BucketName']}/{stack.value('Customer')}/*/"
    found = {resource for it in statements if action in it.actions for resource in it.resources}
    return {it.removeprefix(head).removesuffix("/*") if it.startswith(head) and it.endswith("/*") else it for it in found}


@rule("R01", "a wildcard gives rights that nobody has thought of yet", _allowed,
      permit("LoadPolicy", "logs:*", {"Fn::GetAtt": ["LoadLog", "Arn"]}))
def actions(it: Allowed) -> str | None:
    wild = [action for action in it.actions if "*" in action]
    return f"allows {wild}" if wild else None


@rule("R02", "a wildcard reaches what other customers and programs have", _allowed,
      permit("LoadPolicy", "kms:Decrypt", "*", Condition={"StringEquals": {"kms:ViaService": text("s3.${AWS::Region}.amazonaws.com")}}))
def resources(it: Allowed) -> str | None:
    def is_wild(resource: str) -> bool:
        own = resource.split(":", 5)[-1]
        # Keys of the store are named by folder, and streams of a log by their log.
        is_stream = resource.startswith("arn:aws:logs:") and resource.endswith(":*") and own.count("*") == 1
        is_folder = resource.startswith("arn:aws:s3:::") and own.count("/") >= 3
        return "*" in resource and not is_stream and not is_folder

    wild = [resource for resource in it.resources if is_wild(resource)]
    return f"allows it on {wild}" if wild else None


@rule("R03", "nobody deletes, passes on a role or changes a policy", _allowed,
      permit("LoadPolicy", "s3:DeleteObject", folder("runs")))
def known_actions(it: Allowed) -> str | None:
    strange = [action for action in it.actions if action not in ACTIONS and "*" not in action]
    return f"allows {strange}" if strange else None


@rule("R04", "everything but something is a wildcard in disguise", _policies,
      lambda it: properties(it, "LoadPolicy")["PolicyDocument"]["Statement"].append(
          {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": folder("runs")}))
def not_but(policy: Resource) -> str | None:
    entries = policy["PolicyDocument.Statement"]
    negated = [key for entry in entries for key in entry if key in ("NotAction", "NotResource", "NotPrincipal")]
    return f"uses {negated}" if negated else None


@rule("R05", "AWS's own policies change without us, and are full of wildcards", _roles,
      change("ConductRole", "ManagedPolicyArns", [text("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")]))
def managed(role: Resource) -> str | None:
    return "has policies that are not in this template" if role["ManagedPolicyArns"] or role["Policies"] else None


@rule("R06", "only the service that it is made for takes on a role", _roles,
      change("LoadRole", "AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": {"Ref": "AWS::AccountId"}}))
def trust(role: Resource) -> str | None:
    service = "scheduler.amazonaws.com" if role.name == "ScheduleRole" else "lambda.amazonaws.com"
    entries = role["AssumeRolePolicyDocument.Statement"]
    is_right = len(entries) == 1 and entries[0]["Principal"] == {"Service": service}
    return None if is_right and entries[0]["Action"] == "sts:AssumeRole" else "can be taken on by others"


@rule("R07", "who reads the source has no access to the destination, and the other way round", _functions,
      lambda it: statement(it, "ExtractPolicy", "ReadSecret").update(Resource={"Ref": "GorgiasSecret"}))
def secrets(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    found = {arn for it in statements if "secretsmanager:GetSecretValue" in it.actions for arn in it.resources}
    stack = statements[0].stack
    wanted = {stack.resolver.ref(f"{SECRETS[name]}Secret")} if name in SECRETS else set()
    return None if found == wanted else f"{name} reads {sorted(found)}"


@rule("R08", "each step leaves its own things in the store and no others", _functions,
      permit("TransformPolicy", "s3:PutObject", folder("usage"),
             Condition={"StringEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": {"Fn::GetAtt": ["Key", "Arn"]}}}))
def writes(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    found = _folders(statements[0].stack, statements, "s3:PutObject")
    return None if found == WRITES[name] else f"{name} writes {sorted(found ^ WRITES[name])} otherwise"


@rule("R09", "the ledger tells who was written to, and its key who that is", _functions,
      permit("ConductPolicy", "s3:GetObject", folder("ledger")))
def reads(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    found = _folders(statements[0].stack, statements, "s3:GetObject")
    wanted = READS | MORE_READS.get(name, set())
    return None if found == wanted else f"{name} reads {sorted(found ^ wanted)} otherwise"


@rule("R10", "a folder named like an allowed one below the ledger would be a way in",
      lambda it: [policy for policy in _policies(it) if policy.name in ("ConductPolicy", "ExtractPolicy", "TransformPolicy")],
      edit("ExtractPolicy", "NoLedger", Action="s3:GetObject"))
def no_ledger(policy: Resource) -> str | None:
    entry = next((it for it in policy["PolicyDocument.Statement"] if it.get("Sid") == "NoLedger"), {})
    is_all = entry.get("Effect") == "Deny" and set(listed(entry["Action"])) == {"s3:GetObject", "s3:PutObject"}
    return None if is_all and entry["Resource"].endswith("/*/ledger/*") else "can reach the ledger"


@rule("R11", "names of other customers' objects are none of its business", _doing("s3:ListBucket"),
      edit("LoadPolicy", "ListStore", Condition=None))
def lists(it: Allowed) -> str | None:
    folder = {"s3:prefix": f"{it.stack.value('Customer')}/*"}
    shared = it.stack.with_parameters(StoreBucketName="elsewhere")
    conditions = [found.condition for found in _allowed(shared) if found.name == it.name]
    is_bound = it.condition == {"StringLikeIfExists": folder} and conditions == [{"StringLike": folder}]
    return None if is_bound else "lists the whole bucket"


@rule("R12", "the key serves S3 and Secrets Manager on our behalf; nothing is decrypted by hand", _doing("kms:Decrypt"),
      lambda it: statement(it, "LoadPolicy", "UseKeyForStore")["Condition"].pop("StringEquals"))
def through(it: Allowed) -> str | None:
    service = it.condition.get("StringEquals", {}).get("kms:ViaService", "")
    return None if service.split(".")[0] in ("s3", "secretsmanager") else "uses the key directly"


@rule("R13", "the key opens this customer's folder of this bucket only", _doing("kms:GenerateDataKey"),
      lambda it: statement(it, "ExtractPolicy", "UseKeyForStore")["Condition"].pop("StringLike"))
def context(it: Allowed) -> str | None:
    bucket = f"arn:aws:s3:::{it.stack.resources['Store']['BucketName']}"
    wanted = [bucket, f"{bucket}/{it.stack.value('Customer')}/*"]
    found = it.condition.get("StringLike", {}).get("kms:EncryptionContext:aws:s3:arn")
    return None if found == wanted else "uses the key for other objects"


@rule("R14", "workers wake conduct and conduct wakes workers: no other circle can run wild", _functions,
      permit("LoadPolicy", "sqs:SendMessage", {"Fn::GetAtt": ["LoadQueue", "Arn"]}))
def sends(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    stack = statements[0].stack
    targets = [it for it in FUNCTIONS if it != "Conduct"] if name == "Conduct" else ["Control"]
    wanted = {stack.arn(f"{target}Queue") for target in targets}
    found = {arn for it in statements if "sqs:SendMessage" in it.actions for arn in it.resources}
    return None if found == wanted else f"{name} sends to {sorted(found ^ wanted)} otherwise"


@rule("R15", "a message belongs to the function that waits for it", _functions,
      permit("LoadPolicy", "sqs:ReceiveMessage", {"Fn::GetAtt": ["ReconcileQueue", "Arn"]}))
def receives(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    queue = "ControlQueue" if name == "Conduct" else f"{name}Queue"
    found = {arn for it in statements if "sqs:ReceiveMessage" in it.actions for arn in it.resources}
    return None if found == {statements[0].stack.arn(queue)} else f"{name} receives from {sorted(found)}"


@rule("R16", "a role's rights stand in one place", _policies,
      lambda it: properties(it, "LoadPolicy")["Roles"].append({"Ref": "ReconcileRole"}))
def one_role(policy: Resource) -> str | None:
    own = policy.stack.resolver.ref(policy.name.removesuffix("Policy") + "Role")
    return None if policy["Roles"] == [own] else "gives its rights to other roles"


@rule("R17", "an object under another key is lost to its customer", _doing("s3:PutObject"),
      edit("LoadPolicy", "WriteStore", Condition=None))
def own_key(it: Allowed) -> str | None:
    wanted = {"StringEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": it.stack.arn("Key")}}
    return None if it.condition == wanted else "writes under any key"


@rule("R18", "the schedule wakes, and does nothing else", lambda it: [it for it in _allowed(it) if it.function == "Schedule"],
      edit("SchedulePolicy", "WakeConduct", Resource={"Fn::GetAtt": ["LoadQueue", "Arn"]}))
def schedule(it: Allowed) -> str | None:
    wanted = {it.stack.arn("ControlQueue"), it.stack.arn("ScheduleDead")}
    return None if set(it.resources) == wanted and it.actions == ["sqs:SendMessage"] else "reaches further"


@rule("R19", "a function that cannot write its log cannot be understood", _functions,
      edit("TransformPolicy", "Log", Resource={"Fn::GetAtt": ["ConductLog", "Arn"]}))
def logs(pair: tuple[str, list[Allowed]]) -> str | None:
    name, statements = pair
    found = {arn for it in statements if "logs:PutLogEvents" in it.actions for arn in it.resources}
    return None if found == {statements[0].stack.arn(f"{name}Log")} else f"{name} writes {sorted(found)}"


@rule("R20", "users and groups of people are not a template's matter", lambda it: [it],
      lambda it: it["Resources"].update(Someone={"Type": "AWS::IAM::User", "Properties": {}}))
def people(stack: Stack) -> str | None:
    kinds = {it.kind for it in stack.resources.values() if it.kind.startswith("AWS::IAM::")}
    return None if kinds <= {"AWS::IAM::Role", "AWS::IAM::Policy"} else f"makes {sorted(kinds)}"
