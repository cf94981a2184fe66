"""The workflow files: pinned actions, least permissions, and no command but the project's own make targets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
COMMANDS = {"make audit", "make book", "make newest", "make test"}


def load(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text())
    content["on"] = content.pop(True)  # YAML 1.1 reads the key `on` as a truth value
    return content


def steps(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in content["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_the_three_workflows_are_there() -> None:
    assert [path.name for path in WORKFLOWS] == ["book.yml", "newest.yml", "test.yml"]


def test_every_action_is_pinned_by_commit_with_its_version_beside_it(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.search(r"uses: actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_action_has_one_pin_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, commit in re.findall(r"uses: (\S+)@(\S+)", path.read_text()):
            pins.setdefault(action, set()).add(commit)
    assert all(len(commits) == 1 for commits in pins.values()), pins


def test_only_make_targets_are_run(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in (step["run"] for step in steps(load(path)) if "run" in step):
        assert re.fullmatch(r"make \w+( [A-Z]+=\S+)*", command.strip()), command
        target = command.split()[1]
        assert f"make {target}" in COMMANDS
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"the Makefile has no target {target}"


def test_no_expression_is_pasted_into_a_shell(path: Path) -> None:
    assert all("${{" not in step["run"] for step in steps(load(path)) if "run" in step)


def test_permissions_are_read_only_but_for_publication(path: Path) -> None:
    content = load(path)
    assert content["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in content["jobs"].items() if "permissions" in job}
    assert granted == ({"publish": {"pages": "write", "id-token": "write"}} if path.name == "book.yml" else {})


def test_no_credentials_stay_in_the_checkout(path: Path) -> None:
    checkouts = [step for step in steps(load(path)) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_job_has_a_time_limit(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 360 for job in load(path)["jobs"].values())


def test_pull_requests_run_the_tests_without_secrets() -> None:
    content = load(ROOT / ".github" / "workflows" / "test.yml")
    assert "pull_request" in content["on"] and "pull_request_target" not in content["on"]
    assert any(step.get("run", "").startswith("make test") for step in steps(content))
    assert "secrets." not in (ROOT / ".github" / "workflows" / "test.yml").read_text()


def test_the_newest_sphinx_is_tried_every_week() -> None:
    content = load(ROOT / ".github" / "workflows" / "newest.yml")
    assert content["on"]["schedule"] and "push" not in content["on"]


def test_main_builds_the_book_on_the_named_runner_and_publishes_in_a_job_of_its_own() -> None:
    content = load(ROOT / ".github" / "workflows" / "book.yml")
    build, publish = content["jobs"]["build"], content["jobs"]["publish"]
    assert content["on"]["push"]["branches"] == ["main"] and "workflow_dispatch" in content["on"]
    assert build["runs-on"] == "${{ vars.GPU_RUNNER || 'ubuntu-latest' }}"
    assert build["env"]["PROFILE"] == "${{ inputs.profile || (vars.GPU_RUNNER && 'gpu' || 'paper') }}"
    assert publish["needs"] == "build" and publish["if"] == "github.ref == 'refs/heads/main'"
    assert not any("run" in step or "checkout" in step.get("uses", "") for step in publish["steps"])
    kept = " ".join(step["with"]["path"] for step in build["steps"] if "upload" in step.get("uses", ""))
    assert all(f"/{folder}" in kept for folder in ("executed", "results", "figures", "html"))
