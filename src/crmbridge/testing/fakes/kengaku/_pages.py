"""The pages that visitors see."""

from collections.abc import Sequence
from html import escape


def form_page(name: str, head: str, customer: Sequence[str], labels: Sequence[str]) -> str:
    """Write the page of an event or form; *head* is HTML as it is."""
    inputs = [f'<input name="{escape(one)}" placeholder="{escape(one)}">' for one in customer]
    inputs += [f'<label>{escape(label)} <input name="answer:{escape(label, quote=True)}"></label>' for label in labels]
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{escape(name)}</title>{head}</head>'
        f'<body><h1>{escape(name)}</h1><form method="post">{"".join(inputs)}<button>送信</button></form></body></html>'
    )


def thanks_page(name: str) -> str:
    """Write the page that follows an entry."""
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{escape(name)}</title></head>'
        '<body><p id="thanks">ありがとうございました。</p></body></html>'
    )
