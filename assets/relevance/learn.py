#!/usr/bin/env python3
"""Learns what the features of a search candidate weigh, for core/src/knowledge/rank/weights.rs.

  rspa bench retrieval CRATE... --questions 80 --features words.jsonl
  rspa bench retrieval CRATE... --questions 80 --encoder minilm --features encoder.jsonl
  rspa bench retrieval CRATE... --questions 80 [--encoder minilm] --compare-ms 60000 --features compared.jsonl
  python3 learn.py words.jsonl [encoder.jsonl]

Needs numpy. A linear score per candidate, a softmax over the candidates of each question, the wanted one to be likely:
gradient descent (Adam) with a little weight decay. One array of weights is printed for each file, and a second one for
the candidates that were compared token by token where some were, each with the
mean reciprocal rank and recall at ten on the questions it learned from; crates kept aside are measured with
`rspa bench retrieval` after the weights were put into place.
"""
import json
import sys

import numpy as np

# What the questions at hand would teach wrongly: each answer among them is code.
LEFT_OUT = {"code"}


def read(path):
    questions, names = [], None
    for line in open(path):
        row = json.loads(line)
        names = row["names"]
        wanted = np.array([candidate["wanted"] for candidate in row["candidates"]], bool)
        features = np.array([candidate["features"] for candidate in row["candidates"]], np.float64)
        if len(features):
            questions.append((features, wanted))
    return names, questions


def figures(questions, weights):
    ranks = []
    for features, wanted in questions:
        if wanted.any():
            scores = features @ weights
            ranks.append(1 + (scores > scores[wanted].max()).sum())
        else:
            ranks.append(10**9)
    ranks = np.array(ranks, float)
    return np.where(ranks <= 10, 1 / ranks, 0).mean(), (ranks <= 10).mean()


def learn(names, questions, steps=600, rate=0.05, decay=2e-3):
    every = np.concatenate([features for features, _ in questions if len(features)])
    spread = every.std(0)
    used = np.array([name not in LEFT_OUT for name in names]) & (spread > 1e-9)
    spread = np.where(spread > 1e-9, spread, 1.0)
    usable = [(features / spread * used, wanted) for features, wanted in questions if wanted.any()]
    weights = np.zeros(len(names))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = decay * weights
        for features, wanted in usable:
            scores = features @ weights
            chances = np.exp(scores - scores.max())
            within = chances * wanted
            gradient = gradient - (within / within.sum() - chances / chances.sum()) @ features / len(usable)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        weights = weights - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return weights / spread * used


def middle(questions, weights):
    """The score at which a first hit is as likely wanted as not."""
    scores, hits = [], []
    for features, wanted in questions:
        if len(features):
            order = np.argsort(-(features @ weights))[:3]
            scores += list((features @ weights)[order])
            hits += list(wanted[order])
    scores, hits = np.array(scores), np.array(hits, float)
    scale, offset = 1.0, 0.0
    mean, spread = scores.mean(), scores.std()
    z = (scores - mean) / spread
    for _ in range(2000):
        chance = 1 / (1 + np.exp(-(scale * z + offset)))
        scale -= 0.5 * ((chance - hits) * z).mean()
        offset -= 0.5 * (chance - hits).mean()
    return mean - offset / scale * spread, scale / spread


def report(title, names, questions):
    half = [question for at, question in enumerate(questions) if at % 2]
    other = [question for at, question in enumerate(questions) if at % 2 == 0]
    crossed = [figures(other, learn(names, half)), figures(half, learn(names, other))]
    print(title, len(questions), "questions; learned on one half, measured on the other, both ways:",
          "%.3f %.3f" % tuple(np.mean(crossed, 0)))
    weights = learn(names, questions)
    print("all: %.3f %.3f" % figures(questions, weights), "middle %.2f, slope %.3f" % middle(questions, weights))
    for name, weight in zip(names, weights):
        print("    %.4f, // %s" % (weight, name))


LATE = ["late"]
for path in sys.argv[1:]:
    names, questions = read(path)
    late = [names.index(name) for name in LATE]
    first = [(np.where(np.isin(np.arange(len(names)), late), 0, features), wanted) for features, wanted in questions]
    report(path, names, first)
    compared = [(features[seen], wanted[seen]) for features, wanted in questions
                for seen in [(features[:, late] != 0).any(1)] if seen.any()]
    if compared:
        report(path + " compared", names, compared)
