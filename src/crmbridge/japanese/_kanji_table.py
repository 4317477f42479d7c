"""Which kanji are forms of one character: data, read by the module beside it.

Each word is one character: first the form that is usual today, then its other forms. Sources, by idea and as facts:
the old forms that the list of common kanji (常用漢字表, cabinet notice no. 2 of 2010) and the list of kanji for given
names (戸籍法施行規則, appendix 2) set beside their characters, taken in part from joyokanji (see NOTICE.md); and the forms
that registers, maps and telephone books are full of, compared one by one with the families of ja-itaiji. A pair is
here only when both forms are the same word in a name or on a map; characters that are merely taken for one another (斎
and 斉, 坂 and 阪) are families, and apart.
"""

from __future__ import annotations

from typing import Final

FORMS: Final = (
    "万萬 与與 両兩 並竝 乗乘 乱亂 亀龜 予豫 争爭 亘亙 亜亞 仏佛 仙僊 仮假 会會 伝傳 体體 余餘 併倂 侠俠 価價 侯矦 "
    "倶俱 倹儉 偽僞 傑杰 兎兔 児兒 党黨 円圓 写寫 凛凜 処處 剣劍劔劒剱釼 剤劑 剥剝 剰剩 励勵 労勞 効效 勅敕 勧勸 勲勳 "
    "区區 医醫 単單 即卽 厨廚 厩廐 厳嚴 参參 双雙 収收 叙敍 台臺 叱𠮟 号號 吉𠮷 呑吞 唖啞 喩喻 営營 嘘噓 嘱囑 団團 "
    "囲圍 図圖 国國圀囯 圏圈 土圡 圧壓 堕墮 塁壘 塩鹽 填塡 増增 壊壞 壌壤 壮壯 声聲 壱壹 売賣 壷壺 変變 奥奧 奨奬 妙玅 "
    "姉姊 姫姬 婁娄 嬢孃 学學 宝寶 実實 宮宫 富冨 寛寬 寝寢 対對 寿壽 専專 将將 尭堯 尽盡 届屆 屏屛 属屬 岡崗堽 岳嶽 "
    "峡峽 峰峯 島嶋嶌 崎﨑嵜 嵯嵳 巌巖 巣巢 巻卷 市巿 帯帶 帰歸 庁廳 広廣 庵菴 廃廢 弁辨瓣辯辧 弐貳 弥彌 強强 弾彈 "
    "当當 彦彥 径徑 従從 徳德悳 徴徵 応應 恋戀 恒恆 恵惠 悦悅 悩惱 悪惡 惨慘 慎愼 懐懷 戦戰 戯戲 戸戶 戻戾 払拂 抜拔 "
    "択擇 担擔 拝拜 拠據 拡擴 挙擧 挟挾 挿插 捜搜 掲揭 掴摑 揺搖 摂攝 撃擊 撹攪 教敎 数數 斉齊齐 斎齋斋 断斷 既旣 "
    "旧舊 昂昻 昼晝 晃晄 晋晉 晩晚 暁曉 暦曆 曽曾 望朢 村邨 条條 来來 杯盃 松枩柗 枢樞 柏栢 柳栁桺 柿柹 栃杤 栄榮 "
    "桑桒 桜櫻 桟棧 桧檜 桿杆 梅楳 梼檮 検檢 楼樓 楽樂 概槪 様樣 槙槇 権權 横橫 橋槗 檐簷 欠缺 欧歐 歓歡 歩步 歯齒 "
    "歴歷 残殘 殴毆 殻殼 毎每 毘毗 気氣 沖冲 沢澤 浄淨 浅淺 浜濱濵 涙淚 涼凉 淵渕渊 清淸 渇渴 済濟 渉涉 渋澁 渓溪谿 "
    "温溫 湧涌 湾灣 湿濕 満滿 滝瀧 滞滯 潅灌 潜潛 瀬瀨 灯燈 炉爐 点點奌 為爲 焼燒 煕熙凞 犠犧 状狀 独獨 狭狹 猟獵 "
    "献獻 獣獸 瑶瑤 瓶甁 産產 画畫 留畱 略畧 畳疊 痩瘦 痴癡 発發 皐皋 盗盜 県縣 真眞 研硏 砕碎 砺礪 礼禮 祢禰 祷禱 "
    "禄祿 禅禪 秋穐龝 秘祕 称稱 税稅 稲稻 穂穗 穎頴 穏穩 穣穰 窃竊 竈竃 竜龍 竪豎 箪簞 篭籠 粋粹 粛肅 糸絲 経經 絵繪 "
    "継繼 続續 綿緜 総總緫 緑綠 緒緖 縁緣 縄繩 縦縱 繊纖 繋繫 繍繡 缶罐 群羣 翻飜 聡聰 聴聽 職軄 胆膽 脱脫 脳腦 臓臟 "
    "舎舍 舗舖 船舩 艶艷 芦蘆 芸藝 茎莖 草艸 荊荆 荘莊 莱萊 萌萠 蒋蔣 蓑簑 蔵藏 薫薰 薬藥 薮藪籔 蘇蘓 虎乕 虚虛 虫蟲 "
    "蚕蠶 蛍螢 蛎蠣 蛮蠻 蝉蟬 蝋蠟 蝿蠅 衛衞 装裝 裏裡 褒襃 覇霸 覚覺 覧覽 観觀 触觸 訳譯 証證 誉譽 説說 読讀 諫諌 "
    "謡謠 譲讓 豊豐 賎賤 賛贊 践踐 躯軀 転轉 軽輕 辞辭 辺邊邉 迩邇 逓遞 遅遲 遥遙 郎郞 郷鄕 酔醉 醤醬 醸釀 釈釋 "
    "野埜壄 釜釡 鉄鐵銕鐡 鉱鑛 銭錢 鋭銳 鋳鑄 錬鍊 録錄 鎌鐮 鎮鎭 鑑鑒 間閒 閙鬧 関關 閲閱 闊濶 闘鬭 陥陷 険險 随隨 "
    "隠隱 隣鄰 隷隸 雁鳫 雑雜襍 霊靈灵 青靑 静靜 靱靭 頚頸 頬頰 頼賴 顕顯 顛顚 飾餝 館舘 駅驛 駆驅 騒騷 験驗 騨驒 "
    "髄髓 高髙 髪髮 鯵鰺 鴎鷗 鴬鶯 鶏鷄雞 鶴靏靍鸖 鷆鷏 麦麥 麹麴 麺麵 黄黃 黒黑 黙默 鼓皷 齢齡 "
)

# Taken for one another in names, yet different characters in the register.
FAMILIES: Final = "斎斉 坂阪"

# Taken for one another in addresses, where town and number settle which place is meant.
PLACES: Final = "阪坂 巳己已 冶治 脊背 班斑 櫟擽 祇祗 砲炮 迩爾 釜竈 鉋飽"
