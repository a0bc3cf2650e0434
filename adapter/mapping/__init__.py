"""Mapping files: `load` reads one, `results` runs it on a record, `examples.problems` runs its own examples."""

from adapter.mapping.compiled import Mapping
from adapter.mapping.load import load
from adapter.mapping.preset import Preset
from adapter.mapping.problems import Problem, render
from adapter.mapping.run import TEST, Result, reasons, request_tree, results
from adapter.mapping.scope import Trace

__all__ = [
    "TEST",
    "Mapping",
    "Preset",
    "Problem",
    "Result",
    "Trace",
    "load",
    "reasons",
    "render",
    "request_tree",
    "results",
]
