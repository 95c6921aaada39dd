"""Gives a schedule other times; everything else of it stays as it was deployed."""

from __future__ import annotations

import argparse
import sys

import boto3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="address of the emulator")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--name", required=True, help="GROUP|NAME, as the stack's output has it")
    parser.add_argument("--expression", required=True, help="in the words of EventBridge Scheduler, UTC")
    arguments = parser.parse_args()
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=arguments.region)
    scheduler = session.client("scheduler", endpoint_url=arguments.endpoint)
    name = arguments.name.split("|")[-1].split("/")[-1]
    for group in scheduler.list_schedule_groups()["ScheduleGroups"]:
        for found in scheduler.list_schedules(GroupName=group["Name"])["Schedules"]:
            if found["Name"] != name:
                continue
            schedule = scheduler.get_schedule(GroupName=group["Name"], Name=name)
            kept = ("State", "FlexibleTimeWindow", "Target", "ScheduleExpressionTimezone", "Description")
            same = {key: schedule[key] for key in kept if key in schedule}
            scheduler.update_schedule(GroupName=group["Name"], Name=name,
                                      ScheduleExpression=arguments.expression, **same)
            return 0
    print(f"there is no schedule {name}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
