"""Date literals as days (SOQL and SOSL Reference, "Date Formats and Date Literals").

The fiscal year is the calendar's, as it is in an organization until it sets another.
"""

from datetime import date, timedelta

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAY = timedelta(days=1)


def day_range(name: str, today: date) -> tuple[date, date]:
    """Give the first day that a date literal means, and the day after its last; weeks begin on Sunday."""
    word, _, count = name.replace("FISCAL_", "").partition(":")
    many = min(int(count[:6] or 0), 99_999)
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        word, many = f"{word[:5]}N_DAYS", 90
    days = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1, "N_DAYS_AGO": -many}
    if word in days:
        first = today + days[word] * _DAY
        return first, first + _DAY
    if word.endswith("S_AGO"):
        return _ranging(word[2:-5], today, -many, 1 - many)
    which, unit = word.split("_")[0], word.split("_")[-1]
    if unit == "DAYS":
        return (today - many * _DAY, today + _DAY) if which == "LAST" else (today + _DAY, today + (many + 1) * _DAY)
    if unit.endswith("S"):
        # So many whole weeks, months, quarters or years before the current one, or after it.
        return _ranging(unit[:-1], today, *((-many, 0) if which == "LAST" else (1, many + 1)))
    step = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
    return _ranging(unit, today, step, step + 1)


def _ranging(unit: str, today: date, first: int, after: int) -> tuple[date, date]:
    def begin(step: int) -> date:
        if unit == "WEEK":
            return today + (7 * step - today.isoweekday() % 7) * _DAY
        months = today.year * 12 + today.month - 1
        aligned = months - months % _MONTHS[unit] + step * _MONTHS[unit]
        aligned = min(max(aligned, 12), 9_999 * 12)
        return date(aligned // 12, aligned % 12 + 1, 1)

    return begin(first), begin(after)
