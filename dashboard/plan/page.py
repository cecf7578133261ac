"""The planning page: a form, the plans that the API computes, and what their difference means."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RaceApi, RaceField, RefusedError
from dashboard.plan import charts, compare, figures, route
from dashboard.plan.form import PlanForm, Wanted
from dashboard.plan.plan import Plan, read
from dashboard.plan.reveal import FIGURES, reveal
from dashboard.race import choose
from dashboard.request import course_choice, drop_zones, inputs, pending
from dashboard.ui import viewer, viewing, words
from dashboard.ui.escape import templates
from dashboard.ui.theme import LINE_COLOURS
from stream.arrays import Floats

PROGRESS_AFTER_S = 1.0
"""Seconds after which a progress bar appears."""
_TEMPLATES = templates("dashboard.plan")


class Kept(NamedTuple):
    """A plan with what it was computed from; the line of the course is None if it can't be drawn."""

    wanted: Wanted
    plan: Plan
    course: OfferedCourse
    line: Floats | None


@dataclass
class _Memory:
    """What the page keeps, also while another page is shown: the last plans; it counts the computations."""

    plans: list[Kept] = field(default_factory=list)
    computed: int = 0

    def known(self, wanted: Wanted) -> Plan | None:
        """A plan, if it is known."""
        return next((one.plan for one in self.plans if one.wanted.request == wanted.request), None)


def _memory() -> _Memory:
    memory: _Memory = st.session_state.setdefault("plans", _Memory())
    return memory


def show(create_page: st.Page, clock: Callable[[], float] = time.monotonic) -> None:
    """Draw the page; `create_page` takes up a plan as a new race."""
    words.title("Plan")
    drop_zones.repair()
    api = context.get(RaceApi)
    try:
        offered, fields = _ask(api)
    except ApiError as error:
        words.notice(str(error))
        choose.wait_until(lambda: _answers(api))
        return
    pending.give_again()
    words.facts("How crowded a race gets where the start or the course is narrow, before it is run.")
    with st.container(horizontal=True, key="race-sources"):
        with st.container():
            words.section("Course")
            chosen = course_choice.choose(api, offered, may_upload=viewing.may_change())
        if chosen.course is None:
            return
        form = PlanForm(chosen.course, fields)
        with st.container():
            form.runners()
            form.settings()
    foot, sent = _bar(form)
    computed = False
    if sent:
        with foot:
            computed = _compute(api, form, clock)
    if plans := _memory().plans:
        with st.container(key=FIGURES):
            _show(plans, form, fields, create_page)
        reveal(_memory().computed if computed else 0)
    # Not before: a plan that becomes a new race leaves this page above.
    pending.settle()


def _ask(api: RaceApi) -> tuple[Sequence[OfferedCourse], Mapping[str, RaceField]]:
    """The courses, and the fields of a race. Raises `ApiError`."""
    return api.courses(), inputs.fields_of(api)


def _answers(api: RaceApi) -> bool:
    try:
        _ask(api)
    except ApiError:
        return False
    return True


def _bar(form: PlanForm) -> tuple[DeltaGenerator, bool]:
    """Draw the row at the lower edge; return the place above it, and whether its button was pressed."""
    with st.bottom:
        foot = st.container()
        with st.container(horizontal=True, vertical_alignment="center", key="start-bar"):
            words.plain(form.summary())
            label = "Compare the plans" if len(form.wanted) > 1 else "Compute the plan"
            sent = st.button(label, type="primary", icon=":material/groups:", disabled=not form.can_be_sent)
    return foot, sent


def _compute(api: RaceApi, form: PlanForm, clock: Callable[[], float]) -> bool:
    """Have the API compute those plans that are not known, and keep them; False if the page says why not."""
    memory, found, began = _memory(), list[Kept](), clock()
    place = st.empty()
    try:
        line = course_choice.drawn(api, form.course).line
    except ApiError:
        line = None
    for nth, wanted in enumerate(form.wanted):

        def report(share: float, nth: int = nth, name: str = wanted.name) -> None:
            if clock() - began >= PROGRESS_AFTER_S:
                done = min(1.0, (nth + share) / len(form.wanted))
                place.progress(done, f"Computing plan {name}: {share:.0%}")

        plan = memory.known(wanted)
        # Without a seed the simulator draws one; the second plan has the runners of the first.
        seed = {"seed": found[0].plan.seed} if found else {}
        try:
            if plan is None or plan.seed != seed.get("seed", plan.seed):
                plan = api.plan({**wanted.request, **seed}, report, read)
        except ApiError as error:
            place.empty()
            sentence = form.show(wanted.name, error) if isinstance(error, RefusedError) else str(error)
            words.notice(sentence or "The plan was not computed: see the errors next to the fields.")
            return False
        found.append(Kept(wanted, plan, form.course, line))
    place.empty()
    memory.plans, memory.computed = found, memory.computed + 1
    return True


def _show(
    plans: Sequence[Kept], form: PlanForm, fields: Mapping[str, RaceField], create_page: st.Page
) -> None:
    """Draw plans side by side, and below each other where the screen is narrow."""
    unit = viewer.current().unit
    if [kept.wanted for kept in plans] != form.wanted:
        words.notice("The fields have changed. These figures are of the fields as they were.", "info")
    if len(plans) > 1:
        _compare(plans[0], plans[1])
    start_widths = [kept.wanted.request.get("start_width") for kept in plans]
    shared = charts.scales([kept.plan for kept in plans], start_widths, unit)
    for kept, column in zip(plans, st.columns(len(plans), gap="large"), strict=True):
        with column:
            words.section(f"Plan {kept.wanted.name}" if len(plans) > 1 else "The plan")
            _draw(kept, shared)
            if viewing.may_change():
                _offer(kept, fields, create_page)


def _compare(before: Kept, after: Kept) -> None:
    """Say what plan B changes."""
    words.section("Plan B instead of plan A")
    changed = compare.changes(before.wanted.request, after.wanted.request)
    if not changed:
        words.notice("Both plans are the same. Change the waves, the start or a width of plan B.", "info")
        return
    words.plain(changed)
    found = compare.effects(before.plan, after.plan, viewer.current().unit)
    if not found:
        words.plain("It makes no difference to the runners.")
    with st.container(horizontal=True, key="fields-effects"):
        for verdict, title in (("benefit", "Benefits"), ("cost", "Costs")):
            with st.container():
                words.group(title)
                words.notes([one.sentence for one in found if one.verdict == verdict] or ["None."])


def _draw(kept: Kept, shared: charts.Scales) -> None:
    plan, unit = kept.plan, viewer.current().unit
    start_width = kept.wanted.request.get("start_width")
    words.tiles(*figures.tiles(plan, unit))
    words.group("Density over the course and the time")
    if figures.has_widths(plan):
        st.altair_chart(charts.heat(plan, shared, unit), key=f"plan-heat-{kept.wanted.name}")
        level = plan.level("density").above
        words.legend((one.words, one.colour, "area") for one in figures.classes(level))
        words.facts(f"Above {figures.amount(level, 'density')}, an organiser should act.")
    else:
        words.notice("The course has no width, so it has no densities. Enter a width of the course.", "info")
    with st.container(horizontal=True, key=f"plan-places-{kept.wanted.name}"):
        if kept.line is not None and figures.has_widths(plan):
            with st.container():
                _map(kept, kept.line)
        with st.container():
            words.group("Width of the course and of the start line")
            drawn = charts.widths(plan, start_width, shared, unit)
            st.altair_chart(drawn, key=f"plan-widths-{kept.wanted.name}")
            if start_width is not None:
                words.facts(f"The triangle is the start line of {start_width:g} m.")
            words.group("Waves that cross the start line")
            st.altair_chart(charts.starts(plan, shared), key=f"plan-starts-{kept.wanted.name}")
            words.legend(_waves(len(plan.waves)))
    words.group("The worst sections")
    _worst(plan)


def _map(kept: Kept, line: Floats) -> None:
    """Draw the course from above."""
    words.group("Where it is crowded")
    pieces = route.pieces(kept.plan, line, kept.course.laps, viewer.current().unit)
    st.altair_chart(charts.course(pieces), width="content", key=f"plan-course-{kept.wanted.name}")
    words.facts(
        "As thick as the course is wide, in the colour of its highest density. The circle is the start."
    )


def _waves(count: int) -> Iterator[tuple[str, str, str]]:
    """The legend of the waves; their colours repeat."""
    for nth, colour in enumerate(LINE_COLOURS[:count], 1):
        more = f", {nth + len(LINE_COLOURS)} …" if nth + len(LINE_COLOURS) <= count else ""
        yield f"Wave {nth}{more}", colour, "area"


def _worst(plan: Plan) -> None:
    """Draw the table of the worst sections, and what its levels mean."""
    rows = figures.worst(plan, viewer.current().unit)
    if rows:
        st.html(_TEMPLATES.get_template("worst.html").render(rows=rows))
        if len(plan.warnings) > len(rows):
            words.hint(f"The worst {len(rows)} of {len(plan.warnings)}.")
    else:
        words.plain("No part of the course exceeds a level.")
    words.notes(figures.sources(plan))


def _offer(kept: Kept, fields: Mapping[str, RaceField], create_page: st.Page) -> None:
    """Draw the button that takes a plan to the form for a new race."""
    if st.button(
        "Create this race",
        key=f"plan-create-{kept.wanted.name}",
        icon=":material/add_circle:",
        on_click=_hand_over,
        args=(kept, fields),
    ):
        st.switch_page(create_page)


def _hand_over(kept: Kept, fields: Mapping[str, RaceField]) -> None:
    """Fill in the form for a new race as the plan is."""
    unit = viewer.current().unit
    given = inputs.values(kept.wanted.request, fields, unit)
    given[inputs.key("seed")] = str(kept.plan.seed)
    pending.give(given | {course_choice.CHOSEN: kept.wanted.request["course"]})
    st.session_state[inputs.PACE_UNIT] = unit
    st.session_state.pop(inputs.LIST_MEMORY, None)
