"""The wizard, and what people change later."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from django.conf import settings

from apps.audit.models import Event
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Following, FollowMode, Revision, ServingHost
from apps.registry.models import ModelVersion, RegisteredModel
from tests.deployments.making import fresh, make_deployment, make_host, ready_deployment, servable
from tests.personas import People
from tests.registry.web.asking import HTMX
from tests.servers import free_port

PAGE = "/deployments/iris/"
# What the form begins with, as a browser sends it.
SENT: dict[str, Any] = {
    "version": "1",
    "name": "iris",
    "follows": "fixed",
    "stage": "Production",
    "alias": "",
    "follow_mode": "propose",
    "target": "process",
    "server": "slipway",
    "memory_mb": "",
    "cpus": "",
    "instances": "1",
    "workers": "1",
    "env_vars.name": [""],
    "env_vars.value": [""],
    "reach": "gateway",
    "port": "",
    "port_host": "127.0.0.1",
    "timeout_s": "60",
    "concurrency": "64",
    "max_body_mb": "100",
    "keep_warm_s": str(Config().keep_warm_s),
    "calls_per_minute": "",
    "sticky_header": "",
    "batching": "on",
    "description": "",
}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return servable(people.ada)


def new(version: ModelVersion) -> str:
    return f"/deployments/new/?version={version.pk}"


def test_it_begins_with_what_makes_sense(people: People, version: ModelVersion) -> None:
    make_host(abilities={"isolation": "sandboxed", "lacks": ["memory: no <cgroup>."]})
    page = people.ben.browser().get(new(version)).content.decode()
    for words in (
        'value="iris"',
        "on 1 host, sandboxed",
        "memory: no &lt;cgroup&gt;.",
        "no host that is alive offers it",
    ):
        assert words in page
    make_deployment(people.ada, version=version)
    assert 'value="iris-2"' in people.ben.browser().get(new(version)).content.decode()
    newer = servable(people.ada, stage="Production")
    of_model = people.ben.browser().get(f"/deployments/new/?model={version.model_id}").content.decode()
    assert f'<option value="{newer.number}" selected>' in of_model


def test_without_a_model_one_is_chosen(people: People, version: ModelVersion) -> None:
    page = people.ben.browser().get("/deployments/new/").content.decode()
    assert f'<option value="{version.model_id}">iris' in page
    assert "no model with a version yet" in people.cleo.browser().get("/deployments/new/").content.decode()


def test_a_prompt_is_nothing_to_deploy_or_take_along(people: People, version: ModelVersion) -> None:
    RegisteredModel.objects.update(is_prompt=True)
    browser = people.ada.browser()
    for asked in (f"version={version.pk}", f"model={version.model_id}"):
        assert browser.get(f"/deployments/new/?{asked}").status_code == 404
        assert browser.post(f"/deployments/new/checks/?{asked}", SENT).status_code == 404
        assert browser.get(f"/deployments/export/?{asked}").status_code == 404
    assert not Deployment.objects.exists()


def test_as_it_stands_it_deploys(people: People, version: ModelVersion) -> None:
    answer = people.ben.browser().post(new(version), SENT)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    deployment = Deployment.objects.get()
    assert (deployment.team, deployment.owner, deployment.config) == (people.forge, people.ben.user, {})
    assert deployment.wanted is not None and deployment.wanted.version == version
    assert Event.objects.filter(code="deployment.created", object_name="iris").count() == 1


def test_all_of_it_is_kept(people: People, version: ModelVersion) -> None:
    sent = SENT | {
        "follows": "alias", "alias": "@champion", "follow_mode": "apply", "stages": ["None", "Production"][1:],
        "target": "docker", "server": "mlflow", "memory_mb": "512", "cpus": "1.5", "instances": "2", "workers": "3",
        "env_vars.name": ["LEVEL", ""], "env_vars.value": ["high", ""], "network": "on", "reach": "port",
        "port": "5001", "port_host": "192.0.2.7", "port_open": "on", "timeout_s": "5", "calls_per_minute": "90",
        "sticky_header": "X-Customer", "description": "for *tests*",
    }  # fmt: skip
    del sent["batching"]
    ModelVersion.objects.update(stage="Production")
    assert people.ben.browser().post(new(version), sent).status_code == 302
    deployment = Deployment.objects.get()
    config = Config.from_json(deployment.config)
    assert (config.memory_mb, config.cpus, config.instances, config.workers) == (512, 1.5, 2, 3)
    assert (config.target, config.server, config.network, config.batching) == ("docker", "mlflow", True, False)
    assert (config.env_vars, config.timeout_s, config.calls_per_minute) == ({"LEVEL": "high"}, 5, 90)
    assert (deployment.follows, deployment.followed) == (Following.ALIAS, "champion")
    assert (deployment.follow_mode, deployment.stages) == (FollowMode.APPLY, ["Production"])
    assert (deployment.port, deployment.port_host, deployment.port_open) == (5001, "192.0.2.7", True)
    assert Event.objects.filter(code="deployment.port_opened").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "No Spaces"}, "name"),
        ({"name": "hosts"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"memory_mb": "12"}, "memory_mb"),
        ({"memory_mb": "99999999999"}, "memory_mb"),
        ({"cpus": "none"}, "cpus"),
        ({"instances": "0"}, "instances"),
        ({"sticky_header": "a b"}, "sticky_header"),
        ({"env_vars.name": ["LD_PRELOAD"], "env_vars.value": ["x.so"]}, "env_vars"),
        ({"reach": "port"}, "port"),
        ({"reach": "port", "port": "80"}, "port"),
        ({"reach": "port", "port": "5009"}, "port"),
        ({"reach": "port", "port": "5001", "port_host": "example.org"}, "port_host"),
        ({"follows": "alias"}, "alias"),
        ({"version": "7"}, "version"),
        ({"target": "moon"}, "target"),
        ({"timeout_s": "\x00"}, "timeout_s"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    people: People, version: ModelVersion, change: dict[str, Any], field: str
) -> None:
    other = make_deployment(people.ada, "taken", version=version)
    Deployment.objects.filter(pk=other.pk).update(port=5009)
    answer = people.ben.browser().post(new(version), SENT | change)
    assert answer.status_code == 422
    # As many rows as before: what is sent has the empty one, too.
    named = [name for name in (SENT | change)["env_vars.name"] if name]
    assert answer.content.decode().count('name="env_vars.name"') == len(named) + 1
    assert list(answer.context["form"].errors) == [field]
    assert Deployment.objects.count() == 1


def test_refusals_of_no_field_stand_above(people: People, version: ModelVersion) -> None:
    answer = people.ben.browser().post(new(version), SENT | {"stages": ["Production"]})
    assert answer.status_code == 422 and "Ask for its promotion first." in answer.content.decode()
    assert people.cleo.browser().post(new(version), SENT).status_code == 404
    assert people.ben.browser().delete(new(version)).status_code == 405
    assert people.ben.browser().get("/deployments/new/?version=999").status_code == 404


def test_who_may_not_deploy_is_told_at_the_door(people: People, version: ModelVersion) -> None:
    browser = people.vera.browser()
    missing = "Deploying wants the role member in the team forge, and you are a viewer there"
    for path in (new(version), "/deployments/new/"):
        answer = browser.get(path)
        assert answer.status_code == 403 and missing in answer.content.decode()
    assert browser.post(new(version), SENT).status_code == 403
    assert browser.post(f"/deployments/new/checks/?model={version.model_id}", SENT).status_code == 403
    assert not Deployment.objects.exists()


def test_checks_say_what_would_stand_against_it(people: People, version: ModelVersion) -> None:
    make_deployment(people.ada, "taken", version=version)
    browser, path = people.ben.browser(), f"/deployments/new/checks/?model={version.model_id}"

    def said(**change: Any) -> str:
        return str(browser.post(path, SENT | change, headers=HTMX).content.decode())

    assert "No serving supervisor is alive" in said()
    make_host()
    assert "Nothing stands against it." in said() and "/serve/iris/invocations" in said()
    assert "A deployment is called taken already" in said(name="taken")
    assert "only versions in Production" in said(stages=["Production"])
    assert "has no version yet" in said(follows="stage")
    servable(people.ada, stage="Production")
    assert "has version 2: it is proposed at once." in said(follows="stage")
    assert "has version 2: it goes over to that at once." in said(follows="stage", follow_mode="apply")
    port = str(free_port())
    make_host(settings.SERVING_NAME)
    assert "wants a token" in said(reach="port", port=port, port_host="0.0.0.0")  # noqa: S104
    assert "without a token" in said(reach="port", port=port)
    assert "is no IP address" in said(reach="port", port=port, port_host="x")
    assert "192.0.2.7 is no address of this machine" in said(reach="port", port=port, port_host="192.0.2.7")
    assert "No host that is alive offers this target" in said(target="docker")
    assert people.cleo.browser().post(path, SENT).status_code == 404


def test_checks_look_whether_the_port_is_free_here(people: People, version: ModelVersion) -> None:
    here = make_host(settings.SERVING_NAME)
    path = f"/deployments/new/checks/?model={version.model_id}"
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        sent = SENT | {"reach": "port", "port": str(number)}
        said = people.ben.browser().post(path, sent, headers=HTMX).content.decode()
        # Where it would be listened on elsewhere, nobody here knows.
        ServingHost.objects.filter(pk=here.pk).update(name="another")
        assert "is taken" not in people.ben.browser().post(path, sent, headers=HTMX).content.decode()
    assert f"Port {number} is taken by " in said and f"(process {os.getpid()})" in said
    assert "Nothing stands against it." not in said and "answers whoever" not in said


@pytest.mark.parametrize("name", ["No Name", "-iris", "iris_2", "hosts", "a" * 64])
def test_checks_show_an_address_for_a_good_name_alone(people: People, version: ModelVersion, name: str) -> None:
    make_host()
    path = f"/deployments/new/checks/?model={version.model_id}"
    said = people.ben.browser().post(path, SENT | {"name": name, "memory_mb": "1"}, headers=HTMX).content.decode()
    assert "/serve/" not in said and "Nothing stands against it." not in said
    assert "Name: " in said and "Memory limit, MB: " in said


def test_another_configuration_is_another_revision(people: People) -> None:
    deployment = ready_deployment(people.ada)
    sent = SENT | {"part": "config", "memory_mb": "256", "reason": "smaller"}
    browser = people.ben.browser()
    assert browser.post(f"{PAGE}settings/", SENT | {"part": "config"}).status_code == 422
    assert browser.post(f"{PAGE}settings/", sent).status_code == 302
    wanted = fresh(deployment).wanted
    assert wanted is not None
    assert (wanted.number, wanted.config, wanted.reason) == (2, {"memory_mb": 256}, "smaller")
    assert browser.post(f"{PAGE}settings/", sent | {"memory_mb": "1"}).status_code == 422
    assert browser.post(f"{PAGE}settings/", {"part": "moon"}).status_code == 400
    assert people.vera.browser().post(f"{PAGE}settings/", sent).status_code == 403


def test_rules_and_port_are_for_who_manages_it(people: People) -> None:
    deployment = ready_deployment(people.ada)
    rules = {"part": "rules", "follows": "stage", "stage": "Staging", "follow_mode": "apply", "stages": ["Staging"]}
    port = {"part": "port", "reach": "port", "port": "5002", "port_host": "127.0.0.1"}
    for sent in (rules, port):
        assert people.ben.browser().post(f"{PAGE}settings/", sent).status_code == 403
        assert people.max.browser().post(f"{PAGE}settings/", sent).status_code == 302
    found = fresh(deployment)
    assert (found.follows, found.followed, found.stages, found.port) == ("stage", "Staging", ["Staging"], 5002)
    assert people.max.browser().post(f"{PAGE}settings/", port | {"port": "1"}).status_code == 422
    about = {"part": "about", "description": "<b>for the desk</b>"}
    assert people.ben.browser().post(f"{PAGE}settings/", about).status_code == 302
    assert "<b>for the desk</b>" not in people.ben.browser().get(PAGE).content.decode()


def test_stop_start_and_delete_by_name(people: People) -> None:
    deployment = ready_deployment(people.ada)
    browser = people.max.browser()
    assert browser.post(f"{PAGE}delete/", {"name": "iris"}).status_code == 422
    assert browser.post(f"{PAGE}stop/", {"reason": "costs"}).status_code == 302
    assert fresh(deployment).is_stopped
    assert "Stopped" in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}start/").status_code == 302
    assert not fresh(deployment).is_stopped
    browser.post(f"{PAGE}stop/")
    Revision.objects.get().instances.all().delete()
    assert browser.post(f"{PAGE}delete/", {"name": "other"}).status_code == 422
    assert browser.post(f"{PAGE}delete/", {"name": "iris"}, headers=HTMX)["HX-Redirect"] == "/deployments/"
    assert not Deployment.objects.exists()


def test_another_version_by_the_dialog(people: People) -> None:
    deployment = ready_deployment(people.ada)
    servable(people.ada)
    form = people.ben.browser().get(f"{PAGE}deploy/", headers=HTMX).content.decode()
    assert '<option value="2" selected>' in form and "As a canary" in form
    assert people.ben.browser().post(f"{PAGE}deploy/", {"version": "2", "canary": "on"}).status_code == 302
    assert Revision.objects.get(number=2).is_canary
    again = people.ben.browser().get(f"{PAGE}deploy/?revision=1", headers=HTMX).content.decode()
    assert '<option value="1" selected>' in again and "?revision=1" in again
    assert people.ben.browser().post(f"{PAGE}deploy/", {"version": "9"}).status_code == 422
    assert people.ben.browser().get(f"{PAGE}deploy/?revision=99").status_code == 404
    assert people.ben.browser().post(f"{PAGE}scale/", {"instances": "3"}).status_code == 302
    wanted = fresh(deployment).wanted
    assert wanted is not None and wanted.instances_wanted == 3
    assert people.ben.browser().post(f"{PAGE}scale/", {"instances": "0"}).status_code == 422
