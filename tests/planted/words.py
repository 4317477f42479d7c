"""Defects in what a builder takes and in what it is held against: as the other files of this folder."""

STATED = "tests/core/test_stated.py::test_{}"
ENGINE = "tests/engine/test_{}.py::test_{}"
CLI = "tests/cli/test_pipeline_commands.py::test_{}"
AE_LAW = "tests/conformance/test_vendors.py::TestAccountEngagement::test_it_keeps_the_law"

PLANTS = {
    "SIGTERM kills a run with its lease": (
        "cli/__init__.py",
        "        with terminable():\n            return _run(asked)\n",
        "        return _run(asked)\n",
        (CLI.format("sigterm_ends_a_run_like_ctrl_c_and_the_next_run_waits_for_nobody"),),
    ),
    "any word is taken": (
        "_stated.py",
        "    if isinstance(given, str) and given in words:\n",
        "    if given is not words:\n",
        (STATED.format("a_word_or_number_that_nobody_knows_is_refused_with_its_argument_and_the_remedy"),),
    ),
    "whatever is no archive is a delete": (
        "_engine/_removing.py",
        "            assert_never(how)\n",
        "            return Delete\n",
        (ENGINE.format("deletions", "a_word_that_got_past_the_builder_removes_nothing"),),
    ),
    "a system under another name is taken for the same": (
        "_engine/_ends.py",
        "    if before != [left, right]:\n",
        "    if len(before) != len([left, right]):\n",
        (
            ENGINE.format(
                "changed_ends", "a_system_with_another_name_stops_the_pipeline_with_both_names_and_the_number_of_links"
            ),
        ),
    ),
    "only pairs are held against the schemas": (
        "_engine/_run.py",
        "        if one.fatal:\n",
        "        if one.use.pair is not None:\n",
        (
            ENGINE.format(
                "named_fields",
                "a_field_that_is_not_there_stops_run_and_plan_before_the_first_write_and_check_tells_of_it",
            ),
        ),
    ),
    "a report shows what a plan shows": (
        "report.py",
        "                lines.extend(tell(decision, self.names, language))\n",
        "                lines.extend(show(decision, self.names, language))\n",
        (
            ENGINE.format(
                "told", "in_the_run_in_which_a_create_fails_its_report_says_why_and_shows_no_value[refused-en]"
            ),
            ENGINE.format("told", "an_update_that_is_refused_is_told_without_the_values_of_either_side"),
        ),
    ),
    "a plan takes a batch of Account Engagement for one request": (
        "adapters/account_engagement/_kinds.py",
        '        carries={"create": 1, "update": 1, "archive": 1},\n',
        "",
        (
            "tests/adapters/test_told_costs.py::test_account_engagement_takes_one_request_a_record_for_every_verb",
            f"{AE_LAW}[a_write_takes_no_more_requests_than_declared-one prospect an address]",
        ),
    ),
    "what recovery finds is not counted": (
        "_engine/_counted.py",
        "    if run.planning:\n        return ()\n",
        "    if run:\n        return ()\n",
        (
            ENGINE.format(
                "recovered_writes",
                "a_create_that_is_found_in_the_run_that_lost_its_answer_is_applied_there[memory]",
            ),
            ENGINE.format(
                "recovered_writes", "an_update_that_is_found_is_applied_for_the_record_that_waited_for_it[memory]"
            ),
        ),
    ),
    # -- what people are told -----------------------------------------------------------------------------
    "a notifier's own error ends the run": (
        "_engine/_notices.py",
        "            except Exception as error:",
        "            except OSError as error:",
        (ENGINE.format("notices", "no_error_of_a_notifier_ends_a_run_and_the_notice_waits_for_a_later_one"),),
    ),
    "a notifier that gives no flow is taken to have failed after it sent": (
        "_engine/_notices.py",
        "    if isinstance(flow, Generator):\n        yield from flow\n",
        "    yield from flow  # type: ignore[misc]\n",
        (ENGINE.format("notices", "a_notifier_that_is_no_flow_has_sent_when_it_comes_back"),),
    ),
    # -- what people rule ---------------------------------------------------------------------------------
    "whoever names the systems the other way round rules for the other": (
        "quarantine.py",
        "        if system != said:\n",
        "        if system not in (names.left, names.right):\n",
        (
            ENGINE.format(
                "rulings", "a_file_of_rulings_is_taken_with_the_names_that_the_pipeline_gives_and_with_no_others"
            ),
        ),
    ),
    "a pipeline that cannot be disabled says that it is": (
        "_verbs.py",
        "        self._of_events(verb, ",
        "        print(verb, ",
        (STATED.format("a_word_or_number_that_nobody_knows_is_refused_with_its_argument_and_the_remedy"),),
    ),
}
