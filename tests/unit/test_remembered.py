"""What is kept between processes saves time and changes no digest."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import provenance
import remembered
from campare import registry

SCRIPTS = Path(provenance.__file__).parent
SOURCE = "from campare import other\ndef entry(x):\n    return 1 + x + other.value\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    remembered.keep_in(tmp_path / "kept" / "code")
    yield tmp_path / "kept" / "code"
    remembered.keep_in(None)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    package = tmp_path / "campare"
    package.mkdir()
    (tmp_path / "job_script.py").write_text("from campare import maths\nmaths.entry(1)\n")
    (package / "maths.py").write_text(SOURCE)
    (package / "other.py").write_text("value = 2\n")
    return tmp_path


def forget() -> None:
    """Read source files again, as in a new process."""
    for function in (provenance.code, provenance._symbols, provenance._circumstances):
        function.cache_clear()


def digest(scripts: Path, script: str = "job_script", *entries: str) -> list[str]:
    forget()
    return provenance.code(scripts, script, *entries)


def count_parsed(patch: pytest.MonkeyPatch) -> list[str]:
    parsed: list[str] = []
    original = ast.parse
    patch.setattr(ast, "parse", lambda text: parsed.append(text) or original(text))
    return parsed


def test_digests_of_all_scripts_are_the_same_and_nothing_is_parsed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = registry.functions(registry.CAM_METHODS, registry.CAM_METHODS)
    names = [path.stem for path in SCRIPTS.glob("*.py")]

    def found() -> dict[str, list[str]]:
        forget()
        return {name: provenance.code(SCRIPTS, name, *entries) for name in names}

    first = found()
    parsed = count_parsed(monkeypatch)
    assert found() == first and parsed == []
    remembered.keep_in(None)
    assert found() == first and len(parsed) > len(names)


def test_an_edit_with_the_same_time_and_size_is_seen(scripts: Path, folder: Path) -> None:
    for path, old, new in [
        (scripts / "campare" / "maths.py", "1 + x", "2 + x"),
        (scripts / "job_script.py", "entry(1)", "entry(2)"),
    ]:
        before, state = digest(scripts), path.stat()
        path.write_text(path.read_text().replace(old, new))
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert path.stat().st_size == state.st_size
        assert path.stat().st_mtime_ns == state.st_mtime_ns
        after = digest(scripts)
        assert after != before
        remembered.keep_in(None)
        assert digest(scripts) == after
        remembered.keep_in(folder)


def test_a_name_that_becomes_a_module_is_seen(scripts: Path, folder: Path) -> None:
    package = scripts / "campare"
    (package / "__init__.py").write_text("other = 3\n")
    (package / "other.py").unlink()
    before = [line.split()[0] for line in digest(scripts)]
    (package / "other.py").write_text("value = 2\n")
    after = [line.split()[0] for line in digest(scripts)]
    assert before == [".other", "job_script", "maths.entry"]
    assert after == ["job_script", "maths.entry", "other.value"]


@pytest.mark.parametrize("change", ["cut", "edited", "other key", "empty", "bytes", "folder"])
def test_a_damaged_file_is_ignored(
    change: str, scripts: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = digest(scripts)
    (file,) = folder.glob("campare.maths.json")
    text = file.read_text()
    code = next(line.split()[1] for line in right if line.startswith("maths.entry"))
    assert code in text
    if change == "folder":
        file.unlink()
        file.mkdir()
    elif change == "bytes":
        file.write_bytes(b"\xff\x00")
    else:
        changed = {
            "cut": text[:-5],
            "edited": text.replace(code, code[::-1]),
            "other key": "0" + text[1:] if text[0] != "0" else "1" + text[1:],
            "empty": "",
        }
        file.write_text(changed[change])
    parsed = count_parsed(monkeypatch)
    assert digest(scripts) == right
    assert parsed == [SOURCE]  # and no other
    if change != "folder":
        assert file.read_text() == text  # written again
    assert not [path for path in folder.iterdir() if path.suffix != ".json"]


def test_a_folder_that_cannot_be_made_or_written_to_is_no_error(
    scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = digest(scripts)
    (tmp_path / "file").write_text("")
    remembered.keep_in(tmp_path / "file" / "code")
    assert digest(scripts) == right

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    remembered.keep_in(tmp_path / "code")
    assert digest(scripts) == right
    assert list((tmp_path / "code").iterdir()) == []
    remembered.keep_in(None)


def test_processes_that_write_at_the_same_time_agree(scripts: Path, folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import provenance, remembered\n"
        "remembered.keep_in(sys.argv[1])\n"
        "for _ in range(50):\n"
        "    for path in Path(sys.argv[1]).glob('*.json'): path.unlink(missing_ok=True)\n"
        "    for each in (provenance.code, provenance._symbols):\n"
        "        each.cache_clear()\n"
        "    print(provenance.code(Path(sys.argv[2]), 'job_script'))\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(scripts)]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(4)
    ]
    printed = {line for process in running for line in process.communicate()[0].splitlines()}
    assert all(process.returncode == 0 for process in running)
    assert printed == {str(digest(scripts))}
