# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws what the benchmark measured, as an SVG that can be read on a light and on a dark page."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 880, 66, 12
PANEL, TITLE, LABELS, LEGEND = 150, 30, 40, 34
NUMBER = 32  # the width that a number takes
COLOURS = "#3371c8", "#b85c14", "#2f8048", "#9c459a", "#8a7000", "#6e6e6e"
FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #707880 }
.title { font-weight: 600 }
.value { fill: #ffffff; font-weight: 600 }
.axis { stroke: #707880 }
.base { stroke: #707880; stroke-width: 1.5 }
.noise { fill: #808890; fill-opacity: 0.3 }
@media (prefers-color-scheme: light) { text { fill: #1f2328 } .base { stroke: #1f2328 } }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .base { stroke: #e6edf3 } }
text.value { fill: #ffffff }
"""


def text(x, y, words, anchor="middle", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def value(x, y, number, width):
    """A number within a bar, upright where that is too narrow for it."""
    if width < NUMBER:
        return (f'<text transform="translate({x + 4:.1f} {y:.1f}) rotate(-90)" class="value">{number:.2f}'
                "</text>")
    return text(x, y, f"{number:.2f}", style="value")


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def rectangle(x, y, width, height, how):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {how}/>'


def draw_group(metric, left, width, top, height, colours):
    """The bars of one metric with their values, and the noise of the baseline behind them."""
    bottom = top + PANEL
    noise = metric["noise"] - 1
    upper, lower = min((1 + noise) * height, PANEL), max((1 - noise) * height, 0)
    yield rectangle(left, bottom - upper, width, upper - lower, 'class="noise"')
    shown = {name: metric["candidates"][name] for name in colours if name in metric["candidates"]}
    step = width / (len(colours) + 0.6)
    for index, (name, values) in enumerate(shown.items()):
        x, tall = left + (index + 0.3) * step, min(values["ratio"] * height, PANEL)
        yield rectangle(x + 1, bottom - tall, step - 2, tall, f'fill="{colours[name]}"')
        yield value(x + step / 2, bottom - 6, values["ratio"], step)


def draw_panel(title, groups, top, colours):
    """Groups of bars, {(family, label): metric}, above an axis on which the bare loop is 1."""
    most = max(values["ratio"] for metric in groups.values() for values in metric["candidates"].values())
    height = PANEL / min(max(1.25, most * 1.12), 4)  # of 1
    top += TITLE
    bottom = top + PANEL
    width = (WIDTH - LEFT - RIGHT) / len(groups)

    yield text(LEFT, top - 14, title, "start", "title")
    for number, ((family, label), metric) in enumerate(groups.items()):
        left = LEFT + number * width
        yield from draw_group(metric, left + 3, width - 6, top, height, colours)
        yield text(left + width / 2, bottom + 15, label)
        yield text(left + width / 2, bottom + 30, FAMILIES[family])
    yield line(LEFT, bottom, WIDTH - RIGHT, bottom, "axis")
    yield line(LEFT, bottom - height, WIDTH - RIGHT, bottom - height, "base")
    yield text(LEFT - 6, bottom - height + 4, "bare = 1", "end")


def panels_of(report):
    """What there is to be shown of a report: [(title, groups)]."""
    panels = []
    throughput = report.get("throughput", {})
    titles = {"rate": "Packets a second, as ratio to the bare loop: more is better",
              "cpu": "CPU time for each packet, as ratio to the bare loop: less is better"}
    for metric, title in titles.items():
        panels.append((title, {(family, f"{int(size):,} bytes"): by_family[family][metric]
                               for family in FAMILIES for size, by_family in throughput.items()
                               if family in by_family}))
    latency = report.get("latency", {})
    panels.append(("Round trip at low load, as ratio to the bare loop: less is better",
                   {(family, metric): latency[family][metric] for family in FAMILIES if family in latency
                    for metric in ("p50", "p99", "p99.9")}))
    return [(title, groups) for title, groups in panels if groups]


def draw(report):
    """An SVG document of a report; None if nothing in it can be drawn."""
    panels = panels_of(report)
    if not panels:
        return None
    names = dict.fromkeys(name for _, groups in panels for metric in groups.values()
                          for name in metric["candidates"])
    colours = dict(zip(names, COLOURS))
    each = TITLE + PANEL + LABELS
    height = len(panels) * each + LEGEND

    parts = []
    for number, (title, groups) in enumerate(panels):
        parts += draw_panel(title, groups, number * each, colours)
    x = LEFT
    for name, colour in colours.items():
        parts.append(rectangle(x, height - 22, 12, 12, f'fill="{colour}"'))
        parts.append(text(x + 18, height - 12, name, "start"))
        x += 40 + 7 * len(name)
    parts.append(rectangle(x, height - 22, 12, 12, 'class="noise"'))
    parts.append(text(x + 18, height - 12, "noise: the bare loop against itself", "start"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img">\n<title>tunecho against the bare loop</title>\n'
            f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")
