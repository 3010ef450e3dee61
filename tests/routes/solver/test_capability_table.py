"""The table of engines in the documentation is the one that refusals follow."""

from pathlib import Path

from apps.routes.solver.port import capability_rows

PAGE = Path(__file__).parents[3] / "docs/engines.md"
BEGIN, END = "<!-- the table: begin -->\n", "<!-- the table: end -->\n"


def rendered() -> str:
    """Write the table as Markdown."""
    headings, *rows = (f"| {' | '.join(row)} |\n" for row in capability_rows())
    rule = "|" + "---|" * len(capability_rows()[0]) + "\n"
    return "".join([headings, rule, *rows])


def test_page_of_engines_holds_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page.partition(BEGIN)[2].partition(END)[0] == rendered(), (
        f"docs/engines.md must hold:\n{rendered()}"
    )


def test_page_of_engines_is_linked() -> None:
    readme = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")

    assert "(docs/engines.md)" in readme
