"""Defects in what connectors rest on: flows, kit, policies; rows as those of `life`."""

LOST = "tests/drive/test_lost_answers.py::test_"
MADE_ONCE = f"{LOST}a_create_whose_answer_was_lost_is_made_once_though_its_connector_says_nothing_of_repeating"
NAMED = "tests/engine/test_odd_connectors.py::test_a_verb_that_is_no_flow_is_refused_by_the_names_of_system_and_verb"

PLANTS = {
    "whatever says nothing of repeating is sent again": (
        "flow.py",
        "        return Repeat.SAFE if safe else Repeat.UNSAFE\n",
        "        return Repeat.SAFE if safe else Repeat.SAFE\n",
        (f"{MADE_ONCE}[blocking]", f"{MADE_ONCE}[awaited]"),
    ),
    "a token whose answer was lost is not asked for again": (
        "drive/_credentials.py",
        "        repeat=Repeat.SAFE,\n",
        "",
        (f"{LOST}a_token_whose_answer_was_lost_is_asked_for_again[blocking]",),
    ),
    "a verb that is no flow is taken for one": (
        "_flowing.py",
        '        if not isinstance(cast("object", flow), Generator):\n',
        "        if not flow:\n",
        (f"{NAMED}[at once-read-Page]",),
    ),
    "a float is told as a text": (
        "preflight/_judging.py",
        "            return _other_shape(value)\n",
        '            return "text"\n',
        ("tests/core/test_preflight.py::test_who_gave_a_float_is_told_what_a_connector_gives",),
    ),
}
