"""Alarms and the dashboard: what a person is told without asking."""

from __future__ import annotations

import json
from collections.abc import Callable

from rules.base import Json, change, properties, rule
from stack import Resource, Stack

FUNCTIONS = ("Conduct", "Extract", "Transform", "Load", "Reconcile")
WITH_GORGIAS = ("Load", "Reconcile")
# Metrics of ours that are wrong as soon as they are not zero, and who emits them.
INVARIANTS = {"InDoubt": WITH_GORGIAS, "OutgoingMessages": WITH_GORGIAS, "Quarantined": FUNCTIONS, "Halted": FUNCTIONS}
SHOWN = {
    "Requests", "WindowFill", "Responses429", "InDoubt", "LookUps", "Quarantined", "MessageAgeSeconds", "RecordsDone",
    "RecordsFailed",
}


def _alarms(stack: Stack) -> list[Resource]:
    return stack.of("CloudWatch::Alarm")


def _dashboards(stack: Stack) -> list[Resource]:
    return stack.of("CloudWatch::Dashboard")


def _watch(stack: Stack, namespace: str, metric: str, value: str) -> Resource | None:
    for alarm in _alarms(stack):
        dimensions = [it["Value"] for it in alarm["Dimensions"] or []]
        if (alarm["Namespace"], alarm["MetricName"], dimensions) == (namespace, metric, [value]):
            return alarm
    return None


def _fires_at_one(alarm: Resource | None) -> bool:
    return alarm is not None and alarm["Threshold"] == 1 and alarm["EvaluationPeriods"] == 1


def _metrics(dashboard: Resource) -> list[Json]:
    try:
        widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    except ValueError:
        return []
    return [metric for widget in widgets for metric in widget["properties"]["metrics"]]


def _without(name: str) -> Callable[[Json], None]:
    return lambda it: it["Resources"].pop(name)


@rule("A01", "a dead letter is work that nobody does", Stack.dead_queues, _without("ScheduleDeadAlarm"))
def dead_letters(queue: Resource) -> str | None:
    alarm = _watch(queue.stack, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue["QueueName"])
    return None if _fires_at_one(alarm) else "fills up unseen"


@rule("A02", "a message that is older than its visibility was lost once already",
      lambda it: [(queue, function) for _, queue, function in it.mappings()], change("LoadAgeAlarm", "Threshold", 60))
def age(pair: tuple[Resource, Resource]) -> str | None:
    queue, _ = pair
    alarm = _watch(queue.stack, "AWS/SQS", "ApproximateAgeOfOldestMessage", queue["QueueName"])
    is_right = alarm is not None and queue["VisibilityTimeout"] <= alarm["Threshold"] <= 4 * queue["VisibilityTimeout"]
    return None if is_right else f"{queue.name} gets old unseen, or is called old too early"


@rule("A03", "a crash is a defect, never weather", lambda it: it.of("Lambda::Function"), _without("ExtractErrorsAlarm"))
def errors(function: Resource) -> str | None:
    alarm = _watch(function.stack, "AWS/Lambda", "Errors", function["FunctionName"])
    return None if _fires_at_one(alarm) else "crashes unseen"


@rule("A04", "every throttle uses up a delivery", lambda it: it.of("Lambda::Function"),
      change("LoadThrottlesAlarm", "Threshold", 100))
def throttles(function: Resource) -> str | None:
    alarm = _watch(function.stack, "AWS/Lambda", "Throttles", function["FunctionName"])
    return None if _fires_at_one(alarm) else "is throttled unseen"


@rule("A05", "each of these is zero in a run that goes well",
      lambda it: [(it, metric, name) for metric, names in INVARIANTS.items() for name in names],
      change("ReconcileOutgoingMessagesAlarm", "MetricName", "OutgoingMessage"))
def invariants(triple: tuple[Stack, str, str]) -> str | None:
    stack, metric, name = triple
    function = stack.resources[name]["FunctionName"]
    return None if _fires_at_one(_watch(stack, "deskferry", metric, function)) else f"{name}: {metric} unseen"


@rule("A06", "a system at rest emits nothing, and that is no alarm", _alarms, change("LoadDeadAlarm", "TreatMissingData", "missing"))
def missing(alarm: Resource) -> str | None:
    return None if alarm["TreatMissingData"] == "notBreaching" else "fires when nothing happens"


@rule("A07", "an alarm that nobody gets is none", _alarms, change("LoadDeadAlarm", "AlarmActions", None))
def actions(alarm: Resource) -> str | None:
    topic = "arn:aws:sns:eu-west-1:111122223333:alarms"
    told = alarm.stack.with_parameters(AlarmTopicArn=topic).resources[alarm.name]
    is_silent = alarm["AlarmActions"] is None
    return None if told["AlarmActions"] == [topic] and told["OKActions"] == [topic] and is_silent else "tells the wrong people"


@rule("A08", "alarms look for too much, not for too little", _alarms,
      change("LoadErrorsAlarm", "ComparisonOperator", "GreaterThanThreshold"))
def comparison(alarm: Resource) -> str | None:
    return None if alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold" else "compares otherwise"


@rule("A09", "a maximum over many messages is the oldest; a mean hides it", _alarms, change("LoadAgeAlarm", "Statistic", "Average"))
def statistic(alarm: Resource) -> str | None:
    wanted = "Maximum" if alarm["Namespace"] == "AWS/SQS" else "Sum"
    return None if alarm["Statistic"] == wanted else f"looks at the {alarm['Statistic']}"


@rule("A10", "who is woken at night wants to know why", _alarms, change("LoadErrorsAlarm", "AlarmDescription", None))
def description(alarm: Resource) -> str | None:
    return None if len(alarm["AlarmDescription"] or "") > 30 else "does not say what is wrong"


@rule("D01", "CloudFormation takes any text for a dashboard, and CloudWatch does not", _dashboards,
      lambda it: properties(it, "Dashboard").update(DashboardBody='{"widgets":['))
def is_json(dashboard: Resource) -> str | None:
    try:
        return None if json.loads(dashboard["DashboardBody"])["widgets"] else "shows nothing"
    except ValueError as error:
        return f"is no JSON: {error}"


def _rename(old: str, new: str) -> Callable[[Json], None]:
    def mutate(template: Json) -> None:
        body = properties(template, "Dashboard")["DashboardBody"]
        body["Fn::Sub"] = body["Fn::Sub"].replace(old, new)

    return mutate


@rule("D02", "what a run uses and meets is on one page", lambda it: [d for d in _dashboards(it) if _metrics(d)],
      _rename('"WindowFill"', '"WindowFull"'))
def shows(dashboard: Resource) -> str | None:
    found = {metric[1] for metric in _metrics(dashboard) if metric[0] == "deskferry"}
    return None if found == SHOWN else f"differs in {sorted(found ^ SHOWN)}"


@rule("D03", "two customers in one account must not be one line", _dashboards,
      _rename('"deskferry","LookUps","Function","${AWS::StackName}-load"', '"deskferry","LookUps","Function","load"'))
def names(dashboard: Resource) -> str | None:
    known = {function["FunctionName"] for function in dashboard.stack.of("Lambda::Function")}
    strange = [metric for metric in _metrics(dashboard) if metric[2] == "Function" and metric[3] not in known]
    return f"asks for {strange[0]}" if strange else None


@rule("D04", "a widget of another region is empty", _dashboards, _rename('"region":"${AWS::Region}"', '"region":"${Customer}"'))
def region(dashboard: Resource) -> str | None:
    body = dashboard["DashboardBody"]
    return None if body.count('"region":') == body.count('"region":"eu-west-1"') else "looks at another region"
