"""The curves of a training of a student."""

from __future__ import annotations

import csv
import io
from pathlib import Path


def curves_svg(steps: Path) -> str:
    """Return loss, gradient norm and, where there are any, margin and accuracy as one SVG.

    `steps` is the table of a training, a row per optimiser step.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with steps.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in ("loss", "grad_norm", "margin", "accuracy") if rows[0][name]]
    figure = Figure(figsize=(6, 1.7 * len(names)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        axis.plot([int(row["step"]) for row in rows], [float(row[name]) for row in rows], lw=1.5)
        axis.set_ylabel(name.replace("_", " "))
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("optimiser step")
    drawn = io.StringIO()
    # Else the names of its parts are drawn by lot.
    with rc_context({"svg.hashsalt": "curves"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
