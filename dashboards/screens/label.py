"""Label: read posts of a sample and say what they are, blind to the model and to each other."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import widgets
from dashboards.widgets import Frame
from dashboards.wording import shortened
from monitor import labelling
from monitor.classify.agreement import agreement
from monitor.codebook import Labels, codebook
from monitor.labelling import Waiting

_ABOUT = {"yes": 1, "no": 0}


def show(frame: Frame) -> None:
    """The page: who labels which sample, one post at a time, and how far people agree."""
    known = labelling.samples(frame.store)
    if not known:
        st.text("There is no sample to label yet. Draw one with: monitor sample")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.text_input("Your name", key="annotator", bind="query-params", placeholder="stays the same for you")
        sample = st.selectbox("Sample", list(known), key="sample", bind="query-params")
    if not who.strip():
        st.text("Say who you are: what you label is kept under that name, and compared with what others said.")
        return
    skips = st.session_state.setdefault("skips", {})
    mine = (sample, who.strip())
    skipped = skips.setdefault(mine, 0)
    post, left = labelling.next_to_label(frame.store, sample, who.strip(), skipped)
    st.progress(1 - left / known[sample], text=f"{known[sample] - left:,} of {known[sample]:,} labelled")
    if post is None:
        _finished(skips, mine)
    else:
        _ask(frame, post, mine)
    _agreement(frame)


def _ask(frame: Frame, post: Waiting, mine: tuple[str, str]) -> None:
    with st.container(border=True, key="whole"):
        if post.context:
            with st.container(key="context-whole"):
                st.text(shortened(post.context, widgets.TEXT_LIMIT))
        st.text(shortened(post.text, widgets.TEXT_LIMIT))
    with st.form(f"labels-{post.platform}-{post.post_id}-{post.revision}", border=False):
        about = _choice("relevant", list(_ABOUT))
        st.caption("The rest counts only where it is about that.")
        removal = _choice("removal", list(codebook().removal))
        with st.grid(columns=2, min_column_width=260):
            concern = _choice("concern", [str(level) for level in codebook().concern])
            stance = _choice("stance", list(codebook().stance))
        note = st.text_input("Note", max_chars=500, placeholder="where you doubted")
        with st.container(horizontal=True):
            is_stored = st.form_submit_button("Store", type="primary", icon=":material/check:")
            is_skipped = st.form_submit_button("Skip", icon=":material/skip_next:")
    if is_skipped:
        st.session_state["skips"][mine] += 1
        st.rerun()
    if is_stored:
        _store(frame, post, mine[1], (about, concern, removal, stance), note)


def _store(frame: Frame, post: Waiting, who: str, given: tuple[str | None, ...], note: str) -> None:
    about, concern, removal, stance = given
    if about is None or (about == "yes" and None in given):
        st.warning("Answer all four questions, or say that it is not about such terms.", icon=":material/help:")
        return
    labels = Labels(0, 0, "none", "neutral")
    if about == "yes":
        labels = Labels(1, int(concern or 0), str(removal), str(stance))
    with widgets.guarded():
        if not labelling.annotate(frame.store, post, who, labels, note):
            st.toast("That post was edited or removed meanwhile; it was left out.", icon=":material/info:")
        st.rerun()


def _choice(head: str, options: list[str]) -> str | None:
    book = codebook()
    meaning = "\n".join(f"- **{value}**: {text}" for value, text in book.meaning.get(head, {}).items())
    # Pills go on in the next line; a segmented control hides what has no room.
    chosen: Any = st.pills(book.question[head], options, help=meaning or None)
    return None if chosen is None else str(chosen)


def _finished(skips: dict[tuple[str, str], int], mine: tuple[str, str]) -> None:
    skipped = skips[mine]
    st.text("You have labelled this whole sample." if not skipped else f"Only what you skipped is left: {skipped:,}.")
    if skipped and st.button("Take them again", icon=":material/replay:"):
        skips[mine] = 0
        st.rerun()


def _agreement(frame: Frame) -> None:
    rows = agreement(labelling.judgements(frame.store))
    with st.expander(f"Agreement on {rows[0].n:,} posts that two people or more have labelled"):
        if not rows[0].n:
            st.text("None yet: let a second person label the same sample.")
            return
        st.caption("Krippendorff's alpha: 1 is full agreement, 0 is what chance would give.")
        with st.container(horizontal=True):
            for row in rows:
                st.metric(row.head, "–" if row.alpha is None else f"{row.alpha:.2f}", border=True)


show(widgets.frame())
