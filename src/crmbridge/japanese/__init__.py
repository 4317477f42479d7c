"""Japanese names, companies, addresses and numbers, made comparable; the original is never changed.

A key is for comparing and is never written to any system. Every key takes any text, gives nothing for a blank, gives
itself when it is applied again, and never raises. Literals of choice fields are no text of these kinds: never put one
through a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmbridge.japanese._fold import fold as fold
    from crmbridge.japanese.address import Address as Address
    from crmbridge.japanese.address import Place as Place
    from crmbridge.japanese.address import address_key as address_key
    from crmbridge.japanese.address import place_key as place_key
    from crmbridge.japanese.address import split_address as split_address
    from crmbridge.japanese.address import split_city as split_city
    from crmbridge.japanese.company import Company as Company
    from crmbridge.japanese.company import Position as Position
    from crmbridge.japanese.company import company_key as company_key
    from crmbridge.japanese.company import full_company_key as full_company_key
    from crmbridge.japanese.company import split_company as split_company
    from crmbridge.japanese.corporate import corporate_number_key as corporate_number_key
    from crmbridge.japanese.corporate import corporate_number_ok as corporate_number_ok
    from crmbridge.japanese.cp932 import Unwritable as Unwritable
    from crmbridge.japanese.cp932 import cp932_report as cp932_report
    from crmbridge.japanese.kana import hiragana as hiragana
    from crmbridge.japanese.kana import kana_key as kana_key
    from crmbridge.japanese.kana import katakana as katakana
    from crmbridge.japanese.kanji import Kanji as Kanji
    from crmbridge.japanese.kanji import kanji_key as kanji_key
    from crmbridge.japanese.mail import email_key as email_key
    from crmbridge.japanese.names import Names as Names
    from crmbridge.japanese.person import PersonName as PersonName
    from crmbridge.japanese.person import name_key as name_key
    from crmbridge.japanese.person import split_name as split_name
    from crmbridge.japanese.phone import Phone as Phone
    from crmbridge.japanese.phone import phone_key as phone_key
    from crmbridge.japanese.phone import split_phone as split_phone
    from crmbridge.japanese.postal import postal_key as postal_key
    from crmbridge.japanese.towns import Towns as Towns
    from crmbridge.japanese.url import domain_key as domain_key
    from crmbridge.japanese.url import host_key as host_key
    from crmbridge.japanese.url import url_key as url_key

_HOME = {
    "Address": "address",
    "Company": "company",
    "Kanji": "kanji",
    "Names": "names",
    "PersonName": "person",
    "Phone": "phone",
    "Place": "address",
    "Position": "company",
    "Towns": "towns",
    "Unwritable": "cp932",
    "address_key": "address",
    "company_key": "company",
    "corporate_number_key": "corporate",
    "corporate_number_ok": "corporate",
    "cp932_report": "cp932",
    "domain_key": "url",
    "email_key": "mail",
    "fold": "_fold",
    "hiragana": "kana",
    "full_company_key": "company",
    "host_key": "url",
    "kana_key": "kana",
    "kanji_key": "kanji",
    "katakana": "kana",
    "name_key": "person",
    "phone_key": "phone",
    "place_key": "address",
    "postal_key": "postal",
    "split_address": "address",
    "split_city": "address",
    "split_company": "company",
    "split_name": "person",
    "split_phone": "phone",
    "url_key": "url",
}

__all__ = [
    "Address",
    "Company",
    "Kanji",
    "Names",
    "PersonName",
    "Phone",
    "Place",
    "Position",
    "Towns",
    "Unwritable",
    "address_key",
    "company_key",
    "corporate_number_key",
    "corporate_number_ok",
    "cp932_report",
    "domain_key",
    "email_key",
    "fold",
    "full_company_key",
    "hiragana",
    "host_key",
    "kana_key",
    "kanji_key",
    "katakana",
    "name_key",
    "phone_key",
    "place_key",
    "postal_key",
    "split_address",
    "split_city",
    "split_company",
    "split_name",
    "split_phone",
    "url_key",
]


def __getattr__(name: str) -> Any:
    # Names come from their modules when they are first asked for (PEP 562): an e-mail key needs no table of kanji.
    from importlib import import_module

    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
