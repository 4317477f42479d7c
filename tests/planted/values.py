"""Defects in what a value means: each row is a file, what is sound there, what is planted, and the tests that fail."""

RAISING = "tests/engine/test_raising_rules.py::test_a_rule_that_raises_about_{}"
SCORED = "tests/core/match/test_scored_level.py"
ASSIGN = "tests/core/match/test_assign.py"
RULINGS = "tests/engine/test_rulings.py::test_{}"
ASKING_ON = "tests/engine/test_asking_on.py::test_{}"
SINGLE = (
    "tests/core/test_stated.py::test_a_text_where_several_are_meant_is_refused_and_never_taken_letter_by_letter[{}]"
)
REFERENCES = "tests/engine/test_references.py::test_{}"
CORE = "tests/core/test_{}.py::test_{}"
PEOPLE = "tests/blueprints/test_account_engagement_salesforce_people.py::test_{}"
HALVES = "tests/engine/test_halves.py::test_{}[ROUND_HALF_DOWN-left_wins]"

PLANTS = {
    "whatever is not known for an opt-out is consent": (
        "gates.py",
        "return True if text in _YES else False if text in _NO else None",
        "return text in _YES",
        (
            CORE.format("gates", "nothing_but_what_says_that_there_is_no_opt_out_is_consent"),
            CORE.format("gates", "what_does_not_read_as_a_flag_is_no_consent_and_the_refusal_says_so['off']"),
        ),
    ),
    "a text where several are meant is taken letter by letter": (
        "_stated.py",
        "    if isinstance(given, str | bytes):\n",
        "    if isinstance(given, bytes):\n",
        (SINGLE.format("by(fields='email')"), SINGLE.format("FieldSpec(options='open')")),
    ),
    "a comma anywhere is one between thousands": (
        "codecs.py",
        r"\d{1,3}(?:,\d{3})+(?:\.\d*)?|",
        r"[\d,]+(?:\.\d*)?|",
        (
            CORE.format("codecs", "a_number_with_a_comma_anywhere_else_is_none"),
            CORE.format("codecs", "what_could_be_another_number_or_none_is_not_read[1,5]"),
            CORE.format("codecs", "a_number_that_could_be_another_one_waits_for_a_person_with_its_field_named"),
        ),
    ),
    "a policy around another one forgets what that one holds on to": (
        "policies/_made_of.py",
        "    verdict = policy.resolve(state) if looks_back(policy) else None\n",
        "    verdict = None\n",
        (CORE.format("planner_laws", "every_small_case_keeps_every_law[flag]"),),
    ),
    "all elements of both sides make a union, whatever was undone": (
        "policies/_many.py",
        "for e in there.added if form(e)",
        "for e in there.held if form(e)",
        (
            "tests/engine/test_undo.py::test_an_element_that_was_undone_does_not_come_back_with_the_next_one[union-crm]",
            CORE.format("policies", "what_was_left_to_differ_in_a_union_stays_so_while_others_are_added[union]"),
        ),
    ),
    "the side that holds many is guessed from a blank": (
        "policies/_many.py",
        "        many = state.many or _guessed(state)\n",
        "        many = _guessed(state)\n",
        (CORE.format("fields", "which_side_holds_many_is_told_by_the_fields_and_not_by_what_they_hold"),),
    ),
    "a single value is forgotten where the side that holds many was edited too": (
        "policies/_many.py",
        "        written = _elements(alone) if changed else ()\n",
        "        written = _elements(alone) if changed and set(elements) == before else ()\n",
        (CORE.format("policies", "a_single_value_is_among_the_many_also_where_both_sides_added_one"),),
    ),
    "a new name in a codec's table is a value that nobody can read": (
        "plan/_recoded.py",
        "    except (ValueError, Raised):\n        if there == l0",
        "    except Raised:\n        if there == l0",
        (
            "tests/core/test_recoded.py::test_a_new_name_is_agreed_on_without_a_write[left_wins]",
            "tests/engine/test_changed_rules.py::test_a_choice_that_an_administrator_renames_is_no_edit_and_later_edits_cross[memory-name]",
        ),
    ),
    "a value that a codec does not know is offered to live on": (
        "quarantine.py",
        'why.facts.get("target", why.facts.get("system"))',
        'why.facts.get("system")',
        (RULINGS.format("what_is_offered_for_a_value_that_a_codec_does_not_know_ends_its_trouble[crm-ma-names2]"),),
    ),
    "an opt-out is undone": (
        "_engine/_undo.py",
        "        trouble = trouble or held_on_to(pair, place, side, before, self.halves, system)\n",
        "",
        ("tests/engine/test_undo.py::test_an_opt_out_that_the_other_side_calls_something_else_is_not_taken_back",),
    ),
    "an id that a person wrote is compared sign by sign": (
        "definition.py",
        "return ref if end is None else attrs.evolve(ref, id=end.read_id(ref.kind, ref.id))",
        "return ref",
        ("tests/engine/test_named.py::test_a_person_is_forgotten_by_another_form_of_the_id",),
    ),
    "nobody is asked where both sides were set to one value": (
        "plan/_fields.py",
        "l0 is MISSING or r0 is MISSING or not pair.looks_back:",
        "pair is not None:",
        (CORE.format("planner_laws", "every_small_case_keeps_every_law[flag]"),),
    ),
    "a policy that raises stops the run": (
        "plan/_pairing.py",
        "except Exception as error:  # noqa: BLE001 - whatever a policy of one's own runs into",
        "except ArithmeticError as error:",
        (RAISING.format("a_new_record_parks_it_and_the_others_go_on[a policy]"),),
    ),
    "a normaliser that raises stops the run": (
        "_engine/_matching.py",
        "            search.fail(_raised(run.definition.matcher, error, search))\n            return search\n",
        "            raise _raised(run.definition.matcher, error, search) from None\n",
        (RAISING.format("a_new_record_parks_it_and_the_others_go_on[a normaliser beside others]"),),
    ),
    "an answer as long as its limit is taken for the whole": (
        "_engine/_asking_on.py",
        "if one.limit <= len(found[at]) and",
        "if one.limit < len(found[at]) and",
        (
            ASKING_ON.format("the_adoption_rule_chooses_among_all_that_share_a_key[search-11]"),
            ASKING_ON.format("a_record_behind_others_that_the_vendor_takes_for_equal_is_found[12]"),
        ),
    ),
    "one is chosen out of a part": (
        "_engine/_asking_on.py",
        "len(refs) >= max(question.limit, question.most)",
        "len(refs) > max(question.limit, question.most)",
        (ASKING_ON.format("of_too_many_that_only_look_alike_to_the_vendor_none_is_made_either"),),
    ),
    "of two equal candidates one is taken by chance": (
        "match/assign.py",
        "(rival.score == pair.score or abs(rival.score - pair.score) < margin)",
        "abs(rival.score - pair.score) < margin",
        (
            f"{ASSIGN}::test_two_equal_candidates_are_left_to_a_person[how0]",
            f"{ASSIGN}::test_a_pair_is_taken_where_every_rival_is_clearly_worse_or_has_a_better_partner",
        ),
    ),
    "the best is no better than itself": (
        "match/_scored.py",
        "(score == best or best - score < self.margin)",
        "best - score < self.margin",
        (f"{SCORED}::test_with_no_margin_the_best_is_kept_and_only_what_is_as_good_is_kept_beside_it[names0-kept0]",),
    ),
    "a reference that is not found clears the field": (
        "_engine/_followed.py",
        "        if not self.lost and not self.waiting:\n            return cells\n",
        "        if not self.waiting:\n            return cells\n",
        (REFERENCES.format("a_parent_that_is_not_linked_yet_leaves_the_field_of_its_child_as_it_is[memory]"),),
    ),
    "a blank that waits for a first parent is what was agreed": (
        "_engine/_followed.py",
        "            self.waiting.setdefault(ref, set()).update(columns)\n",
        "            _ = columns\n",
        (
            REFERENCES.format(
                "a_first_parent_reaches_its_child_although_the_child_is_looked_at_before_it_is_linked"
                "[memory-its turn is later-policy0]"
            ),
            REFERENCES.format("an_undo_leaves_alone_a_field_whose_record_names_another_parent_by_now[memory]"),
        ),
    ),
    "a system's own cut of a text is another text": (
        "plan/_pairing.py",
        "        forms.append(answer.by_itself(left, right))\n",
        "        _ = answer.by_itself(left, right)\n",
        (
            CORE.format("refused", "a_text_and_its_systems_own_cut_are_one_value_wherever_that_fell"),
            CORE.format(
                "refused",
                "a_cut_behind_a_blank_or_inside_a_sign_does_not_come_back_over_the_long_text"
                "[a long memo that goes on-a long memo ]",
            ),
        ),
    ),
    "a parent that is only busy leaves its child without it": (
        "_engine/_parents.py",
        "                if looked and parked.keys().isdisjoint(parents):\n",
        "                if looked:\n",
        (
            REFERENCES.format(
                "a_parent_that_may_come_yet_keeps_its_child_waiting_whatever_becomes_of_one_without"
                "[memory-Fault.BUSY-blank]"
            ),
            REFERENCES.format("a_plan_holds_the_child_of_a_parent_that_it_holds[memory-blank]"),
        ),
    ),
    "every system is thought to round halves away from zero": (
        "plan/_same.py",
        "_TIES: Final = (ROUND_HALF_UP, ROUND_HALF_DOWN)",
        "_TIES: Final = (ROUND_HALF_UP,)",
        (
            CORE.format(
                "same", "what_a_system_makes_of_a_number_is_the_same_number_however_it_rounds_halves[ROUND_HALF_EVEN]"
            ),
            HALVES.format("a_system_that_rounds_settles_after_one_write_and_a_persons_edit_is_still_heard"),
        ),
    ),
    "an id that was sent is not known in the reference that is read": (
        "plan/_same.py",
        "if _points(one) != _points(two):",
        "if one == two:",
        (
            CORE.format("same", "an_id_in_a_text_is_the_same_as_the_reference_that_is_read"),
            PEOPLE.format("a_lead_that_nobody_has_touched_can_be_undone_and_one_with_another_owner_cannot[True]"),
        ),
    ),
    "a reference goes into a text as it is": (
        "plan/_pairing.py",
        "    codec = codec or as_text(left_spec, right_spec)\n",
        "    _ = as_text(left_spec, right_spec)\n",
        ("tests/engine/test_plain_ids.py::test_plain_ids_and_references_are_kept_in_step_both_ways[left_wins-18]",),
    ),
    "the signs of an encoding are looked at where its bytes are counted": (
        "preflight/_judging.py",
        '    if spec.encoding == "utf-8":\n',
        '    if spec.encoding == "utf-8" or spec.max_bytes is None:\n',
        (CORE.format("preflight", "what_the_encoding_lacks_is_said_with_its_name_and_without_the_sign"),),
    ),
}
