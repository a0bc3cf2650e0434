"""Figures of several rounds, their targets, and the table they are printed as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a figure, or its ratio to the baseline's, must at least or at most be."""

    least: float | None = None
    most: float | None = None

    def is_met(self, figure: float) -> bool:
        """Whether the figure is within it."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)

    def __str__(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One thing that was measured in every round: the product's values and, round by round, the baseline's."""

    name: str
    unit: str
    product: Sequence[float]
    baseline: Sequence[float] = ()
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """The product's median over the baseline's."""
        return median(self.product) / median(self.baseline) if self.baseline else None

    @property
    def is_met(self) -> bool:
        """Whether the target is met; the ratio is what counts where there is a baseline."""
        return self.target is None or self.target.is_met(median(self.product) if self.ratio is None else self.ratio)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


HEAD = ("", "product", "baseline", "unit", "ratio", "spread", "target", "")


def table(figures: Sequence[Figure]) -> str:
    """Medians of the rounds; the spread is the lowest and the highest round's ratio, or value without a baseline."""
    rows = [HEAD, *(tuple(_cells(figure)) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cells(figure: Figure) -> Iterator[str]:
    yield figure.name
    yield _short(median(figure.product))
    yield _short(median(figure.baseline)) if figure.baseline else ""
    yield figure.unit
    yield f"{figure.ratio:.2f}" if figure.ratio is not None else ""
    yield _spread(figure)
    yield str(figure.target) if figure.target else ""
    yield "" if figure.target is None else "met" if figure.is_met else "NOT MET"


def _spread(figure: Figure) -> str:
    if figure.baseline:
        ratios = [ours / theirs for ours, theirs in zip(figure.product, figure.baseline, strict=True)]
        return f"{min(ratios):.2f} - {max(ratios):.2f}"
    return f"{_short(min(figure.product))} - {_short(max(figure.product))}" if len(figure.product) > 1 else ""


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
