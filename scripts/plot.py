"""A strip plot as SVG: a panel a scenario, a row a control, a dot a run."""
import math
import statistics
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, HEAD, FOOT = 760, 150, 70, 22, 30, 26
INK, FAINT, STRONG, PLAIN = "#1f2933", "#cbd2d9", "#0b7a4b", "#7b8794"


def nice(top):
    """A round step so that about five fit below `top`."""
    step = 10 ** math.floor(math.log10(max(top, 1e-9) / 5))
    return next(step * k for k in (1, 2, 5, 10) if top / (step * k) <= 6)


def strips(panels, caption, labels, strong):
    """`panels` is {scenario: {control: [value]}}; every panel has a scale of its own, from zero."""
    body, y = [], 34
    text = lambda x, y, words, anchor="start", size=12, weight="normal", fill=INK: body.append(
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{fill}">{escape(words)}</text>')
    text(12, 20, caption)
    for name, rows in panels.items():
        top = max(max(values) for values in rows.values()) or 1.0
        step = nice(top)
        x = lambda value, top=top: LEFT + (WIDTH - LEFT - RIGHT) * value / (top * 1.02)
        text(12, y + 18, name, size=14, weight="bold")
        first, last = y + HEAD, y + HEAD + ROW * len(rows)
        for k in range(int(top / step) + 1):
            body.append(f'<line x1="{x(k * step):.1f}" y1="{first}" x2="{x(k * step):.1f}" y2="{last}" stroke="{FAINT}"/>')
            text(x(k * step), last + 14, f"{k * step:g}", "middle", 11, fill=PLAIN)
        for row, (control, values) in enumerate(rows.items()):
            middle, colour = first + ROW * (row + 0.5), STRONG if control == strong else PLAIN
            median = statistics.median(values)
            text(LEFT - 8, middle + 4, labels.get(control, control), "end", weight="bold" if control == strong else "normal")
            for value in values:
                body.append(f'<circle cx="{x(value):.1f}" cy="{middle:.1f}" r="4" fill="{colour}" fill-opacity="0.55"/>')
            body.append(f'<line x1="{x(median):.1f}" y1="{middle - 8:.1f}" x2="{x(median):.1f}" y2="{middle + 8:.1f}" '
                        f'stroke="{colour}" stroke-width="2.5"/>')
            text(WIDTH - 8, middle + 4, f"{median:.1f}", "end", 12, "bold" if control == strong else "normal", colour)
        y = last + FOOT
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
            f'font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="white"/>' + "".join(body) + "</svg>\n")
