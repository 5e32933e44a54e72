"""Open alerts on the Live page: what is out of the ordinary, how sure that is, and two answers to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboards import data
from dashboards.widgets import Colour, Frame
from dashboards.wording import stamp
from monitor.records.alerts import Alert

SNOOZE = timedelta(hours=8)
_MARKS: dict[str, tuple[str, Colour]] = {
    "firing": ("notifications_active", "red"),
    "acknowledged": ("visibility", "orange"),
    "snoozed": ("notifications_paused", "gray"),
}


def section(frame: Frame) -> None:
    """One box for each open alert; nothing where none is."""
    now = datetime.now(UTC)
    for alert, drives in data.alerts(frame.store, frame.path):
        _box(frame, alert, drives, now)


def _box(frame: Frame, alert: Alert, drives: list[str], now: datetime) -> None:
    state = alert.state(now)
    icon, colour = _MARKS[state]
    with st.container(border=True, key=f"alert-{alert.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"{alert.detector}: {state}", icon=f":material/{icon}:", color=colour)
            st.text(f"since {stamp(alert.fired_at, frame.zone)}" + _until(frame, alert, now))
        st.text("\n".join([alert.sentence, *drives]))
        st.caption(alert.rate)
        with st.container(horizontal=True, gap="small"):
            _answers(frame, alert, state, now)


def _answers(frame: Frame, alert: Alert, state: str, now: datetime) -> None:
    if state == "firing" and st.button("Acknowledge", key=f"acknowledge-{alert.id}", icon=":material/visibility:"):
        _answer(frame, alert, until=None)
    if state != "snoozed" and st.button(f"Snooze {SNOOZE.seconds // 3600} h", key=f"snooze-{alert.id}"):
        _answer(frame, alert, until=now + SNOOZE)


def _answer(frame: Frame, alert: Alert, until: datetime | None) -> None:
    frame.store.answer_alert(alert.id, acknowledged=until is None, until=until)
    data.alerts.clear()
    st.rerun()


def _until(frame: Frame, alert: Alert, now: datetime) -> str:
    until = alert.snoozed_until
    return f" · until {stamp(until, frame.zone)}" if until is not None and until > now else ""
