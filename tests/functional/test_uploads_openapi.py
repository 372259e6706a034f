"""docs/openapi.yaml says what the API answers: same routes, same methods, and the shapes of real answers."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import get_resolver

from core.models import Upload
from tests.functional.uploading import Uploader

DESCRIPTION = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text())
METHODS = {"get", "put", "post", "delete"}


def described() -> dict[str, set[str]]:
    return {path: METHODS & set(item) for path, item in DESCRIPTION["paths"].items()}


def routes() -> set[str]:
    """Return every route below /core/api/ with the description's placeholders."""
    core = next(pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "core")
    patterns = [f"/core/{pattern.pattern}" for pattern in core.url_patterns]
    named = [re.sub(r"<\w+:(\w+)>", r"{\1}", route).replace("{pk}", "{id}") for route in patterns]
    return {route for route in named if route.startswith("/core/api/")}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its reference followed and its parts merged."""
    if "$ref" in schema:
        return resolved(DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    merged: dict[str, Any] = {"required": [], "properties": {}}
    for part in map(resolved, schema.get("allOf", [])):
        merged["required"] += part["required"]
        merged["properties"] |= part["properties"]
    return merged if "allOf" in schema else schema


def resolved_property(schema: str, name: str) -> dict[str, Any]:
    return DESCRIPTION["components"]["schemas"][schema]["properties"][name]


def has_shape(value: dict[str, Any], name: str) -> bool:
    schema = resolved({"$ref": f"#/components/schemas/{name}"})
    return set(schema["required"]) <= set(value) <= set(schema["properties"])


def test_every_route_is_described_and_every_description_has_a_route():
    assert set(described()) == routes()


@pytest.mark.django_db
def test_every_method_is_described_and_no_other_is_taken():
    client = Client()
    for path, methods in described().items():
        url = path.replace("{id}", "00000000-0000-4000-8000-000000000000").replace("{number}", "1")
        taken = {name for name in METHODS if getattr(client, name)(url).status_code != 405}
        assert taken == methods, path


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "video/mp4"])
def test_what_cannot_be_read_gets_an_answer_that_is_described(ben, as_user, content_type):
    client = as_user(ben)
    for path, item in DESCRIPTION["paths"].items():
        url = path.replace("{id}", "00000000-0000-4000-8000-000000000000").replace("{number}", "null")
        for method in METHODS & set(item):
            answer = client.generic(method.upper(), url, b"\0", content_type=content_type)
            described_answers = {int(status) for status in item[method]["responses"]}
            assert answer.status_code in described_answers, (method, path, answer.status_code)


def test_every_reference_leads_somewhere():
    text = str(DESCRIPTION)
    for kind, name in re.findall(r"#/components/(\w+)/(\w+)", text):
        assert name in DESCRIPTION["components"][kind]


def test_real_answers_have_the_shapes_described(ben, classroom, clip, as_user, local_store):
    sender = Uploader(as_user(ben), classroom, clip.read_bytes())
    assert set(sender.fields) <= set(resolved({"$ref": "#/components/schemas/OpenUpload"})["properties"])
    assert has_shape(sender.open().json(), "Upload")
    assert has_shape(sender.sign(1).json(), "SignedRequest")
    assert has_shape(sender.sign_all().json()["parts"][0], "NumberedRequest")
    assert set(sender.wish(1)) == set(resolved(resolved_property("SignParts", "parts")["items"])["properties"])
    missing = sender.complete()
    assert has_shape(missing.json(), "Problem")
    sender.send_all()
    done = sender.complete()
    assert has_shape(done.json(), "Upload")
    assert set(done.json()["video"]) == {"id", "state", "failure"}
    states = DESCRIPTION["components"]["schemas"]["Upload"]["properties"]["state"]["enum"]
    assert set(states) == set(Upload.State.values)


def test_every_refusal_has_a_status_that_is_described():
    from core.views.uploads import REFUSAL_STATUS

    statuses = {status for item in DESCRIPTION["paths"].values() for method in METHODS & set(item)
                for status in item[method]["responses"]}  # fmt: skip
    assert {str(status) for status in REFUSAL_STATUS.values()} <= statuses
