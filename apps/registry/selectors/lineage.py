"""Where a version came from and what came of it: data, runs, logged models, versions, deployments.

A constant number of statements. What the actor may not read is left out and counted. A version's source is what was
found when it was registered, never the label `run_id` that the client wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.experiments.models import DatasetInput, LoggedModel, ModelLink, Run
from apps.experiments.search.conditions import indexed_condition
from apps.experiments.search.nodes import Op
from apps.registry import addresses
from apps.registry.models import ModelVersion
from apps.registry.uses import uses_of

_MOST = 20


class NodeKind(StrEnum):
    """What a node stands for."""

    DATASET = "dataset"
    RUN = "run"
    LOGGED_MODEL = "logged_model"
    VERSION = "version"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Node:
    """`column` is its place from the left: 0 what went in, 1 the run, 2 its model, 3 versions, 4 what uses them."""

    id: str
    kind: NodeKind
    name: str
    note: str = ""
    url: str = ""
    column: int = 0
    is_subject: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """From a node's id to another's, in the direction in which things came to be."""

    source: str
    target: str
    label: str = ""


@dataclass
class Lineage:
    """A graph around one version. `hidden`: how many of its direct sources the actor may not read."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    hidden: int = 0

    def add(self, node: Node, *edges: Edge) -> Node:
        """Put a node in, once, with the edges that lead to it or from it."""
        self.nodes.setdefault(node.id, node)
        self.edges.extend(edge for edge in edges if edge not in self.edges)
        return node

    def sentences(self) -> list[tuple[Node, str, Node]]:
        """Each edge as two nodes and what is between them, for lists."""
        return [(self.nodes[edge.source], edge.label, self.nodes[edge.target]) for edge in self.edges]

    def as_json(self) -> dict[str, Any]:
        """For the API."""
        nodes = [
            {"id": node.id, "kind": node.kind.value, "name": node.name, "note": node.note, "url": node.url}
            for node in self.nodes.values()
        ]
        edges = [{"source": edge.source, "target": edge.target, "label": edge.label} for edge in self.edges]
        return {"nodes": nodes, "edges": edges, "hidden": self.hidden}


def lineage_of(actor: Actor, version: ModelVersion) -> Lineage:
    """The graph around a version that was fetched with its model and team."""
    graph = Lineage()
    run = Run.objects.visible_to(actor).filter(pk=version.source_run_id).first() if version.source_run_id else None
    logged = None
    if version.logged_model_id:
        logged = LoggedModel.objects.visible_to(actor).filter(pk=version.logged_model_id).first()
    graph.hidden = sum(
        (version.source_run_id is not None and run is None, version.logged_model_id is not None and not logged)
    )
    subject = graph.add(_version_node(version, is_subject=True))
    made_by = subject
    if logged:
        made_by = graph.add(_logged_node(logged), Edge(f"model:{logged.pk}", subject.id, _("registered as")))
    if run:
        graph.add(_run_node(run), Edge(f"run:{run.pk}", made_by.id, _("made") if logged else _("registered as")))
        _add_inputs(actor, graph, run)
    _add_siblings(actor, graph, version, made_by)
    if logged:
        _add_users(actor, graph, logged)
    for use in uses_of(actor, version):
        node = graph.add(Node(use.id, NodeKind.DEPLOYMENT, use.name, use.note, use.url, 4))
        graph.add(node, Edge(subject.id, node.id, _("served by")))
    return graph


def trained_on_the_same(actor: Actor, version: ModelVersion) -> list[ModelVersion]:
    """Other versions whose source run used one of the datasets that this one's used; newest first."""
    run = Run.objects.visible_to(actor).filter(pk=version.source_run_id or 0)
    used = list(DatasetInput.objects.filter(run__in=run).values_list("dataset__name", "dataset__digest")[:_MOST])
    if not used:
        return []
    same = Q(pk__in=[])
    for name, digest in used:
        same |= Q(dataset__name=name, dataset__digest=digest)
    runs = DatasetInput.objects.filter(same, run__in=Run.objects.visible_to(actor)).values("run_id")
    found = ModelVersion.objects.visible_to(actor).filter(source_run__in=runs).exclude(pk=version.pk)
    return list(found.select_related("model__team").order_by("-created_ms", "-pk")[:_MOST])


def _add_inputs(actor: Actor, graph: Lineage, run: Run) -> None:
    """The data and the models that the run took."""
    target = f"run:{run.pk}"
    used = DatasetInput.objects.filter(run=run).select_related("dataset").order_by("pk")[:_MOST]
    for one in used:
        url = f"{reverse('experiments:run_datasets', args=[run.run_id])}#dataset-{one.dataset_id}"
        node = Node(f"dataset:{one.dataset_id}", NodeKind.DATASET, one.dataset.name, one.dataset.digest, url, 0)
        graph.add(node, Edge(node.id, target, _used_for(one.context)))
    links = ModelLink.objects.filter(run=run, direction=ModelLink.Direction.INPUT).values("model_id")
    for model in LoggedModel.objects.visible_to(actor).filter(pk__in=links).order_by("pk")[:_MOST]:
        graph.add(_logged_node(model, 0), Edge(f"model:{model.pk}", target, _("used by")))


def _used_for(context: str) -> str:
    return _("used for %s by") % context if context else _("used by")


def _add_siblings(actor: Actor, graph: Lineage, version: ModelVersion, made_by: Node) -> None:
    """Copies of the version, and other versions of the same logged model, or of the same run where there is none."""
    same = Q(pk__in=[])
    if version.folder:
        same |= indexed_condition(Op.EQ, version.folder, "folder")
    if version.logged_model_id:
        same |= Q(logged_model_id=version.logged_model_id)
    elif version.source_run_id:
        same |= Q(source_run_id=version.source_run_id, logged_model=None)
    found = ModelVersion.objects.visible_to(actor).filter(same).exclude(pk=version.pk)
    for one in found.select_related("model__team").order_by("-created_ms", "-pk")[:_MOST]:
        if one.source == addresses.version_uri(version) and one.folder == version.folder:
            node = graph.add(_version_node(one, 4))
            graph.add(node, Edge(graph_id(version), node.id, _("copied as")))
        elif version.source == addresses.version_uri(one) and one.folder == version.folder:
            graph.add(_version_node(one, 2), Edge(graph_id(one), graph_id(version), _("copied as")))
        else:
            source = made_by.id if made_by.kind is not NodeKind.VERSION else f"run:{version.source_run_id}"
            if source in graph.nodes:
                graph.add(_version_node(one), Edge(source, graph_id(one), _("registered as")))


def _add_users(actor: Actor, graph: Lineage, logged: LoggedModel) -> None:
    """Runs that took the logged model, to evaluate it or to go on from it."""
    links = ModelLink.objects.filter(model=logged, direction=ModelLink.Direction.INPUT).values("run_id")
    for run in Run.objects.visible_to(actor).active().filter(pk__in=links).order_by("-start_ms", "-pk")[:_MOST]:
        graph.add(_run_node(run, 4), Edge(f"model:{logged.pk}", f"run:{run.pk}", _("used by")))


def graph_id(version: ModelVersion) -> str:
    """The id of a version's node."""
    return f"version:{version.pk}"


def _version_node(version: ModelVersion, column: int = 3, *, is_subject: bool = False) -> Node:
    name = f"{version.model.name} {version.number}"
    note = "" if version.stage == "None" else version.stage
    return Node(graph_id(version), NodeKind.VERSION, name, note, addresses.version_url(version), column, is_subject)


def _logged_node(model: LoggedModel, column: int = 2) -> Node:
    url = reverse("experiments:logged_model", args=[model.model_id])
    return Node(f"model:{model.pk}", NodeKind.LOGGED_MODEL, model.name, model.model_id[:10], url, column)


def _run_node(run: Run, column: int = 1) -> Node:
    url = reverse("experiments:run", args=[run.run_id])
    return Node(f"run:{run.pk}", NodeKind.RUN, str(run), run.run_id[:12], url, column)
