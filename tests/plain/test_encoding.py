"""Which encoding a file is in: nobody guesses where a guess could be wrong, and nothing is ever read as what it is not."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import plain
from crmbridge.errors import ContractBroken
from crmbridge.model import Query
from crmbridge.plain._encoding import found

FUNCTIONS = [HealthCheck.function_scoped_fixture]

COMMON = st.sampled_from(
    "佐藤鈴木高橋田中伊渡辺山本村小林加吉々口松井上森池阿部石川下島前岡長谷後近遠青坂太郎花子一健翔美咲結衣大輔直樹"
)
KANA = st.sampled_from("さくらあゆみひろしトミージョンサトウ")
WORDS = st.text(st.one_of(COMMON, KANA), min_size=1, max_size=6)
HALF_WIDTH = st.text(st.characters(min_codepoint=0xFF66, max_codepoint=0xFF9F), min_size=1, max_size=8)


def told(names):
    lines = ["id,email,name", *(f"{number},a{number}@x.test,{name}" for number, name in enumerate(names))]
    return "\n".join([*lines, ""])


def cells(run, path, column="name", **how):
    page = run(plain.csv(path, id="id", **how).read(Query("row", (column,), None, 100)))
    return [record.get(column) for record in page.rows]


def written(tmp_path, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    return path


def read_or_refused(run, path, names):
    """Fail where a file is read as something else, or refused without the remedy."""
    try:
        found_there = cells(run, path)
    except ContractBroken as error:
        refused = str(error)
    else:
        assert found_there == list(names)
        return
    assert 'encoding="cp932"' in refused
    assert cells(run, path, encoding="cp932") == list(names)


@given(st.lists(WORDS, min_size=1, max_size=5), st.data())
@settings(max_examples=60, suppress_health_check=FUNCTIONS)
def test_a_file_of_utf_8_with_a_character_that_is_cut_short_is_refused_and_never_read_as_another(
    tmp_path, run, names, data
):
    row = data.draw(st.integers(0, len(names) - 1))
    at, kept = data.draw(st.integers(0, len(names[row]) - 1)), data.draw(st.integers(1, 2))
    whole = told(names).encode()
    begin = len(told(names[:row]).encode()) + len(f"{row},a{row}@x.test,{names[row][:at]}".encode())
    rest = b"" if data.draw(st.booleans()) else whole[begin + 3 :]
    with pytest.raises(ContractBroken, match=rf"line {row + 2}, column 3 \(name\) holds bytes that are no text"):
        cells(run, written(tmp_path, whole[: begin + kept] + rest))


def test_a_fault_in_utf_8_is_told_with_its_place_and_the_remedy(tmp_path, run):
    whole = "id,name,city\n1,田中,東京\n2,中田,京都の人\n".encode()
    for cut in (2, 5, 8, 11):
        with pytest.raises(ContractBroken) as refused:
            cells(run, written(tmp_path, whole[:-cut]))
        assert str(refused.value) == (
            "csv: people.csv: line 3, column 3 (city) holds bytes that are no text in UTF-8, which the file seems to be; "
            'save it anew, or say encoding="cp932" if it is that'
        )


def test_a_fault_in_a_line_of_json_is_told_with_its_place_and_the_remedy(tmp_path, run):
    path = written(
        tmp_path, '{"id": "1", "name": "田中"}\n{"id": "2", "name": "中'.encode() + "田".encode()[:2] + b'"}\n'
    )
    with pytest.raises(ContractBroken, match=r"line 2, character 23 is no text in UTF-8, .* encoding=\"cp932\""):
        run(plain.jsonl(path, id="id").read(Query("row", ("name",), None, 100)))


@given(st.lists(WORDS, min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=FUNCTIONS)
def test_a_file_of_cp932_is_read_as_what_it_is_or_refused_with_the_remedy(tmp_path, run, names):
    read_or_refused(run, written(tmp_path, told(names).encode("cp932")), names)


@given(st.lists(HALF_WIDTH, min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=FUNCTIONS)
def test_half_width_katakana_are_read_as_what_they_are_or_refused_with_the_remedy(tmp_path, run, names):
    read_or_refused(run, written(tmp_path, told(names).encode("cp932")), names)


@pytest.mark.parametrize("name", ["佐藤", "田中 太郎", "林", "さくら", "ジョン", "髙橋"])
@pytest.mark.parametrize("rows", [2, 5])
def test_a_short_file_of_everyday_names_is_read_in_either_encoding(tmp_path, run, name, rows):
    for encoding in ("utf-8", "cp932"):
        assert cells(run, written(tmp_path, told([name] * rows).encode(encoding))) == [name] * rows


def test_what_could_be_both_is_refused_and_read_as_what_its_author_says(tmp_path, run):
    path = written(tmp_path, told(["ﾃｽ"]).encode("cp932"))
    with pytest.raises(ContractBroken, match=r"people\.csv can be read as UTF-8 and as CP932"):
        cells(run, path)
    assert cells(run, path, encoding="cp932") == ["ﾃｽ"]
    assert cells(run, path, encoding="utf-8") == ["ý"]


@pytest.mark.parametrize("name", ["José", "Émile", "Иван", "Κώστας", "5€", "°C 20°", "ann"])
def test_a_file_of_another_script_in_utf_8_is_no_doubtful_one(tmp_path, run, name):
    assert cells(run, written(tmp_path, told([name]).encode())) == [name]


def test_a_long_file_is_known_by_its_beginning_and_its_faults_are_told_still(tmp_path, run):
    names = ["佐藤太郎"] * 30_000
    assert found(io.BytesIO(told(names).encode("cp932"))) == "cp932"
    assert found(io.BytesIO(told(names).encode()[:-2])) == "damaged utf-8"
    assert found(io.BytesIO(told(names).encode())) == "utf-8"


def test_a_last_line_without_an_end_is_a_row(tmp_path, run):
    assert cells(run, written(tmp_path, told(["佐藤", "田中"]).encode()[:-1])) == ["佐藤", "田中"]
