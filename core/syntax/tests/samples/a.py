"""Module of a parser."""
import os

LIMIT = 30
name = "x"
TABLE = {
    "a": 1,
}

# Reads one line.
def read(line):
    """Reads it."""
    local = {
        "b": 2,
    }
    def inner(x):
        y = x
        return y
    return inner(line)


@dataclass
@other(a=1)
class Parser(Base):
    """A parser."""

    field: int = 3

    @property
    def size(self) -> int:
        return 3

    # Comment apart.

    async def parse(self, text):
        return text


class TestParser(TestCase):
    def test_parse(self):
        assert True
