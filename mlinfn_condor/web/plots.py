"""The reports' figures as plots: Vega-Lite by altair, drawn here into SVG, so that browsers run no more code for it."""

import re
import threading

from mlinfn_condor.accounting.reports import Table

COLOURS = ("#1b6ca8", "#2f8f8b", "#c05a2b", "#8a6bb1", "#8c959f", "#b98717")
"""Of the parts of a whole; each stands out against light and dark."""
INK = "#010203"
"""Stands for the page's own colour of text, whichever that is."""
MOST_BARS = 40
_ONE_AT_A_TIME = threading.Lock()
"""The drawing engine is one for the process."""


def plot(table: Table) -> str:
    """An svg element of the table's bars, told in words too; empty when there is nothing above zero to draw."""
    records = [
        {"key": str(row[table.columns[0].name]), "part": part, "figure": max(0.0, float(value)), "order": place}
        for row in table.records()[:MOST_BARS]
        for place, part in enumerate(table.bars)
        if isinstance(value := row[part], int | float)
    ]
    if not any(one["figure"] for one in records):
        return ""
    import altair as alt

    colours = alt.Scale(domain=list(table.bars), range=list(COLOURS[: len(table.bars)]))
    keys = list(dict.fromkeys(str(one["key"]) for one in records))
    chart = (
        alt.Chart({"values": records}, width=620, height=alt.Step(24))
        .mark_bar()
        .encode(
            x=alt.X("figure:Q", title=_unit(table.bars), stack="zero"),
            y=alt.Y("key:N", title=None, sort=keys),
            color=alt.Color(
                "part:N", title=None, scale=colours, sort=list(table.bars), legend=alt.Legend(orient="top")
            ),
            order="order:Q",
        )
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(labelColor=INK, titleColor=INK, domainColor=INK, tickColor=INK, grid=False, labelLimit=260)
        .configure_legend(labelColor=INK)
    )
    with _ONE_AT_A_TIME:
        import vl_convert

        svg = str(vl_convert.vegalite_to_svg(chart.to_dict()))
    words = f"{table.title}: {len(keys)} bars of {', '.join(table.bars)}; the table below has all figures."
    svg = re.sub(r' aria-\w+="[^"]*"| role="[^"]*"| style="[^"]*"', "", svg.replace(INK, "currentColor"))
    label = words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _unit(bars: tuple[str, ...]) -> str:
    endings = {name.rpartition("_")[2] for name in bars}
    return {"h": "hours", "s": "seconds", "kwh": "kWh", "mb": "MB"}.get(endings.pop(), "") if len(endings) == 1 else ""
