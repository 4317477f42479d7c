"""Defects of what judges others, simulation and suites: rows as those of `life`."""

SIMULATED = "tests/simulate/test_{}.py::test_{}"

PLANTS = {
    "one way, a target may keep what it held before": (
        "testing/simulation/_one_way.py",
        'return {left, then["right"]} if stays else {left}',
        'return {left, then["right"]}',
        (SIMULATED.format("one_way", "an_edit_of_the_source_that_does_not_arrive_is_found"),),
    ),
    "one way, a record that was removed at the target is missed at once": (
        "testing/simulation/_one_way.py",
        "return self._missed(link, every)",
        "return True",
        (
            SIMULATED.format(
                "one_way", "a_sound_pipeline_of_one_way_breaks_no_law_whatever_people_do_at_the_target[none]"
            ),
        ),
    ),
    "people write nothing but text": (
        "testing/simulation/_people.py",
        "[*texts, *drawn(definition, seat, side, kind)]",
        "[*texts]",
        (SIMULATED.format("types", "people_write_what_both_systems_take"),),
    ),
    "a law goes on with a store that was closed": (
        "testing/_store_laws/queue.py",
        "        store = self.reopen(store)\n        commit(store, queue=(row(2),))\n",
        "        commit(self.reopen(store), queue=(row(2),))\n",
        ("tests/stores/test_store_recipe.py::TestMyStore::test_arrivals_are_numbered_in_order_for_each_pipeline",),
    ),
}
