"""Glue and Athena: who asks, how much it costs, where the answers lie."""

from __future__ import annotations

from rules.base import change, rule
from stack import Resource, Stack

GIBIBYTE = 1 << 30


def _workgroups(stack: Stack) -> list[Resource]:
    return stack.of("Athena::WorkGroup")


def _tables(stack: Stack) -> list[Resource]:
    return stack.of("Glue::Table")


@rule("C01", "a limit that a client can override is none", _workgroups,
      change("Workgroup", "WorkGroupConfiguration.EnforceWorkGroupConfiguration", False))
def enforced(group: Resource) -> str | None:
    return None if group["WorkGroupConfiguration.EnforceWorkGroupConfiguration"] is True else "can be overridden"


@rule("C02", "Athena is paid by the byte, and a forgotten WHERE reads all of them", _workgroups,
      change("Workgroup", "WorkGroupConfiguration.BytesScannedCutoffPerQuery", None))
def limit(group: Resource) -> str | None:
    most = group["WorkGroupConfiguration.BytesScannedCutoffPerQuery"] or 1 << 60
    return None if 10_485_760 <= most <= 100 * GIBIBYTE else "lets a query read everything"


@rule("C03", "answers hold what the store holds", _workgroups,
      change("Workgroup", "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration", {"EncryptionOption": "SSE_S3"}))
def answers_encrypted(group: Resource) -> str | None:
    found = group["WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration"]
    wanted = {"EncryptionOption": "SSE_KMS", "KmsKey": group.stack.arn("Key")}
    return None if found == wanted else "answers under another key"


@rule("C04", "answers may be deleted, and the store may not", _workgroups,
      change("Workgroup", "WorkGroupConfiguration.ResultConfiguration.OutputLocation", {"Fn::Sub": "s3://${Store}/answers/"}))
def answers_apart(group: Resource) -> str | None:
    own = group.stack.resources["Results"]["BucketName"]
    place = group["WorkGroupConfiguration.ResultConfiguration.OutputLocation"]
    return None if place == f"s3://{own}/" else f"answers into {place}"


@rule("C05", "a bucket of this name in another account would get the answers", _workgroups,
      change("Workgroup", "WorkGroupConfiguration.ResultConfiguration.ExpectedBucketOwner", None))
def owner(group: Resource) -> str | None:
    found = group["WorkGroupConfiguration.ResultConfiguration.ExpectedBucketOwner"]
    return None if found == "111122223333" else "does not look whose bucket it is"


@rule("C06", "a table is a folder of this migration's lake", _tables,
      change("TableCtlRun", "TableInput.StorageDescriptor.Location", "s3://elsewhere/ctl_run/"))
def place(table: Resource) -> str | None:
    stack = table.stack
    bucket = stack.resources["Store"]["BucketName"]
    wanted = f"s3://{bucket}/{stack.value('Customer')}/{stack.value('Migration')}/lake/v1/{table['TableInput.Name']}/"
    shared = stack.with_parameters(StoreBucketName="elsewhere").resources[table.name]
    is_right = table["TableInput.StorageDescriptor.Location"] == wanted
    is_shared = shared["TableInput.StorageDescriptor.Location"] == wanted.replace(bucket, "elsewhere", 1)
    return None if is_right and is_shared else "reads another folder"


@rule("C07", "folders are run and pass, and nothing else", _tables,
      lambda it: it["Resources"]["TableCtlRun"]["Properties"]["TableInput"]["PartitionKeys"].pop())
def partitions(table: Resource) -> str | None:
    found = [(key["Name"], key["Type"]) for key in table["TableInput.PartitionKeys"]]
    return None if found == [("run_id", "string"), ("pass", "string")] else f"has the partitions {found}"


@rule("C08", "a run that is missing in a list of values is missing in every answer without a word", _tables,
      change("TableCtlRun", "TableInput.Parameters", {"projection.enabled": "true", "projection.run_id.type": "injected",
                                                     "projection.pass.type": "enum", "projection.pass.values": "full"}))
def projection(table: Resource) -> str | None:
    found = table["TableInput.Parameters"]
    kinds = [found.get(f"projection.{key}.type") for key in ("run_id", "pass")]
    return None if found.get("projection.enabled") == "true" and kinds == ["injected"] * 2 else f"projects {kinds}"


@rule("C09", "every table is in the customer's database", _tables, change("TableCtlRun", "DatabaseName", "default"))
def database(table: Resource) -> str | None:
    own = table.stack.resolver.ref("Database")
    return None if table["DatabaseName"] == own else "is in another database"


@rule("C10", "Glue and Athena take lower-case letters, digits and underscores", lambda it: it.of("Glue::Database"),
      lambda it: it["Resources"]["Database"]["Properties"]["DatabaseInput"].update(Name="deskferry-main"))
def database_name(database: Resource) -> str | None:
    name = database["DatabaseInput.Name"]
    return None if name.replace("_", "a").isalnum() and name == name.lower() else f"is called {name}"
