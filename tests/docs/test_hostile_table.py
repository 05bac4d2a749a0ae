"""The table of attacks says what a run measured, and the page has a place for it."""

from benches.common.rows import AT_MOST, TIMES, Row, Target, of
from benches.service.hostile import ANSWERS, DISK, MEMORY, NAME
from tests.docs.hostile_table import PAGE, PLACES, SECTION, section


def test_the_table_has_a_line_an_attack_and_counts_what_is_within_three() -> None:
    rows = []
    for attack, answers in (("pings", (20.0, 90.0)), ("a, b: c", (31.0, 8.0))):
        for place, worse in zip(PLACES, answers, strict=True):
            said = f"{attack}, {place}: "
            times = Target(TIMES, 0.33)
            rows.append(Row(NAME, said + ANSWERS, of("ms", [worse]), "it", of("ms", [10]), times))
            rows.append(Row(NAME, said + MEMORY, of("MiB", [150]), target=Target(AT_MOST, 600)))
            rows.append(Row(NAME, said + DISK, of("MiB", [0.5])))
    rows.append(Row(NAME, "most memory under any attack", of("MiB", [150])))
    rows.append(Row(NAME, "most that any attack left on the disk", of("MiB", [0.5])))
    machine = {"date": "2026-11-30 12:00 UTC", "load": "0.1 in the last minute"}
    text = section({"machine": machine, "rows": [row.as_object() for row in rows]})
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [line.split(" | ")[0] for line in lines] == ["| pings", "| a, b: c"]
    assert lines[0].count(" | ") == 10
    assert "20.0 ms | 10.0 ms | 2.00x | 150 | 0.500 | 90.0 ms | 10.0 ms | 9.00x" in lines[0]
    assert "Of 4 ratios 2 are within three, the largest is 9.00." in text


def test_the_page_has_a_place_for_it() -> None:
    assert len(SECTION.findall(PAGE.read_text(encoding="utf-8"))) == 1
