"""What a report of a simulation says around its figures, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...wording import Language

_EN: Final = {
    "head": "{name}: seeds {first} to {last}",
    "seeds": "seeds",
    "operations": "operations: requests, pauses, calls of the store",
    "runs": "runs of a process",
    "edits": "edits by people",
    "crashes": "crashes",
    "windows": "edits in the window that a system without conditional writes leaves open: which value lives on is not judged",
    "twice": "seeds lived twice, with the same trace",
    "reached": "What was reached, and how often:",
    "unreached": "Never reached, and so not proved: {rows}",
    "broke": "Seed {seed} breaks {law} ({text}): {told}",
    "switched_on": "switched on: {faults}",
    "well": "No law was broken.",
    "not_well": "Seeds that broke a law: {count}.",
}

_JA: Final = {
    "head": "{name}: シード {first} から {last} まで",
    "seeds": "シード",
    "operations": "操作(リクエスト、待機、保存先の呼び出し)",
    "runs": "プロセスの実行",
    "edits": "人による編集",
    "crashes": "クラッシュ",
    "windows": "条件付き書き込みのないシステムに残る隙間に入った編集(どの値が残るかは判定の対象外)",
    "twice": "二度実行して経過が一致したシード",
    "reached": "到達したものと回数:",
    "unreached": "一度も到達せず、証明されていないもの: {rows}",
    "broke": "シード {seed} が {law} に反しました({text}): {told}",
    "switched_on": "起こした障害: {faults}",
    "well": "違反はありませんでした。",
    "not_well": "違反したシード: {count} 件。",
}

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {"en": _EN, "ja": _JA}
