"""Graphs beside networkx, which shares no code with the engine."""

from __future__ import annotations

import importlib.util
import random

import pytest
from test_graph import random_pairs

from stepwell import Graph

INSTALLED = importlib.util.find_spec("networkx") is not None


@pytest.mark.skipif(not INSTALLED, reason="networkx is not installed (python3-networkx)")
class TestBesideNetworkx:
    """The same questions to both."""

    @pytest.mark.parametrize("seed", range(12))
    def test_random_graphs(self, seed: int) -> None:
        import networkx as nx

        rng = random.Random(seed)
        nodes = rng.randint(2, 60)
        pairs = random_pairs(rng, nodes, rng.randint(0, 4 * nodes))
        graph, other = Graph(pairs, nodes), nx.DiGraph(pairs)
        other.add_nodes_from(range(nodes))
        answer = graph.analyze()
        assert set(graph.edges) - set(answer.redundant) == set(nx.transitive_reduction(other).edges)
        levels = {n: i for i, level in enumerate(nx.topological_generations(other)) for n in level}
        assert answer.level == levels
        assert answer.span == nx.dag_longest_path_length(other) + 1
        assert sorted(map(sorted, answer.components)) == sorted(
            map(sorted, nx.weakly_connected_components(other))
        )
        for node in rng.sample(range(nodes), min(nodes, 8)):
            assert set(graph.dependents(node)) == nx.descendants(other, node)
            assert set(graph.dependencies(node)) == nx.ancestors(other, node)
        closure = nx.transitive_closure_dag(other)
        chains = nx.bipartite.hopcroft_karp_matching(
            nx.Graph([((0, a), (1, b)) for a, b in closure.edges]), {(0, a) for a, _ in closure.edges}
        )
        assert answer.width == nodes - len(chains) // 2  # Dilworth: fewest chains that cover all

    @pytest.mark.parametrize("seed", range(12))
    def test_random_knots(self, seed: int) -> None:
        import networkx as nx

        rng = random.Random(seed)
        nodes = rng.randint(2, 40)
        pairs = random_pairs(rng, nodes, rng.randint(nodes, 3 * nodes), cyclic=True)
        other = nx.DiGraph(pairs)
        knots = Graph(pairs, nodes).cycles()
        assert sorted(sorted(knot.nodes) for knot in knots) == sorted(
            sorted(found) for found in nx.strongly_connected_components(other) if len(found) > 1
        )
        for knot in knots:
            assert nx.is_simple_path(other, [*knot.cycle[:-1], knot.cycle[-1]])
            assert other.has_edge(knot.cycle[-1], knot.cycle[0])
        other.remove_edges_from([cut.edge for knot in knots for cut in knot.cuts])
        assert nx.is_directed_acyclic_graph(other)
