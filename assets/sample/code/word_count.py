"""Counts the words of text files and prints the most frequent ones."""

import argparse
import re
from collections import Counter
from pathlib import Path

WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def words(text):
    """All words of a text, in lower case."""
    return (match.group().lower() for match in WORD.finditer(text))


def count_folder(folder, pattern="*.txt"):
    """Adds up the words of all files in a folder that match a pattern."""
    totals = Counter()
    for path in sorted(Path(folder).rglob(pattern)):
        # Files in another encoding are read as well as possible.
        totals.update(words(path.read_text(encoding="utf-8", errors="replace")))
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--top", type=int, default=20)
    arguments = parser.parse_args()
    for word, number in count_folder(arguments.folder).most_common(arguments.top):
        print(f"{number:8}  {word}")


if __name__ == "__main__":
    main()
