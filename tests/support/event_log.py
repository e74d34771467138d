# SPDX-License-Identifier: MIT
"""events.jsonl as a reader meets it: its last line may not be whole yet, because somebody is writing it."""

import json
from pathlib import Path


def events_of(text, name=None):
    events = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [event for event in events if name is None or event["event"] == name]


def read_events(path, name=None):
    """None there: none."""
    path = Path(path)
    return events_of(path.read_text(encoding="utf-8"), name) if path.exists() else []
