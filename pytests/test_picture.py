"""Pictures of graphs and of tasks, in every format, and coordinates without a drawing."""

from __future__ import annotations

import json
from array import array
from typing import Any, Dict

import pytest

import stepwell
from stepwell import Graph


class TestPictures:
    DIAMOND = {"left": ["top"], "right": ["top"], "bottom": ["left", "right", "top"]}

    def test_every_format(self) -> None:
        graph = Graph(self.DIAMOND)
        assert graph.to_svg(title="<t>").startswith("<svg")
        assert "&lt;t&gt;" in graph.to_svg(title="<t>")
        assert graph.to_mermaid().startswith("flowchart TD")
        assert graph.to_mermaid(direction="right").startswith("flowchart LR")
        assert graph.to_dot().startswith("digraph")
        assert "\u2502 top \u2502" in graph.to_text()
        assert "| top |" in graph.to_text(ascii=True)
        assert len(json.loads(graph.to_json())["nodes"]) == 4

    def test_marks(self) -> None:
        graph = Graph(self.DIAMOND, ["top"])
        found = json.loads(
            graph.to_json(
                critical=True, slack=True, redundant=True, duration={"left": 2.5, "right": 9}
            )
        )
        nodes = {node["name"]: node for node in found["nodes"]}
        assert [name for name, node in nodes.items() if node["critical"]] == [
            *("top", "right", "bottom")
        ]
        assert (nodes["left"]["slack_us"], nodes["left"]["duration_us"]) == (6_500_000, 2_500_000)
        names = list(nodes)
        assert [
            (names[edge["from"]], names[edge["to"]]) for edge in found["edges"] if edge["redundant"]
        ] == [("top", "bottom")]
        hidden = json.loads(graph.to_json(duration={"left": 2}, durations=False))
        assert {node["duration_us"] for node in hidden["nodes"]} == {None}

    def test_layout(self) -> None:
        graph = Graph(self.DIAMOND)
        layout = graph.layout()
        assert set(layout.places) == set(graph.nodes)
        assert set(layout.lines) == set(graph.edges)
        assert [layout.places[n].level for n in ("top", "left", "bottom")] == [0, 1, 2]
        assert graph.layout(direction="right").direction == "right"
        assert list(Graph([(7, 5)]).layout().lines) == [(7, 5)]
        assert list(Graph((array("i", [0]), array("i", [1]))).layout().places) == [0, 1]

    def test_a_cycle(self) -> None:
        with pytest.raises(stepwell.DefinitionError) as caught:
            Graph([("a", "b"), ("b", "a")]).to_text()
        assert caught.value.cycle == ["a", "b"]

    @pytest.mark.parametrize(
        "options, error",
        [
            ({"format": "gif"}, stepwell.InvalidArgumentError),
            ({"format": None}, TypeError),
            ({"direction": "up"}, stepwell.InvalidArgumentError),
            ({"critical": 1}, TypeError),
            ({"columns": -1}, stepwell.InvalidArgumentError),
            ({"columns": "9"}, TypeError),
            ({"title": 5}, TypeError),
            ({"colour": True}, TypeError),
            ({"duration": [1]}, stepwell.InvalidArgumentError),
            ({"duration": {"top": -1}}, stepwell.InvalidArgumentError),
        ],
    )
    def test_what_is_refused(self, options: Dict[str, Any], error: Any) -> None:
        with pytest.raises(error):
            Graph(self.DIAMOND).draw(**{"format": "text", **options})

    def test_too_wide(self) -> None:
        with pytest.raises(stepwell.LimitError):
            Graph([("top", f"node{i}") for i in range(40)]).to_text(columns=60)

    def test_a_task(self, engine: stepwell.Engine) -> None:
        order = engine.workflow("order")
        order.external("validate", timeout=2)
        order.external("charge", after="validate", timeout=20)
        order.register()
        task = order.start()
        found = json.loads(task.picture("json", critical=True, durations=True))
        assert found["title"] == "order"
        assert [node["state"] for node in found["nodes"]] == ["ready", "pending"]
        assert [node["duration_us"] for node in found["nodes"]] == [2_000_000, 20_000_000]
        assert all(node["critical"] for node in found["nodes"])
        assert engine.picture(task.id).startswith("<svg")
        assert "validate" in task.gantt("text", columns=60)
        with pytest.raises(stepwell.InvalidArgumentError):
            task.gantt("dot")
        with pytest.raises(stepwell.NotFoundError):
            engine.picture("01932f00-0000-7000-8000-000000000000")
        learnt = engine.durations("order")
        assert learnt["charge"] == ("charge", "timeout", 0, 20_000_000, 20_000_000)
        assert engine.analyze("order", durations="p95").span == 22
        with pytest.raises(stepwell.InvalidArgumentError):
            engine.analyze("order", durations="p96")
