"""What the report's own script works with: the values behind the charts, and the page's policy.

The policy allows one script and one style by their hashes and nothing else: no address, no inline
handler, no other script, whatever a scenario's texts hold. Values are thinned to `MOST_TIMES`
moments; the drawing without the script keeps every peak.
"""

import json
import math
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from solvent.lab.report.drawing.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    frame_of,
)
from solvent.lab.report.drawing.markup import Markup
from solvent.lab.report.formatting import moment

MOST_TIMES = 1000
DIGITS = 12


def policy(style: str, script: str) -> str:
    """The content security policy of a page with this style and this script."""
    allowed = "; ".join(
        f"{kind}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for kind, text in (("style", style), ("script", script))
    )
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def chart_data(charts: Sequence[Chart]) -> Markup:
    """The charts' values as JSON in which no markup can begin; null where there are none."""
    drawn = [chart for chart in charts if chart.times and chart.lines]
    if not drawn:
        return Markup("null")
    times = drawn[0].times
    stride = max(1, math.ceil(len(times) / MOST_TIMES))
    places = [*range(0, len(times) - 1, stride), len(times) - 1]
    data = {
        "across": drawn[0].across,
        "times": [int(moment(times[at]).timestamp()) for at in places],
        "geometry": {
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "right": RIGHT,
            "top": TOP,
            "bottom": BOTTOM,
        },
        "charts": {
            chart.name: {
                "form": chart.form,
                "stacked": chart.stacked,
                "low": frame_of(chart).low,
                "high": frame_of(chart).high,
                "lines": [[_short(line.values[at]) for at in places] for line in chart.lines],
            }
            for chart in drawn
        },
    }
    text = json.dumps(data, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
