from __future__ import annotations

from apps.experiments.models import RunTag
from apps.registry.models import ModelVersionTag
from tests.personas import People
from tests.registry.gates.cases import gate, judge, make_version


def test_a_tag_of_the_version_has_the_value(people: People) -> None:
    version = make_version(people.ada, people.forge)
    wanted = gate("tag", key="validation", value="ok")
    assert judge(people.ada, version, wanted)[0].text == "There is no tag 'validation'"
    ModelVersionTag.objects.create(version=version, key="validation", value="no")
    version.requests.all().delete()
    assert judge(people.ada, version, wanted)[0].state == "failed"
    version.tags.update(value="ok")
    version.requests.all().delete()
    assert judge(people.ada, version, wanted)[0].state == "passed"


def test_a_tag_of_the_run_has_the_value(people: People) -> None:
    version = make_version(people.ada, people.forge)
    assert version.source_run is not None
    RunTag.objects.create(run=version.source_run, key="reviewed", value="yes")
    (result,) = judge(people.ada, version, gate("tag", key="reviewed", value="yes", where="run"))
    assert (result.state, result.evidence["experiments"]) == ("passed", [version.source_run.experiment_id])


def test_a_tag_of_a_run_that_is_none_fails(people: People) -> None:
    version = make_version(people.ada, people.forge)
    version.source_run = None
    version.save()
    assert judge(people.ada, version, gate("tag", key="a", value="b", where="run"))[0].state == "failed"


def test_a_description_is_long_enough(people: People) -> None:
    version = make_version(people.ada, people.forge)
    wanted = gate("description", characters=5)
    (result,) = judge(people.ada, version, wanted)
    assert (result.state, result.text) == ("failed", "The description has 0 characters")
    type(version).objects.filter(pk=version.pk).update(description=" words ")
    version.requests.all().delete()
    assert judge(people.ada, version, wanted)[0].state == "passed"
