"""What `slipway migrate` looks at before it changes a database."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models
from django.db.migrations import AddField, AddIndex, AlterField, CreateModel, Migration, RemoveField, RunPython
from django.db.migrations.operations.base import Operation

from slipway.upgrade import Upgrade, is_additive
from tests.servers import postgres_database, postgres_is_there
from tests.slipway.backup.installations import SLIPWAY, Installation

INDEX = models.Index(fields=["a"], name="thing_a")


def key(to: str, **how: Any) -> models.Field[Any, Any]:
    """To a row of another table, or of none."""
    return models.ForeignKey(to, models.SET_NULL, null=True, **how)


def made(name: str, *fields: tuple[str, models.Field[Any, Any]]) -> CreateModel:
    return CreateModel(name, [("id", models.BigAutoField(primary_key=True)), *fields])


@pytest.mark.parametrize(
    ("operation", "adds"),
    [
        (made("Other"), True),
        (made("Other", ("thing", key("things.Thing"))), True),
        # Who does not know of it can't delete a user that it points at.
        (made("Other", ("user", key("accounts.User"))), False),
        (made("Other", ("user", key("accounts.User", db_constraint=False))), True),
        (AddIndex("thing", INDEX), True),
        (AddIndex("old", INDEX), False),
        (AddIndexConcurrently("old", INDEX), True),
        (AddField("old", "a", models.TextField(null=True)), True),
        (AddField("old", "a", models.TextField(db_default="")), True),
        (AddField("old", "a", models.TextField(default="")), False),
        (AddField("old", "a", key("accounts.User")), False),
        (AddField("old", "a", models.ManyToManyField("auth.Group")), False),
        (AlterField("old", "a", models.TextField()), False),
        (RemoveField("old", "a"), False),
        (RunPython(RunPython.noop), False),
    ],
)
def test_what_only_adds_can_be_rolled(operation: Operation, adds: bool) -> None:
    migration = type("Migration", (Migration,), {"operations": [made("Thing"), operation]})("0002_more", "things")
    assert is_additive(migration) == adds


def test_where_there_is_no_place_for_it(tmp_path: Path) -> None:
    there = Installation(tmp_path / "home", {"DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/slipway.db"})
    assert there.slipway("migrate", code=2).startswith("slipway: DATABASE_URL: ")
    assert "takes no registry" in there.slipway("migrate", "--preflight", "registry", code=2)


def test_too_little_disk_is_said_before() -> None:
    found = Upgrade(("registry.0002_more",), (), is_first=False, rolls=True, needed=300 * 2**20, free=20 * 2**20)
    assert "300 MiB are needed" in found.refusal()
    assert "20 MiB are free" in found.refusal()


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    there = Installation(tmp_path / "home")
    assert "The database is empty" in there.slipway("migrate", "--preflight")
    there.slipway("migrate", "-v", "0")
    assert there.slipway("migrate", "--preflight") == "Nothing has to be done."
    with closing(sqlite3.connect(there.home / "slipway.db")) as connection, connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('registry', '0999_new', '2030-01-01')"
        )
        connection.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    before = there.rows()
    assert "registry.0999_new" in there.slipway("migrate", code=2)
    assert there.rows() == before
    said = subprocess.run(
        [SLIPWAY, "migrate", "--preflight"], env=there.env, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout.startswith("It can't be done: the database is of a newer release")


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_of_two_at_once_one_waits(vendor: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        settings = {}
        if vendor == "postgresql":
            if not postgres_is_there():
                pytest.skip("PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES")
            settings["DATABASE_URL"] = stack.enter_context(postgres_database())
        there = Installation(tmp_path / "home", settings)
        command = [str(SLIPWAY), "migrate", "-v", "0"]
        both = [subprocess.Popen(command, env=there.env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ends = [(process.communicate()[1], process.returncode) for process in both]
        assert ends == [("", 0), ("", 0)]
        assert there.slipway("migrate", "--preflight") == "Nothing has to be done."
