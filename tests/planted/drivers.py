"""Defects of those who perform what flows ask for: rows as those of `life`."""

ANSWERS = "tests/drive/test_drive_answers.py::test_"
BELONGING = "tests/drive/test_drive_belonging.py::test_"
FORKED = f"{BELONGING}a_forked_process_has_connections_of_its_own_and_leaves_those_of_its_parent"
INTERRUPTED = "tests/drive/test_drive_interrupted.py::test_interrupted_"
REFUSED = f"{ANSWERS}a_text_is_decoded_whole_or_refused_by_charset_and_position"

PLANTS = {
    "a byte that is no text is guessed": (
        "drive/_text.py",
        'return data.decode(known).removeprefix("\\ufeff")',
        'return data.decode(known, "replace").removeprefix("\\ufeff")',
        (f"{ANSWERS}no_byte_of_a_text_is_guessed_whatever_charset_is_named",),
    ),
    "a charset that is not known is taken for UTF-8": (
        "drive/_text.py",
        "    known = codec(charset)\n",
        '    known = codec(charset) or "utf-8"\n',
        (f"{REFUSED}[blocking-200-text/csv; charset=eucJP-ms-1,2-text/csv, a charset that is not known, eucJP-ms]",),
    ),
    "a forked worker speaks over the connections of its parent": (
        "drive/_sync.py",
        "                if self._held.process != os.getpid():\n",
        "                if self._held.process < 0:\n",
        (f"{FORKED}[asks-seen0-blocking]",),
    ),
    "an awaited driver goes on in any event loop": (
        "drive/_async.py",
        "        if held.loop is not loop:\n",
        "        if held.loop is None:\n",
        (f"{BELONGING}an_awaited_driver_is_refused_in_a_second_event_loop_before_anything_is_sent",),
    ),
    "an interruption leaves the threads of gathered flows going": (
        "drive/_sync.py",
        "                ending.set()\n",
        "",
        (f"{INTERRUPTED}gathered_flows_end_the_try_that_is_under_way_and_no_other[200-Response]",),
    ),
    "an error cannot leave its process": (
        "errors.py",
        "        return _anew, (type(self), self.args), vars(self)\n",
        "        return super().__reduce__()\n",
        ("tests/house/test_errors.py::test_a_refused_credential_ends_one_job_of_a_pool_and_not_the_pool",),
    ),
}
