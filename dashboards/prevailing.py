"""How many posts say something, corrected for the classifier's errors: the figures with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st

from monitor.analyse.prevalence import percent
from monitor.prevalence import Corrected

_BASES = {
    "labels of people": "by labels that people gave to a random sample of these posts (PPI++)",
    "held-out posts": "by the classifier's errors on held-out posts (PACC), as far as it errs on these alike",
}


def table(found: Mapping[str, Sequence[Corrected]]) -> None:
    """A row for each outcome, a column for each window of ``found``, by the window's name."""
    st.subheader("Corrected for the classifier's errors", anchor=False)
    names = [one.outcome.name for one in next(iter(found.values()))]
    columns = {window: [_told(one) for one in outcomes] for window, outcomes in found.items()}
    st.dataframe(
        pa.table({"": names, **columns}),
        hide_index=True,
        width="stretch",
        height="content",
        alt="Corrected counts and shares with their intervals",
    )
    st.caption(_caption(found))


def _told(one: Corrected) -> str:
    if one.labelled is None:
        return "–"
    if one.counts is None or one.outcome.estimate is None:
        return f"{one.labelled * one.posts:,.0f} · {percent(one.labelled)}, not corrected"
    number, low, high = one.counts
    share = one.outcome.estimate
    return (
        f"{number:,.0f} ({low:,.0f}–{high:,.0f}) · {percent(share.effect)} ({percent(share.low)}–{percent(share.high)})"
    )


def _caption(found: Mapping[str, Sequence[Corrected]]) -> str:
    every = [(window, one) for window, outcomes in found.items() for one in outcomes]
    shown = [(window, one) for window, one in every if one.labelled is not None]
    if not shown:
        return every[0][1].outcome.sentence
    told = "Of all posts that a rule found and the classifier scored, relevant or not; 95 % intervals."
    bases = dict.fromkeys(_BASES[one.basis] for _, one in shown if one.basis)
    reasons = dict.fromkeys(one.why for _, one in shown if one.why)
    doubts = [
        f"{one.outcome.name}, {window} ({check.text})"
        for window, one in shown
        for check in one.outcome.diagnostics
        if check.passed is False
    ]
    told += f" Corrected {'; or '.join(bases)}." if bases else ""
    told += f" In doubt, as other methods disagree: {'; '.join(doubts)}." if doubts else ""
    return told + (f" Not corrected: {'; '.join(reasons)}." if reasons else "")
