"""Event source mappings: how messages become invocations."""

from __future__ import annotations

from rules.base import Json, change, properties, rule
from stack import Resource, Stack


def _mappings(stack: Stack) -> list[Resource]:
    return stack.of("Lambda::EventSourceMapping")


@rule("M01", "without it SQS deletes what the function reports as failed", _mappings,
      change("LoadWork", "FunctionResponseTypes", []))
def partial_failures(mapping: Resource) -> str | None:
    return None if mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"] else "ignores what the function reports"


@rule("M02", "a turn takes all the time there is, and a crash blocks everything that was received with it", _mappings,
      change("ExtractWork", "BatchSize", 11))
def batch(mapping: Resource) -> str | None:
    return None if mapping["BatchSize"] == 1 else "hands over more than one message"


@rule("M03", "FIFO queues take no batching window, and it would eat into the visibility", _mappings,
      change("TransformWork", "MaximumBatchingWindowInSeconds", 5))
def window(mapping: Resource) -> str | None:
    return "waits for more messages" if mapping["MaximumBatchingWindowInSeconds"] else None


@rule("M04", "the account's concurrency is shared by all customers", _mappings,
      change("ConductWork", "ScalingConfig", None))
def concurrency(mapping: Resource) -> str | None:
    return None if 2 <= (mapping["ScalingConfig.MaximumConcurrency"] or 0) <= 1000 else "is not bounded"


@rule("M05", "two readers of one queue would share its messages", lambda it: it.of("Lambda::Function"),
      lambda it: it["Resources"].update(Second=it["Resources"]["LoadWork"]))
def one_each(function: Resource) -> str | None:
    count = sum(1 for mapping in _mappings(function.stack) if mapping["FunctionName"] == function["FunctionName"])
    return None if count == 1 else f"has {count} mappings"


@rule("M06", "a mapping that is off looks like an idle system", _mappings, change("LoadWork", "Enabled", False))
def enabled(mapping: Resource) -> str | None:
    return "is switched off" if mapping["Enabled"] is False else None


@rule("M07", "what a filter does not let through is deleted without a word", _mappings,
      change("LoadWork", "FilterCriteria", {"Filters": [{"Pattern": "{}"}]}))
def filters(mapping: Resource) -> str | None:
    return "drops messages" if mapping["FilterCriteria"] else None


@rule("M08", "pollers that are paid by the hour cost more than all the rest, and exclude a bound on concurrency", _mappings,
      change("ReconcileWork", "ProvisionedPollerConfig", {"MinimumPollers": 2}))
def pollers(mapping: Resource) -> str | None:
    return "keeps pollers running" if mapping["ProvisionedPollerConfig"] else None


def _swap(template: Json) -> None:
    # These two have the same timeout, so that nothing but the mapping is wrong.
    load, reconcile = (properties(template, name) for name in ("LoadWork", "ReconcileWork"))
    load["EventSourceArn"], reconcile["EventSourceArn"] = reconcile["EventSourceArn"], load["EventSourceArn"]


@rule("M09", "each function waits at the queue of its own name", lambda it: list(it.mappings()), _swap)
def own_queue(triple: tuple[Resource, Resource, Resource]) -> str | None:
    _, queue, function = triple
    expected = "ControlQueue" if function.name == "Conduct" else f"{function.name}Queue"
    return None if queue.name == expected else f"{function.name} waits at {queue.name}"
