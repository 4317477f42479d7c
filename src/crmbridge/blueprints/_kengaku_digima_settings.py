"""What the screens of Kengaku Cloud for its link to Digima ask for, as a value that is checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, Literal

import attrs

from ..adapters.digima import CustomField, Digima, tracking_snippet, tracking_url
from ..adapters.kengaku import CUSTOMER, Kengaku
from ..credentials import Secret
from ..errors import SettingsError
from ..notify import Mail, Smtp, mail_address
from ..protocols import Clock
from ..settings import called
from ..wording import Language

Kind = Literal["reservation", "inquiry", "document_request"]

FAILURE_SUBJECT: Final = "【Digima連携】顧客情報の送信に失敗しました"
"""The subject of the mail that tells of an entry which could not be sent."""

CONNECT: Final = "その他 → システム設定 → Digima →「Digimaの連携設定を行う」"
ACCOUNT_CODE: Final = "user icon →「アカウント・機能設定」→ the bottom of the page,「アカウントコード」→「コピー」"
WEB_FORM: Final = "user icon →「アカウント・機能設定」→「問い合わせ」→「フォーム取り込み」→「ウェブフォームを追加」→「ウェブフォームを新規作成」"
BINDINGS: Final[Mapping[Kind, str]] = {
    "reservation": "「イベント一覧」→「イベントを編集」→ Digima連携「編集」→ the form's name →「更新する」",
    "inquiry": "その他 → システム設定 →「お問い合わせフォーム管理」→「詳細」→「編集」→ the form's name →「更新する」",
    "document_request": "その他 → システム設定 →「資料請求フォーム管理」→「詳細」→「編集」→ the form's name →「更新する」",
}
CUSTOM_FIELD: Final = (
    "in Kengaku Cloud その他 → システム設定 →「フォーム項目管理」→ the field →「API連携用項目」; in Digima user icon →"
    "「アカウント・機能設定」→「カスタム項目」→「カスタム項目を新規作成」"
)


def _secret(text: str | Secret) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)


def _script(pasted: str) -> str:
    return tracking_url(pasted) if pasted else ""


@attrs.frozen
class WebForm:
    """A web form of Digima, where its name and code are called「ウェブフォーム名」and「コード」."""

    name: str = attrs.field(metadata=called("Digimaウェブフォーム名"))
    code: Secret = attrs.field(converter=_secret, metadata=called("Digimaウェブフォームコード"))

    def __attrs_post_init__(self) -> None:
        for word, there, value in (("名", "ウェブフォーム名", self.name), ("コード", "コード", self.code.reveal())):
            if not value.strip():
                raise SettingsError(
                    f"forms:「Digimaウェブフォーム{word}」is empty; it is Digima's「{there}」at {WEB_FORM}"
                )


@attrs.frozen
class FormBinding:
    """What the screen of one inquiry form or document-request form says."""

    form: str = ""
    """The「Digimaウェブフォーム名」; empty: its entries are not sent to Digima."""
    notify: tuple[str, ...] = attrs.field(default=(), metadata=called("通知先"))
    """Who is told of a new entry; empty: every administrator."""


@attrs.frozen
class Settings:
    """The choices of Kengaku Cloud's screens for the link to Digima."""

    account_code: Secret = attrs.field(default=Secret(""), converter=_secret, metadata=called("Digimaアカウントコード"))
    """Empty: not connected."""
    forms: tuple[WebForm, ...] = ()
    """「フォーム情報を追加する」: one for each of the three sources that are to be linked, or more."""
    events: Mapping[str, str] = attrs.field(factory=lambda: dict[str, str]())
    """By the id of an event, the name of the form that its reservations go to."""
    inquiry_forms: Mapping[str, FormBinding] = attrs.field(factory=lambda: dict[str, FormBinding]())
    """By the id of an inquiry form, where its entries go."""
    document_request_forms: Mapping[str, FormBinding] = attrs.field(factory=lambda: dict[str, FormBinding]())
    """By the id of a document-request form, where its entries go."""
    administrators: tuple[str, ...] = ()
    """The mail addresses with administrator rights."""
    custom_fields: tuple[CustomField, ...] = ()
    """Digima's「カスタム項目」that are linked: those whose code stands as「API連携用項目」at a field of Kengaku Cloud."""
    more_fields: Mapping[str, str] = attrs.field(factory=lambda: dict[str, str]())
    """Further fields of Digima's contact, by code, and the customer's field that each is filled from."""
    merge_address: bool = attrs.field(default=False, metadata=called("入力された住所を自宅住所1へ統合する"))
    """A person who is in Digima already gets this address instead of his own."""
    address_field: str = "home_address_1"
    """Digima's code of「自宅住所1」, which no public page confirms."""
    tracking_url: str = attrs.field(default="", converter=_script, metadata=called("DigimaトラッキングURL"))
    """The src of the script, or the whole tag."""
    failure_sender: str = ""
    """From which address failure notices come; the vendor's own is do-not-reply@ie-miru.jp. Needed to send any."""
    failure_to: tuple[str, ...] = ()
    """Who gets failure notices; empty: every administrator."""
    failure_language: Language = "ja"
    intake: Literal["signature", "path"] = "signature"
    """How a delivery shows that it is genuine: by a signature, or by an address that nobody can guess."""
    language: str = "ja"
    """Accept-Language of the posts; the vendor's help says jp, its client sends ja."""

    def __attrs_post_init__(self) -> None:
        names = [form.name for form in self.forms]
        _once("forms", names)
        _once("custom_fields", [field.code for field in self.custom_fields])
        for kind, bound in self.bindings.items():
            for source, form in bound.items():
                if form and form not in names:
                    near = get_close_matches(form, names, n=1)
                    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names) or 'none'}"
                    raise SettingsError(f"{kind} {source}: no web form is called {form!r}{hint} {BINDINGS[kind]}")
        for path, told in self._addresses():
            try:
                for address in told:
                    mail_address(address)
            except SettingsError as error:
                raise SettingsError(f"{path}: {error}") from None
        for code, source in self.more_fields.items():
            if source not in CUSTOMER:
                raise SettingsError(f"more_fields.{code}: {source!r} is none of {', '.join(CUSTOMER)}")
        if self.intake not in ("signature", "path"):
            raise SettingsError(f"intake: {self.intake!r} is not one of signature, path")

    def _addresses(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        yield "administrators", self.administrators
        yield "failure_to", self.failure_to
        yield "failure_sender", (self.failure_sender,) if self.failure_sender else ()
        for path, forms in (("inquiry", self.inquiry_forms), ("document_request", self.document_request_forms)):
            for source, bound in forms.items():
                yield f"{path}_forms.{source}.notify (「通知先を追加」)", bound.notify

    # -- what the pipeline is made of ----------------------------------------------------------

    @property
    def bindings(self) -> Mapping[Kind, Mapping[str, str]]:
        """Tell by kind and source which web form its entries go to; an empty name: none."""
        return {
            "reservation": self.events,
            "inquiry": {source: bound.form for source, bound in self.inquiry_forms.items()},
            "document_request": {source: bound.form for source, bound in self.document_request_forms.items()},
        }

    def told_of(self, kind: Literal["inquiry", "document_request"], source: str) -> tuple[str, ...]:
        """Tell whom Kengaku Cloud mails about a new inquiry or document request; a notice of failure is another mail."""
        forms = self.inquiry_forms if kind == "inquiry" else self.document_request_forms
        return forms.get(source, FormBinding()).notify or self.administrators

    def digima(self, *, base_url: str = "https://form.digima.com", system: str = "digima") -> Digima:
        """Enter Digima with these codes; raises `SettingsError` that names the screen where one is missing."""
        if not self.account_code.reveal().strip():
            raise SettingsError(
                f"account_code: not connected;「Digimaアカウントコード」is entered at {CONNECT}, and stands in Digima at "
                f"{ACCOUNT_CODE}"
            )
        if not self.forms:
            raise SettingsError(f"forms: no web form; enter one at {CONNECT}, made in Digima at {WEB_FORM}")
        return Digima.connect(
            self.account_code,
            {form.name: form.code for form in self.forms},
            base_url=base_url,
            system=system,
            language=self.language,
            custom_fields=self.custom_fields,
            static_fields=tuple(self.more_fields),
            address_field=self.address_field,
        )

    def kengaku(self, secret: str | Secret, *, system: str = "kengaku") -> Kengaku:
        """Take deliveries of Kengaku Cloud that show this secret, in the way that `intake` names."""
        make = Kengaku.signed if self.intake == "signature" else Kengaku.at_path
        return make(secret, system=system, answers=[field.code for field in self.custom_fields])

    def mail(self, server: Smtp, *, clock: Clock | None = None) -> Mail:
        """Tell of failures by mail; raises `SettingsError` where the sender or every recipient is missing."""
        if not self.failure_sender:
            raise SettingsError("failure_sender: needed, since a mail server takes no mail without a sender of its own")
        recipients = self.failure_to or self.administrators
        if not recipients:
            raise SettingsError("failure_to: nobody would be told; name addresses here, or administrators")
        mail = Mail(
            sender=self.failure_sender,
            to=recipients,
            server=server,
            subject=FAILURE_SUBJECT,
            language=self.failure_language,
        )
        return mail if clock is None else attrs.evolve(mail, clock=clock)

    @property
    def snippet(self) -> str:
        """Give the tag for the pages' head; empty where no「DigimaトラッキングURL」is set."""
        return tracking_snippet(self.tracking_url) if self.tracking_url else ""

    # -- 「連携を解除する」and「連携する」--------------------------------------------------------------

    def disconnected(self) -> Settings:
        """Break the link: the account code is forgotten, and forms, bindings and fields are kept."""
        return attrs.evolve(self, account_code=Secret(""))

    def connected(self, account_code: str | Secret) -> Settings:
        """Link again, beginning with the account code."""
        return attrs.evolve(self, account_code=account_code)

    def following(self, earlier: Settings) -> Settings:
        """Take these settings in place of earlier ones.

        Raises `SettingsError` where a custom field, known by its label, has another code: Digima never changes one.
        """
        before = {field.label: field.code for field in earlier.custom_fields if field.label}
        for field in self.custom_fields:
            held = before.get(field.label, field.code)
            if held != field.code:
                raise SettingsError(
                    f"custom_fields: the code of「{field.label}」is {held!r} and cannot become {field.code!r}; Digima "
                    f"never changes a code that is set, so make a new custom field: {CUSTOM_FIELD}"
                )
        return self


def _once(path: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SettingsError(f"{path}: {name!r} stands twice")
        seen.add(name)
