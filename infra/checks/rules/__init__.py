"""Rules that the template must keep, each with its reason and with a change that breaks it and nothing else."""

from rules.base import ALL, Rule

# Importing a module registers its rules.
from rules import catalogue, functions, general, key, mappings, queues, roles, schedule, secret, store, watching

__all__ = ["ALL", "Rule"]
_REGISTERED = (catalogue, functions, general, key, mappings, queues, roles, schedule, secret, store, watching)
