"""What the program writes is its owner's alone."""

import os
import stat

import pytest

from oms.private_files import make_folder, open_file, write_file


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask():
    """Run with a umask that closes nothing: what is closed was closed on purpose."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_every_folder_that_is_made_is_closed(tmp_path):
    """Those above it too; one that is there keeps its mode."""
    (tmp_path / "there").mkdir(mode=0o755)
    make_folder(tmp_path / "there" / "a" / "b")
    make_folder(tmp_path / "there" / "a" / "b")
    modes = [mode(tmp_path / name) for name in ("there", "there/a", "there/a/b")]
    assert modes == [0o755, 0o700, 0o700]


def test_a_file_is_made_closed_and_an_open_one_is_closed(tmp_path):
    """Before anything is written into it."""
    path = tmp_path / "file"
    path.touch(mode=0o666)
    for _ in range(2):
        os.close(open_file(path, os.O_WRONLY | os.O_CREAT))
        assert mode(path) == 0o600
        path.unlink()


def test_reading_changes_no_mode(tmp_path):
    """A file that is only read stays as its owner left it."""
    path = tmp_path / "file"
    path.touch(mode=0o644)
    os.close(open_file(path, os.O_RDONLY))
    assert mode(path) == 0o644


def test_a_text_is_put_whole_or_not_at_all(tmp_path):
    """In the place of what was there, whatever that could be read by, leaving nothing beside it."""
    path = tmp_path / "deep" / "config.toml"
    write_file(path, "one")
    path.chmod(0o644)
    write_file(path, "two")
    assert (path.read_text(), mode(path), mode(path.parent)) == ("two", 0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path):
    """Of the operating system's kind, for the caller to put into words."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file" / "below")
