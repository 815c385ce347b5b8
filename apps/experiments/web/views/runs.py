from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.actor import Level
from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments import access
from apps.experiments.actions.selected_runs import delete_runs, restore_runs
from apps.experiments.models import Experiment, LoggedModel, Run, RunStatus
from apps.experiments.selectors import overview, run_export, run_table
from apps.experiments.web import run_query
from apps.experiments.web.run_query import RunQuery
from apps.experiments.web.views.home import quickstart

_PAGE_SIZE = 50
_CHILDREN_AT_MOST = 200
_SELECTED_AT_MOST = 200


@signed_in
@methods("GET")
def run_list(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """An experiment: the table of its runs. The URL carries filter, order and columns."""
    experiment = access.get_experiment(request.actor, experiment_id)
    query = RunQuery.read(request)
    context = {**_frame(request, experiment), "query": query, "default_sort": run_query.DEFAULT_SORT}
    context["statuses"] = _statuses(experiment)
    context |= _table(request, experiment, query)
    response = render(request, "experiments/run_list.html", context)
    _keep_columns(request, response, query)
    return response


@signed_in
@methods("GET")
def run_rows(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """Rows alone: more of the table (`after`), a run's nested ones (`parent`), or some again (`run`)."""
    experiment = access.get_experiment(request.actor, experiment_id)
    query = RunQuery.read(request)
    context: dict[str, Any] = {"experiment": experiment, "depth": _depth(request)}
    if wanted := request.GET.getlist("run"):
        runs = _active(experiment).filter(run_id__in=wanted[:_SELECTED_AT_MOST])
        context |= _cells(experiment, query, list(runs))
    elif parent := request.GET.get("parent"):
        nested = _active(experiment).filter(parent_run_id=parent).order_by("-start_ms", "pk")
        context |= _cells(experiment, query, list(nested[:_CHILDREN_AT_MOST]))
    else:
        context |= _table(request, experiment, query)
    return render(request, "experiments/_run_rows.html", context)


@signed_in
@methods("GET")
def run_columns(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """The columns to choose from, for the menu of the table."""
    experiment = access.get_experiment(request.actor, experiment_id)
    query = RunQuery.read(request)
    names = run_table.names_in(experiment)
    chosen = set(query.columns.keys) if query.columns else set()
    groups = [(_("Run"), [(key, _field_labels()[key], key in chosen) for key in names.fields])]
    for title, group, keys in (
        (_("Metrics"), "metrics", names.metrics),
        (_("Params"), "params", names.params),
        (_("Tags"), "tags", names.tags),
    ):
        groups.append((title, [(f"{group}.{key}", key, f"{group}.{key}" in chosen) for key in keys]))
    context = {"groups": groups, "reset_url": _page_url(experiment, query.url_state() + "&reset=1")}
    return render(request, "experiments/_run_columns.html", context)


@signed_in
@methods("GET")
def run_export_csv(request: ActorRequest, experiment_id: int) -> HttpResponseBase:
    """All runs that the filter matches, as CSV."""
    experiment = access.get_experiment(request.actor, experiment_id)
    query = RunQuery.read(request)
    page = run_table.page_of(
        request.actor,
        experiment,
        text=query.filter_text,
        order_by=query.order_by,
        folds=False,
        size=run_export.MAX_RUNS,
    )
    return _csv(experiment, page.items)


@signed_in
@methods("POST")
def runs_selected(request: ActorRequest, experiment_id: int) -> HttpResponseBase:
    """Compare, export, delete or restore the picked runs."""
    experiment = access.get_experiment(request.actor, experiment_id)
    run_ids = request.POST.getlist("run")[:_SELECTED_AT_MOST]
    match request.POST.get("do"):
        case "compare":
            return redirect(f"{reverse('experiments:compare')}?runs={','.join(run_ids)}")
        case "export":
            return _csv(experiment, list(_active(experiment).filter(run_id__in=run_ids).order_by("-start_ms", "pk")))
        case "delete":
            return _delete(request, experiment, run_ids)
        case "restore":
            return _restore(request, experiment, run_ids)
    raise InvalidInput("Say what to do with the runs: compare, export, delete or restore.")


@signed_in
@methods("GET")
def run_trash(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """Deleted runs of an experiment, to restore."""
    experiment = access.get_experiment(request.actor, experiment_id)
    found = Run.objects.filter(experiment=experiment, deleted_ms__isnull=False).order_by("-deleted_ms", "-pk")
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "experiments/run_trash.html", {**_frame(request, experiment), "page": page})


@signed_in
@methods("GET")
def experiment_models(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """The models that were logged into an experiment."""
    experiment = access.get_experiment(request.actor, experiment_id)
    found = LoggedModel.objects.active().filter(experiment=experiment).order_by("-created_ms", "pk")
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    ids = {model.source_run_id for model in page.object_list}
    names = dict(Run.objects.visible_to(request.actor).filter(run_id__in=ids).values_list("run_id", "name"))
    context = {**_frame(request, experiment), "page": page, "names": names}
    return render(request, "experiments/experiment_models.html", context)


def _frame(request: ActorRequest, experiment: Experiment) -> dict[str, Any]:
    level = access.level_of_experiment(request.actor, experiment)
    return {
        "experiment": experiment,
        "note": overview.note_of(experiment),
        "may_edit": level >= Level.EDIT,
        "may_manage": level >= Level.MANAGE,
    }


def _table(request: ActorRequest, experiment: Experiment, query: RunQuery) -> dict[str, Any]:
    """The table's context; with a filter that can't be read, its problem and no rows."""
    try:
        page = run_table.page_of(
            request.actor,
            experiment,
            text=query.filter_text,
            order_by=query.order_by,
            folds=query.folds,
            size=_PAGE_SIZE,
            after=query.after,
        )
    except InvalidInput as error:
        return {"problem": error.message, "query_string": query.url_state()}
    context = _cells(experiment, query, page.items)
    if page.next_token:
        context["next_url"] = f"{context['rows_url']}&after={page.next_token}"
    if not page.items and not query.is_narrowed:
        context |= quickstart(request, experiment.name)
    return context


def _cells(experiment: Experiment, query: RunQuery, runs: Sequence[Run]) -> dict[str, Any]:
    columns = query.columns or run_table.default_columns(runs)
    rows_url = reverse("experiments:run_rows", args=[experiment.pk]) + "?" + query.url_state(columns.keys)
    chosen = query.columns.keys if query.columns else ()
    return {
        "rows": run_table.rows_of(runs, columns),
        "columns": columns,
        "lead_columns": 3 + len(columns.fields),
        "rows_url": rows_url,
        "unfold_url": rows_url if query.folds else "",
        "chosen": chosen,
        # The chooser ticks what is shown, whether somebody chose it or not.
        "columns_query": query.url_state(columns.keys),
        "query_string": query.url_state(chosen),
    }


def _keep_columns(request: ActorRequest, response: HttpResponse, query: RunQuery) -> None:
    """Remember an explicit choice of columns for this experiment's pages."""
    if "reset" in request.GET:
        response.delete_cookie(run_query.COLUMNS_COOKIE, path=request.path)
    elif "col" in request.GET and query.columns and (value := run_query.cookie_of(query.columns)):
        response.set_cookie(
            run_query.COLUMNS_COOKIE,
            value,
            max_age=run_query.COOKIE_AGE,
            path=request.path,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure(),
        )


def _delete(request: ActorRequest, experiment: Experiment, run_ids: Sequence[str]) -> HttpResponse:
    runs = access.get_runs(request.actor, experiment, run_ids, Level.MANAGE)
    delete_runs(request.actor, runs=runs)
    said = ngettext("%(n)s run lies in the trash.", "%(n)s runs lie in the trash.", len(runs))
    messages.success(request, said % {"n": len(runs)})
    return redirect("experiments:experiment", experiment.pk)


def _restore(request: ActorRequest, experiment: Experiment, run_ids: Sequence[str]) -> HttpResponse:
    runs = access.get_runs(request.actor, experiment, run_ids, Level.MANAGE)
    restore_runs(request.actor, runs=runs)
    messages.success(request, ngettext("%(n)s run is back.", "%(n)s runs are back.", len(runs)) % {"n": len(runs)})
    return redirect("experiments:run_trash", experiment.pk)


def _csv(experiment: Experiment, runs: Sequence[Run]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(run_export.csv_lines(runs), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="experiment-{experiment.pk}-runs.csv"'
    return response


def _active(experiment: Experiment) -> Any:
    return Run.objects.active().filter(experiment=experiment)


def _depth(request: ActorRequest) -> int:
    raw = request.GET.get("depth", "0")
    return min(int(raw), 20) if raw.isdecimal() and len(raw) < 4 else 0


def _statuses(experiment: Experiment) -> list[tuple[str, str, int]]:
    counts = run_table.status_counts(experiment)
    labels = {
        "RUNNING": _("Running"),
        "SCHEDULED": _("Scheduled"),
        "FINISHED": _("Finished"),
        "FAILED": _("Failed"),
        "KILLED": _("Killed"),
    }
    return [(status, labels[status], counts[status]) for status in RunStatus.values if counts.get(status)]


def _field_labels() -> dict[str, str]:
    return {
        "started": _("Started"),
        "duration": _("Duration"),
        "ended": _("Ended"),
        "user": _("By"),
        "source": _("Source"),
        "dataset": _("Dataset"),
    }


def _page_url(experiment: Experiment, state: str) -> str:
    return reverse("experiments:experiment", args=[experiment.pk]) + "?" + state.lstrip("&")
