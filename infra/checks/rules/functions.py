"""Functions and their logs."""

from __future__ import annotations

import re

from rules.base import Json, change, properties, rule, text
from stack import Resource, Stack, listed

HANDLERS = {"conduct", "extract", "transform", "load", "reconcile"}
EVERYWHERE = {"DESKFERRY_STORE", "DESKFERRY_KMS_KEY", "DESKFERRY_CONTROL_QUEUE", "RUST_LOG"}
# What a function is told beyond that; the binary reads these names.
BESIDES = {
    "Conduct": {f"DESKFERRY_{name}_QUEUE" for name in ("EXTRACT", "TRANSFORM", "LOAD", "RECONCILE")},
    "Extract": {"DESKFERRY_WORK_QUEUE", "DESKFERRY_LEADDESK_SECRET"},
    "Transform": {"DESKFERRY_WORK_QUEUE"},
    "Load": {"DESKFERRY_WORK_QUEUE", "DESKFERRY_GORGIAS_SECRET"},
    "Reconcile": {"DESKFERRY_WORK_QUEUE", "DESKFERRY_GORGIAS_SECRET"},
}
ENVIRONMENT_BYTES_MAX = 4096


def _functions(stack: Stack) -> list[Resource]:
    return stack.of("Lambda::Function")


def _logs(stack: Stack) -> list[Resource]:
    return stack.of("Logs::LogGroup")


def _whole(stack: Stack) -> list[Stack]:
    return [stack]


@rule("F01", "Lambda takes 128 to 10,240 MB, which no linter knows", _functions, change("Transform", "MemorySize", 10_241))
def memory(function: Resource) -> str | None:
    return None if 128 <= (function["MemorySize"] or 0) <= 10_240 else "asks for memory that there is not"


@rule("F02", "disk above 512 MB is paid for by the second, and more than 10,240 is refused", _functions,
      change("Extract", "EphemeralStorage.Size", 20_480))
def disk(function: Resource) -> str | None:
    return None if function["EphemeralStorage.Size"] == 512 else "asks for another disk than the free one"


@rule("F03", "AWS runs no function for more than 900 seconds", _functions, change("Transform", "Timeout", 901))
def timeout(function: Resource) -> str | None:
    return None if (function["Timeout"] or 0) <= 900 else "has a timeout that is refused"


@rule("F04", "the binary is built for the C library of this runtime", _functions, change("Load", "Runtime", "provided.al2"))
def runtime(function: Resource) -> str | None:
    return None if function["Runtime"] == "provided.al2023" else f"runs on {function['Runtime']}"


@rule("F05", "binary and processor must agree, so both follow one parameter", _whole,
      change("Load", "Architectures", ["x86_64"]))
def architecture(stack: Stack) -> str | None:
    other = stack.with_parameters(Architecture="arm64").of("Lambda::Function")
    other += stack.with_parameters(Architecture="x86_64").of("Lambda::Function")
    found = {(function.stack.value("Architecture"), *function["Architectures"]) for function in other}
    return None if found == {("arm64", "arm64"), ("x86_64", "x86_64")} else f"gives {sorted(found)}"


@rule("F06", "the binary picks its part by the handler", _whole, change("Load", "Handler", "bootstrap"))
def handlers(stack: Stack) -> str | None:
    found = [function["Handler"] for function in _functions(stack)]
    return None if sorted(found) == sorted(HANDLERS) else f"knows the handlers {sorted(found)}"


@rule("F07", "nobody calls a function from outside", _whole,
      lambda it: it["Resources"].update(Url={"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "AWS_IAM"}}))
def url(stack: Stack) -> str | None:
    return "has a public address" if stack.of("Lambda::Url") else None


@rule("F08", "whoever may look at a function sees its environment", _functions,
      change("Load", "Environment.Variables.RUST_LOG", "{{resolve:secretsmanager:gorgias}}"))
def no_secret_inside(function: Resource) -> str | None:
    for name, value in function["Environment.Variables"].items():
        is_suspect = re.search(r"SECRET|TOKEN|PASSWORD|API_?KEY|AUTH", name) and not str(value).startswith("arn:")
        if is_suspect or "{{resolve:" in str(value):
            return f"holds a secret in {name}"
    return None


@rule("F09", "AWS takes 4 KB of environment", _functions,
      change("Load", "Environment.Variables.DESKFERRY_WORK_QUEUE", "x" * 4000))
def environment_size(function: Resource) -> str | None:
    size = sum(len(name) + len(str(value)) for name, value in function["Environment.Variables"].items())
    return f"has {size} bytes of environment" if size > ENVIRONMENT_BYTES_MAX * 3 // 4 else None


@rule("F10", "a function that misses a variable does not start, and one too many tells it what it need not know", _functions,
      change("Transform", "Environment.Variables.DESKFERRY_LOAD_QUEUE", {"Ref": "LoadQueue"}))
def environment(function: Resource) -> str | None:
    found = set(function["Environment.Variables"])
    wanted = EVERYWHERE | BESIDES.get(function.name, set())
    return None if found == wanted else f"differs in {sorted(found ^ wanted)}"


@rule("F11", "logs that two functions share cannot be given to one role", _functions,
      change("Load", "LoggingConfig.LogGroup", {"Ref": "ConductLog"}))
def own_log(function: Resource) -> str | None:
    own = f"/aws/lambda/{function['FunctionName']}"
    return None if function["LoggingConfig.LogGroup"] == own else "writes into another log"


@rule("F12", "Lambda cuts the circle worker, control, conduct, worker after 16 rounds", _functions,
      change("Load", "RecursiveLoop", "Terminate"))
def loop(function: Resource) -> str | None:
    return None if function["RecursiveLoop"] == "Allow" else "is cut off in the middle of a run"


@rule("F13", "what one function may do is no reason that another may", _functions,
      change("Transform", "Role", {"Fn::GetAtt": ["ExtractRole", "Arn"]}))
def own_role(function: Resource) -> str | None:
    role = function.stack.by_arn(function["Role"], "IAM::Role")
    return None if role is not None and role.name == f"{function.name}Role" else "borrows a role"


@rule("F14", "logs are read by programs", _functions, change("Load", "LoggingConfig.LogFormat", "Text"))
def log_format(function: Resource) -> str | None:
    return None if function["LoggingConfig.LogFormat"] == "JSON" else "logs free text"


@rule("F15", "it does not hold the poller back but throttles it, and throttles use up deliveries", _functions,
      change("Load", "ReservedConcurrentExecutions", 1))
def reserved(function: Resource) -> str | None:
    return "reserves concurrency" if function["ReservedConcurrentExecutions"] is not None else None


@rule("F16", "one binary was tested, one is deployed", _whole, change("Load", "Code.S3Key", "other.zip"))
def one_archive(stack: Stack) -> str | None:
    archives = {str(function["Code"]) for function in _functions(stack)}
    return None if len(archives) == 1 else f"deploys {len(archives)} archives"


@rule("F17", "the poller uses the function's role; no one else needs to invoke it", _whole,
      lambda it: it["Resources"].update(Open={"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*"}}))
def no_invokers(stack: Stack) -> str | None:
    return "lets others invoke a function" if stack.of("Lambda::Permission") else None


@rule("F18", "the parameter for signed code must reach every function", _whole,
      change("Extract", "CodeSigningConfigArn", None))
def signing(stack: Stack) -> str | None:
    given = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0"
    signed = stack.with_parameters(CodeSigningConfigArn=given).of("Lambda::Function")
    missing = [function.name for function in signed if function["CodeSigningConfigArn"] != given]
    return f"does not demand it of {missing}" if missing else None


@rule("F19", "all code is in the one archive that was checked", _functions,
      change("Load", "Layers", [text("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:layer:x:1")]))
def layers(function: Resource) -> str | None:
    return "brings in other code" if function["Layers"] else None


@rule("F20", "a mapping is refused while its role may not yet receive", _functions,
      lambda it: it["Resources"]["Reconcile"].pop("DependsOn"))
def order(function: Resource) -> str | None:
    return None if f"{function.name}Policy" in listed(function.attributes.get("DependsOn")) else "may come before its policy"


@rule("F21", "X-Ray's permissions cannot be bound to a resource", _functions,
      change("Conduct", "TracingConfig", {"Mode": "Active"}))
def tracing(function: Resource) -> str | None:
    return "traces" if function["TracingConfig"] else None


@rule("F22", "a failed event of a queue goes back to the queue, so that other destinations only hide it", _whole,
      lambda it: it["Resources"].update(Config={"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {"Qualifier": "$LATEST"}}))
def destinations(stack: Stack) -> str | None:
    return "sends failures elsewhere" if stack.of("Lambda::EventInvokeConfig") else None


def _lock_in(template: Json) -> None:
    properties(template, "Load")["VpcConfig"] = {"SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"]}


@rule("F23", "in a private network a function needs a gateway that costs more than all the rest", _functions, _lock_in)
def network(function: Resource) -> str | None:
    return "is put into a network" if function["VpcConfig"] else None


@rule("L01", "logs that nobody deletes are kept for ever", _logs, change("LoadLog", "RetentionInDays", None))
def retention(log: Resource) -> str | None:
    return None if 1 <= (log["RetentionInDays"] or 0) <= 400 else "is kept for ever"


@rule("L02", "logs are encrypted with the customer's key", _logs, change("ConductLog", "KmsKeyId", None))
def log_key(log: Resource) -> str | None:
    return None if log["KmsKeyId"] == log.stack.arn("Key") else "has another key"


def _add_log(template: Json) -> None:
    own = dict(properties(template, "LoadLog"), LogGroupName=text("/deskferry/${AWS::StackName}"))
    template["Resources"]["OtherLog"] = {"Type": "AWS::Logs::LogGroup", "Properties": own}


@rule("L03", "the key serves logs below this name only", _logs, _add_log)
def log_name(log: Resource) -> str | None:
    names = {f"/aws/lambda/{function['FunctionName']}" for function in _functions(log.stack)}
    return None if log["LogGroupName"] in names else "is no function's log"
