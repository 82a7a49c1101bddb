"""context.json: what a project is made of, in real folders; both versions; when it is old."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jsonschema
import pytest

from devloop.errors import Refused
from devloop.state import context, detecting, schema

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCHEMA = jsonschema.Draft202012Validator(schema.load("context"))
PYPROJECT = """[project]
name = "thing"
requires-python = ">=3.12"
dependencies = ["fastapi>=0.1", "SQLAlchemy[asyncio]>=2", "python_multipart"]
[dependency-groups]
dev = ["pytest>=8", {include-group = "x"}]
[build-system]
build-backend = "hatchling.build"
[tool.ruff]
"""


def found(project):
    value = detecting.detect(project, NOW)
    SCHEMA.validate(value)
    read, faults = context.read(json.dumps(value))
    assert faults == () and json.loads(read.model_dump_json(by_alias=True)) == value
    return value


def test_an_empty_folder_is_a_context_too(project):
    value = found(project)
    assert value["language"] is None and value["languages"] == [] and value["packageManager"] is None


def test_a_python_project(project, put):
    put("pyproject.toml", PYPROJECT)
    put("uv.lock", "")
    for name in ("src/thing/a.py", "src/thing/b.py", "tests/test_a.py", "docs/index.md", ".github/workflows/x.yml"):
        put(name, "")
    put("Dockerfile", "")
    value = found(project)
    assert (value["language"], value["languageVersion"], value["name"]) == ("python", "3.12", "thing")
    assert (value["framework"], value["testFramework"], value["buildTool"]) == ("fastapi", "pytest", "hatch")
    assert value["packageManager"] == "uv"
    features = value["features"]
    assert features["hasTests"] and features["hasDocker"] and features["hasCI"] and not features["hasMakefile"]
    assert features["hasDatabase"] and features["hasUpload"] and features["hasAPI"] and not features["hasPayments"]
    assert value["paths"]["source"] == "src" and value["paths"]["tests"] == "tests" and value["paths"]["docs"] == "docs"
    assert value["languages"] == [{"name": "python", "share": 1.0, "manifest": "pyproject.toml"}]
    assert [each["path"] for each in value["inputs"]] == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "package.json": '{"packageManager": "pnpm@9",'
                ' "dependencies": {"next": "1"}, "devDependencies": {"vitest": "1"},'
                ' "engines": {"node": ">=20"}}',
                "src/a.ts": "",
            },
            ("typescript", "20", "next", "vitest", "pnpm"),
        ),
        (
            {"go.mod": "module x\n\ngo 1.22\n\nrequire github.com/gin-gonic/gin v1.9.1\n", "cmd/a.go": ""},
            ("go", "1.22", "gin", "go test", "go"),
        ),
        (
            {
                "Cargo.toml": '[package]\nname = "x"\nrust-version = "1.75"\n[dependencies]\naxum = "1"\n',
                "src/a.rs": "",
                "Cargo.lock": "",
            },
            ("rust", "1.75", "axum", "cargo test", "cargo"),
        ),
        (
            {"requirements.txt": "# c\nDjango==5\n-r x\npytest\n", "app/a.py": ""},
            ("python", None, "django", "pytest", "pip"),
        ),
        (
            {
                "composer.json": '{"require": {"laravel/framework": "1"}, "require-dev": {"phpunit/phpunit": "1"}}',
                "a.php": "",
            },
            ("php", None, "framework", "phpunit", "composer"),
        ),
    ],
)
def test_other_stacks(project, put, files, expected):
    for name, text in files.items():
        put(name, text)
    value = found(project)
    keys = ("language", "languageVersion", "framework", "testFramework", "packageManager")
    assert tuple(value[key] for key in keys) == expected


def test_a_monorepo_has_members_with_their_own_language_and_suggestions(project, put):
    put("server/pyproject.toml", '[project]\nname = "srv"\n[tool.pytest.ini_options]\n[tool.mypy]\n')
    put("server/a.py", "")
    put("client/package.json", '{"name": "cli", "scripts": {"test": "vitest", "odd": "x"}}')
    put("client/tsconfig.json", "{}")
    put("client/a.ts", "")
    put("client/b.ts", "")
    put("client/node_modules/dep/package.json", '{"name": "dep"}')
    put("tests/fixtures/p/package.json", '{"name": "fixture"}')
    value = found(project)
    assert [(each["path"], each["language"], each["gates"]) for each in value["workspaces"]] == [
        ("client", "typescript", {"test": "npm run test"}),
        ("server", "python", {"test": "pytest", "types": "mypy"}),
    ]
    assert [(each["name"], each["share"]) for each in value["languages"]] == [("typescript", 0.667), ("python", 0.333)]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"name": 3, "dependencies": []}', '{"dependencies": {"a": {}}}', "\udcff"]
)
def test_a_broken_manifest_hurts_nothing(project, put, text):
    data = text.encode("utf-8", "surrogateescape")
    for name in ("package.json", "pyproject.toml", "Cargo.toml", "composer.json", "go.mod"):
        put(name, data)
    found(project)


def test_a_link_is_not_followed(project, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_text("")
    (project / "loop").symlink_to(project)
    (project / "away").symlink_to(tmp_path / "outside")
    (project / "pyproject.toml").symlink_to(tmp_path / "outside" / "secret.toml")
    assert found(project)["languages"] == []


def test_it_is_old_when_an_input_changes_goes_or_comes(project, put):
    put("pyproject.toml", PYPROJECT)
    known, _ = context.read(json.dumps(found(project)))
    assert not context.stale(project, known)
    put("package.json", "{}")
    assert context.stale(project, known)
    (project / "package.json").unlink()
    put("pyproject.toml", PYPROJECT + "\n")
    assert context.stale(project, known)
    (project / "pyproject.toml").unlink()
    assert context.stale(project, known)


def test_version_1_is_read_with_its_language_version():
    old = {
        "detected": "2025-12-29T05:00:00Z",
        "language": "python",
        "version": "3.12",
        "framework": "fastapi",
        "testFramework": "pytest",
        "buildTool": "hatch",
        "packageManager": "uv",
        "features": {"hasTests": True, "hasDocker": False},
        "paths": {"source": "src", "tests": "tests", "docs": "docs"},
    }
    read, faults = context.read(json.dumps(old))
    assert faults == () and read.version == 2 and read.language_version == "3.12" and read.features["hasTests"]
    assert context.environment(read) == {
        "FEATURE_DEV_PROJECT_LANGUAGE": "python",
        "FEATURE_DEV_PROJECT_FRAMEWORK": "fastapi",
        "FEATURE_DEV_PROJECT_TEST_FRAMEWORK": "pytest",
        "FEATURE_DEV_PROJECT_TYPE": "single",
    }


def test_a_wrong_file_says_where():
    _, faults = context.read('{\n "version": 2,\n "detected": "x",\n "features": {"hasTests":\n "yes please"}}')
    assert [each.line for each in faults] == [4]


def test_writing_says_nothing_new_when_only_the_time_is_new(project, put):
    put("pyproject.toml", PYPROJECT)
    assert context.write(project, detecting.detect(project, NOW))
    assert not context.write(project, detecting.detect(project, datetime.now(UTC)))
    newer = put(context.PATH, '{"version": 3, "detected": "x"}')
    with pytest.raises(Refused):
        context.write(project, detecting.detect(project, NOW))
    assert newer.read_text() == '{"version": 3, "detected": "x"}'
    assert context.read(newer.read_text())[1][0].severity == "warning"
