"""What the demo says, in English and Japanese; reasons and dispositions come from `crmbridge.wording`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...wording import Language

_EN: Final = {
    "title": "Two systems in step: {left} and {right}",
    "served": (
        "1. Fakes of both vendors answer on this machine: {left} at {left_url}, {right} at {right_url}.\n"
        "   No account is needed, and nothing leaves this machine."
    ),
    "loaded": (
        "2. Loaded {establishments:,} real Japanese establishments, with contacts who are made up:\n"
        "   {prospects:,} prospects; {leads:,} leads, {contacts:,} contacts and {accounts:,} accounts."
    ),
    "rules": (
        "   The rules: {right} is the master of a field, {left} of the job title; of an address the newer edit\n"
        "   counts. A value beats a blank. A prospect with a salesperson becomes a lead; prospects are not made."
    ),
    "plan": "3. The plan: what a run would do, and why. Nothing is written yet.",
    "skipped": "   Skipped, and why:",
    "apply": "4. The plan is applied.",
    "wrote": "   {written:,} records written with {requests:,} requests in {seconds:.1f} s.",
    "edit": (
        "5. People edit both sides, {count} times. Then three minutes pass, on a clock that the demo moves: what\n"
        "   {left} answers may be a minute old, and nobody is taken for new who came a moment ago."
    ),
    "sync": "6. The second run, and what it decided:",
    "phone_in_salesforce": "the phone number changes in Salesforce, its master",
    "title_in_form": "a form in Account Engagement takes a new job title",
    "phone_in_form": "a form changes the phone number, of which Salesforce is the master",
    "phone_in_both": "conflict: both change the phone number; Salesforce is its master",
    "title_in_both": "conflict: both change the job title; Account Engagement is its master",
    "address_in_both": "conflict: both change the address; the newer edit counts",
    "blank_in_form": "the phone number is emptied in Account Engagement",
    "blank_in_salesforce": "the job title is emptied in Salesforce",
    "opted_out": "somebody opts out of e-mail, which nobody takes back for them",
    "invalid_email": "a form takes an e-mail address with a dot before the @, which Salesforce refuses",
    "long_city": "somebody types a city that is longer than Salesforce's field",
    "deleted": "the lead is deleted in Salesforce",
    "converted": "the lead becomes a contact in Salesforce, and a form takes a new job title",
    "assigned": "a prospect who was skipped gets a salesperson",
    "no_decision": "nothing was decided",
    "why": "   Asked why {record} is what it is, the journal answers:",
    "again": "7. Three more minutes pass, and the third run reads what may have changed: {read:,} records.",
    "waiting": "   {count} records wait for a person; they are asked about again when somebody corrects them:",
    "written_again": "The third run was to write nothing. Records that it wrote: {written:,}",
    "next": (
        "What to try next\n\n"
        "  crmbridge demo --lang ja        the same in Japanese; --json gives the figures to a machine\n"
        "  crmbridge fakes serve salesforce account-engagement        try a program of your own against the fakes\n\n"
        "  The state stays in {state}, until the next demo. This asks it what became of a lead, and why:\n"
    ),
    "nothing": "nothing left to do",
    "progress": "   ... {read:,} records read, {written:,} written",
}

_JA: Final = {
    "title": "2つのシステムを同期する:{left}と{right}",
    "served": (
        "1. このコンピューターで、両製品の模擬サーバーが応答しています:{left}は {left_url}、{right}は {right_url}\n"
        "   アカウントは不要です。外部との通信もありません。"
    ),
    "loaded": (
        "2. 実在する日本の事業所{establishments:,}か所に、架空の担当者を組み合わせて登録しました。\n"
        "   プロスペクト{prospects:,}件、リード{leads:,}件、取引先責任者{contacts:,}件、取引先{accounts:,}件"
    ),
    "rules": (
        "   ルール:項目の値は{right}を正とします。ただし役職は{left}を正とし、住所は新しい変更を優先します。\n"
        "   空欄より入力済みの値を優先します。営業担当者のいるプロスペクトはリードになります。"
        "プロスペクトは新規作成しません。"
    ),
    "plan": "3. 計画:実行すると何が起こるか、その理由。まだ何も書き込んでいません。",
    "skipped": "   対象外とその理由:",
    "apply": "4. 計画を実行します。",
    "wrote": "   {written:,}件を書き込みました(リクエスト{requests:,}回、{seconds:.1f}秒)。",
    "edit": (
        "5. 両方のシステムで{count}回の編集が行われ、その後3分が過ぎます(時計はデモが進めます)。\n"
        "   {left}の応答は最大1分前の内容であり、登録直後のレコードは新規として扱わないためです。"
    ),
    "sync": "6. 2回目の実行と、その判断:",
    "phone_in_salesforce": "Salesforce(電話番号の正)で電話番号が変更された",
    "title_in_form": "Account Engagementのフォームで新しい役職が入力された",
    "phone_in_form": "フォームで電話番号が変更された(正はSalesforce)",
    "phone_in_both": "競合:両方で電話番号が変更された(正はSalesforce)",
    "title_in_both": "競合:両方で役職が変更された(正はAccount Engagement)",
    "address_in_both": "競合:両方で住所が変更された(新しい変更を優先)",
    "blank_in_form": "Account Engagementで電話番号が空欄にされた",
    "blank_in_salesforce": "Salesforceで役職が空欄にされた",
    "opted_out": "メールの配信が停止された(本人以外は解除できない)",
    "invalid_email": "「@」の直前にドットのあるメールアドレスがフォームで登録された(Salesforceは受け付けない)",
    "long_city": "Salesforceの項目に収まらない長さの市区町村が入力された",
    "deleted": "Salesforceでリードが削除された",
    "converted": "Salesforceでリードが取引先責任者に変換され、フォームで新しい役職が入力された",
    "assigned": "対象外だったプロスペクトに営業担当者が割り当てられた",
    "no_decision": "判断はありませんでした",
    "why": "   {record}がこの値になった経緯(履歴より):",
    "again": "7. さらに3分後に3回目の実行。変更された可能性のある{read:,}件を読み込みました。",
    "waiting": "   {count}件は担当者の対応を待っています。修正されると、あらためて判断します。",
    "written_again": "3回目の実行では何も書き込まれないはずでしたが、{written:,}件が書き込まれました。",
    "next": (
        "次に試すこと\n\n"
        "  crmbridge demo --json        集計結果を機械可読の形式で出力\n"
        "  crmbridge fakes serve salesforce account-engagement        自作のプログラムを模擬サーバーにつないで試す\n\n"
        "  同期の状態は、次にデモを実行するまで {state} に残ります。リードに何が起きたか、その理由は次のように確認できます。\n"
    ),
    "nothing": "これ以上、行う処理はありません",
    "progress": "   ... 読み込み{read:,}件、書き込み{written:,}件",
}

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {"en": _EN, "ja": _JA}
