"""What is said in Japanese."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ..model import Disposition
from ..reasons import Code
from ._catalogue import Catalogue

_TEXTS: Final = {
    Code.POLICY: "{field}の値は、設定されたルール[({policy})]により[{system}の値に]決まりました[({by})]。",
    Code.ONE_SIDED: "{field}は片方のシステム[({system})]だけで変更されたため、その値を反映します。",
    Code.FILLED_BEATS_BLANK: "{field}は、空欄よりも入力済みの値を優先します[({system}の値を残します)]。",
    Code.EQUAL: "{field}の値は両方のシステムで一致しています。",
    Code.LEFT_AS_IT_IS: "{field}は、それぞれのシステムの値をそのまま残します[({policy})]。",
    Code.NOT_WRITABLE: "[{system}の]{field}には書き込めません。",
    Code.FIRST_CONTACT: "2つのレコードを初めて照合しました[。{field}には{system}の値を入れます]。",
    Code.CHANGED: "[{system}の]レコードが変更されました。",
    Code.NEW: "[{system}で]新しく登録されたレコードで、対応するレコードはまだありません[({tried})][(条件:{case})]。",
    Code.REMOVED: "[{system}の]レコードが削除されました。",
    Code.REVIVED: "[{system}の]レコードは削除されましたが、もう一方のシステムで編集されているため、作り直します。",
    Code.UNCHANGED: "前回の実行から変更はありません。",
    Code.NOTHING_TO_DO: "このレコードについて行う処理はありません。",
    Code.RECOVERED: "以前の[{system}への]書き込みは応答を受け取れませんでしたが、反映済みであることを確認しました。",
    Code.RECOVERED_CONFLICT: (
        "以前の[{system}への]書き込みは応答を受け取れず、結果を確認する前に{field}が編集されました。"
    ),
    Code.UNDONE: "以前の[実行({run})での]書き込みを取り消します。",
    Code.CHANGED_SINCE: "その後[{system}で]変更されているため[({field})]、そのままにします。",
    Code.NEVER_GOES_BACK: "この値は元に戻さない決まりのため[({policy})]、[{system}の{field}は]そのままにします。",
    Code.NOT_UNDOABLE: "[{system}での]この処理は取り消せません[({field})]。",
    Code.RESTORE_BY_HAND: (
        "[{system}で]レコード[({record})]が削除されており、元のレコードのまま戻すことはできません。"
        "そのシステムで復元してから、もう一度取り消しを実行すると、紐付けが元に戻ります。"
    ),
    Code.EDITED: "[{editor}が]{field}の値を指定して送信しました。",
    Code.NOT_KNOWN: "このレコードの情報はありません。まだ読み込まれていないか、判断の対象になっていません。",
    Code.HISTORY_GONE: "古い履歴は保存されていません[({until} より前の判断と書き込み)]。",
    Code.RULED: "担当者の判断によります[({choice})]。",
    Code.NOT_FOLLOWED: "参照[{reference}]の先のレコードが現在見つからないため、{field}の値はそのまま残します。",
    Code.FOLLOWED: "参照[（{reference}）]の先は{record}です[（{level}で検索）]。",
    Code.MATCHED: "[{system}で]{level}により対応するレコードが見つかりました[({found}件のうち{adopted_by}で選択)][({tried})][(条件:{case})]。",
    Code.SEVERAL_MATCH: "[{system}で]{level}に一致するレコードが複数あり[({found}件)]、1件に絞り込めません。",
    Code.TOO_MANY_MATCH: "[{system}で]{level}に該当するレコードが多すぎて、1件に絞り込めません[（{found}件まで確認しましたが、ほかにもある可能性があります）]。",
    Code.ALREADY_LINKED: "対応する[{system}の]レコード[（{counterpart}）]は、すでに{record}と紐付いています。",
    Code.CHOSEN_GONE: "担当者が対応するレコードに選んだ[{system}の]{record}は、削除されたか、一致しなくなっています。",
    Code.CHOSEN_LINKED: "担当者が対応するレコードに選んだ[{system}の]{record}は、すでに別のレコードと紐付いています。",
    Code.CHOSEN_OTHERWISE: "一致した[{system}の]{record}には、担当者が別のレコード[({chosen})]を選んでいます。",
    Code.TWIN: "同じキー[({level})]を持つ新規レコードがほかにもあります[({record})]。",
    Code.GATE: "連携の条件を満たしていないため、対象外です[({gate})][。項目:{field}]。",
    Code.RULE: "独自に設定されたルールによります[({rule})]。",
    Code.NO_CASE: "どの条件にも当てはまらないため、対象外です。",
    Code.CREATES_OFF: "[{system}での]新規作成はオフに設定されています。",
    Code.DETACHED: "[{system}の]レコードが削除されたため、対応するレコードは残し、今後は書き込みません。",
    Code.NOT_SHOWN: "レコードが[{system}に]見当たりませんが、削除とはみなさず、再び現れるまで何もしません。",
    Code.DUPLICATE_OF: "このレコードは{record}と重複しています[({rival}と紐付け済み)]。",
    Code.FORGOTTEN: "依頼により消去されたレコードのため、再度取り込むことはありません。",
    Code.PACED: "まだ実行できません[({pace})][。最短で{until}に実行できます][(先に{waiting}件が待っているため、これより遅くなることがあります)]。",
    Code.NOT_DUE: "まだ実行の時刻になっていません[(予定:{until})]。",
    Code.READ_TOO_EARLY: (
        "[{system}から]読み取った内容が直前の書き込みより古いため、[{until}に]もう一度読み取ります。"
    ),
    Code.MOVED_ON: "処理の途中で[{system}の]レコードが変更されたため、判断をやり直します。",
    Code.BUSY: "[{system}の]レコードがロックされているため、[{until}に]もう一度試します[({code})]。",
    Code.INTENT_OPEN: "以前の[{system}への]書き込みの応答がまだないため、先に[{until}に]結果を確認します。",
    Code.NOT_FILLED: "[{system}の]既存レコードの確認が終わっていないため、新規作成はまだ行いません。",
    Code.KIND_LEFT_OUT: (
        "このレコードまたは紐付いているレコードの種別が、[{system}の]同期の対象から外されています[({kind})]。"
        "対象に戻すと処理を再開します。"
    ),
    Code.PARENT_MISSING: "参照先の{parent}[（{pipeline}）]がまだ存在しません。",
    Code.STALE_PLAN: (
        "計画の作成後にレコード、紐付け先または同期の設定が変更されたため、計画どおりの処理ができません。"
    ),
    Code.NOT_PLANNED: "実行した計画に含まれないレコードです。次の通常の実行で処理されます。",
    Code.STATE_LOST: (
        "過去にこの同期が作成したレコードがあるのに、同期の記録が残っていません。"
        "担当者が紐付けを承認するまで、空欄への入力だけを行い、[{system}に]新規作成はしません。"
    ),
    Code.BOTH_CHANGED: "{field}は両方のシステムで変更されています。どちらの値を採用するか判断が必要です。",
    Code.GONE_AND_CHANGED: (
        "[{system}で]削除されたレコードが、もう一方のシステムで編集されています。どちらを採用するか判断が必要です。"
    ),
    Code.TOO_LONG: "[{system}の]{field}に対して値が長すぎます[({length}文字。上限は{limit}文字)]。",
    Code.TOO_MANY_DIGITS: "[{system}の]{field}に対して数値の桁数が多すぎます[({shape})][({length}桁。上限は{limit}桁)]。",
    Code.TOO_MANY_BYTES: "[{system}の]{field}に対して値が長すぎます[({length}バイト。上限は{limit}バイト)]。",
    Code.UNHELD_SIGN: "[{system}の]{field}の値に、保存できない文字が含まれています[({position}文字目。{encoding}にない文字)]。",
    Code.OUT_OF_RANGE: "[{system}の]{field}の値が範囲外です[({least}以上)][({most}以下)]。",
    Code.TRUNCATED: "[{system}の]{field}に収まるように、値の末尾を切り詰めました[(長さ{length}。上限は{limit})]。",
    Code.CLEARED: "[{system}の]{field}には入れられない値のため、空欄にします[({refused})]。",
    Code.MAPPED: "[{system}の]{field}の値を、設定に従って置き換えました[({refused})]。",
    Code.LAST_OF_SEVERAL: "[{system}の]{field}と相手の項目では持てる値の数が異なるため、最後の値を使います。",
    Code.NOT_AN_OPTION: "{field}の値が[{system}の]選択肢にありません。",
    Code.NOT_AN_EMAIL: "{field}の値は、[{system}で使える]メールアドレスの形式ではありません[({shape})]。",
    Code.NOT_A_NUMBER: "[{system}の]{field}の値が数値ではありません。",
    Code.WRONG_TYPE: "[{system}の]{field}に対して値の種類が違います[({expected}の項目に{shape}が指定されました)]。",
    Code.REQUIRED: "[{system}の]{field}は必須項目です。値を入力してください。",
    Code.SEVERAL_VALUES: "[{system}の]{field}に設定できる値は1つだけです[({length}個の値があります)]。",
    Code.POINTS_NOWHERE: (
        "[{system}の]{field}の参照先レコード[({kind})]がありません。値を直すか、参照先を作成するか、"
        "その場合は空欄にするよう項目の設定で指定してください。"
    ),
    Code.RULE_FAILED: (
        "独自のルール[「{rule}」]でエラーが発生したため[({error})]、このレコードの処理を判断できませんでした[(項目：{field})]。"
    ),
    Code.CODEC_FAILED: "[{system}の]{field}の値を[{target}向けに]変換できませんでした[({codec})]。",
    Code.UNREADABLE: "[{system}の]{field}の値は、取り込める値ではありません[({found})]。",
    Code.REPEATED_ID: "[{system}に]同じIDのレコードが複数あるため[({field})]、区別できません。",
    Code.EDIT_NOT_SENT: (
        "このレコード[(条件:{case})]では[{system}の]{field}に書き込む設定がないため、"
        "担当者が指定した値を使わずに送信することはせず、何も書き込んでいません。"
    ),
    Code.REFUSED_BY_SYSTEM: "[{system}により]レコードの登録が拒否されました[({code})][。項目:{field}]。",
    Code.IN_DOUBT: "[{system}への]書き込みの応答がなく、反映されたかどうか分かりません[({code})]。",
    Code.NEVER_SETTLES: "{field}の値が2つのシステム[({one}と{two})]の間で繰り返し書き換わっています[({count}回)]。",
    Code.PARENT_FAILED: "参照先の{parent}[（{pipeline}）]に問題があります。",
    Code.TOO_MANY_CREATES: "[{system}で]新規作成されるレコードが多すぎます[({count}件。上限は{limit}件)]。",
    Code.TOO_MANY_UPDATES: "[{system}で]更新されるレコードが多すぎます[({count}件。上限は{limit}件)]。",
    Code.TOO_MANY_DELETES: "[{system}で]削除されるレコードが多すぎます[({count}件。上限は{limit}件)]。",
    Code.TOO_MANY_BLANKS: "[{system}で]空欄に変わる項目が多すぎます[({count}件。上限は{limit}件)][。うち{emptied}件は、停止前の実行ですでに空欄になりました]。",
    Code.EMPTIED: "紐付いているレコードが[{system}から]すべてなくなっています[({count}件)]。",
    Code.UNKNOWN_FIELD: (
        "指定された項目[({field})]が[{system}に]ありません[。近い名前は{nearest}です]。[{use}に別の項目を指定してください。]"
    ),
    Code.READ_ONLY_TARGET: "書き込み先の[{system}の]{field}は読み取り専用です。",
    Code.NOTHING_FILLS: "[{system}の]{field}は必須項目ですが、値を入れる設定がありません。",
    Code.TYPES_DIFFER: "2つの項目の種類が異なります[({field}は{type}、{other_field}は{other_type})]。",
    Code.NO_CONDITION: "条件が有効になっていますが、中身が設定されていません[({gate})]。",
    Code.NO_MATCHING: (
        "[{system}の]対応するレコードを見つける方法が設定されていないため、すでにあるレコードも重複して新規作成されます。"
        "意図したものでなければ、照合キーを設定してください。"
    ),
    Code.WEAK_CLOCK: (
        "[{system}では]更新日時がレコード単位でしか分からないため、ほかの項目の編集によって{field}の新旧の判定が"
        "変わることがあります。"
    ),
    Code.CLOCK_UNKNOWN: (
        "[{system}の]時計が示す時刻を知る方法がないため、時計がずれていると、{field}の古いほうの編集が新しいと判定される"
        "ことがあります。"
    ),
    Code.CREATE_CLASS: "[{system}での]新規作成の応答を受け取れなかった場合、{create_class}。",
    Code.CHOICES_LACKING: (
        "[{system}の]{field}には、相手の項目の選択肢がすべて用意されているわけではありません[(不足{count}件。例:{choices})]。"
    ),
    Code.LENGTHS_DIFFER: (
        "[{system}の]{field}に入る長さは、相手の項目より短いです[(上限{limit}{unit})][(最大{length}の値が届きます)]"
        "[。収まらない値は{answer}]。"
    ),
    Code.VALUES_NOT_KEPT: "以前の値が必要ですが、このストアは値の代わりに照合用の指紋だけを保存しています。",
    Code.POLICY_NEEDS: "{field}のルール[({policy})]には複数の値を持つ項目が必要ですが、どちらの項目も単一の値です。",
    Code.GATE_NEEDS: (
        "[{system}の]{field}を見る条件は、この項目の値によっては判断できません"
        "[(必要な種類は{type}、項目の種類は{other_type})]。"
    ),
    Code.GATE_UNTOLD: (
        "条件が[{system}の]レコード[({gate})]を見ていますが、その変更はこのパイプラインには伝わりません。"
        "条件で止めた内容は、[{other}で]次に変更があったとき、またはlook_againの後に反映されます。"
    ),
    Code.NEVER_WRITTEN: "[{system}の]{field}は新規作成のときだけ入力されますが、新規作成は行われません。",
    Code.OWNER_UNUSED: (
        "[{system}の]{field}のペアにownerが指定されていますが、複数のレコードが1件を共有する場合にしか使われません。"
        "many_to_oneを指定するか、ペアからownerを外してください。"
    ),
    Code.CREATE_ONLY_TARGET: "[{system}の]{field}は新規作成のときだけ書き込めるため、その後の変更は反映されません。",
    Code.CANNOT_READ: "[{system}の]レコードをIDで読み取れないため、同期を保てません。",
    Code.CANNOT_CREATE: (
        "[{system}では]レコード[({kind})]を新規作成できません。新規作成をオフにするか、別の種類を指定してください。"
    ),
    Code.CANNOT_UPDATE: "[{system}では]登録済みのレコード[({kind})]を変更できません。",
    Code.CANNOT_REMOVE: "[{system}では]設定どおりにレコード[({kind})]を削除できません[({verb})]。",
    Code.CANNOT_REVIVE: (
        "[{system}での]新規作成がオフのため、削除されたレコードはもう一方が編集されていても作り直されません。"
        "その場合は、どちらを採用するか判断が必要です。"
    ),
    Code.DELETES_UNSEEN: "[{system}からは]削除が通知されないため、レコードを読み直したときにだけ分かります。",
    Code.ABSENT_IS_KEPT: (
        "[{system}で]見当たらなくなったレコードは削除とみなさないため、削除は反映されません。"
        '常に全件を返すデータであれば、absent="gone"を指定してください。'
    ),
    Code.TIMES_USED: (
        "[{system}への]書き込みの応答がない場合に待つ時間[({settle}秒)]、検索の遅れ[({index}秒)]、"
        "変更通知の遅れ[({overlap}秒)]を見込んでいます。"
    ),
    Code.RING: (
        "パイプライン[({pipelines})]がこの項目から始まり同じ項目に戻る環になっています。実行の合間に2つのシステムで"
        "編集されると、値がいつまでも回り続けることがあります。いずれか1つのパイプラインからこの組み合わせを外してください。"
    ),
    Code.FIELD_GONE: (
        "[{system}から]{field}がなくなりました[(近い名前は{nearest}です)]。{use}に別の項目を指定するか、{use}を"
        "外してください。組み合わせの項目名が変わった場合は、元の名前を formerly= に指定してください。指定しないと、"
        "前回一致した値の記録が失われ、編集内容が上書きされることがあります。"
    ),
    Code.TYPE_CHANGED: (
        "[{system}の]{field}の種類が変わりました[({other_type}から{type})]。{use}に別の項目を指定するか、新しい値の読み方を設定して"
        "ください(項目の組み合わせでは変換)。"
    ),
    Code.BECAME_READ_ONLY: (
        "[{system}の]{field}に書き込めなくなりました。このシステムの値を正とするか、書き込みの権限を付けてください。"
    ),
    Code.BECAME_REQUIRED: "[{system}の]{field}が必須項目になりました。値を入れる設定を加え、空欄を送らないようにしてください。",
    Code.BECAME_SHORTER: (
        "[{system}の]{field}に入る長さが短くなりました[(上限{limit})][(以前は{length})]。収まらない値の扱いを設定してください。"
    ),
    Code.CHOICE_LOST: (
        "[{system}の]{field}から選択肢がなくなりました[({count}件。例:{choices})]。代わりに送る値を設定してください。"
    ),
    Code.RULES_CHANGED: (
        "前回の実行から連携のルールが変わったか、見直しが指示されたため、紐付いたレコードをすべて見直します[({count}組)]"
        "[。{systems}は最初から読み直します]。"
    ),
}

_TYPES: Final = {
    "text": "文字列",
    "email": "メールアドレス",
    "flag": "はい・いいえ",
    "number": "数値",
    "date": "日付",
    "instant": "日時",
    "choice": "単一選択",
    "choices": "複数選択",
    "reference": "参照",
    "references": "複数の参照",
}

_NAMES: Final = (
    "field",
    "other_field",
    "record",
    "parent",
    "level",
    "adopted_by",
    "gate",
    "case",
    "rule",
    "nearest",
)

JAPANESE: Final = Catalogue(
    texts=_TEXTS,
    neutral={
        "field": "この項目",
        "level": "キー",
        "record": "ほかのレコード",
        "parent": "レコード",
        "create_class": "その後の扱いはシステムによって異なります",
        "use": "この項目の組み合わせ",
    },
    terms={
        "policy": {
            "left_wins": "両方で変更された場合は片方のシステムを優先",
            "right_wins": "両方で変更された場合は片方のシステムを優先",
            "left_always": "常に片方のシステムを正とする",
            "right_always": "常に片方のシステムを正とする",
            "newest_wins": "新しい変更を優先",
            "filled_beats_blank": "空欄より入力済みの値を優先",
            "never_clear": "空欄にはしない",
            "only_if_empty": "空欄の場合だけ入力",
            "only_on_create": "新規作成のときだけ入力",
            "once_per_link": "最初の1回だけ反映",
            "write_once": "一度だけ書き込み",
            "union": "両方の値を合わせる",
            "last_value": "最後の値を採用",
            "monotone": "一方向にだけ変更",
            "ask_a_person": "担当者が判断",
            "not_the_owner": "共有レコードで、この項目は別のレコードのもの",
        },
        "gate": {
            "filled": "値の入力が必要です",
            "equals": "値が指定と異なります",
            "has_any": "指定された値が含まれていません",
            "at_least": "基準値に達していません",
            "consented": "同意がありません",
            "consent_unknown": "値から同意の有無を判断できません",
            "unless": "除外条件に該当します",
        },
        "pace": {
            "cooldown": "同じものを実行してから間もないため",
            "spacing": "直前の実行から間もないため",
            "reservations": "実行できる回数の上限に達しているため",
        },
        "use": {
            "key": "照合キー",
            "linking": "紐付け前の条件",
            "creating": "作成前の条件",
            "writing": "書き込み前の条件",
            "case": "場合分けの条件",
            "pacing": "実行間隔の設定",
            "look_up": "検索キー",
        },
        "unit": {
            "characters": "文字",
            "bytes": "バイト",
            "before_point": "桁(整数部)",
            "after_point": "桁(小数部)",
        },
        "answer": {
            "reject": "送信しません",
            "truncate": "切り詰めます",
            "clear": "空欄にします",
            "map": "対応表にあれば置き換えます",
            "last_value": "送信しません",
        },
        "verb": {"archive": "アーカイブ", "delete": "削除"},
        "by": {"newer": "変更が新しいため", "otherwise": "変更の前後を判定できないため"},
        "shape": {
            **_TYPES,
            "no_zone": "タイムゾーンのない日時",
            "float": "float(コネクターは int か Decimal で渡します)",
            "list": "list(コネクターは文字列の tuple で渡します)",
            "mapping": "mapping(その中の項目は、それぞれの名前で渡します)",
            "bytes": "bytes(コネクターは文字列で渡します)",
            "no_cell": "どの項目にも入れられない種類の値",
            "broken_text": "壊れた文字を含む文字列",
            "other_kind": "別の種類への参照",
            "before_point": "整数部",
            "after_point": "小数部",
            "no_at": "「@」がありません",
            "several_at": "「@」が2つ以上あります",
            "no_local_part": "「@」の前に文字がありません",
            "no_domain": "「@」の後に文字がありません",
            "white_space": "途中に空白があります",
            "no_dot_in_domain": "ドメインにドットがありません",
            "dot_at_start": "先頭にドットがあります",
            "dot_before_at": "「@」の直前にドットがあります",
            "dot_after_at": "「@」の直後にドットがあります",
        },
        "refused": {
            "too_long": "長すぎるため",
            "too_many_bytes": "長すぎるため",
            "unheld_sign": "保存できない文字を含むため",
            "too_many_digits": "桁数が多すぎるため",
            "out_of_range": "範囲外のため",
            "not_an_option": "選択肢にないため",
            "not_an_email": "メールアドレスの形式ではないため",
            "not_a_number": "数値ではないため",
            "wrong_type": "値の種類が違うため",
            "several_values": "値を1つしか入れられないため",
        },
        "expected": _TYPES,
        "type": _TYPES,
        "other_type": _TYPES,
        "create_class": {
            "A": "システムが一意に保つキーによって、作成されたかどうかを確認できます",
            "B": "連携用の項目で検索し、作成されたかどうかを確認できます",
            "C": "検索では確認できないことがあり、その場合は担当者の判断が必要です",
        },
    },
    quoted=dict.fromkeys(_NAMES, "「{}」"),
    instant="{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
    # Products sold in Japan live in Japanese time, which has no summer time.
    zone=dt.timezone(dt.timedelta(hours=9)),
    joint="、次に",
    dispositions={
        Disposition.APPLIED: "反映済み",
        Disposition.UNCHANGED: "変更なし",
        Disposition.SKIPPED: "対象外",
        Disposition.HELD: "保留中",
        Disposition.DISPUTED: "要判断",
        Disposition.QUARANTINED: "要対応(隔離)",
    },
    verbs={"create": "新規作成", "update": "更新", "archive": "アーカイブ", "delete": "削除"},
)
