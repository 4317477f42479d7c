"""Defects for the tests of Account Engagement × Salesforce: each is planted alone, and the named test must then fail."""

PLACE = "tests/blueprints/test_account_engagement_salesforce_{}.py::{}"
E2E = "tests/e2e/test_two_systems.py::{}"

BLUEPRINT = "blueprints/account_engagement_salesforce.py"

PATCHES = {
    "a prospect needs no user to make a lead (AE-13)": (
        BLUEPRINT,
        '.gate(filled("salesforceOwnerId"), before="creating", towards="right")',
        "",
        PLACE.format("people", "test_a_prospect_makes_a_lead_only_once_it_is_assigned_to_a_user"),
    ),
    "a prospect is made for every lead (AE-14)": (
        BLUEPRINT,
        ".creates(left=settings.create_prospects, right=True)",
        ".creates(left=True, right=True)",
        PLACE.format("people", "test_a_new_person_in_salesforce_makes_no_prospect_unless_that_is_switched_on"),
    ),
    "the switch for making prospects does nothing (AE-14)": (
        BLUEPRINT,
        ".creates(left=settings.create_prospects, right=True)",
        ".creates(left=False, right=True)",
        PLACE.format("people", "test_a_new_person_in_salesforce_makes_no_prospect_unless_that_is_switched_on"),
    ),
    "a file cannot say none": (
        "settings/_shapes.py",
        'return None if value is None or value == "" else converter',
        "return None if value is None else converter",
        "tests/core/test_settings.py::test_a_file_switches_the_score_off",
    ),
    "each edit of a new contact begins its wait again (AE-14)": (
        "_engine/_young.py",
        "due = min([record.stamp + late, *told])",
        "due = record.stamp + late",
        PLACE.format("people", "test_a_new_lead_is_a_prospect_in_the_next_run_and_a_contact_after_ten_minutes"),
    ),
    "a new lead waits like a contact (AE-12)": (
        "adapters/salesforce/_capabilities.py",
        "moved_from = _MOVED_FROM.get(kind, frozenset())",
        "moved_from = None",
        PLACE.format("people", "test_a_new_lead_is_a_prospect_in_the_next_run_and_a_contact_after_ten_minutes"),
    ),
    "imported Salesforce ids are not looked at (AE-8, AE-15)": (
        BLUEPRINT,
        'by_id("salesforceId", form=long_id),',
        "",
        PLACE.format(
            "people", "test_the_first_run_links_what_was_imported_with_its_salesforce_id_and_makes_no_prospects"
        ),
    ),
    "the short form of a Salesforce id is another id (AE-8)": (
        BLUEPRINT,
        'by_id("salesforceId", form=long_id),',
        'by_id("salesforceId"),',
        PLACE.format("people", "test_a_salesforce_id_of_fifteen_signs_is_the_same_id"),
    ),
    "addresses are compared sign by sign (AE-8)": (
        BLUEPRINT,
        'key("email", "Email", email_key)',
        'key("email", "Email")',
        PLACE.format("people", "test_the_address_is_the_second_key_where_the_salesforce_id_matches_nothing"),
    ),
    "the address comes before the Salesforce id (AE-8)": (
        BLUEPRINT,
        """            by_id("salesforceId", form=long_id),
            level("email", key("email", "Email", email_key)),
""",
        """            level("email", key("email", "Email", email_key)),
            by_id("salesforceId", form=long_id),
""",
        PLACE.format("people", "test_the_salesforce_id_is_the_first_key_and_beats_the_address_of_another_record"),
    ),
    "a stopped prospect is written all the same (AE-16)": (
        BLUEPRINT,
        "        .gate(ignored)\n",
        "",
        PLACE.format("people", "test_a_linked_prospect_that_is_stopped_later_stays_as_it_is_until_it_is_let_go_on"),
    ),
    "a stopped prospect is linked all the same (AE-16)": (
        BLUEPRINT,
        '.gate(ignored, before="linking")',
        "",
        PLACE.format("people", "test_a_prospect_that_is_not_to_be_synced_is_neither_linked_nor_written_nor_made"),
    ),
    "a lead comes before a contact (AE-19)": (
        BLUEPRINT,
        'at(right, "Contact", "Lead", new="Lead")',
        'at(right, "Lead", "Contact", new="Lead")',
        PLACE.format("people", "test_a_contact_comes_before_a_lead_with_the_same_address"),
    ),
    "the oldest is taken whatever the setting (AE-19)": (
        BLUEPRINT,
        'choose = oldest if settings.adopt == "oldest" else newest',
        "choose = oldest",
        PLACE.format("people", "test_of_several_leads_with_the_same_address_the_oldest_or_the_latest_is_taken"),
    ),
    "an edit against the master stays (AE-10, AE-29)": (
        BLUEPRINT,
        '"salesforce": filled_beats_blank(right_always)',
        '"salesforce": filled_beats_blank(newest_wins(otherwise="right"))',
        PLACE.format("values", "test_an_edit_on_the_side_that_is_not_master_goes_back_and_why_names_the_priority"),
    ),
    "Salesforce wins where Account Engagement is master (AE-9)": (
        BLUEPRINT,
        '"account_engagement": filled_beats_blank(left_always)',
        '"account_engagement": filled_beats_blank(right_always)',
        PLACE.format("values", "test_where_both_edited_the_masters_value_lives_on"),
    ),
    "the later edit has no say (AE-9)": (
        BLUEPRINT,
        '"most_recently_updated": filled_beats_blank(newest_wins(otherwise="right"))',
        '"most_recently_updated": filled_beats_blank(right_always)',
        PLACE.format("values", "test_by_most_recently_updated_the_later_edit_lives_on"),
    ),
    "the master of one field is not looked at (AE-9, AE-21, AE-26)": (
        BLUEPRINT,
        "settings.masters.get(name, settings.master)",
        "settings.master",
        PLACE.format("values", "test_after_a_move_of_department_the_wrong_side_loses_until_the_priority_is_revised"),
    ),
    "a blank beats a value (AE-11)": (
        "policies/_made_of.py",
        "return _remembered(self.policy, state) or _filled(self.policy, state, self.name)\n\n\n@attrs.frozen\nclass NeverClear",
        "return self.policy.resolve(state)\n\n\n@attrs.frozen\nclass NeverClear",
        PLACE.format("values", "test_a_value_that_is_blanked_on_one_side_comes_back_whatever_the_master"),
    ),
    "why does not name the priority (AE-29)": (
        "policies/_winning.py",
        """        return fill(state) or take(state, self.side, because(Code.POLICY, policy=self.name))


@attrs.frozen
class NewestWins""",
        """        return fill(state) or take(state, self.side, because(Code.CHANGED))


@attrs.frozen
class NewestWins""",
        PLACE.format("values", "test_after_a_move_of_department_the_wrong_side_loses_until_the_priority_is_revised"),
    ),
    "the value that was added first is stored (AE-34)": (
        "policies/_many.py",
        "last = added[-1] if added",
        "last = added[0] if added",
        PLACE.format("values", "test_of_a_field_with_many_values_the_one_that_was_added_last_is_stored"),
    ),
    "cities are not mapped (AE-1)": (
        BLUEPRINT,
        '    ("city", _address("City"), None),\n',
        "",
        PLACE.format("values", "test_every_field_of_the_default_mapping_crosses_from_a_prospect_to_its_lead"),
    ),
    "the prospects are not read for changes (AE-1, AE-12)": (
        "_engine/_ingest.py",
        '    return side == LEFT or run.definition.topology == "two_way"\n',
        '    return side != LEFT and run.definition.topology == "two_way"\n',
        PLACE.format("values", "test_a_run_each_three_minutes_carries_the_edits_of_both_sides_within_four"),
    ),
    "a dot beside the at sign is let through (AE-30)": (
        "preflight/_judging.py",
        '"dot_before_at": rule == "guide" and local.endswith("."),\n        "dot_after_at": rule == "guide" and domain.startswith("."),',
        "",
        PLACE.format("trouble", "test_a_dot_beside_the_at_sign_is_put_aside_before_salesforce_refuses_it"),
    ),
    "lengths are not looked at (AE-31)": (
        "preflight/_judging.py",
        "    if limit is None or len(text) <= limit:\n",
        "    if True:\n",
        PLACE.format("trouble", "test_a_text_that_is_too_long_for_salesforce_is_put_aside_with_both_lengths"),
    ),
    "digits are not counted (AE-33)": (
        "preflight/_judging.py",
        "    if spec.digits is not None and before > spec.digits:\n",
        "    if False:\n",
        PLACE.format("trouble", "test_a_number_with_too_many_digits_for_salesforce_is_put_aside"),
    ),
    "a field that is not there is passed over (AE-32)": (
        "_engine/_run.py",
        "        if one.fatal:\n            where = ",
        "        if False:\n            where = ",
        PLACE.format("trouble", "test_a_form_field_that_was_added_in_account_engagement_needs_its_field_in_salesforce"),
    ),
    "what failed is tried again without an edit (AE-27)": (
        "_engine/_ingest.py",
        "    return known is not None and known.parked is not None and parked_at(record, known.parked_version)\n",
        "    return False\n",
        PLACE.format("trouble", "test_what_salesforce_refused_is_synced_again_when_a_person_queues_it_again"),
    ),
    "what failed stays so after an edit (AE-27)": (
        "_engine/_ingest.py",
        "    return known is not None and known.parked is not None and parked_at(record, known.parked_version)\n",
        "    return known is not None and known.parked is not None and known.parked_version is not None\n",
        PLACE.format("trouble", "test_a_prospect_that_failed_is_left_alone_until_it_is_edited_and_then_synced_again"),
    ),
    "a duplicate of one batch is tied to the same prospect (AE-28)": (
        "_engine/_batch.py",
        "used[subject.side, record.ref] = used[towards, found.ref] = subject",
        "used[towards, found.ref] = subject",
        PLACE.format("people", "test_a_duplicate_is_reported_and_nothing_of_it_is_written"),
    ),
    "a merge is not followed (AE-28)": (
        "_engine/_relink.py",
        "        if not isinstance(gone, Merged | Moved) or (isinstance(gone, Merged) and not merges):\n",
        "        if gone is not None:\n",
        PLACE.format("people", "test_a_merge_at_the_vendor_is_followed_whichever_record_wins"),
    ),
    "a promise without an answer is forgotten": (
        "_engine/_recover.py",
        '    if left:\n        run.saw("took_over", intents=len(left))\n        yield from run.commit(Delta(promised=tuple(left)))',
        "    if left:\n        yield from run.commit(Delta(settled=tuple(one.key for one in left)))",
        E2E.format(
            "TestStopping::test_a_sync_that_is_stopped_at_any_effect_comes_to_the_same_state_when_it_is_started_again"
        ),
    ),
    "a target that nobody may write is passed over": (
        "_engine/_run.py",
        "        if refuses(definition, route):\n            raise",
        "        if False:\n            raise",
        PLACE.format("trouble", "test_a_read_only_field_as_a_target_is_refused_with_the_remedy"),
    ),
    "a deleted person's prospect stays (settings of deletion)": (
        BLUEPRINT,
        '.deletes(left="archive" if settings.archive_deleted else "detach", if_edited="remove")',
        "",
        PLACE.format(
            "people", "test_the_prospect_of_a_deleted_person_goes_to_the_recycle_bin_and_no_lead_is_made_again"
        ),
    ),
    "nobody guards against a mass of deletions": (
        BLUEPRINT,
        "        .guard(at_most(deletes=settings.most_deletes), not_emptied())\n",
        "",
        PLACE.format("people", "test_an_organisation_that_shows_nobody_any_more_deletes_nobody"),
    ),
    "an opt-out may be taken back": (
        BLUEPRINT,
        "monotone(towards=True)",
        'newest_wins(otherwise="right")',
        PLACE.format("values", "test_an_opt_out_crosses_from_either_side_and_is_never_taken_back"),
    ),
}
"""By what is wrong: the module below the package, what stands there, what stands there instead, and who must notice."""
