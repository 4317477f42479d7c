"""The bug catalogue: what went wrong in other people's syncs, planted into ours, each with the tests that must fail.

A row is planted here, or by a defect of another file of this folder that is named beside it. Each plant is a file,
what is sound there, what is planted, and the tests that fail.
"""

ENGINE = "tests/engine/test_{}.py::test_{}"
DRIVE = "tests/drive/test_drive_{}.py::test_{}"
FIELDS = "tests/core/test_fields.py::test_{}"
SALESFORCE = "tests/adapters/test_salesforce_{}.py::{}"

ROWS = {
    "B01": (
        "a create is sent twice after a timeout or a crash",
        (
            "nothing is promised before it is sent",
            "a create without any key is sent again",
            "a create of class A ends before what is under way has settled",
        ),
    ),
    "B02": ("a request is applied after a look said that there is none", ("no settle time",)),
    "B03": (
        "a search that lags leads to a second record",
        ("the directory is not told of our own writes", "B03: a search that lags is believed at once"),
    ),
    "B04": (
        "an edit is lost under a write that was planned before it",
        (
            "the precondition is not sent",
            "no reading before an unconditional write",
            "B04: unchanged fields are written too",
        ),
    ),
    "B05": (
        "a write comes back as a change and is written again",
        ("nothing is learned of what a system stored", "an echo is never broken"),
    ),
    "B06": (
        "two forms of one value are written back and forth",
        ("exact echo instead of the same in another form", "B06: no declared form is ever the same"),
    ),
    "B07": ("what was deleted comes back", ("closed links stay behind when their record moves",)),
    "B08": (
        "absence is taken for a deletion",
        (
            "a listing that was cut short is taken for whole",
            "absence from a listing is believed without a read by id",
            "a row that is missing from a file is a deletion",
        ),
    ),
    "B09": (
        "the cursor passes a record that failed",
        ("the cursor is committed before its page", "B09: a record that was refused is let go"),
    ),
    "B10": (
        "records that share a stamp are skipped at the edge of a page",
        ("B10: Salesforce's next page begins behind the stamp", "B10: a table's next page begins behind the stamp"),
    ),
    "B11": ("a stamp is rounded up", ("B11: instants on the wire lose their fraction",)),
    "B12": (
        "a transaction that was under way shows up behind the cursor",
        ("B12: Salesforce is read on from the newest stamp", "B12: a table is read on from the newest stamp"),
    ),
    "B13": (
        "rows shift while pages are read",
        ("B13: what changes while a table is read is behind the cursor", "B13: a mark is later than its query"),
    ),
    "B14": (
        "one record's failure is taken for the batch's, or the batch's success for the record's",
        ("B14: one failure is the failure of the batch", "B14: the first element speaks for all"),
    ),
    "B15": (
        "two writes to one record stand in one batch",
        ("two records of one batch are tied to one counterpart", "sharers write in one breath"),
    ),
    "B16": (
        "a rotated refresh token is lost, or many refresh at once",
        (
            "B16: a rotated token is shown before it is saved",
            "B16: everybody refreshes",
            "B16: a driver without a store forgets what a pipeline was given",
        ),
    ),
    "B17": ("retries multiply while a system is down", ("B17: repeats have no allowance",)),
    "B18": ("a system asks for an absurd wait", ("B18: any wish to wait is followed",)),
    "B19": (
        "two workers have one partition",
        ("B19: a lease in memory is given to everybody", "B19: a lease in a file is given to everybody"),
    ),
    "B20": (
        "a worker that lost its lease commits",
        ("B20: a stale fence commits to memory", "B20: a stale fence commits to a file"),
    ),
    "B21": ("a secret is printed", ("B21: a secret shows itself", "B21: parameters stand in the log")),
    "B22": (
        "a credential goes to a foreign host",
        ("B22: any address is one of ours", "B22: a declared origin gets the credential", "B22: user@host is read"),
    ),
    "B23": (
        "a small answer fills the memory",
        ("B23: a chunk is inflated whole", "B23: bytes on the wire have no bound"),
    ),
    "B24": ("a text ends the query that it stands in", ("B24: a backslash is not escaped in SOQL",)),
    "B25": ("a cell acts as a formula", ("B25: a tab before a formula hides it", "B25: wide signs are no signs")),
    "B26": (
        "a forged or repeated delivery is taken",
        (
            "B26: any signature is genuine",
            "B26: a signature never ages",
            "B26: a delivery is stored as often as it comes",
        ),
    ),
    "B27": ("a path leads out of its folder", ("B27: a folder is no border",)),
    "B28": ("what is read is run", ("B28: a cursor is run",)),
    "B29": (
        "odd JSON stops a run",
        ("B29: brackets may be nested for ever", "B29: numbers may have any length", "B29: NaN is a number"),
    ),
    "B30": (
        "a lost state lets old values cover new ones",
        ("a lost memory is not noticed", "a pipeline without a memory lets its policies decide"),
    ),
    "B31": (
        "what was acknowledged is gone after a power cut",
        ("B31: a commit does not wait for the disk",),
    ),
    "B32": ("one stream in trouble stops all", ("B32: a pipeline in trouble stops the bundle",)),
    "B33": (
        "a key that changes is taken for a deletion and a new record",
        ("B33: a linked record goes by its key",),
    ),
    "B34": (
        "a merge at the vendor loses the link or doubles the record",
        ("B34: a link does not follow a merge", "B34: two links of one survivor both live on"),
    ),
    "B35": ("a fake applies half a request", ("B35: a body may end early",)),
    "I25": (
        "two records are made of one key in one run",
        ("I25: the creates of a batch do not see each other", "I25: open creates are not asked for"),
    ),
    "I26": (
        "an edit between a write and its reading is taken for our own",
        ("any later reading of a sent field counts as our own", "all fields are learned after a write"),
    ),
}
"""Each row of the catalogue: what went wrong, and the defects that stand for it."""

PLANTS = {
    "B03: a search that lags is believed at once": (
        "_engine/_recover.py",
        "            return since + able.settles_in + able.index_lag\n",
        "            return since + able.settles_in\n",
        (ENGINE.format("catalogue", "class_c_waits_for_the_index_before_it_asks_a_person"),),
    ),
    "B04: unchanged fields are written too": (
        "_engine/_merging.py",
        "        values = {promise.field: promise.sent for promise in promises}\n",
        (
            "        values = {name: own.record.get(name) for name in own.record.rows.fields}\n"
            "        values |= {promise.field: promise.sent for promise in promises}\n"
        ),
        (ENGINE.format("catalogue", "only_the_fields_that_changed_are_written"),),
    ),
    "B06: no declared form is ever the same": (
        "plan/_pairing.py",
        "return self.alike(self.encode(left), right)",
        "return self.encode(left) == right",
        (FIELDS.format("two_stored_forms_of_one_value_agree_at_first_contact_and_where_both_changed"),),
    ),
    "B09: a record that was refused is let go": (
        "_engine/_remember.py",
        'Rejected(reason=why):\n                ended = _ended(verdict, Disposition.QUARANTINED, why, "quarantined")',
        "Rejected(reason=why):\n                ended = _ended(verdict, Disposition.QUARANTINED, why, None)",
        (ENGINE.format("stories", "a_record_that_the_system_rejects_is_quarantined_and_its_page_goes_on"),),
    ),
    "B10: Salesforce's next page begins behind the stamp": (
        "adapters/salesforce/_reading.py",
        ' OR (SystemModstamp = {self.stamp} AND Id > {quoted(self.id)})"',
        '"',
        (
            SALESFORCE.format(
                "reading",
                "TestReading::test_reading_goes_on_from_any_page_without_a_skip_even_where_many_records_share_a_second",
            ),
        ),
    ),
    "B10: a table's next page begins behind the stamp": (
        "plain/_table.py",
        "({changed} > :p0 OR ({changed} = :p0 AND {self._id} > :p1))",
        "({changed} > :p0 OR {self._id} < :p1 AND {self._id} > :p1)",
        ("tests/plain/test_table.py::test_no_change_is_ever_skipped_whatever_the_page_and_however_stamps_are_shared",),
    ),
    "B11: instants on the wire lose their fraction": (
        "kit/times.py",
        'timespec: str = "milliseconds"',
        'timespec: str = "seconds"',
        (
            "tests/adapters/test_kit.py::TestTimes::test_what_is_written_is_read_back_but_for_what_is_finer_than_a_millisecond",
        ),
    ),
    "B12: Salesforce is read on from the newest stamp": (
        "adapters/salesforce/_reading.py",
        "utc_text(instant(place.top) - OVERLAP)",
        "utc_text(instant(place.top))",
        (SALESFORCE.format("reading", "TestReading::test_a_change_with_an_old_stamp_that_shows_late_is_not_missed"),),
    ),
    "B12: a table is read on from the newest stamp": (
        "plain/_table.py",
        "return since - self._able.overlap if",
        "return since if",
        ("tests/plain/test_table.py::test_reads_by_instants_begin_a_little_before_the_last_one",),
    ),
    "B13: what changes while a table is read is behind the cursor": (
        "plain/_table.py",
        'top = parts.get("top") if "after" in parts else self._top()',
        "top = self._top()",
        ("tests/plain/test_table.py::test_what_changes_while_the_table_is_read_is_seen_by_the_next_sweep",),
    ),
    "B13: a mark is later than its query": (
        "adapters/account_engagement/_walk.py",
        "instant_text(min(max(stamps), instant(self.asked)))",
        "instant_text(max(stamps))",
        (
            "tests/adapters/test_account_engagement_walks.py::test_a_change_after_the_query_is_not_passed_over_by_a_later_one_that_its_pages_show",
        ),
    ),
    "B14: one failure is the failure of the batch": (
        "_engine/_act.py",
        "        if len(actions) == 1:\n",
        "        if actions:\n",
        (ENGINE.format("stories", "a_batch_refused_whole_is_split_until_the_guilty_record_is_alone"),),
    ),
    "B14: the first element speaks for all": (
        "adapters/salesforce/_writing.py",
        "[_outcome(system, action, element) for action, element in zip(batch, elements, strict=True)]",
        "[_outcome(system, action, elements[0]) for action in batch]",
        (
            SALESFORCE.format(
                "writing",
                "TestCreating::test_one_record_in_trouble_leaves_the_others_alone_and_no_value_in_the_reason",
            ),
        ),
    ),
    "B16: a rotated token is shown before it is saved": (
        "drive/_credentials.py",
        "    yield from call(tokens.save, token_key(account, credential), token)\n",
        "",
        (
            DRIVE.format("tokens", "a_rotated_refresh_token_is_saved_before_the_new_token_is_shown"),
            DRIVE.format("tokens", "after_a_crash_the_grant_lives_on_exactly_where_the_rotated_one_was_saved"),
        ),
    ),
    "B16: a driver without a store forgets what a pipeline was given": (
        "drive/_exchange.py",
        "        if store is None or self._store is not None:\n",
        "        if store is store:\n",
        (DRIVE.format("tokens", "a_driver_without_a_store_keeps_the_tokens_of_a_pipeline_in_the_pipelines_store"),),
    ),
    "B16: everybody refreshes": (
        "drive/_exchange.py",
        "            if latest is not None and fits(latest):\n",
        "            if latest is None and fits(latest):\n",
        (DRIVE.format("tokens", "twenty_requests_at_once_fetch_one_token"),),
    ),
    "B17: repeats have no allowance": (
        "drive/_retry.py",
        "            self._left -= 1\n",
        "",
        (
            DRIVE.format("retries", "an_outage_is_not_answered_with_a_storm"),
            DRIVE.format("retries", "repeats_are_one_in_ten_and_ten_more"),
        ),
    ),
    "B18: any wish to wait is followed": (
        "drive/_throttle.py",
        "return None if seconds > _ABSURD else min(max(seconds, 0.0), LONGEST)",
        "return seconds",
        (DRIVE.format("retries", "whatever_a_system_asks_for_the_wait_is_bounded"),),
    ),
    "B19: a lease in memory is given to everybody": (
        "stores/_memory/work.py",
        "if lease is not None and lease.owner is not None and lease.until > now:",
        "if lease is not None and lease.owner is None and lease.until > now:",
        (ENGINE.format("recovery", "a_second_run_stays_out_while_the_first_holds_the_lease_and_takes_over_after"),),
    ),
    "B19: a lease in a file is given to everybody": (
        "stores/_sqlite/workers.py",
        "if holder is not None and until > micros(now):",
        "if holder is None and until > micros(now):",
        ("tests/stores/test_sqlite.py::TestSqliteStore::test_of_many_who_want_a_lease_one_gets_it",),
    ),
    "B20: a stale fence commits to memory": (
        "stores/_memory/work.py",
        "lease.owner is not None and lease.token == fence.token",
        "lease.owner is not None and lease.token >= fence.token",
        ("tests/stores/test_memory.py::TestMemoryStore::test_a_stale_fence_changes_nothing",),
    ),
    "B20: a stale fence commits to a file": (
        "stores/_sqlite/workers.py",
        "row[0] != fence.token",
        "row[0] < fence.token",
        ("tests/stores/test_sqlite.py::TestSqliteStore::test_a_stale_fence_changes_nothing",),
    ),
    "B21: a secret shows itself": (
        "credentials.py",
        '    def __repr__(self) -> str:\n        return "Secret(…)"\n',
        "    def __repr__(self) -> str:\n        return self._text\n",
        (DRIVE.format("secrets", "no_secret_is_seen_whatever_goes_wrong"),),
    ),
    "B21: parameters stand in the log": (
        "drive/_http.py",
        'path = wire.url.raw_path.partition(b"?")[0].decode("ascii")',
        'path = wire.url.raw_path.decode("ascii")',
        (DRIVE.format("secrets", "the_log_has_method_host_path_and_status_without_parameters"),),
    ),
    "B22: any address is one of ours": (
        "drive/_origin.py",
        "    if not own and origin not in map(origin_of, account.origins):\n",
        "    if not own and origin is None:\n",
        (DRIVE.format("origin", "an_address_outside_the_origins_is_refused_before_anything_is_sent"),),
    ),
    "B22: a declared origin gets the credential": (
        "drive/_exchange.py",
        "credential = account.credential if shape.target.own else None",
        "credential = account.credential",
        (DRIVE.format("origin", "a_declared_origin_gets_neither_credential_nor_account_headers"),),
    ),
    "B22: user@host is read": (
        "drive/_origin.py",
        'if authority is None or "@" in authority[1]:',
        "if authority is None:",
        (DRIVE.format("origin", "an_address_outside_the_origins_is_refused_before_anything_is_sent"),),
    ),
    "B23: a chunk is inflated whole": (
        "drive/_intake.py",
        "yield self._inflate.decompress(data, STEP)",
        "yield self._inflate.decompress(data)",
        (DRIVE.format("answers", "a_gzip_bomb_is_given_up_at_the_cap_and_not_inflated"),),
    ),
    "B23: bytes on the wire have no bound": (
        "drive/_intake.py",
        "        self._wire_left -= len(chunk)\n",
        "",
        (DRIVE.format("answers", "an_endless_body_is_given_up_at_the_cap"),),
    ),
    "B24: a backslash is not escaped in SOQL": (
        "adapters/salesforce/_soql.py",
        "re.compile(r\"[\\\\'",
        "re.compile(r\"['",
        (
            SALESFORCE.format("values", "TestQuoting::test_a_quoted_text_stands_for_itself_and_ends_nothing"),
            SALESFORCE.format("writing", "TestFinding::test_any_text_finds_its_own_record_and_no_other"),
        ),
    ),
    "B25: a tab before a formula hides it": (
        "quarantine.py",
        'first = next((sign for sign in text if unicodedata.category(sign)[0] not in "CZ" or sign in _FORMULA), "")',
        'first = text[:1].replace("\\t", "")',
        ("tests/shell/test_quarantine.py::test_no_cell_acts_as_a_formula",),
    ),
    "B25: wide signs are no signs": (
        "quarantine.py",
        'unicodedata.normalize("NFKC", first)[:1] in _FORMULA',
        "first in _FORMULA",
        ("tests/shell/test_quarantine.py::test_no_cell_acts_as_a_formula",),
    ),
    "B26: any signature is genuine": (
        "kit/intake.py",
        "    if not hmac.compare_digest(_digest(delivery.body, secret, seconds), told[2]):\n",
        "    if not _digest(delivery.body, secret, seconds):\n",
        ("tests/adapters/test_intake.py::test_another_body_under_the_same_signature_is_forged",),
    ),
    "B26: a signature never ages": (
        "kit/intake.py",
        "abs(now.timestamp() - seconds) > tolerance.total_seconds()",
        "seconds - now.timestamp() > tolerance.total_seconds()",
        ("tests/adapters/test_intake.py::test_a_signature_is_good_up_to_five_minutes_on_either_side",),
    ),
    "B27: a folder is no border": (
        "plain/_files.py",
        "not path.is_relative_to(self._within.resolve())",
        "not self._path.is_relative_to(self._within)",
        ("tests/plain/test_separated.py::test_a_path_that_leads_out_of_its_folder_is_refused",),
    ),
    "B29: brackets may be nested for ever": (
        "drive/_json.py",
        "    if _too_deep(body):\n",
        "    if _too_deep(body[:0]):\n",
        (DRIVE.format("answers", "nesting_is_refused_beyond_the_cap_and_taken_up_to_it"),),
    ),
    "B29: numbers may have any length": (
        "model/numbers.py",
        "    if len(text) > DIGITS:\n",
        "    if len(text) < 0:\n",
        (DRIVE.format("answers", "what_is_no_json_of_ours_is_a_flaw"),),
    ),
    "B29: NaN is a number": (
        "drive/_json.py",
        ", parse_constant=_no_constant)",
        ")",
        (DRIVE.format("answers", "what_is_no_json_of_ours_is_a_flaw"),),
    ),
    "B31: a commit does not wait for the disk": (
        "stores/_sqlite/opening.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = OFF",
        ("tests/stores/test_sqlite_faults.py::test_the_file_is_durable_and_says_whose_it_is",),
    ),
    "B32: a pipeline in trouble stops the bundle": (
        "bundles.py",
        "feed=feed, **how)\n            except CrmBridgeError as error:\n",
        "feed=feed, **how)\n            except UsageError as error:\n",
        (ENGINE.format("bundles", "a_pipeline_that_cannot_be_run_stops_those_that_refer_to_it_and_no_other"),),
    ),
    "B34: a link does not follow a merge": (
        "_engine/_relink.py",
        "        followed.links[link.id] = moved(link, side, into, run)\n",
        "        followed.links[link.id] = link\n",
        (ENGINE.format("stories", "a_link_follows_a_merged_record_and_the_survivors_values_are_an_edit"),),
    ),
    "B34: two links of one survivor both live on": (
        "_engine/_relink.py",
        '    if live is None or (link.shared and side == "right"):\n',
        "    if live is None or not link.shared:\n",
        (ENGINE.format("stories", "two_linked_records_that_are_merged_leave_a_duplicate_that_nobody_writes_to"),),
    ),
    "B35: a body may end early": (
        "testing/port.py",
        "    return body if len(body) == size else None\n",
        "    return body\n",
        ("tests/fakes/test_server.py::test_a_client_that_dies_in_the_middle_of_a_request_has_written_nothing",),
    ),
    "I25: the creates of a batch do not see each other": (
        "_engine/_create.py",
        "any(reserved.answer(question) for question in strict(search))",
        "any(run is None for _ in strict(search))",
        (ENGINE.format("stories", "twins_in_one_run_become_one_record_and_a_dispute"),),
    ),
    "I25: open creates are not asked for": (
        "_engine/_twins.py",
        "return (yield from run.ask(run.store.outbox.creating, run.name, plan, questions)) if questions else ()",
        "return [() for _ in questions] if run else (yield from run.ask(list))",
        (ENGINE.format("sharing", "a_plan_makes_one_record_of_one_key_and_lets_the_others_join"),),
    ),
    "B26: a delivery is stored as often as it comes": (
        "stores/_memory/work.py",
        "                inbox.setdefault(arrival.id, arrival)\n",
        '                inbox.setdefault(f"{arrival.id} {len(inbox)}", arrival)\n',
        (ENGINE.format("events", "a_delivered_event_makes_one_record_however_often_it_is_delivered"),),
    ),
    "B28: a cursor is run": (
        "kit/cursors.py",
        "parts: Any = json.loads(cursor)",
        'parts: Any = eval(cursor, {"null": None, "true": True})',
        ("tests/adapters/test_kit.py::TestCursors::test_a_cursor_of_somebody_else_is_refused",),
    ),
    "B33: a linked record goes by its key": (
        "_engine/_batch.py",
        "            links[side, ref] = [*own, *known.get(now, ())] if elsewhere else own\n",
        "            links[side, ref] = []\n",
        (
            ENGINE.format(
                "catalogue", "a_record_whose_key_changes_stays_with_its_counterpart_and_leaves_the_old_key_to_others"
            ),
        ),
    ),
}
