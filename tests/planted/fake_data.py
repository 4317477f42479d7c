"""Defects in how a fake reads and gives data: each row is a file, what is sound, what is planted, the tests that fail."""

BULK = "tests/fakes/test_salesforce_bulk.py::test_{}"
SALESFORCE = "testing/fakes/salesforce/{}.py"

PLANTS = {
    "a table of rows has the columns of its first row": (
        SALESFORCE.format("bulk"),
        "job.header, job.good = list(result.header), [sheets.flat(record) for record in shown]",
        "job.good = [sheets.flat(record) for record in shown]\n            job.header = [*job.good[0]] if job.good else []",
        (
            BULK.format("the_columns_of_a_query_job_are_those_of_its_query_whichever_row_is_first[ASC]"),
            BULK.format("a_query_job_that_finds_nothing_gives_its_header"),
        ),
    ),
    "a row with an id is made a second record": (
        SALESFORCE.format("loading"),
        '    if operation == "insert":\n        if id is not None:\n',
        '    if operation == "insert":\n        if id is None and not row:\n',
        (BULK.format("a_row_with_an_id_makes_no_second_record"),),
    ),
    "a column that is no field is found out row by row": (
        SALESFORCE.format("bulk"),
        "            loading.check_header(desk.org, kind, job.header)\n",
        "",
        (BULK.format("a_file_that_is_wrong_as_a_whole_fails_the_job_before_its_first_row"),),
    ),
    "a date-time in a form of nobody's is stored as UTC": (
        SALESFORCE.format("values"),
        "moment(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else None",
        "moment(value) if isinstance(value, str) and _DATE.match(value) else None",
        ("tests/fakes/test_salesforce_values.py::test_a_value_that_does_not_fit_is_refused_with_the_vendors_words",),
    ),
}
