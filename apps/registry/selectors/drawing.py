"""The graph of a version, laid out for a picture: columns from left to right, boxes below each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from apps.registry.selectors.lineage import Lineage, Node

BOX_WIDTH, BOX_HEIGHT = 212, 50
_GAP_X, _GAP_Y, _MARGIN = 64, 18, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A node and the corner at its top left, in pixels."""

    node: Node
    x: int
    y: int

    @property
    def middle(self) -> int:
        return self.y + BOX_HEIGHT // 2

    @property
    def end(self) -> int:
        return self.x + BOX_WIDTH


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, and lines as SVG paths."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[str]


def draw(graph: Lineage) -> Picture:
    """Columns that hold nothing take no room; each is centred."""
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in graph.nodes.values():
        columns[node.column].append(node)
    tallest = max((len(nodes) for nodes in columns.values()), default=0)
    height = 2 * _MARGIN + tallest * (BOX_HEIGHT + _GAP_Y) - _GAP_Y
    boxes: dict[str, Box] = {}
    for place, column in enumerate(sorted(columns)):
        nodes = sorted(columns[column], key=lambda node: not node.is_subject)
        top = (height - len(nodes) * (BOX_HEIGHT + _GAP_Y) + _GAP_Y) // 2
        for row, node in enumerate(nodes):
            x = _MARGIN + place * (BOX_WIDTH + _GAP_X)
            boxes[node.id] = Box(node, x, top + row * (BOX_HEIGHT + _GAP_Y))
    width = 2 * _MARGIN + len(columns) * (BOX_WIDTH + _GAP_X) - _GAP_X
    lines = [_line(boxes[edge.source], boxes[edge.target]) for edge in graph.edges]
    return Picture(width, height, list(boxes.values()), lines)


def _line(start: Box, end: Box) -> str:
    half = (start.end + end.x) // 2
    return f"M{start.end} {start.middle} C{half} {start.middle} {half} {end.middle} {end.x} {end.middle}"
