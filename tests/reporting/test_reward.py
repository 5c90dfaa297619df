from __future__ import annotations

from xml.etree import ElementTree

from pipeline.reporting.reward import curve_svg

ROWS = [
    {"data": "made up", "model": "linear", "fraction": 0.1, "accuracy": 0.55, "ci": [0.5, 0.6]},
    {"data": "made up", "model": "linear", "fraction": 1.0, "accuracy": 0.6, "ci": [0.55, 0.65]},
    {
        "data": "made up",
        "model": "<prototype>",
        "fraction": 0.1,
        "accuracy": 0.58,
        "ci": [0.52, 0.63],
        "paired_difference": 0.03,
        "paired_ci": [0.01, 0.05],
    },
]


def test_the_figure_has_a_line_per_model_and_a_point_per_fraction() -> None:
    figure = ElementTree.fromstring(curve_svg(ROWS))

    lines = [one for one in figure.iter() if one.tag.endswith("polyline")]
    assert [len(one.attrib["points"].split()) for one in lines] == [2, 1]
    assert "<prototype>" in [one.text for one in figure.iter()]
