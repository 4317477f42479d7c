"""How well and how fast records are matched, beside the libraries that people would use instead.

    python benchmarks/matching.py [--data FOLDER] [--towns FILE] [--names FILE] [--people FILE]
        [--size RECORDS] [--strict] [--only linkage|addresses|identity|join]

Every row runs in a process of its own, so that its time and memory are its own. Libraries that are not installed are
said to be missing. The result is printed and written to benchmarks/results/matching.json.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import _identity
import _join
import attrs

from crmbridge import japanese as jp
from crmbridge.match.assign import Scored, groups, one_to_one
from crmbridge.match.grades import Comparison, bigrams, by_field, by_pieces, fuzzy, same, scored, sharpened, within

HERE = Path(__file__).resolve().parent
Records = Mapping[str, Mapping[str, str]]
Pairs = set[tuple[str, str]]


@attrs.frozen
class Task:
    """One set of records: both sides or one list, by our keys and plainly, and the true pairs."""

    left: Records
    right: Records
    plain_left: Records
    plain_right: Records
    gold: Pairs
    levels: Sequence[Sequence[str]]
    sure: Sequence[Sequence[str]]

    @property
    def alone(self) -> bool:
        return self.left is self.right


# ---- the sets


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as rows:
        return [
            {(name or "").strip(): (value or "").strip() for name, value in row.items()} for row in csv.DictReader(rows)
        ]


def plain(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip().lower() for name, value in values.items()}


def one_person(rows: Iterable[Mapping[str, str]], ref: str, group: Callable[[Mapping[str, str]], str]) -> Pairs:
    members: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        members[group(row)].append(row[ref])
    return {tuple(sorted(pair)) for people in members.values() for pair in combinations(people, 2)}


def febrl(data: Path) -> Task:
    rows = read(data / "febrl" / "dataset2.csv")
    names = {
        "first": "given_name", "last": "surname", "born": "date_of_birth", "number": "soc_sec_id",
        "postcode": "postcode", "address": "address_1", "estate": "address_2", "suburb": "suburb",
        "house": "street_number",
    }  # fmt: skip
    keyed = {row["rec_id"]: {ours: jp.name_key(row[theirs]) for ours, theirs in names.items()} for row in rows}
    for record in keyed.values():
        record["name"] = " ".join(sorted(filter(None, (record["first"], record["last"]))))
    raw = {row["rec_id"]: plain({ours: row[theirs] for ours, theirs in names.items()}) for row in rows}
    levels = (
        ("number",),
        ("first", "last", "born"),
        ("last", "born", "postcode"),
        ("first", "last", "postcode"),
        ("first", "born", "suburb"),
    )
    sure = (("number", "last"), ("number", "born"))
    return Task(
        keyed, keyed, raw, raw, one_person(rows, "rec_id", lambda row: row["rec_id"].split("-")[1]), levels, sure
    )


def people(data: Path) -> Task:
    rows = read(data / "fake_1000.csv")

    def keys(row: Mapping[str, str]) -> dict[str, str]:
        first, last, mail = jp.name_key(row["first_name"]), jp.name_key(row["surname"]), jp.email_key(row["email"])
        return {
            "first": first, "last": last,
            "name": " ".join(sorted(filter(None, (first, last)))),
            "born": row["dob"], "city": jp.name_key(row["city"]), "email": mail,
            "mailbox": mail.partition("@")[0], "host": mail.partition("@")[2],
        }  # fmt: skip

    keyed = {row["unique_id"]: keys(row) for row in rows}
    raw = {
        row["unique_id"]: plain(
            {
                "first": row["first_name"],
                "last": row["surname"],
                "born": row["dob"],
                "city": row["city"],
                "email": row["email"],
            }
        )
        for row in rows
    }
    levels = (("email",), ("first", "last", "born"), ("last", "born"), ("first", "born", "city"))
    return Task(
        keyed,
        keyed,
        raw,
        raw,
        one_person(rows, "unique_id", lambda row: row["cluster"]),
        levels,
        (("email", "name"), ("email", "born"), ("email", "last"), ("email", "first")),
    )


def restaurants(data: Path) -> Task:
    folder = data / "restaurants"

    def keys(row: Mapping[str, str]) -> dict[str, str]:
        return {
            "name": jp.company_key(row["name"]), "words": jp.fold(row["name"]),
            "address": jp.address_key(row["addr"]), "street": jp.fold(row["addr"]),
            "city": jp.name_key(row["city"]),
            "phone": jp.phone_key(row["phone"]),
        }  # fmt: skip

    left, right = read(folder / "fodors.csv"), read(folder / "zagats.csv")
    gold = {(row["fodors_id"], row["zagats_id"]) for row in read(folder / "matches_fodors_zagats.csv")}
    raws = [
        {
            row["id"]: plain({"name": row["name"], "address": row["addr"], "city": row["city"], "phone": row["phone"]})
            for row in rows
        }
        for rows in (left, right)
    ]
    levels = (("phone",), ("name", "city"), ("address", "city"))
    return Task(
        {row["id"]: keys(row) for row in left},
        {row["id"]: keys(row) for row in right},
        *raws,
        gold,
        levels,
        (("name", "phone"), ("name", "address")),
    )


def offices(data: Path) -> Task:
    folder = data / "jp_offices_2021_2026"

    def keys(row: Mapping[str, str]) -> dict[str, str]:
        written = row["pref"] + row["city"] + row["town"] + row["banchi"]
        address, name = jp.split_address(written), jp.company_key(row["name"])
        city = address.prefecture + address.city
        return {
            "name": name, "full": jp.full_company_key(row["name"]), "kana": jp.company_key(row["kana"]),
            "address": jp.address_key(written),
            "place": jp.place_key(written), "box": jp.fold(address.box) or "-", "city": city,
            "name in city": f"{name} {city}", "written": jp.fold(written).replace(" ", ""),
        }  # fmt: skip

    left, right = read(folder / "old.csv"), read(folder / "new.csv")
    gold = {(row["old_id"], row["new_id"]) for row in read(folder / "gold.csv")}
    raws = [
        {
            row["id"]: plain(
                {
                    "name": row["name"],
                    "kana": row["kana"],
                    "city": row["pref"] + row["city"],
                    "address": row["town"] + row["banchi"],
                }
            )
            for row in rows
        }
        for rows in (left, right)
    ]
    levels = (("name", "address"), ("kana", "address"), ("name", "city"), ("kana", "city"), ("name",))
    return Task(
        {row["id"]: keys(row) for row in left},
        {row["id"]: keys(row) for row in right},
        *raws,
        gold,
        levels,
        (("full", "place"),),
    )


SETS: Mapping[str, Callable[[Path], Task]] = {
    "febrl2": febrl,
    "fake_1000": people,
    "restaurants": restaurants,
    "jp_offices": offices,
}


# ---- the methods


def agree(left: Records, right: Records, level: Sequence[str], *, unique: bool) -> Pairs:
    """Pairs that agree in all fields of a level.

    With *unique* only where each side has one such record, else in the order of rows.
    """

    def index(records: Records) -> dict[tuple[str, ...], list[str]]:
        found: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for ref, record in records.items():
            key = tuple(record[field] for field in level)
            if all(key):
                found[key].append(ref)
        return found

    mine, theirs = index(left), index(right)
    return {
        pair
        for key, refs in mine.items()
        if (others := theirs.get(key)) and (not unique or len(refs) == len(others) == 1)
        for pair in zip(refs, others, strict=False)
    }


def exact(
    left: Records, right: Records, levels: Sequence[Sequence[str]], *, alone: bool, unique: bool = False
) -> Pairs:
    """Priority levels: a level joins only records that no higher level has joined.

    Among duplicates of one list every pair of a group.
    """
    joined: Pairs = set()
    for level in levels:
        if alone:
            members: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for ref, record in left.items():
                key = tuple(record[field] for field in level)
                if all(key):
                    members[key].append(ref)
            joined |= {tuple(sorted(pair)) for refs in members.values() for pair in combinations(refs, 2)}
            continue
        taken = ({one for one, _ in joined}, {other for _, other in joined})
        rest = [
            {ref: record for ref, record in side.items() if ref not in used}
            for side, used in zip((left, right), taken, strict=True)
        ]
        joined |= agree(rest[0], rest[1], level, unique=unique)
    return joined


def plain_levels(task: Task) -> Pairs:
    return exact(task.plain_left, task.plain_right, task.levels, alone=task.alone)


def our_levels(task: Task) -> Pairs:
    return exact(task.left, task.right, task.levels, alone=task.alone)


def without_review(task: Task) -> Pairs:
    return exact(task.left, task.right, task.sure, alone=task.alone, unique=True)


def score_of(task: Task) -> tuple[Sequence[Comparison], Sequence[Callable[[Mapping[str, str]], Iterable[str]]], float]:
    """Comparisons, blocks and threshold by what the records hold, the same for every set of a kind."""
    fields = next(iter(task.left.values())).keys()
    close = sharpened(fuzzy("ratio") if importlib.util.find_spec("rapidfuzz") else bigrams)
    if "kana" in fields:
        comparisons = (
            ("name", 0.3, bigrams),
            ("name", 0.15, within),
            ("address", 0.2, bigrams),
            ("address", 0.25, same),
            ("kana", 0.1, bigrams),
        )
        return (
            [Comparison(*one) for one in comparisons],
            (by_field("address"), by_field("name in city"), by_pieces("name", length=4), by_pieces("kana", length=6)),
            0.45,
        )
    if "phone" in fields:
        comparisons = (("words", 0.35, bigrams), ("street", 0.2, bigrams), ("phone", 0.35, same), ("name", 0.1, within))
        return (
            [Comparison(*one) for one in comparisons],
            (by_field("phone"), by_pieces("name", length=4), by_pieces("street", length=6)),
            0.5,
        )
    if "email" in fields:
        comparisons = (("name", 2.0, close), ("born", 2.0, close), ("email", 3.0, close), ("city", 0.5, close))
        blocks = (
            by_field("email"),
            by_field("born"),
            by_field("name"),
            by_pieces("mailbox", length=5),
            by_pieces("host", length=6),
            by_pieces("born", length=8),
            by_pieces("name", length=5),
        )
        return [Comparison(*one) for one in comparisons], blocks, 0.45
    comparisons = (
        ("first", 1.5, close),
        ("last", 2.0, close),
        ("born", 2.5, close),
        ("number", 2.5, close),
        ("postcode", 1.0, close),
        ("address", 1.5, close),
        ("suburb", 0.5, close),
        ("house", 1.0, close),
        ("estate", 1.0, close),
    )
    return (
        [Comparison(*one) for one in comparisons],
        (by_field("number"), by_pieces("number", length=5), by_field("born"), by_field("address"), by_field("name")),
        0.45,
    )


def levels_then_score(task: Task) -> Pairs:
    comparisons, blocks, least = score_of(task)
    if task.alone:
        pairs = [
            pair for pair in scored(task.left, task.right, comparisons, blocks, at_least=0.2) if pair.left < pair.right
        ]
        return {
            tuple(sorted(pair))
            for people in groups(pairs, at_least=least, together=0.3)
            for pair in combinations(people, 2)
        }
    joined: Pairs = set()
    if "place" in next(iter(task.left.values())):
        levels = (("full", "place"), ("name", "address", "box"), ("name", "address"))
        joined = exact(task.left, task.right, levels, alone=False, unique=True)
        joined |= exact(*_rest(task.left, task.right, joined), (("name", "written"),), alone=False)
    found = one_to_one(
        scored(*_rest(task.left, task.right, joined), comparisons, blocks, at_least=least), at_least=least
    )
    return joined | {(pair.left, pair.right) for pair in found.pairs}


def _rest(left: Records, right: Records, joined: Pairs) -> tuple[Records, Records]:
    lefts, rights = {one for one, _ in joined}, {other for _, other in joined}
    return {ref: left[ref] for ref in left if ref not in lefts}, {ref: right[ref] for ref in right if ref not in rights}


def rapidfuzz_blocked(task: Task) -> Pairs:
    """Weighted ratios on the same keys, single-key blocks, then one-to-one or connected components.

    Thresholds set once, not searched.
    """
    sort, ratio = fuzzy("token_sort_ratio"), fuzzy("ratio")
    held = next(iter(task.left.values()))
    if "phone" in held:
        sets = fuzzy("token_set_ratio")
        comparisons = [
            Comparison("words", 0.4, lambda one, other: (sets(one, other) + sort(one, other)) / 2),
            Comparison("street", 0.35, sort),
            Comparison("phone", 0.25, ratio),
        ]
        blocks, least = (by_field("city"), by_field("phone"), by_field("name", start=4)), 0.75
    elif "kana" in held:
        comparisons = [
            Comparison("name", 0.5, sort),
            Comparison("address", 0.35, ratio),
            Comparison("kana", 0.15, ratio),
        ]
        blocks, least = (by_field("name"), by_field("kana"), by_field("address"), by_field("city")), 0.75
    else:
        winkler = importlib.import_module("rapidfuzz.distance").JaroWinkler.similarity
        weights = {
            "first": 1.5,
            "last": 2.0,
            "born": 2.5,
            "postcode": 1.0,
            "address": 1.5,
            "suburb": 0.5,
            "email": 2.0,
            "city": 0.5,
        }
        comparisons = [
            Comparison(field, weight, ratio if field in {"born", "postcode"} else winkler)
            for field, weight in weights.items()
            if field in held
        ]
        blocks, least = (
            (by_field("born"), by_field("last"), by_field("address"), by_field("email"), by_field("number")),
            0.8,
        )
    return _joined(task, scored(task.left, task.right, comparisons, blocks, at_least=least), least, least)


def splink_trained(task: Task) -> Pairs:
    """A Fellegi-Sunter model trained without labels on the same keys.

    P of at least 0.9 one-to-one, or of 0.5 in connected components.
    """
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    strong = (
        "number",
        "email",
        "phone",
        "born",
        "address",
        "name",
        "kana",
        "last",
        "first",
        "postcode",
        "city",
        "suburb",
        "house",
        "estate",
    )
    held = [field for field in strong if field in next(iter(task.left.values()))]
    sides = (task.left,) if task.alone else (task.left, task.right)
    frames = [
        pd.DataFrame([{"unique_id": ref, **{field: row[field] or None for field in held}} for ref, row in side.items()])
        for side in sides
    ]
    comparisons = [
        cl.ExactMatch(field)
        if field in {"phone", "city", "suburb", "house", "estate"}
        else cl.LevenshteinAtThresholds(field, [1, 2])
        if field in {"born", "postcode", "number"}
        else cl.JaroWinklerAtThresholds(field, [0.95, 0.88])
        for field in held
        if not (field == "name" and task.alone)
    ]
    blocks = [block_on(field) for field in held[:6]]
    settings = SettingsCreator(
        link_type="dedupe_only" if task.alone else "link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=blocks,
    )
    database = DuckDBAPI()
    tables = [database.register(frame) for frame in frames]
    linker = Linker(tables[0] if task.alone else tables, settings)
    linker.training.estimate_probability_two_random_records_match(blocks[:2], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (blocks[1], blocks[3]):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, record_sample_proportion=1.0)
    found = linker.inference.predict(threshold_match_probability=0.5).as_pandas_dataframe()
    pairs = [
        Scored(str(row.unique_id_l), str(row.unique_id_r), float(row.match_probability)) for row in found.itertuples()
    ]
    if not task.alone and pairs and pairs[0].left not in task.left:
        pairs = [Scored(pair.right, pair.left, pair.score) for pair in pairs]
    return _joined(task, pairs, 0.9, 0.5)


def _joined(task: Task, pairs: Iterable[Scored], least: float, chained: float) -> Pairs:
    if task.alone:
        chains = groups([pair for pair in pairs if pair.left != pair.right], at_least=chained, together=0.0)
        return {tuple(sorted(pair)) for people in chains for pair in combinations(people, 2)}
    return {(pair.left, pair.right) for pair in one_to_one(pairs, at_least=least).pairs}


METHODS: Mapping[str, tuple[Callable[[Task], Pairs], str]] = {
    "plain levels (strip, lower)": (plain_levels, ""),
    "rapidfuzz, blocked": (rapidfuzz_blocked, "rapidfuzz"),
    "splink, trained": (splink_trained, "splink"),
    "crmbridge: levels": (our_levels, ""),
    "crmbridge: without review": (without_review, ""),
    "crmbridge: levels, score, 1:1 or groups": (levels_then_score, ""),
}


def linkage_row(data: Path, which: str, method: str) -> dict[str, object]:
    run, needs = METHODS[method]
    if needs and importlib.util.find_spec(needs) is None:
        return {"set": which, "method": method, "missing": needs}
    task = SETS[which](data)
    before, began = _peak(), time.perf_counter()
    found = run(task)
    seconds, mib = time.perf_counter() - began, _peak() - before
    true = len(found & task.gold)
    precision, recall = true / max(1, len(found)), true / len(task.gold)
    wrong = sorted(found - task.gold) if method.endswith("without review") else []
    return {
        "set": which, "method": method, "precision": round(precision, 4), "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "pairs": len(found), "seconds": round(seconds, 2), "mib": round(mib), "wrong": wrong,
    }  # fmt: skip


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ---- addresses and keys


def addresses(data: Path, towns: Path | None) -> list[dict[str, object]]:
    rows = read(data / "geolonia_addresses.csv")
    jp.split_address(rows[0]["住所"])
    found: list[dict[str, object]] = []
    for label, table in (("without towns", None), ("with towns", jp.Towns.read(towns) if towns else None)):
        if label == "with towns" and table is None:
            continue
        began = time.perf_counter()
        split = [jp.split_address(row["住所"], table) for row in rows]
        seconds = time.perf_counter() - began
        city = sum(
            (one.prefecture, one.city) == (row["都道府県"], row["市区町村"])
            for one, row in zip(split, rows, strict=True)
        )
        town = sum(one.town == row["町字"] for one, row in zip(split, rows, strict=True))
        found.append(
            {
                "table": label,
                "addresses": len(rows),
                "prefecture and city": round(city / len(rows), 4),
                "town": round(town / len(rows), 4),
                "per second": round(len(rows) / seconds),
            }
        )
    return found


def identity(
    data: Path, size: int, rounds: int, towns: Path | None, names: Path | None
) -> tuple[list[dict[str, object]], list[tuple[str, bool]]]:
    """Every field's entries on the cases and on values, names of firms and addresses real where there is data."""
    offices, homes = data / "jp_offices_2021_2026" / "old.csv", data / "geolonia_addresses.csv"
    rows = read(offices)[:size] if offices.exists() else _identity.made_up(size)
    places = [row["住所"] for row in read(homes)[:size]] if homes.exists() else _identity.addresses(size)
    texts = _identity.values([row["name"] for row in rows], [row["kana"] for row in rows], places)
    return _identity.rows(texts, rounds, towns, names)


# ---- running


def table(rows: Sequence[Mapping[str, object]]) -> str:
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "wrong"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(str(row.get(name, '')) for name in columns)} |" for row in rows]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; the answer is the exit status."""
    asked = _arguments(argv)
    if asked.row:
        sys.stdout.write(json.dumps(linkage_row(asked.data, *asked.row)) + "\n")
        return 0
    there = asked.data.is_dir()
    if not there:
        sys.stderr.write(
            f"no data at {asked.data}, so nothing is linked; name the folder with --data or CRMBRIDGE_DATA\n"
        )
    result: dict[str, object] = {}
    if there and asked.only in {None, "linkage"}:
        rows = [_in_process(asked.data, which, method) for which in SETS for method in METHODS]
        result["linkage"] = rows
        sys.stdout.write(table(rows) + "\n\n")
    if there and asked.only in {None, "addresses"}:
        result["addresses"] = rows = addresses(asked.data, asked.towns)
        sys.stdout.write(table(rows) + "\n\n")
    bars: list[tuple[str, bool]] = []
    if asked.only in {None, "identity"}:
        result["identity"], told = identity(asked.data, min(asked.size, 4000), 9, asked.towns, asked.names)
        bars += _told(result["identity"], told)
    if asked.people and asked.only in {None, "identity"}:
        lines = (line.split("\t") for line in asked.people.read_text("utf-8").splitlines())
        result["splits"] = rows = _identity.splits([(family, given) for family, given in lines], asked.names)
        sys.stdout.write(table(rows) + "\n\n")
    if asked.only in {None, "join"}:
        result["join"], told = _join.rows(asked.size)
        bars += _told(result["join"], told)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "matching.json").write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    return int(asked.strict and not all(holds for _, holds in bars))


def _told(rows: Sequence[Mapping[str, object]], bars: Sequence[tuple[str, bool]]) -> Sequence[tuple[str, bool]]:
    lines = (f"{says}: {'holds' if holds else 'DOES NOT HOLD'}" for says, holds in bars)
    sys.stdout.write("\n".join([table(rows), "", *lines]) + "\n\n")
    return bars


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    default = Path(os.environ.get("CRMBRIDGE_DATA") or HERE.parent.parent / "shared" / "data" / "matching")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--towns", type=Path, help="the table that scripts/build_town_table.py writes")
    parser.add_argument("--names", type=Path, help="the table that scripts/build_name_table.py writes")
    parser.add_argument("--people", type=Path, help="full names in two parts, a tab between them, to be split anew")
    parser.add_argument("--only", choices=("linkage", "addresses", "identity", "join"))
    parser.add_argument("--size", type=int, default=1_000_000, help="records of the larger table that is joined")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a bar does not hold")
    parser.add_argument("--row", nargs=2, metavar=("SET", "METHOD"), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _in_process(data: Path, which: str, method: str) -> dict[str, object]:
    command = [sys.executable, str(Path(__file__).resolve()), "--data", str(data), "--row", which, method]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"set": which, "method": method, "missing": done.stderr.strip().splitlines()[-1][:120]}
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return row


if __name__ == "__main__":
    raise SystemExit(main())
