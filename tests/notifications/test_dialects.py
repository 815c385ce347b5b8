from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.errors import InvalidInput
from apps.notifications import outbox
from apps.notifications.actions import HookChange, publish
from apps.notifications.dialects import DIALECTS, Secrets, dialect_of
from apps.notifications.hook_events import EVENTS, EXAMPLES
from tests.notifications.happenings import happening
from tests.notifications.hooks import make_hook
from tests.personas import People
from tests.receiver import Received, Receiver, receiver

SECRET = "hush"
FACTS = {"name": "iris", "version": "2", "comment": "ship it", "request_id": 3}


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def sent(people: People, there: Receiver, dialect: str, word: str, event: str, **facts: object) -> Received:
    """What arrives of one event at a webhook of the dialect that asked for `word`."""
    secret = SECRET if dialect_of(dialect).takes_secret else ""
    authorization = "Bearer t" if dialect_of(dialect).takes_authorization else ""
    more: dict[str, Any] = {"events": [word], "secret": secret, "authorization": authorization}
    make_hook(people, f"{there.url}/hook?key=1", dialect=dialect, **more)
    publish(people.ada.actor, happening=happening(people, event=event, facts={**FACTS, **facts}))
    assert outbox.send_due() == 1
    return there.got[0]


def base64_of(key: str, content: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), content, hashlib.sha256).digest()).decode()


def test_mlflow(people: People, there: Receiver) -> None:
    got = sent(people, there, "mlflow", "model_version.created", "model_version.created", source="runs:/1/model")
    signed = b".".join([got.headers["X-MLflow-Delivery-Id"].encode(), got.headers["X-MLflow-Timestamp"].encode()])
    assert got.headers["X-MLflow-Signature"] == f"v1,{base64_of(SECRET, signed + b'.' + got.body)}"
    body = json.loads(got.body)
    assert (body["entity"], body["action"], body["workspace"]) == ("model_version", "created", "forge")
    lacking: dict[str, Any] = {"run_id": None, "tags": {}, "description": None}
    assert body["data"] == {"name": "iris", "version": "2", "source": "runs:/1/model", **lacking}


def test_databricks(people: People, there: Receiver) -> None:
    word = "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION"
    moved = {"from_stage": "Staging", "to_stage": "Production"}
    got = sent(people, there, "databricks", word, "model_version.stage_changed", **moved)
    expected = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert (got.headers["X-Databricks-Signature"], got.headers["Authorization"]) == (expected, "Bearer t")
    body = json.loads(got.body)
    assert body.items() >= {"event": word, "model_name": "iris", "version": "2", "comment": "ship it", **moved}.items()
    assert "ada asked" in body["text"]


def test_databricks_tells_each_move_once_by_the_narrowest_word(people: People, there: Receiver) -> None:
    words = ["MODEL_VERSION_TRANSITIONED_STAGE", "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION"]
    make_hook(people, there.url, dialect="databricks", events=words)
    for stage in ("Production", "Staging", "None"):
        told = happening(people, event="model_version.stage_changed", facts={**FACTS, "to_stage": stage})
        publish(people.ada.actor, happening=told)
        outbox.send_due()
    assert [json.loads(got.body)["event"] for got in there.got] == [words[1], words[0], words[0]]


def test_databricks_tag(people: People, there: Receiver) -> None:
    got = sent(people, there, "databricks", "MODEL_VERSION_TAG_SET", "model_version_tag.set", key="k", value="v")
    assert json.loads(got.body)["tags"] == [{"key": "k", "value": "v"}]


def test_generic(people: People, there: Receiver) -> None:
    got = sent(people, there, "generic", "promotion_request.approved", "promotion_request.approved")
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    assert got.headers["webhook-signature"] == f"v1,{base64_of(SECRET, signed)}"
    body = json.loads(got.body)
    assert (body["type"], body["actor"], body["data"]) == ("promotion_request.approved", "ada", FACTS)
    assert body["url"] == "http://localhost:5000/models/forge/iris/versions/2/"


def test_slack(people: People, there: Receiver) -> None:
    make_hook(people, there.url, dialect="slack", events=["comment.created"])
    told = happening(people, event="comment.created", facts=FACTS, text="ada wrote: <!channel> a & b")
    publish(people.ada.actor, happening=told)
    outbox.send_due()
    text = json.loads(there.got[0].body)["text"]
    assert text.startswith("ada wrote: &lt;!channel&gt; a &amp; b <http://localhost:5000/models/")


def test_feishu(people: People, there: Receiver) -> None:
    body = json.loads(sent(people, there, "feishu", "comment.created", "comment.created").body)
    assert body["sign"] == base64_of(f"{body['timestamp']}\n{SECRET}", b"")
    assert body["msg_type"] == "text"
    assert body["content"]["text"].startswith("ada asked")


def test_dingtalk(people: People, there: Receiver) -> None:
    got = sent(people, there, "dingtalk", "comment.created", "comment.created")
    query = parse_qs(urlsplit(got.path).query)
    stamp = query["timestamp"][0]
    assert query["sign"] == [base64_of(SECRET, f"{stamp}\n{SECRET}".encode())]
    assert query["key"] == ["1"]
    assert json.loads(got.body)["msgtype"] == "text"


@pytest.mark.parametrize(
    ("code", "answer", "refused"),
    [
        ("feishu", '{"code": 19021, "msg": "sign match fail"}', True),
        ("feishu", '{"StatusCode": 0, "code": 0}', False),
        ("dingtalk", '{"errcode": 310000, "errmsg": "sign not match"}', True),
        ("dingtalk", '{"errcode": 0}', False),
        ("dingtalk", "thank you", False),
        ("slack", "ok", False),
        ("generic", '{"code": 1, "errcode": 1}', False),
    ],
)
def test_chats_that_say_200_to_everything(code: str, answer: str, refused: bool) -> None:
    assert bool(dialect_of(code).refusal(answer)) == refused


@pytest.mark.parametrize("code", sorted(DIALECTS))
def test_every_word_has_an_example_that_comes_back_under_it(code: str) -> None:
    dialect = DIALECTS[code]
    for word in dialect.words():
        event, facts = dialect.example_of(word)
        if word.startswith("budget_policy"):
            continue
        assert event in EVENTS
        assert word in dialect.words_of(event, {**EXAMPLES[event], **facts})


def test_secrets_are_not_kept_in_the_clear(people: People, there: Receiver) -> None:
    got = sent(people, there, "feishu", "comment.created", "comment.created")
    hook = make_hook(people, there.url, dialect="generic", secret=SECRET, authorization="Bearer t")
    hook.refresh_from_db()
    assert SECRET not in hook.sealed_secret
    assert "Bearer" not in hook.sealed_authorization
    delivery = hook.__class__.objects.get(dialect="feishu").deliveries.get()
    assert json.loads(got.body)["sign"] not in delivery.payload


def test_what_holds_secrets_does_not_show_them() -> None:
    secrets = Secrets(SECRET, "Bearer t")
    call = dialect_of("generic").call("https://x.example/token", "{}", uuid4(), timezone.now(), secrets)
    change = HookChange(url="https://x.example/token", secret=SECRET, authorization="Bearer t")
    shown = f"{secrets!r} {call!r} {change!r}"
    assert not any(word in shown for word in (SECRET, "Bearer", "token"))


def test_a_dialect_that_is_none() -> None:
    with pytest.raises(InvalidInput):
        dialect_of("pigeon")
