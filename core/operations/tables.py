"""Rows for a terminal: aligned, and unable to do anything to it."""

from collections.abc import Iterable, Iterator, Sequence

from core.operations.findings import Finding


def table(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield one line for each row, the columns aligned but for the last; every cell is shown by `plain`."""
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in cells), strict=True)]
    for row in cells:
        yield "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each finding, then what to do about those that have a hint."""
    yield from table([found.state, found.name, found.detail] for found in findings)
    for found in findings:
        if found.hint:
            yield f"→ {plain(found.name)}: {plain(found.hint)}"


def plain(value: object) -> str:
    """Return the text with control characters escaped: names and paths come from strangers."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(value))


def bytes_text(size_bytes: float) -> str:
    """Return a size with its unit, e.g. "1.5 MiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size_bytes) < 1024:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"
