"""Secrets: where they are, and who reads them."""

from __future__ import annotations

import json

from rules.base import change, rule, statement
from stack import Resource, Stack

KEYS = {"LeadDeskSecret": {"auth", "client_id", "client_secret"}, "GorgiasSecret": {"api_key"}}
READERS = {"LeadDeskSecret": ["Extract"], "GorgiasSecret": ["Load", "Reconcile"]}


def _secrets(stack: Stack) -> list[Resource]:
    return stack.of("SecretsManager::Secret")


@rule("X01", "the secret is under the customer's key", _secrets, change("GorgiasSecret", "KmsKeyId", None))
def key(secret: Resource) -> str | None:
    return None if secret["KmsKeyId"] == secret.stack.arn("Key") else "has another key"


@rule("X02", "a template is read by many", _secrets, change("LeadDeskSecret", "SecretString", "s3cr3t"))
def empty(secret: Resource) -> str | None:
    return "stands in the template" if secret["SecretString"] is not None else None


@rule("X03", "the placeholder shows what has to be filled in", _secrets,
      change("GorgiasSecret", "GenerateSecretString.GenerateStringKey", "password"))
def placeholder(secret: Resource) -> str | None:
    made = secret["GenerateSecretString"] or {}
    found = set(json.loads(made.get("SecretStringTemplate", "{}"))) | {made.get("GenerateStringKey")}
    return None if found == KEYS[secret.name] else f"has the keys {sorted(map(str, found))}"


@rule("X04", "access that was typed in by hand must survive the stack", _secrets,
      lambda it: it["Resources"]["LeadDeskSecret"].update(DeletionPolicy="Delete"))
def kept(secret: Resource) -> str | None:
    return None if secret.attributes.get("DeletionPolicy") == "Retain" else "goes with the stack"


@rule("X05", "broad rights in the account are no reason to read a customer's access", _secrets,
      lambda it: statement(it, "GorgiasSecretPolicy", "OnlyItsFunctions")["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].append(
          {"Fn::GetAtt": ["ExtractRole", "Arn"]}))
def readers(secret: Resource) -> str | None:
    own = secret.stack.resolver.ref(secret.name)
    policies = [it for it in secret.stack.of("SecretsManager::ResourcePolicy") if it["SecretId"] == own]
    roles = [secret.stack.arn(f"{name}Role") for name in READERS[secret.name]]
    for policy in policies:
        for entry in policy["ResourcePolicy.Statement"]:
            is_wall = entry["Effect"] == "Deny" and entry["Action"] == "secretsmanager:GetSecretValue"
            if is_wall and entry["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": roles}}:
                return None
    return "is open to more than its functions"


@rule("X06", "no mistake may open a secret to the world", lambda it: it.of("SecretsManager::ResourcePolicy"),
      change("LeadDeskSecretPolicy", "BlockPublicPolicy", False))
def public(policy: Resource) -> str | None:
    return None if policy["BlockPublicPolicy"] is True else "can be made public"


@rule("X07", "a secret that is already there is used as it is", lambda it: [it],
      lambda it: it["Resources"]["GorgiasSecret"].pop("Condition"))
def given(stack: Stack) -> str | None:
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mine-AbCdEf"
    other = stack.with_parameters(LeadDeskSecretArn=arn, GorgiasSecretArn=arn)
    return "makes a second one" if _secrets(other) else None


@rule("X08", "the name in the function's environment is where the secret is", lambda it: it.of("Lambda::Function"),
      change("Load", "Environment.Variables.DESKFERRY_GORGIAS_SECRET", {"Ref": "LeadDeskSecret"}))
def told(function: Resource) -> str | None:
    for name, value in function["Environment.Variables"].items():
        if name.endswith("_SECRET"):
            wanted = "LeadDeskSecret" if name == "DESKFERRY_LEADDESK_SECRET" else "GorgiasSecret"
            if value != function.stack.resolver.ref(wanted):
                return f"{name} leads elsewhere"
    return None
