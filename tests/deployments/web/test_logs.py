"""The logs of instances: from pieces that hosts keep, with gaps between them."""

from __future__ import annotations

from typing import Any

import pytest

from apps.deployments.models import Instance, InstanceLog, Revision
from apps.deployments.selectors.logs import read_log
from tests.deployments.making import fail, make_deployment, make_host, make_instance, ready_deployment, wanted_of
from tests.personas import People
from tests.projects.builds.making import start


@pytest.fixture
def instance(people: People) -> Instance:
    ready_deployment(people.ada)
    return Instance.objects.get()


def keep(instance: Instance, start: int, text: str) -> int:
    """What its host writes; where the next piece begins."""
    end = start + len(text.encode())
    InstanceLog.objects.create(instance=instance, start=start, end=end, text=text)
    return end


def read(instance: Instance, start: int, at_most: int = 1000) -> tuple[int, int, str]:
    piece = read_log(instance, start, at_most)
    return piece.start, piece.end, piece.text


def test_pieces_are_read_as_one(instance: Instance) -> None:
    end = keep(instance, 0, "one\n")
    end = keep(instance, end, "zwei €\n")
    assert read(instance, 0) == (0, end, "one\nzwei €\n")
    assert read(instance, 2) == (2, end, "e\nzwei €\n")
    assert read(instance, -5) == (end - 5, end, " €\n")
    assert read(instance, end) == (end, end, "")
    assert read(instance, end + 99) == (end, end, "")


def test_no_character_is_broken(instance: Instance) -> None:
    end = keep(instance, 0, "a€b")
    assert read(instance, 0, 2) == (0, 1, "a")
    assert read(instance, 1, 3) == (1, 4, "€")
    assert read(instance, 2) == (2, end, "b")


def test_a_gap_ends_a_piece_and_the_next_begins_behind_it(instance: Instance) -> None:
    first = keep(instance, 0, "early\n")
    keep(instance, 100, "late\n")
    assert read(instance, 0) == (0, first, "early\n")
    assert read(instance, first) == (100, 105, "late\n")


def test_one_that_kept_nothing_says_why_it_ended(instance: Instance) -> None:
    assert read(instance, 0) == (0, 0, "")
    instance.message, instance.ended_ms = "It wanted too much.", 5
    instance.save()
    assert read(instance, 3) == (3, 19, "wanted too much.")
    assert read(instance, -5) == (14, 19, "much.")


def test_the_page_begins_with_the_end_and_asks_for_more(people: People, instance: Instance) -> None:
    make_host()
    end = keep(instance, 0, "<b>first</b>\n")
    browser = people.vera.browser()
    page = browser.get("/deployments/iris/logs/").content.decode()
    assert "&lt;b&gt;first&lt;/b&gt;" in page and f'data-next="{end}"' in page and "data-active" in page
    instance.refresh_from_db()
    assert instance.log_wanted_ms > 0
    path = f"/deployments/iris/logs/{instance.pk}/"

    def news(offset: Any) -> Any:
        return browser.get(f"{path}?offset={offset}").json()

    assert news(end) == {"start": end, "next": end, "text": "", "state": "ready", "complete": False}
    then = keep(instance, end, "second\n")
    assert news(end)["text"] == "second\n" and news("x")["text"] == "<b>first</b>\nsecond\n"
    Instance.objects.update(ended_ms=9, state="ended")
    assert news(then)["complete"] is True and news(end)["complete"] is False
    text = browser.get(f"{path}?download=1")
    assert text.content.decode() == "<b>first</b>\nsecond\n"
    assert text["Content-Disposition"].startswith("attachment") and text["Content-Type"].startswith("text/plain")


def test_only_of_its_own_deployment_and_for_who_may_see_it(people: People, instance: Instance) -> None:
    ready_deployment(people.ada, "other", version=instance.revision.version)
    path = f"logs/{instance.pk}/"
    assert people.vera.browser().get(f"/deployments/iris/{path}").status_code == 200
    assert people.vera.browser().get(f"/deployments/other/{path}").status_code == 404
    assert people.cleo.browser().get(f"/deployments/iris/{path}").status_code == 404
    assert people.vera.browser().post(f"/deployments/iris/{path}").status_code == 405
    assert people.vera.browser().get("/deployments/iris/logs/?instance=99").status_code == 404
    page = people.vera.browser().get("/deployments/iris/logs/?instance=nonsense").content.decode()
    assert f"#{instance.pk}" in page


def page_of(people: People) -> str:
    return str(people.vera.browser().get("/deployments/iris/logs/").content.decode())


def test_of_what_was_not_built_the_log_is_its_builds(people: People) -> None:
    deployment = make_deployment(people.ada)
    revision = wanted_of(deployment)
    assert "No instances yet" in page_of(people)
    assert revision.version is not None
    build = start(people.ada, revision.version)
    Revision.objects.update(build=build)
    fail(revision, f"The build, run {build.pk}, was failed.\nNo solution found: nothing is <missing>.")
    page = page_of(people)
    for words in (
        "Nothing of revision 1 has run yet, so there is the log of its build alone.",
        f"The build, run {build.pk}, was failed.",
        "nothing is &lt;missing&gt;.",
        f'href="/project-runs/{build.pk}/"',
    ):
        assert words in page
    assert "No instances yet" not in page
    make_instance(revision)
    assert "the log of its build alone" not in page_of(people)
