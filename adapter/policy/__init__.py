"""What our rules say about a delivery: before it is kept, again just before it is sent, and after each try."""

from adapter.policy.gate import Gate, Rate
from adapter.policy.numbers import Numbers
from adapter.policy.outcome import abandoned, after, next_try
from adapter.policy.standing import Facts, Marks, judge, limits, marks, repeats
from adapter.policy.timing import decide, terms
from adapter.policy.verdict import Verdict, moved

__all__ = [
    "Facts",
    "Gate",
    "Marks",
    "Numbers",
    "Rate",
    "Verdict",
    "abandoned",
    "after",
    "decide",
    "judge",
    "limits",
    "marks",
    "moved",
    "next_try",
    "repeats",
    "terms",
]
