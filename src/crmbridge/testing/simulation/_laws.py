"""The laws: what must hold whenever all is quiet, told from the systems' own ledgers and rows.

The store is asked for two things only: who is paired with whom, and who is parked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...model import SIDES, RecordRef, Side, other
from ._fields import field_laws
from ._life import Life, Marks
from ._one_way import never_done
from ._tracks import Tracks
from ._world import Breach, key_fields, words_in

LAWS: Mapping[str, str] = {
    "I1": "a record is copied at most once",
    "I2": "what a person wrote lives on, and nothing else changes it",
    "I3": "both sides of a pair come into step",
    "I4": "a run after quiet writes nothing",
    "I5": "our own writes are not answered",
    "I6": "no record is lost",
    "I7": "each input ends in exactly one way",
    "I8": "what was deleted is not copied back",
    "I10": "the same seed lives the same life",
    "I12": "a quiet run ends well",
    "I13": "one record's trouble breaks no run",
    "I21": "what was forged or not asked for is not posted",
    "I25": "we make no twins",
    "own": "a law of the world's own",
}
"""The laws by number, as `reliability` counts them."""


def meaning(law: str) -> str:
    """Say what a law asks for; of one that a world has named itself, whose it is."""
    return LAWS.get(law, LAWS["own"])


def judge(life: Life, marks: Marks) -> Sequence[Breach]:
    """Ask all laws that a pipeline of this kind has."""
    found = list(_once_each(life))
    if life.definition.topology == "events":
        found += _posted(life)
    else:
        tracks = Tracks(life)
        found += _made_once(life, tracks)
        found += _no_twins(life, tracks)
        found += _all_accounted_for(life)
        found += field_laws(life, marks)
        found += never_done(life) if life.definition.topology == "one_way" else ()
        found += _no_echo(life, marks)
        found += _nothing_covered(life, marks)
    for law in life.world.laws:
        found += law(life.world)
    return found


def _once_each(life: Life) -> Iterator[Breach]:
    for report in life.quiet_runs:
        if report.read != sum(report.counts.values()):
            yield Breach("I7", f"{report.read} records were read, and {sum(report.counts.values())} ended")
        told = Counter((row.side, row.ref) for row in report.rows())
        yield from (
            Breach("I7", f"{ref} ended in {count} ways in one run") for (_, ref), count in told.items() if count > 1
        )


def _revives(life: Life) -> bool:
    deletes = life.definition.deletes
    return deletes.if_edited == "revive" and (deletes.left, deletes.right) != ("detach", "detach")


def _made_once(life: Life, tracks: Tracks) -> Iterator[Breach]:
    """I1, I8: one copy of each record; one more only where it was removed, and made again on purpose."""
    copies: dict[tuple[Side, RecordRef], list[RecordRef]] = {}
    for side, change in tracks.made:
        origin = tracks.origin(side, change)
        if origin is not None and origin.system == life.seats[side].system and not _revives(life):
            yield Breach("I8", f"{change.ref} was made from what began as {origin}, in the same system")
        elif origin is not None:
            copies.setdefault((side, origin), []).append(change.ref)
    for (side, origin), made in copies.items():
        removed = sum(change.verb == "delete" and change.ref in made for change in life.seats[side].ledger())
        # A unique field protects nothing once its record was removed: a create that is sent again may make it anew.
        again = _revives(life) or any(life.definition.end(side).capabilities(ref.kind).unique for ref in made)
        if len(made) > 1 + (removed if again else 0):
            yield Breach("I1", f"{origin} was copied {len(made)} times: {', '.join(map(str, made))}")


def _no_twins(life: Life, tracks: Tracks) -> Iterator[Breach]:
    """I25: no two records that we made agree on a key that both still have."""
    for side in SIDES:
        keyed: dict[tuple[object, ...], list[RecordRef]] = {}
        made = [change for where, change in tracks.made if where == side]
        for change in made:
            row = life.row(side, change.ref)
            for place, names in enumerate(key_fields(life.definition, side, change.ref.kind)):
                values = [change.values.get(name) for name in names]
                if row is not None and all(values) and values == [row.get(name) for name in names]:
                    keyed.setdefault((place, *(str(value).casefold() for value in values)), []).append(change.ref)
        for twins in keyed.values():
            if len(twins) > 1:
                yield Breach("I25", f"we made {' and '.join(map(str, twins))} with the same key")


def _all_accounted_for(life: Life) -> Iterator[Breach]:
    """I6: every record that needs a counterpart is paired, parked, or the survivor of a pair that ended."""
    links = list(life.world.store.links.all(life.definition.name))
    known = {ref for link in links for ref in (link.left, link.right)} | life.parked()
    for side in SIDES:
        for ref in life.records(side):
            if ref not in known and _wanted(life, side, ref):
                yield Breach("I6", f"{ref} was lost: it is neither paired nor parked")


def _wanted(life: Life, side: Side, ref: RecordRef) -> bool:
    if life.world.wanted is not None:
        return life.world.wanted(side, ref.kind, life.seats[side].rows(ref.kind)[ref.id])
    crosses = side == "left" or life.definition.topology == "two_way"
    return crosses and life.definition.creates(other(side)) and not life.definition.gates


def _no_echo(life: Life, marks: Marks) -> Iterator[Breach]:
    """I5: our writes to a pair are bounded by what people and troubles did to it."""
    troubles = life.seen.crashes - marks.crashes + sum(life.seats[side].fired.total() for side in SIDES) - marks.fired
    ours, theirs = Counter[RecordRef](), Counter[RecordRef]()
    for side in SIDES:
        for change in life.seats[side].ledger()[marks.ledgers[side] :]:
            (ours if change.ours and change.verb == "update" else theirs)[change.ref] += 1
    for link in life.tied():
        written, edited = ours[link.left] + ours[link.right], theirs[link.left] + theirs[link.right]
        if written > 3 * edited + 3 * troubles + 3:
            yield Breach("I5", f"{link.left} and {link.right}: {written} writes for {edited} edits")


def _nothing_covered(life: Life, marks: Marks) -> Iterator[Breach]:
    """I2: where conditional writes are claimed, no write of ours covers what a person wrote and nobody has read."""
    for side in SIDES:
        end = life.definition.end(side)
        for change in life.seats[side].ledger()[marks.ledgers[side] :]:
            if change.unseen and change.ref.kind in end.kinds and end.capabilities(change.ref.kind).conditional_writes:
                fields = ", ".join(sorted(change.unseen))
                yield Breach("I2", f"we covered an edit of {fields} at {change.ref} that was never read")


# -- events ------------------------------------------------------------------------------------


def _posted(life: Life) -> Iterator[Breach]:
    """Each event is posted once, or waits for a person; nothing else is posted."""
    posts: Counter[RecordRef] = Counter()
    for change in life.ours("right"):
        if change.verb != "create" or change.ref.kind not in life.trail.right:
            continue
        words = words_in(change.values.get(life.trail.right[change.ref.kind]))
        owner = life.hands.words.get(words[0]) if words else None
        if owner is None:
            yield Breach("I21", f"{change.ref} is no copy of anything that a person entered")
        else:
            posts[owner] += 1
    parked, left = life.parked(), life.seats["left"]
    for kind in life.trail.left:
        for id, row in left.rows(kind).items():
            ref = RecordRef(left.system, kind, id)
            wanted = life.world.wanted is None or life.world.wanted("left", kind, row)
            if posts[ref] > 1:
                yield Breach("I1", f"{ref} was posted {posts[ref]} times")
            elif posts[ref] and not wanted:
                yield Breach("I21", f"{ref} was posted, and was not to be")
            elif not posts[ref] and wanted and ref not in parked:
                yield Breach("I6", f"{ref} was lost: it was neither posted nor parked")
