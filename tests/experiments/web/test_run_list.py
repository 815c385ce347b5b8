from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.experiments import actions
from apps.experiments.models import Param, Run, RunTag
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People

HTMX = {"HX-Request": "true"}


def url_of(run_id: str, tail: str = "") -> str:
    return f"/experiments/{Run.objects.get(run_id=run_id).experiment_id}/{tail}"


def shown(browser: Client, url: str, **query: str | list[str]) -> str:
    answer = browser.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_shows_runs_with_their_latest_metrics_and_params(people: People) -> None:
    run_id = make_run(people.ada, name="brave-crane")
    log_metrics(people.ada, run_id, "accuracy", [0.5, 0.123456789])
    Param.objects.create(run=Run.objects.get(run_id=run_id), key="depth", value="seven")
    page = shown(people.vera.browser(), url_of(run_id))
    for text in ("brave-crane", "accuracy", "0.12346", 'title="0.123456789"', "depth", "seven"):
        assert text in page


def test_outsiders_get_404(people: People) -> None:
    url = url_of(make_run(people.ada))
    for tail in ("", "rows/", "columns/", "runs.csv", "models/", "trash/"):
        assert people.cleo.browser().get(url + tail).status_code == 404


def test_filters_in_the_language_of_the_protocol(people: People) -> None:
    good, bad = make_run(people.ada, name="good-one"), make_run(people.ada, name="bad-one")
    log_metrics(people.ada, good, "accuracy", [0.9])
    log_metrics(people.ada, bad, "accuracy", [0.1])
    page = shown(people.ada.browser(), url_of(good), q="metrics.accuracy > 0.5")
    assert "good-one" in page
    assert "bad-one" not in page


@pytest.mark.parametrize("text", ["metrics.accuracy >", "nonsense", "user__password = 'x'", "a" * 300_000, "(" * 5000])
def test_a_filter_that_cannot_be_read_says_so(people: People, text: str) -> None:
    page = shown(people.ada.browser(), url_of(make_run(people.ada)), q=text)
    assert 'id="filter-problem"' in page


@pytest.mark.parametrize(
    "sort", ["-started", "name", "-metrics.accuracy", "params.x y", "metrics.a`b", "user__password"]
)
def test_sorts(people: People, sort: str) -> None:
    run_id = make_run(people.ada)
    log_metrics(people.ada, run_id, "accuracy", [0.9])
    assert run_id in shown(people.ada.browser(), url_of(run_id), sort=sort)


def test_sorts_by_a_metric(people: People) -> None:
    low, high = make_run(people.ada), make_run(people.ada)
    log_metrics(people.ada, low, "accuracy", [0.1])
    log_metrics(people.ada, high, "accuracy", [0.9])
    page = shown(people.ada.browser(), url_of(low), sort="-metrics.accuracy")
    assert page.index(high) < page.index(low)


def test_status_chips_narrow(people: People) -> None:
    run_id = make_run(people.ada, name="still-at-it")
    assert "still-at-it" in shown(people.ada.browser(), url_of(run_id), status="RUNNING")
    assert "still-at-it" not in shown(people.ada.browser(), url_of(run_id), status="FAILED")


def test_nested_runs_fold_under_their_parent(people: People) -> None:
    parent = make_run(people.ada, name="the-parent")
    make_run(people.ada, name="the-child", **{"mlflow.parentRunId": parent})
    browser = people.ada.browser()
    page = shown(browser, url_of(parent))
    assert "the-parent" in page
    assert "the-child" not in page
    assert "the-child" in shown(browser, url_of(parent, "rows/"), parent=parent, depth="1")
    assert "the-child" in shown(browser, url_of(parent), flat="1")


def test_a_child_without_its_parent_is_not_lost(people: People) -> None:
    orphan = make_run(people.ada, name="the-orphan", **{"mlflow.parentRunId": "f" * 32})
    assert "the-orphan" in shown(people.ada.browser(), url_of(orphan))


def test_chosen_columns_are_kept_for_the_experiment(people: People) -> None:
    run_id = make_run(people.ada, colour="red")
    browser = people.ada.browser()
    assert "colour" not in shown(browser, url_of(run_id))
    browser.get(url_of(run_id), {"col": ["started", "tags.colour"]})
    page = shown(browser, url_of(run_id))
    assert "colour" in page
    assert "Duration" not in page
    browser.get(url_of(run_id), {"reset": "1"})
    assert "Duration" in shown(browser, url_of(run_id))


@pytest.mark.parametrize("columns", [["metrics."], ["__class__", "secret.x"], ["metrics." + "k" * 300], ["x"] * 900])
def test_columns_that_are_none_are_left_out(people: People, columns: list[str]) -> None:
    run_id = make_run(people.ada)
    assert run_id in people.ada.browser().get(url_of(run_id), {"col": columns}).content.decode()


def test_the_chooser_lists_what_was_logged(people: People) -> None:
    run_id = make_run(people.ada, colour="red")
    log_metrics(people.ada, run_id, "accuracy", [0.9])
    answer = shown(people.ada.browser(), url_of(run_id, "columns/"), col="metrics.accuracy")
    assert 'value="metrics.accuracy" checked' in answer
    assert 'value="tags.colour"' in answer
    assert "mlflow.runName" not in answer


def test_more_rows_follow_where_the_page_ended(people: People) -> None:
    run_ids = [make_run(people.ada) for _ in range(53)]
    browser = people.ada.browser()
    page = browser.get(url_of(run_ids[0]))
    first = {run_id for run_id in run_ids if f"run-{run_id}" in page.content.decode()}
    rest = browser.get(page.context["next_url"], headers=HTMX).content.decode()
    second = {run_id for run_id in run_ids if f"run-{run_id}" in rest}
    assert (len(first), len(second)) == (50, 3)
    assert first | second == set(run_ids)


def test_a_made_up_place_is_refused(people: People) -> None:
    run_id = make_run(people.ada)
    page = shown(people.ada.browser(), url_of(run_id), after="made-up")
    assert "Invalid page token" in page


def test_rows_can_be_asked_for_again(people: People) -> None:
    one, other = make_run(people.ada), make_run(people.ada)
    answer = shown(people.ada.browser(), url_of(one, "rows/"), run=one)
    assert f"run-{one}" in answer
    assert f"run-{other}" not in answer


def test_csv_holds_everything_and_runs_no_formula(people: People) -> None:
    run_id = make_run(people.ada, name="=1+1", note="@SUM(A1)", **{"mlflow.parentRunId": "=2+2"})
    log_metrics(people.ada, run_id, "loss", [-0.5])
    answer = people.ada.browser().get(url_of(run_id, "runs.csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert rows[0]["run_id"] == run_id
    assert (rows[0]["name"], rows[0]["parent_run_id"]) == ("'=1+1", "'=2+2")
    assert rows[0]["tags.note"] == "'@SUM(A1)"
    assert rows[0]["metrics.loss"] == "-0.5"
    assert answer["Content-Disposition"].startswith("attachment")


def test_picked_runs_go_to_comparison(people: People) -> None:
    one, other = make_run(people.ada), make_run(people.ada)
    answer = people.ada.browser().post(url_of(one, "selected/"), {"do": "compare", "run": [one, other]})
    assert answer["Location"] == f"/compare/?runs={one},{other}"


def test_delete_and_restore_picked_runs(people: People) -> None:
    one, other = make_run(people.ada), make_run(people.ada)
    browser = people.ada.browser()
    browser.post(url_of(one, "selected/"), {"do": "delete", "run": [one]})
    assert Run.objects.get(run_id=one).is_deleted
    assert not Run.objects.get(run_id=other).is_deleted
    assert one in shown(browser, url_of(one, "trash/"))
    browser.post(url_of(one, "selected/"), {"do": "restore", "run": [one]})
    assert not Run.objects.get(run_id=one).is_deleted


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("ben", 403), ("cleo", 404)])
def test_who_may_not_delete(people: People, who: str, status: int) -> None:
    run_id = make_run(people.ada)
    answer = getattr(people, who).browser().post(url_of(run_id, "selected/"), {"do": "delete", "run": [run_id]})
    assert answer.status_code == status
    assert not Run.objects.get(run_id=run_id).is_deleted


def test_runs_of_another_experiment_are_not_touched(people: People) -> None:
    here, elsewhere = make_run(people.ada, experiment="a"), make_run(people.ada, experiment="b")
    answer = people.ada.browser().post(url_of(here, "selected/"), {"do": "delete", "run": [here, elsewhere]})
    assert answer.status_code == 404
    assert not Run.objects.filter(deleted_ms__isnull=False).exists()


def test_it_has_to_be_said_what_to_do(people: People) -> None:
    run_id = make_run(people.ada)
    assert people.ada.browser().post(url_of(run_id, "selected/"), {"do": "explode"}).status_code == 400
    assert people.ada.browser().get(url_of(run_id, "selected/")).status_code == 405


def test_without_runs_it_says_what_to_paste(people: People) -> None:
    experiment = actions.create_experiment(people.ada.actor, name='a "quoted" name')
    page = shown(people.ada.browser(), f"/experiments/{experiment.pk}/")
    assert "set_experiment(&quot;a \\&quot;quoted\\&quot; name&quot;)" in page


def test_what_people_wrote_is_text(people: People) -> None:
    run_id = make_run(people.ada, name="<script>alert(1)</script>")
    RunTag.objects.create(run=Run.objects.get(run_id=run_id), key="<b>", value="<i>")
    page = shown(people.ada.browser(), url_of(run_id), col="tags.<b>")
    assert "<script>alert(1)" not in page
    assert "<i>" not in page


def test_statements_do_not_grow_with_runs(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run_ids = [make_run(people.ada) for _ in range(2)]
    log_metrics(people.ada, run_ids[0], "accuracy", [1.0])
    Param.objects.create(run=Run.objects.get(run_id=run_ids[0]), key="depth", value="7")
    browser = people.ada.browser()
    browser.get(url_of(run_ids[0]))
    for expected_runs in (2, 30):
        while len(run_ids) < expected_runs:
            run_ids.append(make_run(people.ada))
            log_metrics(people.ada, run_ids[-1], f"m{len(run_ids)}", [1.0])
        url = url_of(run_ids[0])
        with django_assert_num_queries(16):
            browser.get(url)
