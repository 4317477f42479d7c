"""Defects of those who perform what flows ask for: rows as those of `life`."""

ANSWERS = "tests/drive/test_drive_answers.py::test_"
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
}
