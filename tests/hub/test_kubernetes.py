"""hub/kubernetes.yaml: what the chart of Zero to JupyterHub says of our values."""

import hashlib
import json
import os
import re
import urllib.request

import jsonschema
import pytest
import yaml

from bnlib.experiments.mnist import cache_folder
from tests.conftest import ROOT

CHART = "4.4.0"
SOURCE = f"https://raw.githubusercontent.com/jupyterhub/zero-to-jupyterhub-k8s/{CHART}/jupyterhub/"
SHA256 = {
    "values.yaml": "d61742ce43e33262bb8fa0d68b6b9e7a7b229a3c7ce6d5a08cf97788c0ba796b",
    "values.schema.yaml": "1d9d48ee343efda1140edfc3de4d8ec4113ae9173bf9e44b83f19c2ca335a0dc",
}
TEXT = (ROOT / "hub" / "kubernetes.yaml").read_text(encoding="utf-8")
OURS = yaml.safe_load(TEXT)


def of_chart(name: str) -> dict:
    """A file of the chart, from the cache, or from the network into it."""
    file = cache_folder().parent / f"jupyterhub-{CHART}" / name
    if not file.exists():
        try:
            with urllib.request.urlopen(SOURCE + name, timeout=20) as answer:
                content = answer.read()
        except OSError as error:
            pytest.skip(f"the chart's {name} is not in {file.parent}, nor to be had: {error}")
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.replace(file)
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256[name], f"{file} is not what it was"
    return yaml.safe_load(content)


@pytest.fixture(scope="module")
def schema():
    return of_chart("values.schema.yaml")


def merged(base: object, over: object) -> object:
    """As helm merges values: tables key by key, all else is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base.get(key), value) for key, value in over.items()}
    return over


def errors(schema: dict, values: object) -> list[str]:
    return [error.json_path for error in jsonschema.Draft7Validator(schema).iter_errors(values)]


def test_the_chart_takes_our_values(schema):
    assert errors(schema, merged(of_chart("values.yaml"), OURS)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"singleuser": {"memory": {"limit": True}}},
        {"singleuser": {"storge": {"capacity": "1Gi"}}},
        {"cull": {"enabled": "yes"}},
    ],
)
def test_and_would_not_take_a_slip(schema, wrong):
    values = merged(of_chart("values.yaml"), OURS)
    assert errors(schema, merged(values, wrong)) != []


def test_every_version_that_is_named_is_the_checked_one():
    assert set(re.findall(r"(?:release|--version) (\d[\d.]*\d)", TEXT)) == {CHART}


def test_a_student_gets_the_same_as_on_one_machine():
    config = (ROOT / "hub" / "lessons_config.py").read_text(encoding="utf-8")
    single = OURS["singleuser"]
    assert f'c.Spawner.default_url = "{single["defaultUrl"]}"' in config
    assert f'MEMORY = "{single["memory"]["limit"]}"' in config
    assert f"IDLE_SECONDS = {OURS['cull']['timeout'] // 3600} * 3600" in config
    assert single["cmd"] == ["python", "/srv/bnlib/hub/student.py"]
    assert "--target-repo-dir /srv/bnlib " in TEXT
    assert json.dumps(single["extraEnv"]) in config
