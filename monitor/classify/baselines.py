"""What the classifier is measured against: keyword rules written by hand, a sentiment lexicon, a regression on words
that learned from the same posts, and two trivial judges.

The first two are an honest try, not a straw man: the rules follow the codebook's cues in ten languages, and the lexicon
borrows the rules' idea of relevance, since sentiment has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from monitor.classify.corpus import CorpusPost
from monitor.classify.prediction import Prediction
from monitor.classify.regression import word_regression
from monitor.codebook import codebook
from monitor.errors import ModelError
from monitor.text import normalise

LONG = 99  # characters
Judge = Callable[[Sequence[CorpusPost]], list[Prediction]]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_AI = _any(
    r"\b(a\.?i|ml|llms?|gpt|gen ?ai|ki|ia|si)\b",
    r"machine learning|neural|\bbots?\b|robots?|algorithm|the model|"
    r"language model|künstliche|intelligen|sztuczn|modelo|modello|modèle|人工知能|生成|인공지능",
    r"AI(?=[\u3040-\u9fff\uac00-\ud7af])|(?<=[\u3040-\u9fff\uac00-\ud7af])AI",
)
_USE = _any(
    r"\b(train\w*|feed(ing)?|fed|scrap\w+|licen[cs]\w+|sell\w*|sold|input|consent\w*|opt(ed)?[- ]?(out|"
    r"in)|harvest\w*)\b",
    r"\b(clause|terms|tos|toggle|section \d+|policy)\b",
    r"trainier|füttern|klausel|nutzungsbedingung|agb\b|zustimm|"
    r"treinar|treinamento|termos|cláusula|entren|términos|condiciones|consent|entraîn|conditions|"
    r"addestr|termini|condizioni|"
    r"voorwaarden|toestemming|szkol|trenowa|regulamin|zgod[ya]|学習|規約|同意|학습|약관|동의",
)
_EVENT = _any(
    r"\b(the|those|their|new|updated|revised) (new |ai |updated |revised )*(clause|terms|tos)\b",
    r"ceo('s)? letter",
    r"serve as input|inform, train|data for generative|no[- ]ai tag",
)
_DONE = _any(
    r"\b(deleted|nuked|scrubbed|wiped|removed|pulled|purged|cancelled|canceled|unlisted|privated|"
    r"took (it|them|my \w+|everything) "
    r"(down|off)|closed my|deactivated|emptied|moved (all|my|everything)|is gone|are gone|all gone|"
    r":? gone\b)",
    r"gelöscht|gekündigt|runtergenommen|apaguei|excluí|cancelei|borré|eliminé|cancelé|supprimé|résilié|"
    r"cancellato|rimosso|"
    r"verwijderd|opgezegd|usunął|usunęł|skasowa|消した|削除した|削除しました|解約した|退会した|삭제했|지웠|탈퇴했|해지했",
)
_COMMITTED = _any(
    r"\b(will|i'?ll|gonna|going to|about to|tonight|tomorrow|this weekend|"
    r"starting to) [^.!?]{0,40}\b(delet|remov|pull|leav|cancel|wip|"
    r"clos|mov|nuk|take)",
    r"\bi'?m (out|next|leaving|done here)\b|on my way out|last upload|erasure request|moving (house|to)\b",
    r"werde [^.]{0,40}(lösch|kündig)|vou (apagar|excluir|sair)|voy a (borrar|eliminar|irme)|"
    r"vais (supprimer|partir)|cancellerò|ga "
    r"(verwijderen|weg)|usunę|skasuję|消します|削除する|退会します|삭제할|지울|탈퇴할",
)
_CONSIDERING = _any(
    r"\b(might|may|maybe|tempted|thinking (about|of)|considering|should i|wondering (if|whether)|"
    r"if they don'?t|final straw|"
    r"dealbreaker|no (new )?(uploads|tracks|posts) (from me )?until|paus(ed|ing))",
    r"überlege|vielleicht|talvez|pensando|quizás|tal vez|peut-être|j'hésite|forse|sto pensando|"
    r"misschien|overweeg|może|zastanawiam|"
    r"迷って|検討|かな|고민|할까",
)
_BLOCKED = _any(
    r"\b(can'?t|cannot|won'?t let|unable|not allowed|no (delete|way to)|locked out|lost (the )?(login|"
    r"password|access)|greyed out|"
    r"label (owns|has|controls|holds)|distributor|contract says|refuses to)\b",
    r"kann (es |sie |das )?nicht (lösch|entfern)|não consigo|no puedo|impossible de|non posso|"
    r"non riesco|kan (het )?niet|nie mogę|"
    r"消せない|削除できない|できない|못 (지|삭)|삭제가 안|수 없",
)
_NEGATED = _any(
    r"\b(not|never|won'?t|didn'?t|isn'?t|aren'?t) (going anywhere|delet\w+|leav\w+|remov\w+)|\b(she|he|"
    r"they|drummer|friend) (deleted|wiped|left)|"
    r"put (it|them|my \w+)( all)? back|restored",
)
_OWN = _any(
    r"\b(i|i'm|i'll|i've|my|mine|we|our|us|me)\b|\b(ich|mein\w*|wir|eu|meu\w*|minha\w*|yo|mis?|je|j'|"
    r"mes|mon|io|mi[oe]i?|ik|mijn|mo[ij]e?)\b|"
    r"[\u3040-\u30ff]|[\uac00-\ud7af]",
)
_RAGE = _any(
    r"\b(fuck\w*|shit\w*|steal\w*|stole\w*|thie(f|ves)|theft|scum|vile|disgust\w*|sicken\w*|furious|"
    r"betray\w*|land grab|plagiari\w+|"
    r"parasit\w+|robb\w+|rage|outrag\w+|crooks?|bastards?|clowns|leech\w*|liars?)\b|!!|🤬|😡|🤮|🖕",
    r"(ge|be)klaut?|\bklau(en|t)\b|dieb|scheiß|ekel|roub|ladr|merda|nojo|\brobo\b|mierda|\basco\b|\bvol(eurs?|er)\b|merde|dégueu|rubare|"
    r"schifo|dief|stelen|walgel|"
    r"kradn|złodziej|gówn|泥棒|盗|ふざけ|最悪|許せ|도둑|쓰레기|역겹|미친",
)
_WORRY = _any(
    r"\b(wrong|unfair|mislead\w*|without (asking|permission|consent)|not ok|never (asked|agreed|signed)|"
    r"nobody asked|trust|sneak\w*|quietly|"
    r"buried|exploit\w*|free labou?r|consent|harm\w*|against|refuse|shame|bad|sad|gross|creepy|angry)\b",
    r"ohne (zu fragen|zustimmung)|sem (pedir|permissão)|sin (pedir|permiso)|sans (demander|"
    r"consentement)|senza (chiedere|consenso)|zonder|"
    r"bez (pyta|zgod)|勝手に|無断|おかしい|멋대로|허락 없이|동의 없이",
)
_UNEASE = _any(
    r"\?|？",
    r"\b(hmm+|worried|uneasy|not sure|unsure|wonder\w*|apparently|concern\w*|confus\w*)\b|mulmig|sorge|"
    r"不安|걱정",
)
_SUPPORT = _any(
    r"\b(read (it|the|past)|overreact\w*|calm down|never (trained|train)|do not (train|use)|"
    r"don'?t (train|use)|relax|nothing new|fine with|"
    r"makes sense|actually says|only (for|about)|just (for|about)|good (news|thing)|panic|no big deal|"
    r"we have never)\b",
    r"halb so wild|beruhig|calma|tranquil|rien de|niente di|niks aan|spokojnie|誤解|落ち着|問題ない|오해|괜찮",
)


def keyword_rules(posts: Sequence[CorpusPost]) -> list[Prediction]:
    """Labels by hand-written patterns over text and, for relevance, context."""
    return [_by_rules(normalise(post.text), normalise(post.context or "")) for post in posts]


def _by_rules(text: str, context: str) -> Prediction:
    if not _is_relevant(text, context):
        return certain(0, 0, "none", "neutral")
    removal = _removal(text)
    if _RAGE.search(text) or _is_shouting(text):
        concern = 3
    elif _WORRY.search(text):
        concern = 2
    else:
        concern = int(bool(_UNEASE.search(text)))
    concern = max(concern, codebook().least_concern.get(removal, 0))
    critical = concern >= 2 or removal != "none"
    stance = "critical" if critical else "supportive" if _SUPPORT.search(text) else "neutral"
    return certain(1, concern, removal, stance)


def _is_relevant(text: str, context: str) -> bool:
    # Either kind of word: asking for both, as the codebook does, finds little more than half of the relevant ones.
    both = f"{text}\n{context}"
    return bool(_AI.search(both) or _USE.search(both) or _EVENT.search(both))


def _removal(text: str) -> str:
    if _NEGATED.search(text) or not _OWN.search(text):
        return "none"
    for label, pattern in (
        ("blocked", _BLOCKED), ("considering", _CONSIDERING), ("done", _DONE), ("committed", _COMMITTED),
    ):  # fmt: skip
        if pattern.search(text):
            return label
    return "none"


def _is_shouting(text: str) -> bool:
    return len(re.findall(r"\b[A-Z]{4,}\b", text)) >= 3


def sentiment_lexicon(posts: Sequence[CorpusPost]) -> list[Prediction]:
    """VADER's compound score cut into levels of concern and stances; relevance by the rules.

    Source: Hutto and Gilbert, VADER, ICWSM 2014. The cuts are the best ones on the training posts.

    Raises:
        ModelError: vaderSentiment is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        raise ModelError("The lexicon to compare with is not installed", "pip install -e '.[dev]'") from None
    analyzer = SentimentIntensityAnalyzer()
    return [_by_sentiment(post, analyzer.polarity_scores(post.text)["compound"]) for post in posts]


def _by_sentiment(post: CorpusPost, compound: float) -> Prediction:
    if not _is_relevant(normalise(post.text), normalise(post.context or "")):
        return certain(0, 0, "none", "neutral")
    concern = 3 if compound < -0.75 else 2 if compound < 0.1 else 1 if compound < 0.7 else 0
    stance = "critical" if compound < 0.35 else "supportive" if compound > 0.6 else "neutral"
    return certain(1, concern, "none", stance)


def certain(relevant: int, concern: int, removal: str, stance: str) -> Prediction:
    """A prediction that knows no doubt."""
    book = codebook()
    return Prediction(
        float(relevant),
        tuple(float(level == concern) for level in book.concern),
        tuple(float(label == removal) for label in book.removal),
        tuple(float(label == stance) for label in book.stance),
    )


def always_relevant(posts: Sequence[CorpusPost]) -> list[Prediction]:
    """Calls every post relevant: what a relevance F1 is worth is its distance from this one."""
    return [certain(1, 0, "none", "neutral") for _ in posts]


def length_alone(posts: Sequence[CorpusPost]) -> list[Prediction]:
    """Calls a post relevant by its length only.

    In an older part of the corpus irrelevant posts are shorter than relevant ones, so this shows how much of a
    relevance figure the text itself need not explain. The cut is the best on that part.
    """
    return [certain(int(len(post.text) >= LONG), 0, "none", "neutral") for post in posts]


BASELINES: dict[str, Judge] = {
    "keyword rules": keyword_rules,
    "VADER lexicon": sentiment_lexicon,
    "TF-IDF regression": word_regression,
    "always relevant": always_relevant,
    "length alone": length_alone,
}
