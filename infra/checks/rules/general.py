"""The template as a whole."""

from __future__ import annotations

import json
import re

from rules.base import Json, change, rule
from stack import Resource, Stack

KINDS = {
    "AWS::Athena::WorkGroup", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Glue::Database",
    "AWS::Glue::Table", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::KMS::Alias", "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy", "AWS::SQS::Queue", "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::ResourcePolicy", "AWS::SecretsManager::Secret",
}
# Those of other files have a rule of their own that says more.
ELSEWHERE = {"AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig", "AWS::IAM::User"}
# CloudFormation's limits.
RESOURCES_MAX = 500
BYTES_MAX = 1_000_000


def _whole(stack: Stack) -> list[Stack]:
    return [stack]


def _parameters(stack: Stack) -> list[tuple[str, Json]]:
    return list(stack.template["Parameters"].items())


@rule("G01", "who deploys reads the descriptions and nothing else", _parameters,
      lambda it: it["Parameters"]["LogDays"].pop("Description"))
def described(pair: tuple[str, Json]) -> str | None:
    name, parameter = pair
    return None if len(parameter.get("Description", "")) > 20 else f"{name} is not described"


@rule("G02", "a deployment without any choice must work, and be the safe one", _parameters,
      lambda it: it["Parameters"]["AccessLogBucketName"].pop("Default"))
def defaulted(pair: tuple[str, Json]) -> str | None:
    name, parameter = pair
    return None if "Default" in parameter else f"{name} has no default"


@rule("G03", "a parameter shows in the console and in the stack's history", _parameters,
      lambda it: it["Parameters"].update(GorgiasApiKey={"Type": "String", "Default": "", "Description": "The key of the Gorgias account"}))
def no_secrets(pair: tuple[str, Json]) -> str | None:
    name, _ = pair
    is_secret = re.search(r"(Key|Token|Password|Secret)$", name)
    return f"{name} asks for a secret" if is_secret else None


@rule("G04", "an account or a region that stands in the text binds the template to it", _whole,
      change("LoadLog", "Tags", [{"Key": "region", "Value": "eu-west-1"}]))
def unbound(stack: Stack) -> str | None:
    text = json.dumps(stack.template["Resources"])
    found = re.findall(r"arn:aws:[^\"]*|\b[0-9]{12}\b|\b(?:eu|us|ap)-[a-z]+-[0-9]\b", text)
    return f"names {sorted(set(found))[:3]}" if found else None


@rule("G05", "a kind of resource that nobody looked at is not looked at by these rules", _whole,
      lambda it: it["Resources"].update(Table={"Type": "AWS::DynamoDB::Table", "Properties": {}}))
def kinds(stack: Stack) -> str | None:
    strange = {resource.kind for resource in stack.resources.values()} - KINDS - ELSEWHERE
    return f"has {sorted(strange)}" if strange else None


@rule("G06", "what is kept when it is deleted must be kept when it is replaced", lambda it: list(it.resources.values()),
      lambda it: it["Resources"]["Key"].pop("UpdateReplacePolicy"))
def replaced(resource: Resource) -> str | None:
    attributes = resource.attributes
    is_same = attributes.get("UpdateReplacePolicy") == attributes.get("DeletionPolicy")
    is_dropped = attributes.get("DeletionPolicy") in (None, "Delete")
    return None if is_same or is_dropped else "goes when it is replaced"


@rule("G07", "CloudFormation takes 500 resources and 1 MB", _whole,
      lambda it: it["Resources"].update({f"Log{n}": {"Type": "AWS::KMS::Alias", "Properties": {}} for n in range(400)}))
def size(stack: Stack) -> str | None:
    count, length = len(stack.template["Resources"]), len(json.dumps(stack.template))
    return f"has {count} resources and {length} bytes" if count > RESOURCES_MAX or length > BYTES_MAX else None


@rule("G08", "the command line reads these after a deployment", _whole, lambda it: it["Outputs"].pop("StoreUrl"))
def outputs(stack: Stack) -> str | None:
    wanted = {"StoreUrl", "ControlQueueUrl", "KeyArn", "LeadDeskSecret", "GorgiasSecret", "DatabaseName", "WorkgroupName"}
    missing = wanted - set(stack.template["Outputs"])
    return f"does not say {sorted(missing)}" if missing else None


@rule("G09", "two stacks in one account must not want the same name", _whole, change("LoadDeadAlarm", "AlarmName", "load-dead"))
def named_by_stack(stack: Stack) -> str | None:
    other = Stack(stack.template, {"Customer": "acme"}, "other")
    keys = ("QueueName", "FunctionName", "LogGroupName", "BucketName", "AliasName", "DashboardName", "AlarmName", "Name")
    same = [
        resource.name
        for resource in stack.resources.values()
        # Tables are named within their database.
        if resource.kind != "AWS::Glue::Table"
        for key in keys
        if resource[key] is not None and resource[key] == other.resources[resource.name][key]
    ]
    return f"names {same} alike in every stack" if same else None


@rule("G10", "the longest name that is allowed must still be one of S3", lambda it: it.of("S3::Bucket"),
      lambda it: it["Parameters"]["Customer"].update(AllowedPattern="^[a-z][a-z0-9]{1,30}$"))
def bucket_names(bucket: Resource) -> str | None:
    longest = int(re.findall(r"\{1,(\d+)\}", bucket.stack.template["Parameters"]["Customer"]["AllowedPattern"])[0]) + 1
    region = len("ap-southeast-2")
    length = len(bucket["BucketName"]) - len(bucket.stack.value("Customer")) - len("eu-west-1") + longest + region
    return f"may get a name of {length} characters" if length > 63 else None


@rule("G11", "the role's trust names the group of this stack", lambda it: it.of("Scheduler::Schedule"),
      change("DeltaSchedule", "GroupName", "default"))
def schedule_group(schedule: Resource) -> str | None:
    return None if schedule["GroupName"] == schedule.stack.name else "is in a group that its role does not serve"
