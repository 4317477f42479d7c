"""Defects in the life of a link: each row is a file, what is sound there, what is planted, and the tests that fail."""

ENGINE = "tests/engine/test_{}.py::test_{}"
TOLD = "tests/engine/test_told_with_the_link.py::test_{}"
GATES = "tests/core/test_gates.py::test_{}"
PORT = "tests/drive/test_drive_port.py::test_"
READING = "tests/adapters/test_salesforce_reading.py::TestReading"
FULL = "tests/stores/test_sqlite_faults.py::test_a_lease_is_given_back_"

PLANTS = {
    "what a late reading shows of before our own write is taken for an edit": (
        "_engine/_halves.py",
        "return bool(lag) and any(run.now() - one.at <= lag for one in agreed.unsettled.values())",
        "return False",
        (ENGINE.format("decided_pairs", "what_a_late_reading_shows_of_before_our_own_write_is_nobodys_edit"),),
    ),
    "a late reading is believed after an answer without a time": (
        "_engine/_agree.py",
        " or (outcome.stamp is None and run.able(side, outcome.ref.kind).read_lag):",
        ":",
        (ENGINE.format("decided_pairs", "what_a_late_reading_shows_of_before_our_own_write_is_nobodys_edit"),),
    ),
    # -- records that are shared no more ----------------------------------------------------------------------------
    "who shares a record goes on writing it when nobody may share any more": (
        "_engine/_sharing.py",
        "    if run.definition.shared or not shared:\n",
        "    if not run.definition.shared or not shared:\n",
        (ENGINE.format("sharing", "whoever_came_later_is_disputed_once_nobody_may_share_any_more"),),
    ),
    # -- what was read before -------------------------------------------------------------------------------------
    "a pair is refused by a schema that was read an hour ago": (
        "_engine/_run.py",
        "        fresh |= yield from _read(run, None, but=frozenset(fresh))\n",
        "        fresh |= yield from _read(run, run.definition.schema_age, but=frozenset(fresh))\n",
        (ENGINE.format("drift", "a_field_that_was_added_just_now_is_known_to_the_pair_that_names_it"),),
    ),
    # -- parents of nobody ----------------------------------------------------------------------------------------
    "a parent is made for a child that is not": (
        "_engine/_parents.py",
        "    making = [(subject, one) for subject, one in left if would_make(run, subject, one, known, doubts)]\n",
        "    making = [one for one in left if would_make(run, *one, known, doubts) or one]\n",
        (ENGINE.format("made_parents", "no_parent_is_made_for_a_record_that_is_not_made"),),
    ),
    "parents are made for all children of whom one may start": (
        "_engine/_parents.py",
        "too_soon(run, [(subject, one.record) for subject, one in making])",
        "too_soon(run, [(subject, one.record) for subject, one in making if not making])",
        (ENGINE.format("made_parents", "parents_are_made_for_as_many_children_as_may_start"),),
    ),
    # -- what is said and nobody hears ----------------------------------------------------------------------------
    "a gate that keeps nobody out is taken without a word": (
        "_unheard.py",
        "    if why:\n",
        "    if not why and not placed.gate:\n",
        (
            "tests/engine/test_unheard.py::test_a_gate_keeps_somebody_out_or_is_refused_when_it_is_said",
            ENGINE.format("unheard", "what_would_do_nothing_is_refused_with_what_to_say_instead"),
        ),
    ),
    # -- what a throw-away prototype was found to do wrong: the design's list of faults -------------------------
    "nothing is learned of what a system stored": (
        "plan/_fields.py",
        "learned[place] = now if pair.own(side, waiting.sent, now) else waiting.sent",
        "learned[place] = waiting.sent",
        (ENGINE.format("stories", "vendors_that_normalise_in_opposite_directions_settle_with_two_writes_for_an_edit"),),
    ),
    "an update in doubt forgets what the other side was planned to hold": (
        "_engine/_recover.py",
        "                halves[other(intent.side)][place] = promise.other\n",
        "",
        (ENGINE.format("stories", "an_update_whose_answer_was_lost_is_neither_sent_again_nor_forgotten"),),
    ),
    "an update in doubt is sent again": (
        "_engine/_recover.py",
        "    record = look.record(intent.side, action.ref)\n    known =",
        (
            "    yield from apply(run, intent.side, [attrs.evolve(action, if_version=None)])\n"
            "    record = look.record(intent.side, action.ref)\n    known ="
        ),
        (ENGINE.format("gaps", "an_update_in_doubt_is_never_sent_a_second_time"),),
    ),
    "a third value after an update in doubt is told as our own": (
        "_engine/_recover.py",
        "            conflict = True\n",
        "            ours = True\n",
        (ENGINE.format("gaps", "a_value_that_a_person_put_in_place_of_a_lost_update_is_told_as_a_conflict"),),
    ),
    "a paced write takes the slot of a record that came up before it": (
        "_engine/_pacing.py",
        "in sorted(places.items(), key=lambda one: one[1]):",
        "in places.items():",
        (ENGINE.format("pacing", "a_new_record_is_made_while_others_keep_being_edited"),),
    ),
    "an undo starts what a pacing would hold": (
        "_engine/undoing.py",
        "    sure, starts = yield from paced(run, sure, ahead=True)\n",
        "    starts = ()\n",
        (ENGINE.format("pacing", "an_undo_keeps_the_pace_and_running_its_plan_again_takes_back_what_had_no_turn"),),
    ),
    "who was told a turn by an earlier run is not counted": (
        "_engine/_pacing.py",
        "    if counts.get(Code.PACED):\n",
        "    if not counts:\n",
        (ENGINE.format("pacing", "a_turn_is_told_behind_those_who_were_told_theirs_by_earlier_runs"),),
    ),
    "a record that is edited while it waits for its turn goes to the end of the line": (
        "_engine/_pacing.py",
        "because=_placed(answer.because, verdict.subject, place),",
        "because=answer.because,",
        (ENGINE.format("pacing", "a_record_that_keeps_being_edited_while_it_waits_keeps_its_place"),),
    ),
    "what cannot be made again is revived": (
        "plan/_table.py",
        "(move if makes.get(move, True) else Move.ASK for move in answers)",
        "answers",
        (ENGINE.format("deletions", "a_person_is_asked_where_what_is_gone_cannot_be_made_again"),),
    ),
    "a person's value for a field of another case is dropped": (
        "_engine/_edited.py",
        "    unsent = sorted(edit.values.keys() - written)\n",
        "    unsent = sorted(written - written)\n",
        (ENGINE.format("edited_retries", "a_value_for_a_field_of_another_case_is_kept_back_with_all_others"),),
    ),
    "a link loses its case while there are none": (
        "_engine/_cases.py",
        "return None if link is None else link.case\n",
        "return None if link is None or not cases else link.case\n",
        (ENGINE.format("cases", "a_case_stays_when_cases_are_taken_out_and_put_back"),),
    ),
    "two records of one batch are tied to one counterpart": (
        "_engine/_batch.py",
        "    used[subject.side, record.ref] = used[towards, found.ref] = subject\n",
        "",
        (ENGINE.format("recovery", "a_plan_disputes_the_second_claimant_as_the_run_does"),),
    ),
    "a key that is about to go back to a counterpart is free": (
        "_engine/_rivals.py",
        "            values = {**values, **intent.action.values}\n",
        "            values = {**values}\n",
        (ENGINE.format("rivals", "a_key_that_goes_back_to_a_counterpart_is_claimed_before_it_is_written"),),
    ),
    "the row of a merged record ends the survivor's by a reading that is behind it": (
        "_engine/_batch.py",
        "        elif (waiting := unbelieved(run, look, subject)) is not None:\n            late.append(waiting)\n",
        "",
        (
            ENGINE.format(
                "decided_pairs",
                "the_row_of_a_merged_record_ends_no_row_whose_edit_its_reading_does_not_show_yet",
            ),
        ),
    ),
    "a duplicate that changes is counted and not named": (
        "_engine/_ingest.py",
        "        if any(duplicate(link) for link in links.get(ref, ()))\n        or (revives",
        "        if (revives",
        (
            ENGINE.format(
                "stories",
                "a_duplicate_is_reported_whenever_it_changes_with_the_records_that_hold_its_place[memory]",
            ),
        ),
    ),
    "closed links stay behind when their record moves": (
        "_engine/_batch.py",
        "    departed = [subject.ref for subject in subjects if any(row.departed for row in subject.rows)]\n",
        "    departed = [subject.ref for subject in subjects if run.planning]\n",
        (ENGINE.format("stories", "a_person_deleted_on_one_side_does_not_come_back_by_way_of_a_conversion"),),
    ),
    "what was settled by other rules stays settled": (
        "_engine/_again.py",
        "    if again.linked:\n        links =",
        "    if again.crossing:\n        links =",
        (ENGINE.format("changed_rules", "a_pair_that_was_added_reaches_records_that_nobody_has_touched_since"),),
    ),
    "new rules are put down before what they bring up is queued": (
        "_engine/_again.py",
        "    run.again = Again(before, now, once=",
        (
            "    yield from run.commit(Delta(progress=_stands(now, done=True)))\n"
            "    run.again = Again(before, now, once="
        ),
        (ENGINE.format("changed_rules", "a_process_may_die_at_any_effect_after_its_rules_have_changed"),),
    ),
    "what stood on the right before it was read for its own sake is passed over": (
        "_engine/_ingest.py",
        "        for side in SIDES if run.again.crossing else ():\n",
        "        for side in (LEFT,) if run.again.crossing else ():\n",
        (ENGINE.format("changed_rules", "one_way_that_becomes_two_way_carries_what_stood_on_the_right"),),
    ),
    "an agreement is lost with the name of its field": (
        "plan/_pairing.py",
        "        if self.formerly is not None and self.label not in by_label:\n",
        "        if not self.label:\n",
        (
            ENGINE.format(
                "changed_rules",
                "an_edit_outlives_a_field_that_was_renamed_where_the_pair_says_what_it_was_called",
            ),
        ),
    ),
    "the cursor is committed before its page": (
        "_engine/_ingest.py",
        "        yield from run.commit(delta)\n",
        "        yield from run.commit(Delta(progress=delta.progress))\n        yield from run.commit(delta)\n",
        (ENGINE.format("crashes", "a_process_may_die_at_any_effect_and_the_end_is_the_same"),),
    ),
    "a create of class A is taken for one without any key": (
        "_engine/_recover.py",
        "        if made is CreateClass.A:\n            return since\n",
        "",
        (ENGINE.format("recovery", "a_create_sent_again_whose_answer_is_lost_too_stays_open"),),
    ),
    "a copy of a record that took over another link is tied all the same": (
        "_engine/_recover.py",
        "    return attrs.evolve(delta, links=tuple(attrs.evolve(link, closed=why) for link in delta.links))\n",
        "    return delta if why else delta\n",
        (ENGINE.format("recovery", "a_copy_whose_origin_took_over_another_link_by_a_merge_is_a_surplus_copy"),),
    ),
    "no overlap": (
        "adapters/salesforce/_reading.py",
        "instant(place.top) - OVERLAP",
        "instant(place.top)",
        (f"{READING}::test_a_change_with_an_old_stamp_that_shows_late_is_not_missed",),
    ),
    "values that were read before are used for later decisions": (
        "_engine/_seen.py",
        "        self._seen: dict[tuple[Side, RecordRef], Seen] = {}\n",
        "        self._seen = Look.__dict__.get(run.id, {})\n        setattr(Look, run.id, self._seen)\n",
        (ENGINE.format("gaps", "a_record_that_moved_on_is_decided_from_a_new_reading_in_the_same_run"),),
    ),
    "the settle time is too short": (
        "_engine/_recover.py",
        "    return since + max(able.settles_in, able.read_lag)",
        "    return since + max(able.settles_in / 5, able.read_lag)",
        (ENGINE.format("gaps", "a_create_that_is_applied_late_is_waited_for_as_long_as_it_may_take"),),
    ),
    # -- deletions that are none --------------------------------------------------------------------------------
    "no survivor is looked for": (
        "_engine/_survivors.py",
        "        if not asking:\n",
        "        if asking:\n",
        (
            ENGINE.format("survivors", "the_counterpart_of_a_merged_record_is_tied_to_the_survivor_and_not_removed"),
            ENGINE.format("survivors", "several_survivors_are_for_a_person_to_choose_from"),
        ),
    ),
    "a survivor is looked for where merges are reported": (
        "_engine/_survivors.py",
        "sees_merges = run.able(side, link.ref(side).kind).sees_merges",
        "sees_merges = run.planning",
        (ENGINE.format("survivors", "where_merges_are_reported_a_removed_record_is_believed"),),
    ),
    "the counterpart of a linked survivor is removed": (
        "_engine/_survivors.py",
        "    if not isinstance(found, Matched | Taken) or subject.link is None:",
        "    if not isinstance(found, Matched) or subject.link is None:",
        (
            ENGINE.format(
                "survivors", "two_linked_records_merged_without_a_word_leave_a_duplicate_that_nobody_writes_to"
            ),
        ),
    ),
    "nothing waits for the survivor that a link has moved to": (
        "_engine/_survivors.py",
        "Delta(queue=(row,))",
        "Delta(wake=((side, into),))",
        (
            ENGINE.format("survivors", "what_a_busy_system_puts_off_about_a_survivor_is_done_later"),
            ENGINE.format("survivors", "a_survivor_is_looked_at_though_the_process_dies_after_the_link_has_moved"),
        ),
    ),
    "a record that lives on in one with an open write does not wait": (
        "_engine/_batch.py",
        "                yield lives.get((side, ref), ref)\n",
        "                yield ref\n",
        (ENGINE.format("recovery", "a_record_that_was_merged_into_one_whose_create_is_in_doubt_makes_no_second_copy"),),
    ),
    "both losers of one survivor are tied to it": (
        "_engine/_batch.py",
        "            _ = claims.used.setdefault((side, link.ref(side)), subject)\n",
        "            _ = (side, subject)\n",
        (ENGINE.format("stories", "two_records_that_were_merged_into_a_third_leave_one_pair_and_no_second_claim"),),
    ),
    "an older record is taken for the copy of a lost create": (
        "_engine/_recover.py",
        "    return stamp is not None and stamp < intent.promised_at - _CLOCKS",
        "    return stamp is not None and stamp < intent.promised_at - _CLOCKS * 1000",
        (ENGINE.format("recovery", "a_record_that_was_removed_long_before_is_not_taken_for_our_copy"),),
    ),
    "a listing that was cut short is taken for whole": (
        "_engine/_ingest.py",
        "if listed is not None and page.complete:",
        "if listed is not None and not page.more:",
        (ENGINE.format("listings", "a_listing_that_was_cut_short_removes_nothing"),),
    ),
    "absence from a listing is believed without a read by id": (
        "_engine/_listing.py",
        "    absent = [ref for ref in unseen if not isinstance(look.at(listed.side, ref), Record)]\n",
        "    absent = list(unseen) if Record else []\n",
        (ENGINE.format("listings", "a_record_that_a_narrower_filter_hides_is_still_there_and_stays"),),
    ),
    "absence is no deletion at all": (
        "_engine/_listing.py",
        "    unseen = [ref for ref, found in zip(refs, answers, strict=True) if not found]\n",
        "    unseen = [ref for ref, found in zip(refs, answers, strict=True) if not found and run.planning]\n",
        (ENGINE.format("listings", "a_linked_record_that_a_complete_listing_does_not_show_is_followed_as_a_deletion"),),
    ),
    "a row that is missing from a file is a deletion": (
        "plain/_feed.py",
        "fetch_batch=1000, absent=absent)",
        "fetch_batch=1000)",
        (
            "tests/plain/test_absent.py::test_a_row_that_is_missing_for_a_day_is_no_deletion_and_is_followed_when_it_is_back",
        ),
    ),
    "a file of UTF-8 with a fault is CP932": (
        "plain/_encoding.py",
        'return "cp932" if outside > inside else',
        'return "cp932" if outside + inside else',
        ("tests/plain/test_encoding.py::test_a_fault_in_utf_8_is_told_with_its_place_and_the_remedy",),
    ),
    "a row that cannot be read crosses without what cannot be read": (
        "_engine/_unreadable.py",
        "        if why is not None:\n",
        "        if why is not None and not refs:\n",
        (
            "tests/plain/test_table.py::test_a_row_that_cannot_be_read_is_parked_alone_until_it_is_mended",
            ENGINE.format("unreadable", "a_pair_of_which_one_record_cannot_be_read_is_written_on_neither_side"),
        ),
    ),
    "a record that is not there by id is gone, whatever its absence says": (
        "_engine/_halves.py",
        '(young or able.absent == "kept")',
        "young",
        (ENGINE.format("listings", "what_happened_while_a_record_was_not_shown_crosses_once_it_is_shown_again"),),
    ),
    "a link that ended by absence never opens again": (
        "_engine/_reopened.py",
        "    if not closed:\n",
        "    if closed or not closed:\n",
        (
            ENGINE.format(
                "listings", "a_link_that_ended_by_absence_alone_opens_again_with_the_record_and_no_edit_is_lost"
            ),
        ),
    ),
    "the guards do not see what a listing misses": (
        "_engine/_sums.py",
        "gone = max(self._gone.values(), default=0)",
        "gone = 0 * len(self._gone)",
        (ENGINE.format("listings", "a_side_that_shows_nothing_at_all_any_more_is_not_believed_where_a_guard_says_so"),),
    ),
    "a record that is shown again stays a departure": (
        "_engine/_listing.py",
        "for ref, row in queued.items() if row.departed)",
        "for ref, row in queued.items() if row.departed and run.planning)",
        (ENGINE.format("listings", "what_a_listing_shows_again_is_no_removal_that_a_guard_has_to_count"),),
    ),
    "the generation of a listing does not grow": (
        "_engine/_listing.py",
        "int(last.cursor) + last.filled",
        "int(last.cursor)",
        (ENGINE.format("listings", "a_linked_record_that_a_complete_listing_does_not_show_is_followed_as_a_deletion"),),
    ),
    # -- shared records -------------------------------------------------------------------------------------------
    "everybody owns a shared record": (
        "plan/_owners.py",
        "    if how is None:\n        return False\n",
        "    if how is None:\n        return True\n",
        (ENGINE.format("sharing", "without_an_owner_a_shared_field_is_written_at_creation_and_then_only_filled"),),
    ),
    "the first and the newest owner are exchanged": (
        "plan/_owners.py",
        'min if how == "first_linked" else max',
        'max if how == "first_linked" else min',
        (ENGINE.format("sharing", "the_owner_alone_writes_a_field_of_the_shared_record"),),
    ),
    "a shared record is removed with the first who lets go": (
        "_engine/_sharing.py",
        "    return any(one.id != link.id for one in run.sharing.get(link.right, ()))",
        "    return run.planning and any(one.id != link.id for one in run.sharing.get(link.right, ()))",
        (ENGINE.format("sharing", "a_shared_record_is_removed_with_the_last_who_shares_it"),),
    ),
    "nobody is the last of a batch to let go of a shared record": (
        "_engine/_batch.py",
        "            let_go(run, verdicts[-1])\n",
        "",
        (ENGINE.format("sharing", "a_shared_record_is_removed_with_the_last_who_shares_it"),),
    ),
    "sharers write in one breath": (
        "_engine/_batch.py",
        "    verdicts = yield from pointing_somewhere(run, one_by_one(run, verdicts))\n",
        "    verdicts = yield from pointing_somewhere(run, verdicts)\n",
        (ENGINE.format("sharing", "two_who_fill_a_blank_in_the_same_breath_do_not_write_over_each_other"),),
    ),
    # -- echoes, lost memories, and what was left behind ------------------------------------------------------------
    "an echo is never broken": (
        "_engine/_strikes.py",
        "        if _count(strikes, label, now) >= MOST:",
        "        if _count(strikes, label, now) >= MOST * 1000:",
        (
            ENGINE.format("strikes", "systems_that_normalise_against_each_other_are_stopped_and_named"),
            ENGINE.format(
                "strikes", "two_automations_that_insist_are_stopped_although_every_answer_tells_what_was_stored"
            ),
        ),
    ),
    "a new value does not start the count anew": (
        "_engine/_strikes.py",
        "return strikes.get(label, 0) + 1 if strikes.get(label + _HELD) == now else 0",
        "return strikes.get(label, 0) + 1 if strikes.get(label + _HELD) == now else strikes.get(label, 0)",
        (ENGINE.format("strikes", "the_value_of_a_person_starts_the_count_anew"),),
    ),
    "a write that never arrived counts as a strike": (
        "_engine/_strikes.py",
        "        strikes[label + _PROMISED] = now\n",
        "        strikes |= {label: _count(strikes, label, now), label + _HELD: now}\n",
        (ENGINE.format("strikes", "a_system_that_is_busy_for_days_is_no_echo"),),
    ),
    "a lost memory is not noticed": (
        "_engine/_adoption.py",
        "    run.fresh, run.lost = False, met\n",
        "    run.fresh, run.lost = met and False, False\n",
        (
            ENGINE.format(
                "adoption", "a_pipeline_that_meets_its_own_marks_without_a_memory_only_fills_until_it_is_adopted"
            ),
        ),
    ),
    "a pipeline without a memory lets its policies decide": (
        "_engine/_merging.py",
        "        filling=run.lost,\n",
        "",
        (
            ENGINE.format(
                "adoption", "a_pipeline_that_meets_its_own_marks_without_a_memory_only_fills_until_it_is_adopted"
            ),
        ),
    ),
    "a pipeline without a memory makes records": (
        "_engine/_create.py",
        "    if run.lost:\n",
        "    if run.lost and run.planning:\n",
        (
            ENGINE.format(
                "adoption", "a_pipeline_that_meets_its_own_marks_without_a_memory_only_fills_until_it_is_adopted"
            ),
            ENGINE.format("adoption", "a_first_run_that_dies_still_knows_its_marks_afterwards"),
        ),
    ),
    "a revived record is skipped for ever once a gate has kept it back": (
        "_engine/_ingest.py",
        'revives = run.definition.deletes.if_edited == "revive"',
        'revives = run.definition.deletes.if_edited != "revive"',
        (ENGINE.format("gaps", "a_record_that_a_gate_kept_from_being_made_again_is_made_once_the_gate_opens"),),
    ),
    "old doubts keep others waiting": (
        "_engine/_patience.py",
        "        limit *= 2\n",
        "        break\n",
        (ENGINE.format("gaps", "doubts_that_only_a_person_can_settle_keep_no_other_waiting"),),
    ),
    "a recovered update is a person's": (
        "_engine/_recover.py",
        "    if ours and not conflict:\n",
        "    if conflict and not conflict:\n",
        (ENGINE.format("gaps", "what_an_update_wrote_whose_answer_was_lost_is_known_for_our_own_write"),),
    ),
    "a record without a version is never known again": (
        "_engine/_patience.py",
        "parked_at(seen, row.version) or parked_as(seen, row.version)",
        "seen.version == row.version",
        (
            ENGINE.format(
                "decided_pairs",
                "a_run_counts_what_it_made_although_a_young_record_has_no_version_to_know_it_again_by[5]",
            ),
        ),
    ),
    "a wait hides what was written": (
        "_engine/_counted.py",
        "    if not again:\n",
        "    if again is not None:\n",
        (ENGINE.format("decided_pairs", "what_a_run_has_written_is_counted_although_it_waits_to_be_read_again"),),
    ),
    "a wide blank is taken for a control": (
        "quarantine.py",
        "lacking if _harmful(sign) else sign",
        "sign if sign.isprintable() else lacking",
        (
            "tests/shell/test_quarantine.py::test_a_wide_blank_stands_in_cp932_as_it_is_and_what_it_lacks_is_named_by_its_own_code_point",
        ),
    ),
    "a ruling answers whatever is asked of its pair later": (
        "plan/_asked.py",
        "next((choice for asked, choice in self.given if asked == question), None)",
        "next((choice for _, choice in self.given), None)",
        (
            ENGINE.format("rulings", "a_ruling_decides_its_own_dispute_and_no_later_one_whatever_the_clocks_say"),
            ENGINE.format("rulings", "an_edit_that_no_run_has_read_when_a_person_rules_is_not_covered"),
        ),
    ),
    "a parked record keeps its key when it asks something else": (
        "quarantine.py",
        "asked = self.row.sequence if self.row.question is None else self.row.question",
        "asked = 0",
        (
            ENGINE.format(
                "rulings", "an_old_file_of_rulings_decides_nothing_about_an_edit_that_was_disputed_since[right]"
            ),
        ),
    ),
    "a record is linked with another one than a person chose": (
        "_engine/_chosen.py",
        "            search.found = _only(run, search.found, other(side), abouts[ref], chosen[ref])\n",
        "            pass\n",
        (
            ENGINE.format(
                "rulings", "while_the_record_that_a_person_chose_is_gone_or_matches_no_more_no_other_is_linked[removed]"
            ),
        ),
    ),
    "a ruling changes nothing about a value that would be refused": (
        "plan/_fields.py",
        "    work.overrule()\n",
        "",
        (ENGINE.format("rulings", "a_ruling_ends_the_quarantine_of_a_value_that_would_be_refused[leave-names0]"),),
    ),
    "a parent that was mended at its source stays in quarantine": (
        "_engine/_parents.py",
        'if behind(row, look.seen("left", row.ref))]',
        "if row.departed]",
        (
            ENGINE.format(
                "references",
                "a_parent_in_trouble_is_looked_at_again_once_it_was_mended_at_its_source[memory-run-own]",
            ),
        ),
    ),
    "who was told already is told again": (
        "_engine/_notices.py",
        "            if place in told or place in failing:\n",
        "            if place in failing:\n",
        (ENGINE.format("notices", "a_notifier_that_fails_has_no_other_tell_again_or_wait[memory-order0]"),),
    ),
    # -- leases ---------------------------------------------------------------------------------------
    "a lease whose taking was interrupted is held by nobody's run": (
        "_engine/_lease.py",
        """        held.append(store.leases.take(definition.name, owner, now, definition.lease))
        return held[0]

    try:
        fence = yield from call(take)
""",
        """        return store.leases.take(definition.name, owner, now, definition.lease)

    try:
        held.append((yield from call(take)))
        fence = held[0]
""",
        (
            ENGINE.format(
                "interrupted",
                "whichever_verb_is_interrupted_at_whichever_effect_no_lease_is_held_afterwards[run-after]",
            ),
            ENGINE.format(
                "interrupted",
                "whichever_awaited_verb_is_cancelled_at_whichever_effect_no_lease_is_held_afterwards[run]",
            ),
        ),
    ),
    "whoever is cancelled twice overtakes what he asked for": (
        "drive/_async.py",
        "                cancelled = error\n",
        "                if cancelled is not None:\n                    raise\n                cancelled = error\n",
        (
            ENGINE.format(
                "interrupted", "a_run_that_is_cancelled_again_and_again_while_it_is_given_the_lease_gives_it_back"
            ),
        ),
    ),
    # -- events ---------------------------------------------------------------------------------------
    "an event that comes again while it waits loses its values": (
        "_engine/_events.py",
        "                continue  # what waits keeps its values, and is not queued a second time\n",
        "                finished.append(arrival.record.ref)\n                continue\n",
        (
            ENGINE.format(
                "events",
                "an_event_that_comes_again_while_it_waits_keeps_its_values_and_is_counted_as_what_it_is[memory]",
            ),
        ),
    ),
    "what recovery parks is told by no report": (
        "_engine/_recover.py",
        "    return Delta(queue=(row,), notices=told, run=run.id, decisions=(decided,))\n",
        "    return Delta(queue=(row,), notices=told)\n",
        (ENGINE.format("events", "a_run_that_finds_a_delivered_event_in_doubt_says_so[memory]"),),
    ),
    # -- people who were forgotten, records that live on ----------------------------------------------
    "a system is asked for the counterpart of a forgotten person": (
        "_engine/_batch.py",
        "    links = [link for link in closed if not nobody(link.ref(other(side)))]\n",
        "    links = list(closed)\n",
        (ENGINE.format("forget", "a_forgotten_person_who_is_converted_is_kept_out_and_stops_nobody[memory]"),),
    ),
    "what a forgotten person's record becomes is taken up": (
        "stores/_memory/changes.py",
        "    tables.forgotten |= {fingerprint(tables.secret, ref) for ref in loose - out}\n",
        "",
        (ENGINE.format("forget", "a_forgotten_person_who_is_converted_is_kept_out_and_stops_nobody[memory]"),),
    ),
    "a merge into a forgotten record takes that person up again": (
        "_engine/_relink.py",
        "    if any(nobody(one.ref(other(side))) for one in others):\n",
        "    if link.closed is not None:\n",
        (ENGINE.format("forget", "a_person_into_whom_another_is_merged_stays_forgotten[memory]"),),
    ),
    "a plan takes what waits as it came, departures too": (
        "_engine/_planning.py",
        "            waiting.extend(row for row in rows if row.departed == departed or row.sequence > known > 0)\n",
        "            waiting.extend(rows if departed else ())\n",
        (TOLD.format("a_plan_takes_departures_first_over_all_batches_as_a_run_does"),),
    ),
    "following is put by itself, and before the row that tells of it": (
        "_engine/_batch.py",
        "    moved = yield from follow(run, look, [subject.link for subject in pairs if subject.link is not None])\n",
        (
            "    moved = yield from follow(run, look, [subject.link for subject in pairs if subject.link is not None])\n"
            "    yield from run.commit(Delta(links=run.relinked.links, departures=run.relinked.departures))\n"
        ),
        (
            TOLD.format("a_duplicate_is_named_by_the_run_though_somebody_looked_at_a_plan_before"),
            TOLD.format("a_plan_of_a_merge_is_not_stale_when_it_is_run_at_once"),
            TOLD.format("a_plan_moves_and_closes_no_link"),
            TOLD.format("a_link_that_ends_and_the_row_that_names_its_duplicate_stand_together_wherever_a_process_dies"),
        ),
    ),
    "what a batch has decided about links is not read in it": (
        "_engine/_relinked.py",
        "            every.update({id_: self._links[id_] for id_ in self._at[side, ref]})\n",
        "",
        (ENGINE.format("relinked", "links_are_read_as_a_store_tells_them_once_it_holds_the_change"),),
    ),
    "what a guard counted beforehand stays in the run": (
        "_engine/_planning.py",
        "        relinked=Relinked(),\n",
        "",
        (TOLD.format("a_duplicate_is_named_though_a_guard_has_decided_beforehand_to_count"),),
    ),
    "a merge is followed before the conversion that made its survivor": (
        "_engine/_relink.py",
        "    for merges in (False, True):\n",
        "    for merges in (True,):\n",
        (
            ENGINE.format(
                "merged_and_moved",
                "each_survivor_keeps_its_counterpart_in_whatever_order_records_are_merged_and_converted"
                "[(False, False)-one page]",
            ),
        ),
    ),
    # -- lines ----------------------------------------------------------------------------------------
    "each byte has the whole time of a request": (
        "drive/_line.py",
        "        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))\n",
        "        return self._inner.read(max_bytes, 5.0)\n",
        (f"{PORT}whatever_drips_around_a_body_is_given_up_at_the_deadline[blocking-a header]",),
    ),
    "each drop of a body has the whole time of a request": (
        "drive/_line.py",
        "            self._inner.write(buffer[start : start + _PIECE], _left(timeout, httpcore.WriteTimeout))\n",
        "            self._inner.write(buffer[start : start + _PIECE], 5.0)\n",
        (f"{PORT}a_system_that_takes_a_body_by_drops_is_given_up_at_the_deadline[blocking]",),
    ),
    # -- a full disk ----------------------------------------------------------------------------------
    "no room is kept for giving a lease back": (
        "stores/_sqlite/database.py",
        "        for make_room in (self._give_room, self._begin_log_anew):\n",
        "        for make_room in (self._begin_log_anew,):\n",
        (f"{FULL}on_a_full_disk_by_the_room_that_was_kept",),
    ),
    "a log that may not grow is not begun anew": (
        "stores/_sqlite/database.py",
        "        for make_room in (self._give_room, self._begin_log_anew):\n",
        "        for make_room in (self._give_room,):\n",
        (f"{FULL}where_the_log_may_not_grow_by_beginning_it_anew",),
    ),
    "a lease that is not given back is not told": (
        "_engine/_lease.py",
        "            yield from _give_back(definition, store, clock, fence)\n",
        "            yield from call(store.leases.release, fence)\n",
        (
            ENGINE.format(
                "interrupted", "a_lease_that_cannot_be_given_back_is_told_with_the_time_until_which_others_wait"
            ),
        ),
    ),
    # -- values of a person ---------------------------------------------------------------------------------------
    "what a person gave is forgotten where a system puts the write off": (
        "_engine/_remember.py",
        "case Postponed(reason=why) if given(run, verdict):",
        "case Postponed(reason=why) if False:",
        (
            ENGINE.format(
                "edited_retries",
                "values_that_a_system_puts_off_are_asked_for_again_and_the_records_own_are_not_sent_in_their_place",
            ),
        ),
    ),
    "what a person gave is forgotten where its turn has not come": (
        "_engine/_pacing.py",
        "if isinstance(answer, TooSoon) and given(run, verdict):",
        "if isinstance(answer, TooSoon) and False:",
        (
            ENGINE.format(
                "edited_retries",
                "values_whose_turn_has_not_come_are_asked_for_again_and_the_records_own_are_not_sent_in_their_place",
            ),
        ),
    ),
    "a value that is handed on counts as a yes": (
        "gates.py",
        "        if not isinstance(answer, bool):\n",
        "        if False:\n",
        (GATES.format("an_answer_of_a_function_that_is_neither_yes_nor_no_admits_nobody_and_keeps_nobody_out"),),
    ),
    "who holds a record that is matched is not told": (
        "_engine/_matching.py",
        "        search.found = attrs.evolve(found, holder=next(live, None))\n",
        "        search.found = attrs.evolve(found, holder=None)\n",
        (ENGINE.format("stories", "a_second_claimant_of_a_linked_record_is_disputed_and_the_first_is_named"),),
    ),
    # -- numbers of strangers -------------------------------------------------------------------------------------
    "a number of JSON Lines may be as large as it likes": (
        "plain/_jsonl.py",
        "parse_float=fraction,",
        "parse_float=__import__('decimal').Decimal,",
        ("tests/plain/test_jsonl_and_rows.py",),
    ),
    "whoever owns a schema must be allowed to make schemas": (
        "stores/_postgres/opening.py",
        'if connection.execute("SELECT to_regnamespace(%s) IS NULL", (at.schema,)).fetchone() == (True,):\n',
        "if connection is not None:\n",
        ("tests/stores/test_postgres_faults.py::test_who_owns_the_schema_needs_no_right_to_make_schemas",),
    ),
}
