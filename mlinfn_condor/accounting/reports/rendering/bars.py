"""Rows of parts as stacked bars: SVG that needs nothing from the network."""

from html import escape

from mlinfn_condor.accounting.reports.rendering.figures import shown
from mlinfn_condor.accounting.reports.report import Table

COLOURS = ("#1b6ca8", "#4aa3a2", "#c05a2b", "#8a6bb1", "#b9bec5", "#d8a031")
MOST_BARS = 40
LABELS, WIDTH, HEIGHT, GAP, LEGEND = 230, 640, 20, 8, 30
"""Pixels: room for keys, of the longest bar, of a bar, between bars, above them."""


def bars(table: Table) -> str:
    """An svg element; empty when there is nothing above zero to draw."""
    places = [[column.name for column in table.columns].index(name) for name in table.bars]
    rows = [(str(row[0]), [_above_zero(row[place]) for place in places]) for row in table.rows[:MOST_BARS]]
    longest = max((sum(parts) for _, parts in rows), default=0.0)
    if not longest:
        return ""
    drawn = [_legend(table.bars)]
    for number, (key, parts) in enumerate(rows):
        top, left = LEGEND + number * (HEIGHT + GAP), float(LABELS)
        label = key if len(key) <= 32 else f"{key[:31]}…"
        drawn.append(f'<text x="{LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(label)}</text>')
        for name, colour, part in zip(table.bars, COLOURS, parts, strict=False):
            width = part / longest * WIDTH
            said = f"{key}: {name} {shown(part)}"
            drawn.append(
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{HEIGHT}" fill="{colour}">'
                f"<title>{escape(said)}</title></rect>"
            )
            left += width
    height = LEGEND + len(rows) * (HEIGHT + GAP)
    return (
        f'<svg viewBox="0 0 {LABELS + WIDTH + 10} {height}" role="img" aria-label="{escape(table.title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}</svg>'
    )


def _legend(names: tuple[str, ...]) -> str:
    drawn, left = [], LABELS
    for name, colour in zip(names, COLOURS, strict=False):
        drawn.append(f'<rect x="{left}" y="4" width="12" height="12" fill="{colour}"/>')
        drawn.append(f'<text x="{left + 17}" y="15">{escape(name)}</text>')
        left += 32 + 8 * len(name)
    return "".join(drawn)


def _above_zero(value: object) -> float:
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0
