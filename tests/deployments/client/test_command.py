"""`slipway deployments`, as somebody types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from apps.deployments import actions
from apps.deployments.client import following, server, waiting
from apps.deployments.models import Deployment, Instance, InstanceLog, Revision, RevisionState
from slipway.cli.deployments import main
from tests.deployments.client.loop import URI, Loop, connect
from tests.deployments.making import (
    add_revision,
    fail,
    fresh,
    make_deployment,
    make_host,
    make_instance,
    make_ready,
    ready_deployment,
    servable,
)
from tests.personas import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def loop(people: People, monkeypatch: pytest.MonkeyPatch) -> Loop:
    """The caller is Ada."""
    return connect(monkeypatch, people.ada)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens while the command waits: one step at each look."""
    steps: list[Callable[[], Any]] = []

    def sleep(seconds: float) -> None:
        assert steps, "it waits for more than happens"
        steps.pop(0)()

    for module in (waiting, following, server):
        monkeypatch.setattr(module.time, "sleep", sleep)
    return lambda *more: steps.extend(more)


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code, and what it printed and said."""
    capsys.readouterr()
    code = main(words)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_create(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    servable(people.ada)
    words = [
        "create",
        "flowers",
        "-m",
        "models:/iris/1",
        "-C",
        "instances=2",
        "-C",
        "env_vars.LEVEL=3",
        "--follow",
        "stage:Production",
    ]
    code, out, err = typed(capsys, *words, "--mode", "apply", "--port", "5001", "--description", "Irises.")
    assert (code, out, err) == (0, "", f"flowers is being made: {URI}/deployments/flowers/\n")
    made = Deployment.objects.get(name="flowers")
    assert (made.follows, made.followed, made.follow_mode, made.port) == ("stage", "Production", "apply", 5001)
    assert made.config == {"instances": 2, "env_vars": {"LEVEL": "3"}}
    code, _, err = typed(capsys, *words)
    assert (code, "unique on the site" in err) == (2, True)


def test_create_waits_until_it_serves(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str], meanwhile: Callable[..., None]
) -> None:
    servable(people.ada)
    make_host()

    def state(of: RevisionState) -> Callable[[], Any]:
        return lambda: Revision.objects.update(state=of)

    meanwhile(state(RevisionState.BUILDING), state(RevisionState.STARTING), lambda: make_ready(Revision.objects.get()))
    code, out, err = typed(capsys, "create", "flowers", "-m", "models:/iris/1", "--wait", "--json")
    assert (code, json.loads(out)["state"]) == (0, "ready")
    assert err.splitlines()[1:] == [
        "flowers: Revision 1 (version 1) is about to be built.",
        "flowers: The environment of Revision 1 (version 1) is being made.",
        "flowers: Revision 1 (version 1) starts: 0 of 1 instances answer.",
        "Revision 1 of flowers (iris version 1) serves.",
    ]


def test_waiting_for_what_fails(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str], meanwhile: Callable[..., None]
) -> None:
    make_deployment(people.ada)
    meanwhile(lambda: fail(Revision.objects.get(), "No module named 'nothing'."))
    code, _, err = typed(capsys, "wait", "iris")
    assert (code, err.splitlines()[-1]) == (1, "Revision 1 of iris (iris version 1) failed: No module named 'nothing'.")


def test_waiting_for_what_comes_to_nothing(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = ready_deployment(people.ada)
    add_revision(people.ada, deployment)
    assert "is not wanted any more; revision 2 is" in typed(capsys, "wait", "iris", "--revision", "1")[2]
    code, _, err = typed(capsys, "wait", "iris", "--timeout", "1")
    assert (code, err.splitlines()[-1].split(":")[0]) == (1, "After 1 s it is pending")
    actions.stop_deployment(people.ada.actor, deployment=deployment)
    said = "iris is stopped: it is started with `slipway deployments start iris`.\n"
    assert typed(capsys, "wait", "iris")[::2] == (1, said)
    assert typed(capsys, "wait", "none")[0] == 2


def test_waiting_for_a_port_that_can_t_be_had(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = ready_deployment(people.ada)
    Deployment.objects.update(port=5001)
    actions.note_port_error(people.root.actor, deployment_id=deployment.pk, port=5001, error="python3 has it.")
    code, _, err = typed(capsys, "wait", "iris")
    assert (code, err.splitlines()[-1].partition(" serves")[2]) == (1, ", but not at its port 5001: python3 has it.")


def test_update_deploys_or_changes_rules(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    ready_deployment(people.ada)
    servable(people.ada)
    assert typed(capsys, "update", "iris", "-m", "models:/iris/2", "--canary", "--reason", "Try.")[0] == 0
    second = Revision.objects.get(number=2)
    assert (second.version_number, second.is_canary, second.reason) == (2, True, "Try.")
    assert typed(capsys, "update", "iris", "-C", "workers=2", "--stage", "None", "--stage", "Staging")[0] == 0
    deployment = Deployment.objects.get()
    assert (deployment.config, deployment.stages) == ({"workers": 2}, ["None", "Staging"])
    code, out, _ = typed(capsys, "update", "iris", "--stage", "any", "--port", "5001", "--mode", "apply", "--json")
    assert (code, json.loads(out)["stages"], json.loads(out)["port"]) == (0, [], 5001)
    assert typed(capsys, "update", "iris", "--port", "none")[0] == 0
    deployment.refresh_from_db()
    assert (deployment.port, deployment.follow_mode, Revision.objects.count()) == (None, "apply", 3)


def test_what_is_asked_of_a_stopped_one_is_said_to_wait(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = ready_deployment(people.ada)
    servable(people.ada)
    actions.stop_deployment(people.ada.actor, deployment=deployment)
    waits = "is made once it is started, with `slipway deployments start iris`.\n"
    asked = typed(capsys, "update", "iris", "-m", "models:/iris/2")
    assert asked == (0, "", f"iris is stopped: revision 2 (version 2) {waits}")
    assert typed(capsys, "rollback", "iris") == (0, "", f"iris is stopped: revision 1 (version 1) {waits}")
    code, _, err = typed(capsys, "update", "iris", "-C", "workers=2", "--wait")
    assert (code, err.count("is stopped")) == (1, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["update", "iris"], "Say what to change"),
        (["update", "iris", "-C", "cpu=1"], "There is no 'cpu'"),
        (["update", "iris", "-C", "workers"], "no name=value"),
        (["update", "iris", "-C", "workers=many"], "workers"),
        (["update", "iris", "--port", "many"], "no whole number"),
        (["update", "iris", "--port", "none", "--open"], "nothing to open"),
        (["update", "iris", "--follow", "Production"], "can't be followed"),
        (["update", "iris", "-m", "models:/iris/9"], "not found"),
        (["update", "../tokens", "-C", "workers=2"], "no name of a deployment"),
        (["shift", "iris", "2=much"], "REVISION=PERCENT"),
        (["shift", "iris", "9=10"], "no revision 9"),
        (["scale", "iris", "0"], "stop the deployment"),
        (["rollback", "iris"], "no earlier revision"),
        (["delete", "iris"], "stop it before"),
        (["accept", "iris"], "Nothing is proposed"),
        (["dismiss", "iris"], "Nothing is proposed"),
        (["show", "none"], "No deployment 'none'"),
        (["logs", "iris", "--instance", "999999"], "no instance 999999"),
    ],
)
def test_what_is_refused(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    ready_deployment(people.ada)
    code, out, err = typed(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("slipway deployments: ") and said in err


@pytest.mark.parametrize("words", [[], ["dance"], ["create", "x"], ["list", "--state", "fine"], ["scale", "iris", "x"]])
def test_what_is_no_command(loop: Loop, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)


def test_lists(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    make_host()
    ready_deployment(people.ada)
    make_deployment(people.ada, "tides", version=servable(people.ada, "tides"))
    code, out, _ = typed(capsys, "list")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["NAME", "STATE", "MODEL", "VERSION", "REVISION", "INSTANCES", "TRAFFIC", "AGE", "TEAM"]
    assert lines[1][:6] == ["tides", "pending", "tides", "1", "1", "0/0"]
    assert lines[2][:7] == ["iris", "ready", "iris", "1", "1", "1/1", "1:100%"]
    assert [each["name"] for each in json.loads(typed(capsys, "list", "--json", "--state", "ready")[1])] == ["iris"]
    assert len(typed(capsys, "list", "--limit", "1")[1].splitlines()) == 2
    shown = typed(capsys, "show", "iris")[1]
    assert f"{URI}/serve/iris/invocations" in shown and "Revision 1 (version 1) serves." in shown
    assert json.loads(typed(capsys, "show", "iris", "--json")[1])["is_serving"] is True


def test_revisions_and_instances(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = ready_deployment(people.ada)
    add_revision(people.ada, deployment, canary=True, reason="Try.")
    lines = [line.split() for line in typed(capsys, "revisions", "iris")[1].splitlines()]
    assert lines[1][:7] == ["2", "canary", "pending", "2", "0", "%", "0/1"]
    assert lines[2][:7] == ["1", "*", "ready", "1", "100", "%", "1/1"]
    Instance.objects.update(memory_bytes=300 * 1024**2)
    (_, line) = (line.split() for line in typed(capsys, "instances", "iris")[1].splitlines())
    assert line[1:7] == ["ready", "1", "mill", "process", "300", "MB"]
    Instance.objects.update(ended_ms=1, state="ended")
    assert json.loads(typed(capsys, "instances", "iris", "--json")[1]) == []
    assert len(json.loads(typed(capsys, "instances", "iris", "--json", "--all")[1])) == 1


def test_a_canary_and_the_way_back(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment, canary=True), 0)
    assert typed(capsys, "wait", "iris", "--revision", "2")[2].endswith("is ready, and waits for traffic.\n")
    code, _, err = typed(capsys, "shift", "iris", "2=25", "--reason", "A step.")
    split = "Its traffic is split: Revision 1 (version 1) 75 %, Revision 2 (version 2) 25 %."
    assert (code, err) == (0, f"iris is ready: {split}\n")
    code, _, err = typed(capsys, "shift", "iris", "2=30", "--wait")
    assert (code, err.splitlines()[:2]) == (
        0,
        [
            "Revision 2 of iris (iris version 2) serves 30 % of the calls.",
            "Revision 1 of iris (iris version 1) serves.",
        ],
    )
    Instance.objects.filter(revision__number=2).update(state="unhealthy")
    assert typed(capsys, "shift", "iris", "2=35", "--wait", "--timeout", "1")[0] == 1
    Instance.objects.update(state="ready")
    assert typed(capsys, "end-canary", "iris")[::2] == (0, "iris is ready: Revision 1 (version 1) serves.\n")
    make_ready(add_revision(people.ada, deployment))
    code, out, err = typed(capsys, "rollback", "iris", "--reason", "Slow.", "--wait", "--json")
    # The canary never had all of the traffic.
    assert (code, json.loads(out)["revision"], "goes back to revision" in err) == (0, 1, True)
    assert typed(capsys, "rollback", "iris", "--to", "2")[0] == 0
    assert fresh(deployment).wanted == Revision.objects.get(number=2)


def test_scale_stop_start_and_delete(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str], meanwhile: Callable[..., None]
) -> None:
    deployment = ready_deployment(people.ada)
    meanwhile(lambda: make_instance(Revision.objects.get()))
    code, _, err = typed(capsys, "scale", "iris", "2", "--wait")
    assert (code, err.splitlines()[-1]) == (0, "Revision 1 of iris (iris version 1) serves.")

    def end() -> None:
        Instance.objects.update(ended_ms=1, state="ended")

    meanwhile(end)
    code, _, err = typed(capsys, "stop", "iris", "--wait")
    assert (code, err.splitlines()[0]) == (0, "iris: 2 still run.")
    assert typed(capsys, "start", "iris")[0] == 0
    make_instance(Revision.objects.get())
    assert typed(capsys, "stop", "iris", "--wait", "--timeout", "1")[0] == 1
    meanwhile(end)
    assert typed(capsys, "delete", "iris", "--stop")[::2] == (0, "iris: 1 still runs.\niris is deleted.\n")
    assert not Deployment.objects.filter(pk=deployment.pk).exists()


def write(instance: Instance, text: str) -> None:
    last = InstanceLog.objects.filter(instance=instance).order_by("end").last()
    start = last.end if last else 0
    InstanceLog.objects.create(instance=instance, start=start, end=start + len(text.encode()), text=text)


def test_logs(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    make_deployment(people.ada)
    assert "there is no log" in typed(capsys, "logs", "iris")[2]
    instance = make_instance(Revision.objects.get())
    write(instance, "one\n")
    write(instance, "two\n")
    assert typed(capsys, "logs", "iris") == (0, "one\ntwo\n", "")
    assert typed(capsys, "logs", "iris", "--tail", "4") == (0, "two\n", "")
    InstanceLog.objects.filter(start=0).delete()
    assert typed(capsys, "logs", "iris", "--instance", str(instance.pk)) == (0, "two\n", "(older lines are not kept)\n")


def test_a_log_tells_the_terminal_nothing(people: People, loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = ready_deployment(people.ada)
    instance = Instance.objects.get(revision__deployment=deployment)
    evil = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b[31mred\x1b[0m 10 %\r20 %\r\n\x9b1A\x08end\n"
    InstanceLog.objects.create(instance=instance, start=0, end=len(evil.encode()), text=evil)
    shown = "␛]52;c;cm0gLXJm␇␛[2J\x1b[31mred\x1b[0m 10 %\n20 %\n\ufffd1A␈end\n"
    assert typed(capsys, "logs", "iris") == (0, shown, "")


def test_logs_are_followed_from_instance_to_instance(
    people: People,
    loop: Loop,
    capsys: pytest.CaptureFixture[str],
    meanwhile: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_host()
    deployment = make_deployment(people.ada)
    Revision.objects.update(state=RevisionState.STARTING)
    first = make_instance(Revision.objects.get())
    write(first, "one\n")
    Instance.objects.update(ended_ms=1, state="ended")
    monkeypatch.setattr(following, "_WAIT_SECONDS", 0)

    def another() -> None:
        write(make_instance(Revision.objects.get()), "two\n")

    def over() -> None:
        Instance.objects.update(ended_ms=1, state="ended")
        actions.stop_deployment(people.ada.actor, deployment=deployment)

    meanwhile(another)
    asked = server.Server.log
    looks: list[int] = []

    def looked_at(self: Any, *given: Any, **more: Any) -> Any:
        piece = asked(self, *given, **more)
        looks.append(1)
        if piece.text == "two\n":
            over()
        return piece

    monkeypatch.setattr(server.Server, "log", looked_at)
    code, out, err = typed(capsys, "logs", "iris", "-f")
    assert (code, out) == (0, "one\ntwo\n")
    second = Instance.objects.latest("pk").pk
    assert err.splitlines() == [
        f"— instance {first.pk} has ended —",
        f"— instance {second} —",
        f"— instance {second} has ended —",
    ]


def test_a_server_that_is_away(
    people: People, loop: Loop, capsys: pytest.CaptureFixture[str], meanwhile: Callable[..., None]
) -> None:
    ready_deployment(people.ada)
    loop.away = 2
    meanwhile(*([lambda: None] * 2))
    code, _, err = typed(capsys, "show", "iris")
    assert (code, err.splitlines()[-1]) == (0, f"{URI} answers again.")
    loop.away = 1
    code, _, err = typed(capsys, "scale", "iris", "2")
    assert (code, "does not answer" in err) == (2, True)
    assert Revision.objects.get().instances_wanted == 1


def test_who_is_nobody(loop: Loop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "wrong")
    code, _, err = typed(capsys, "list")
    assert (code, "does not accept the token in MLFLOW_TRACKING_TOKEN" in err) == (2, True)
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    assert "does not accept the name and password" in typed(capsys, "list")[2]
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    assert "does not know who you are; set MLFLOW_TRACKING_TOKEN" in typed(capsys, "list")[2]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")
    assert "a server is wanted" in typed(capsys, "list")[2]
