"""On which line a key stands."""

import pytest
import tomli

from gatehouse.config.lines import KeyPath, Lines

TEXT = '''\
# a comment with [brackets] and = signs
top = 1
[gateway]
id = "a = b # [c]"
"quoted key" = """
[not.a.table]
id = 2
"""
long = [
  "x = 1", # ]
  { y = 2,
    z = [3] },
]
after = \'\'\'
'quoted' [x]\'\'\'
dotted.inner.deep = 1

[[button]]
name = "gate"
lamps = { red = 22 }

  [button.more]   # belongs to the first
  red = 3

[[ button ]]
name = 'yard'
[button.more]
red = 4
[a . "b c" . d]
e = 5
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("gateway",), 3),
        (("gateway", "id"), 4),
        (("gateway", "quoted key"), 5),
        (("gateway", "long"), 9),
        (("gateway", "long", 1, "y"), 9),
        (("gateway", "after"), 14),
        (("gateway", "dotted", "inner", "deep"), 16),
        (("gateway", "missing"), 3),
        (("button",), 18),
        (("button", 0, "name"), 19),
        (("button", 0, "lamps", "red"), 20),
        (("button", 0, "more", "red"), 23),
        (("button", 1, "name"), 26),
        (("button", 1, "more", "red"), 28),
        (("a", "b c", "d", "e"), 30),
        (("nothing",), None),
        ((), None),
    ],
)
def test_lines_of_keys(path: KeyPath, line: int | None) -> None:
    """A mistake is told with its line, whatever strings, comments and arrays stand before it."""
    tomli.loads(TEXT)
    assert Lines(TEXT).of(path) == line


def test_windows_line_ends() -> None:
    """A file from a Windows machine has the same lines."""
    assert Lines(TEXT.replace("\n", "\r\n")).of(("button", 1, "more", "red")) == 28


def test_a_file_without_final_newline() -> None:
    """The last line counts, with or without its end."""
    assert Lines("a = 1\n[b]").of(("b",)) == 2
    assert Lines("a = 1\nb = [").of(("b",)) == 2
