"""Deploys the template to an emulator on loopback, with the binary that is to be tried, and prints the outputs as JSON.

Does what `sam deploy` does, without its command line: packs the binary, puts it into a bucket, creates the stack, waits.
What is deployed is what stands in the file. Secrets are made before and given by ARN, because the emulator does not know
policies of secrets, which the template has for those that it makes itself.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import zipfile
from pathlib import Path

import boto3

ARTIFACTS = "artifacts"
CODE_KEY = "bootstrap.zip"
# Local folders in CodeUri, as the template has them, become this object.
LOCAL_CODE = "CodeUri: ../target/lambda/deskferry/"
WAIT_SECONDS = 120


def packed(bootstrap: Path) -> bytes:
    """The archive that a function is deployed from; the binary keeps its mode."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=1)
    return buffer.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="address of the emulator")
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--bootstrap", type=Path, required=True)
    parser.add_argument("--stack", default="deskferry")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--secret", action="append", default=[], metavar="NAME=FILE",
                        help="makes a secret with the JSON of a file; its ARN becomes the parameter NAMEArn")
    arguments = parser.parse_args()
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=arguments.region)

    def client(service: str):
        return session.client(service, endpoint_url=arguments.endpoint)

    store = client("s3")
    store.create_bucket(Bucket=ARTIFACTS, CreateBucketConfiguration={"LocationConstraint": arguments.region})
    code = packed(arguments.bootstrap)
    store.put_object(Bucket=ARTIFACTS, Key=CODE_KEY, Body=code)
    template = arguments.template.read_text()
    if LOCAL_CODE not in template:
        print(f"{arguments.template} names its code in another way than {LOCAL_CODE!r}", file=sys.stderr)
        return 2
    template = template.replace(LOCAL_CODE, f"CodeUri: s3://{ARTIFACTS}/{CODE_KEY}")
    parameters = [dict(zip(("ParameterKey", "ParameterValue"), text.split("=", 1))) for text in arguments.parameter]
    for text in arguments.secret:
        name, path = text.split("=", 1)
        made = client("secretsmanager").create_secret(Name=name, SecretString=Path(path).read_text())
        parameters.append({"ParameterKey": f"{name}Arn", "ParameterValue": made["ARN"]})
    stacks = client("cloudformation")
    store.put_object(Bucket=ARTIFACTS, Key="template.yaml", Body=template.encode())
    stacks.create_stack(
        StackName=arguments.stack,
        TemplateURL=f"{arguments.endpoint}/{ARTIFACTS}/template.yaml",
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stack = settled(stacks, arguments.stack)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = stacks.describe_stack_events(StackName=arguments.stack)["StackEvents"]
        for event in events:
            if event["ResourceStatus"].endswith("FAILED"):
                print(event["LogicalResourceId"], event.get("ResourceStatusReason", ""), file=sys.stderr)
        print(f"the stack is {stack['StackStatus']}: {stack.get('StackStatusReason', '')}", file=sys.stderr)
        return 1
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    outputs["CodeBytes"] = len(code)
    resources = stacks.describe_stack_resources(StackName=arguments.stack)["StackResources"]
    outputs["Resources"] = len(resources)
    outputs["Functions"] = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    print(json.dumps(outputs))
    return 0


def settled(stacks, name: str) -> dict:
    """The stack, when nothing is under way any more."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > until:
            return stack
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
