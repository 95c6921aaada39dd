"""Queues: how long a message lives, how often it comes back, and where it ends."""

from __future__ import annotations

from rules.base import change, rule
from stack import Resource, Stack

DAY = 86_400


def _fed(stack: Stack) -> list[tuple[Resource, Resource]]:
    return [(queue, function) for _, queue, function in stack.mappings()]


def _fifo(stack: Stack) -> list[Resource]:
    return [queue for queue in stack.of("SQS::Queue") if queue["FifoQueue"] is True]


def _redriven(stack: Stack) -> list[Resource]:
    return [queue for queue in stack.of("SQS::Queue") if queue["RedrivePolicy"]]


@rule("Q01", "a message seen again while its function still runs is done twice", _fed,
      change("LoadQueue", "VisibilityTimeout", 1799))
def visibility(pair: tuple[Resource, Resource]) -> str | None:
    queue, function = pair
    # More than 900 s is refused anyway.
    least = 6 * min(function["Timeout"], 900)
    seen = queue["VisibilityTimeout"] or 30
    return f"{queue.name} shows a message again after {seen} s, at least {least}" if seen < least else None


@rule("Q02", "one loader per destination account rests on FIFO groups", Stack.work_queues,
      change("ExtractQueue", "FifoQueue", None))
def fifo(queue: Resource) -> str | None:
    return None if queue["FifoQueue"] is True else "is no FIFO queue"


@rule("Q03", "deduplication of one group must not swallow the message of another", _fifo,
      change("LoadQueue", "DeduplicationScope", "queue"))
def scope(queue: Resource) -> str | None:
    return None if queue["DeduplicationScope"] == "messageGroup" else "deduplicates over the whole queue"


@rule("Q04", "one account's pace must not depend on that of all others", _fifo,
      change("ReconcileDead", "FifoThroughputLimit", "perQueue"))
def throughput(queue: Resource) -> str | None:
    return None if queue["FifoThroughputLimit"] == "perMessageGroupId" else "limits all groups together"


@rule("Q05", "a message that nobody can deal with must end somewhere visible", Stack.work_queues,
      change("TransformQueue", "RedrivePolicy", None))
def dead_letters(queue: Resource) -> str | None:
    if not queue["RedrivePolicy"]:
        return "has no dead-letter queue"
    target = queue.stack.by_arn(queue["RedrivePolicy.deadLetterTargetArn"], "SQS::Queue")
    return None if target else "its dead letters go out of this stack"


@rule("Q06", "AWS refuses a standard dead-letter queue of a FIFO queue", lambda it: [q for q in _redriven(it) if q["FifoQueue"]],
      lambda it: it["Resources"]["LoadDead"]["Properties"].pop("FifoQueue"))
def same_kind(queue: Resource) -> str | None:
    target = queue.stack.by_arn(queue["RedrivePolicy.deadLetterTargetArn"], "SQS::Queue")
    return None if target is None or target["FifoQueue"] == queue["FifoQueue"] else "its dead-letter queue is of another kind"


@rule("Q07", "one delivery may be lost to a throttle, and many block the group for hours", _redriven,
      change("ControlQueue", "RedrivePolicy.maxReceiveCount", 1))
def receives(queue: Resource) -> str | None:
    count = queue["RedrivePolicy.maxReceiveCount"]
    return None if 3 <= count <= 8 else f"puts a message aside after {count} deliveries"


@rule("Q08", "dead letters must outlive a long week-end", Stack.dead_queues,
      change("ScheduleDead", "MessageRetentionPeriod", 4 * DAY))
def dead_retention(queue: Resource) -> str | None:
    return None if queue["MessageRetentionPeriod"] == 14 * DAY else "keeps dead letters for less than 14 days"


@rule("Q09", "a message that waited longer is useless, and must leave time in the dead-letter queue", Stack.work_queues,
      change("ExtractQueue", "MessageRetentionPeriod", 5 * DAY))
def retention(queue: Resource) -> str | None:
    return None if (queue["MessageRetentionPeriod"] or 0) == 4 * DAY else "does not keep messages for 4 days"


@rule("Q10", "the group of a poison message must be free again within a working day", _redriven,
      change("TransformQueue", "RedrivePolicy.maxReceiveCount", 8))
def blocked(queue: Resource) -> str | None:
    hours = queue["VisibilityTimeout"] * queue["RedrivePolicy.maxReceiveCount"] / 3600
    return f"a poison message blocks its group for {hours:.1f} h" if hours > 8 else None


@rule("Q11", "at rest nothing is in the clear", lambda it: it.of("SQS::Queue"),
      change("LoadQueue", "SqsManagedSseEnabled", False))
def encrypted(queue: Resource) -> str | None:
    return None if queue["SqsManagedSseEnabled"] is True or queue["KmsMasterKeyId"] else "is not encrypted"


@rule("Q12", "only its own queue may put messages aside there", _redriven,
      change("LoadDead", "RedriveAllowPolicy.redrivePermission", "allowAll"))
def allowed(queue: Resource) -> str | None:
    target = queue.stack.by_arn(queue["RedrivePolicy.deadLetterTargetArn"], "SQS::Queue")
    if target is None:
        return None
    wanted = {"redrivePermission": "byQueue", "sourceQueueArns": [queue.stack.arn(queue.name)]}
    return None if target["RedriveAllowPolicy"] == wanted else f"{target.name} takes messages from others too"


@rule("Q13", "the scheduler gives no deduplication id, and FIFO takes no message without", lambda it: it.one("ControlQueue"),
      change("ControlQueue", "ContentBasedDeduplication", False))
def control_by_content(queue: Resource) -> str | None:
    return None if queue["ContentBasedDeduplication"] is True else "refuses what the scheduler sends"


@rule("Q14", "the same content says to go on, and must not be taken for a repetition",
      lambda it: [queue for queue in it.work_queues() if queue.name != "ControlQueue"],
      change("ExtractQueue", "ContentBasedDeduplication", True))
def work_by_id(queue: Resource) -> str | None:
    return None if queue["ContentBasedDeduplication"] is False else "swallows equal messages for five minutes"


@rule("Q15", "a wake-up that waits is billed by nobody, but makes every step slower", Stack.work_queues,
      change("LoadQueue", "DelaySeconds", 60))
def delay(queue: Resource) -> str | None:
    return "delays every message" if queue["DelaySeconds"] else None
