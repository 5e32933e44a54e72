"""What the checks of an estimate found, as badges with a line of text each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from monitor.records import Diagnostic

_MARKS = {
    True: ("passed", "check", "green"),
    False: ("failed", "close", "red"),
    None: ("not known", "question_mark", "gray"),
}


def listed(title: str, diagnostics: Sequence[Diagnostic]) -> None:
    """Folded away under ``title``, unless one failed."""
    with st.expander(title, expanded=any(check.passed is False for check in diagnostics)):
        for check in diagnostics:
            label, icon, colour = _MARKS[check.passed]
            st.badge(f"{check.name}: {label}", icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]
            st.text(check.text)
