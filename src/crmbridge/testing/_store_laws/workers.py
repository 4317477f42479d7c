"""Laws of leases and fences, tokens and budgets."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from ...credentials import Secret
from ...errors import FenceStale, LeaseHeld
from ...flow import RateBudget
from ...roles import Delta, Fence, Progress, Start, StateStore, Token
from .values import ACCOUNT, HOUR, MINUTE, NOW, PEOPLE, Laws, commit, due, link, promise, row

CANARY = "canary-7f3a"


class LeaseLaws(Laws):
    """What a store promises of leases, and of commits under them."""

    def test_a_lease_is_held_until_it_ends_or_is_given_back(self, store: StateStore) -> None:
        fence = store.leases.take("p", "one", NOW, HOUR)
        assert fence == Fence("p", fence.token, NOW + HOUR)
        for owner in ("two", "one"):
            with pytest.raises(LeaseHeld, match="one"):
                store.leases.take("p", owner, NOW + HOUR - MINUTE, HOUR)
        store.leases.take("q", "two", NOW, HOUR)
        store.leases.release(fence)
        store.leases.take("p", "two", NOW, HOUR)

    def test_fencing_tokens_grow_for_ever(self, store: StateStore) -> None:
        tokens: list[int] = []
        for turn in range(5):
            fence = store.leases.take("p", "one", NOW + turn * HOUR, HOUR)
            tokens.append(fence.token)
            if turn % 2:
                store.leases.release(fence)
            store = self.reopen(store)
        assert tokens == sorted(set(tokens))

    def test_a_lease_that_was_lost_is_neither_renewed_nor_given_back(self, store: StateStore) -> None:
        lost = store.leases.take("p", "one", NOW, MINUTE)
        kept = store.leases.take("p", "two", NOW + MINUTE, HOUR)
        with pytest.raises(FenceStale):
            store.leases.renew(lost, NOW + MINUTE, HOUR)
        store.leases.release(lost)
        with pytest.raises(LeaseHeld):
            store.leases.take("p", "three", NOW + 2 * MINUTE, HOUR)
        renewed = store.leases.renew(kept, NOW + HOUR, HOUR)
        assert renewed == Fence("p", kept.token, NOW + 2 * HOUR)

    def test_a_lease_that_nobody_took_over_is_renewed_even_late(self, store: StateStore) -> None:
        fence = store.leases.take("p", "one", NOW, MINUTE)
        store.leases.renew(fence, NOW + HOUR, MINUTE)
        with pytest.raises(LeaseHeld):
            store.leases.take("p", "two", NOW + HOUR, MINUTE)

    def test_a_stale_fence_changes_nothing(self, store: StateStore) -> None:
        lost = store.leases.take("p", "one", NOW, MINUTE)
        given_back = store.leases.take("q", "one", NOW, MINUTE)
        store.leases.release(given_back)
        kept = store.leases.take("p", "two", NOW + MINUTE, HOUR)
        delta = Delta(
            queue=(row(1),),
            links=(link(1),),
            promised=(promise(1),),
            progress={("left", "k"): Progress("c", filled=True)},
        )
        made_up = (attrs.evolve(kept, token=kept.token + 1), Fence("never", 1, NOW), Fence("p", 0, NOW))
        for fence in (lost, given_back, *made_up):
            with pytest.raises(FenceStale):
                store.commit(PEOPLE, delta, fence)
        assert due(store) == []
        assert store.links.count(PEOPLE) == 0
        assert list(store.outbox.unsettled(PEOPLE, 9)) == []
        assert store.links.progress(PEOPLE, "left", "k") is None
        store.commit(PEOPLE, delta, kept)
        assert len(due(store)) == 1

    def test_of_many_who_want_a_lease_one_gets_it(self, store: StateStore) -> None:
        together = threading.Barrier(8)

        def take(n: int) -> bool:
            together.wait()
            try:
                store.leases.take("p", str(n), NOW, HOUR)
            except LeaseHeld:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(take, range(8))) == [False] * 7 + [True]


class TokenLaws(Laws):
    """What a store promises of tokens."""

    def test_a_token_is_the_one_that_was_saved_last(self, store: StateStore) -> None:
        assert store.tokens.get("sfa") is None
        store.tokens.save("sfa", Token(Secret("old")))
        token = Token(Secret("new"), Secret("\0refresh"), NOW.astimezone(dt.timezone(9 * HOUR)), 2)
        store.tokens.save("sfa", token)
        store = self.reopen(store)
        assert store.tokens.get("sfa") == token
        assert store.tokens.get("crm") is None

    def test_whoever_waits_for_the_lock_is_given_the_latest_token(self, store: StateStore) -> None:
        refreshed: list[int] = []

        def refresh_if_old(_: int) -> int:
            with store.tokens.lock("sfa") as latest:
                if latest is not None:
                    return latest.serial
                refreshed.append(1)
                store.tokens.save("sfa", Token(Secret("fresh"), serial=1))
                return 1

        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(refresh_if_old, range(24))) == {1}
        assert refreshed == [1]

    def test_one_refresher_works_at_a_time_and_others_go_on_committing(self, store: StateStore) -> None:
        inside, overlaps = threading.Semaphore(1), list[int]()

        def refresh(_: int) -> None:
            with store.tokens.lock("sfa"):
                if not inside.acquire(blocking=False):
                    overlaps.append(1)
                    return
                store.inbox.count(PEOPLE)
                store.agenda.enable(PEOPLE, NOW)
                inside.release()

        with store.tokens.lock("crm"), ThreadPoolExecutor(6) as pool:
            list(pool.map(refresh, range(24)))
        assert overlaps == []

    def test_a_refresh_that_fails_frees_the_lock(self, store: StateStore) -> None:
        with pytest.raises(ZeroDivisionError), store.tokens.lock("sfa"):
            raise ZeroDivisionError
        with store.tokens.lock("sfa") as latest:
            assert latest is None

    def test_a_token_shows_itself_to_nobody(self, store: StateStore) -> None:
        store.tokens.save("sfa", Token(Secret(CANARY), Secret(CANARY)))
        shown = [repr(store), str(store), repr(store.tokens), repr(store.tokens.get("sfa")), repr(vars(store))]
        assert CANARY not in "".join(shown)


class BudgetLaws(Laws):
    """What a store promises of budgets."""

    def test_workers_spend_from_one_budget(self, store: StateStore) -> None:
        budget = expected = RateBudget(10.0, per=10.0)
        for step in range(12):
            now = 1000.0 + step / 3
            expected, wait = expected.spend(1 + step % 3, now)
            store = self.reopen(store)
            assert store.budgets.spend(ACCOUNT, "default", budget, 1 + step % 3, now) == pytest.approx(wait)

    def test_lanes_and_accounts_are_apart(self, store: StateStore) -> None:
        budget = RateBudget(2.0)
        store.budgets.spend(ACCOUNT, "default", budget, 50, 1.0)
        assert store.budgets.spend(ACCOUNT, "search", budget, 1, 1.0) == 0
        assert store.budgets.spend("other", "default", budget, 1, 1.0) == 0

    def test_nobody_sends_before_the_instant_that_a_system_asked_for(self, store: StateStore) -> None:
        budget = RateBudget(1000.0)
        store.budgets.hold(ACCOUNT, "default", 1060.0)
        store.budgets.hold(ACCOUNT, "default", 1030.0)
        store = self.reopen(store)
        assert store.budgets.spend(ACCOUNT, "default", budget, 1, 1000.0) == 60
        assert store.budgets.spend(ACCOUNT, "default", budget, 1, 1060.0) == 0
        assert store.budgets.spend(ACCOUNT, "search", budget, 1, 1000.0) == 0

    def test_starts_are_told_in_order_by_pipeline_until_they_no_longer_matter(self, store: StateStore) -> None:
        late, early = Start("a", NOW + dt.timedelta(seconds=5)), Start("b", NOW)
        commit(store, starts=(late, early, late))
        commit(store, "other", starts=(Start("c", NOW),))
        again = self.reopen(store)
        assert list(again.budgets.starts(PEOPLE, NOW)) == [early, late]
        assert list(again.budgets.starts(PEOPLE, late.at)) == [late]
        commit(again, starts_matter=late.at)
        assert list(again.budgets.starts(PEOPLE, NOW - dt.timedelta(days=9))) == [late]
        assert len(list(again.budgets.starts("other", NOW))) == 1

    def test_many_threads_lose_no_spending(self, store: StateStore) -> None:
        budget = RateBudget(2.0, per=1.0)

        def spend(cost: int) -> float:
            return store.budgets.spend(ACCOUNT, "default", budget, cost, 1.0)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(spend, [1] * 40))
        assert store.budgets.spend(ACCOUNT, "default", budget, 1, 1.0) == pytest.approx(40)
