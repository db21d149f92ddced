"""Japanese lines: nothing is lost, numbers stay whole, no line begins with a full stop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from impact.figures.lines import lines

SENTENCE = "各群の件数は2,000、1,000ですが、1,500、1,500のはずでした（p < 0.001）。原因が分かるまで群を比較できません。"


@given(st.text(alphabet="あ数、。（）「」1,5.pq <=% ー", max_size=60), st.integers(4, 30))
def test_nothing_is_lost(text: str, width: int) -> None:
    found = lines(text, lambda line: len(line) <= width)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


def test_numbers_and_marks_stay_together() -> None:
    for width in range(8, 40):
        found = lines(SENTENCE, lambda line: len(line) <= width)  # noqa: B023
        assert max(len(line) for line in found) <= max(width, 12)
        assert not any(line[0] in "、。）" or line[-1] == "（" for line in found)
        for number in ("2,000", "1,500", "p < 0.001"):
            assert any(number in line for line in found)


def test_what_fits_is_one_line() -> None:
    assert lines(SENTENCE, lambda line: True) == [SENTENCE]
    assert lines("", lambda line: True) == [""]
