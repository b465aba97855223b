"""Kept answers: whole or not at all, wherever a kill cut the file."""

from __future__ import annotations

from pathlib import Path

from witbuild.sources.answers import Answers

TOLD = {f"http://a.test/?q={number}": bytes([number]) * 50 * number for number in range(4)}


def test_answers_are_there_again_and_whole_wherever_the_file_was_cut(tmp_path: Path) -> None:
    with Answers(tmp_path / "answers") as answers:
        for url, body in TOLD.items():
            answers.keep(url, body)
            assert answers.get(url) == body
    content = (tmp_path / "answers").read_bytes()
    for end in range(len(content) + 1):
        (tmp_path / "cut").write_bytes(content[:end])
        with Answers(tmp_path / "cut") as answers:
            found = {url: answers.get(url) for url in TOLD}
            lost = [url for url, body in found.items() if body is None]
            assert found == {url: None if url in lost else body for url, body in TOLD.items()}
            assert lost == list(TOLD)[len(TOLD) - len(lost) :]
            for url in lost:
                answers.keep(url, TOLD[url])
        assert (tmp_path / "cut").read_bytes() == content
    assert lost == []


def test_damage_in_the_middle_costs_what_follows(tmp_path: Path) -> None:
    with Answers(tmp_path / "answers") as answers:
        for url, body in TOLD.items():
            answers.keep(url, body)
    content = bytearray((tmp_path / "answers").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "answers").write_bytes(bytes(content))
    with Answers(tmp_path / "answers") as answers:
        assert all(answers.get(url) in (None, body) for url, body in TOLD.items())


def test_without_a_place_nothing_is_kept() -> None:
    with Answers(None) as answers:
        answers.keep("http://a.test/", b"x")
        assert answers.get("http://a.test/") is None
