"""The schedule of the delta."""

from __future__ import annotations

import json
import re

from rules.base import change, rule
from stack import Resource, Stack

RIGHT = ["rate(5 minutes)", "rate(1 hour)", "rate(1 day)", "rate(12 hours)", "cron(0 3 * * ? *)", "at(2026-12-01T03:00:00)"]
# The first is what every linter lets through; those below five minutes would be taken for repetitions.
WRONG = ["rate(15 minute)", "rate(1 hours)", "rate(1 minute)", "rate(4 minutes)", "rate(0 hours)", "every hour", "rate(5 minutes"]


def _schedules(stack: Stack) -> list[Resource]:
    return stack.of("Scheduler::Schedule")


@rule("H01", "nothing goes on by itself before a first run is complete", _schedules, change("DeltaSchedule", "State", "ENABLED"))
def off(schedule: Resource) -> str | None:
    return None if schedule["State"] == "DISABLED" else "is on from the start"


@rule("H02", "a tick that got lost must be seen; the scheduler takes a standard queue only", _schedules,
      change("DeltaSchedule", "Target.DeadLetterConfig.Arn", {"Fn::GetAtt": ["ControlDead", "Arn"]}))
def dead(schedule: Resource) -> str | None:
    queue = schedule.stack.by_arn(schedule["Target.DeadLetterConfig.Arn"] or "", "SQS::Queue")
    return None if queue is not None and not queue["FifoQueue"] else "loses ticks"


@rule("H03", "the schedule has rights of its own", _schedules,
      change("DeltaSchedule", "Target.RoleArn", {"Fn::GetAtt": ["ConductRole", "Arn"]}))
def role(schedule: Resource) -> str | None:
    return None if schedule["Target.RoleArn"] == schedule.stack.arn("ScheduleRole") else "borrows a role"


@rule("H04", "a tick that comes a day late is worth nothing", _schedules, change("DeltaSchedule", "Target.RetryPolicy", None))
def retries(schedule: Resource) -> str | None:
    policy = schedule["Target.RetryPolicy"] or {}
    is_bounded = policy.get("MaximumEventAgeInSeconds", 86_400) <= 3_600 and policy.get("MaximumRetryAttempts", 185) <= 10
    return None if is_bounded else "tries for a day"


@rule("H05", "conduct understands this message and no other", _schedules,
      change("DeltaSchedule", "Target.Input", '{"migration":"main"}'))
def message(schedule: Resource) -> str | None:
    wanted = {"version": "1", "migration": schedule.stack.value("Migration"), "run": "newest", "why": "schedule"}
    return None if json.loads(schedule["Target.Input"]) == wanted else "sends another message"


@rule("H06", "a tick of one migration must not wait behind another's", _schedules,
      change("DeltaSchedule", "Target.SqsParameters.MessageGroupId", "delta"))
def group(schedule: Resource) -> str | None:
    found = schedule["Target.SqsParameters.MessageGroupId"]
    return None if found == schedule.stack.value("Migration") else "has another group"


@rule("H07", "an expression that AWS refuses must be refused here", lambda it: [it.template["Parameters"]["ScheduleExpression"]],
      lambda it: it["Parameters"]["ScheduleExpression"].update(AllowedPattern=r"^(rate|cron|at)\(.+\)$"))
def expression(parameter: dict[str, str]) -> str | None:
    pattern = parameter["AllowedPattern"]
    wrong = [it for it in WRONG if re.fullmatch(pattern, it)] + [it for it in RIGHT if not re.fullmatch(pattern, it)]
    return f"is wrong about {wrong}" if wrong else None


@rule("H08", "another account's schedule must not be able to use the role", lambda it: it.one("ScheduleRole"),
      change("ScheduleRole", "AssumeRolePolicyDocument.Statement.0.Condition", None))
def deputy(role: Resource) -> str | None:
    condition = role["AssumeRolePolicyDocument.Statement"][0].get("Condition", {}).get("StringEquals", {})
    return None if {"aws:SourceAccount", "aws:SourceArn"} == set(condition) else "serves any schedule"


@rule("H09", "a tick goes to the queue that wakes conduct", _schedules,
      change("DeltaSchedule", "Target.Arn", {"Fn::GetAtt": ["LoadQueue", "Arn"]}))
def target(schedule: Resource) -> str | None:
    return None if schedule["Target.Arn"] == schedule.stack.arn("ControlQueue") else "wakes another"


@rule("H10", "twice a year an hour is missing or doubled elsewhere", _schedules,
      change("DeltaSchedule", "ScheduleExpressionTimezone", "Europe/Helsinki"))
def zone(schedule: Resource) -> str | None:
    return None if schedule["ScheduleExpressionTimezone"] == "UTC" else "follows summer time"
