#!/usr/bin/env python3
"""Learns what words of prose are called in code, for assets/relevance/lexicon.tsv.

  python3 lexicon.py FOLDER_OF_CRATES [--without CRATE]... > lexicon.tsv

Needs numpy, scipy and snowballstemmer. First sentences of doc comments and the declarations that they stand over are
taken as translations of each other: the first of IBM's models (Brown et al., 1993), eight rounds of expectation
maximisation. A line holds a stem of prose, then up to six stems of code with their shares. Crates that are measured must
be left out (`--without`).
"""
import argparse
import collections
import pathlib
import random
import re

import numpy as np
import snowballstemmer

STEMMER = snowballstemmer.stemmer("english")
STOP = """a an and are as at be by can did do for from how i in is it its me my of on or so that the there this to was
    what when where which who why will with you your if not self mut fn pub""".split()
EACH_CRATE, LEAST_COUNT, LEAST_SHARE, MOST = 300, 8, 0.02, 6
DECLARATION = re.compile(r"((?:^[ \t]*///[^\n]*\n)+)(?:^[ \t]*#!?\[[^\n]*\n)*^[ \t]*((?:pub[^\n{;]*?)?\bfn\s[^{;]{1,300})", re.M)


def stem(word):
    return STEMMER.stemWord(word) if len(word) > 2 and word.isascii() and word.isalpha() else word


def stems(text):
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+[a-z]*", text)
    return {stem(part.lower()) for part in parts} - {stem(word) for word in STOP}


def first_sentence(comment):
    lines = [line.strip().lstrip("/").strip() for line in comment.splitlines()]
    paragraph = []
    for line in lines:
        if not line or line.startswith(("#", "```", "|")):
            if paragraph:
                break
            continue
        paragraph.append(line)
    text = re.sub(r"\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])?", r"\1", " ".join(paragraph)).replace("`", "").replace("*", "")
    sentence = re.match(r"(.+?[.!?])(\s|$)", text)
    return (sentence.group(1) if sentence else text).strip()


def pairs_of(crate):
    seen = {}
    for path in sorted(crate.glob("src/**/*.rs")):
        text = path.read_text(errors="replace")
        for comment, declaration in DECLARATION.findall(text[:2_000_000]):
            sentence = first_sentence(comment)
            if 3 <= len(sentence.split()) <= 40:
                seen.setdefault(sentence, declaration)
    pairs = list(seen.items())
    random.Random(5).shuffle(pairs)
    return pairs[:EACH_CRATE]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("crates", type=pathlib.Path)
    arguments.add_argument("--without", action="append", default=[])
    given = arguments.parse_args()
    newest = {}
    for folder in sorted(given.crates.iterdir()):
        name = re.match(r"(.+?)-\d+\.\d+", folder.name)
        if name and name.group(1) not in given.without:
            newest[name.group(1)] = folder
    words, codes, links, groups = {}, {}, [], 0
    for folder in newest.values():
        for sentence, declaration in pairs_of(folder):
            there = [codes.setdefault(word, len(codes)) for word in sorted(stems(declaration)) + [""]]
            for word in sorted(stems(sentence)):
                number = words.setdefault(word, len(words))
                links.extend((groups, number, code) for code in there)
                groups += 1
    links = np.array(links, np.int64)
    keys, place = np.unique(links[:, 1] * len(codes) + links[:, 2], return_inverse=True)
    of_word, of_code = keys // len(codes), keys % len(codes)
    chance = np.ones(len(keys))
    for _ in range(8):
        weight = chance[place]
        share = weight / np.bincount(links[:, 0], weight)[links[:, 0]]
        count = np.bincount(place, share)
        chance = count / np.bincount(of_code, count)[of_code]
    share = count / np.bincount(of_word, count)[of_word]
    prose, code = list(words), list(codes)
    lexicon = collections.defaultdict(list)
    for at in np.flatnonzero((count >= LEAST_COUNT) & (share >= LEAST_SHARE)):
        word, other = prose[of_word[at]], code[of_code[at]]
        if other and other != word and any(letter.isalpha() for letter in word):
            lexicon[word].append((other, share[at]))
    for word in sorted(lexicon):
        best = sorted(lexicon[word], key=lambda one: -one[1])[:MOST]
        print(word + "\t" + " ".join("%s:%.2f" % one for one in best))


main()
