"""What X is asked for: never less than the rules mean, within its limits, and changed only where it must be."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import monitor
from monitor import config
from monitor.collect.match import Matcher
from monitor.collect.x_query import (
    ARCHIVE_LIMIT,
    DISGUISES,
    MOST_RULES,
    RECENT_LIMIT,
    STREAM_LIMIT,
    TAG_PREFIX,
    PresentRule,
    StreamRule,
    compile_queries,
    compile_stream,
    reconcile,
)
from monitor.config import Near, Rule, Topic
from monitor.errors import ConfigError
from tests import strategies
from tests.servers.x_language import XPost, finds, parse

some = settings(max_examples=150, deadline=None)
EXAMPLE = config.load(Path(monitor.__file__).with_name("example.toml")).topics
TERMS = (
    *strategies.WORDS, "a.i.", "t&c", "opt-out", "don't", "c++", "sound_cloud", "and", "or", "naïve", "İstanbul",
    "👍", "100%", '"quoted', "back\\slash", "(group", "-minus", "#tagged", "*", "!!!", "नियम",
)  # fmt: skip
HOSTS = (
    "soundcloud.com",
    "https://www.example.com/terms",
    "http://b.example:8080/tos",
    "x.org/a?b=1",
    "http://münchen.de/agb",
)
LANGUAGES = ("en", "de", "pt-BR", "ja")

terms = st.lists(st.sampled_from(TERMS), min_size=1, max_size=3).map(" ".join).filter(lambda t: t.strip("*! "))
many = st.lists(terms, min_size=1, max_size=6).map(tuple)


@st.composite
def topics(draw, name="soundcloud-ai"):
    """Rules without what X cannot say: regular expressions, stems, signs without a word, hosts below a link."""
    nears = st.builds(Near, a=many, b=many, within=st.integers(1, 40))
    rules = [
        Rule(
            id=f"rule-{n}",
            phrases=draw(many),
            near=draw(st.lists(nears, max_size=2)),
            hashtags=draw(st.lists(st.sampled_from((*strategies.WORDS, "#AI_terms", "2025", "a tag")), max_size=3)),
            links=draw(st.lists(st.sampled_from(HOSTS), max_size=2)),
            exclude=draw(st.lists(terms, max_size=1)),
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    languages = draw(st.lists(st.sampled_from(LANGUAGES), max_size=2))
    return Topic(name=name, platform="SoundCloud", rules=rules, languages=languages)


@st.composite
def posts(draw, topic):
    """Posts made of what the topic's rules ask for, with other things between."""
    asked = [t for r in topic.rules for t in (*r.phrases, *(t for n in r.near for t in (*n.a, *n.b)))]
    tags = [tag.lstrip("#") for rule in topic.rules for tag in rule.hashtags]
    entities = [tag for tag in tags if tag.isidentifier()]  # X makes none of a number or of two words
    links = [link for rule in topic.rules for link in rule.links]
    words = st.sampled_from(asked) | st.sampled_from(TERMS) | st.text(max_size=6)
    parts = words | words.map(str.upper) | st.sampled_from(["#soundcloud", *(f"#{tag}" for tag in tags)])
    gaps = st.sampled_from([" ", " ", "  ", "\n", ", ", " - ", "’s ", "… ", "_", "-", "/ "])
    text = "".join(part + draw(gaps) for part in draw(st.lists(parts, max_size=8)))
    ends = st.sampled_from(["", "/", "?utm=1", "#ai", "/more", "-of-use"])
    return XPost(
        text=text.replace("_#", " #").replace("-#", " #"),
        lang=draw(st.sampled_from([None, "und", "qme", "en", "de", "pt", "ja", "fr"])),
        links=(draw(st.sampled_from(links)) + draw(ends),) if links and draw(st.booleans()) else (),
        hashtags=(draw(st.sampled_from(entities)),) if entities and draw(st.booleans()) else (),
    )


def a_topic(name="soundcloud-ai", languages=(), **rule):
    return Topic(name=name, platform="SoundCloud", languages=languages, rules=(Rule(id="ai-terms", **rule),))


def strings(limit=RECENT_LIMIT, **rule):
    return compile_queries(a_topic(**rule), limit).strings


def a_match(topic, post):
    return bool(Matcher([topic]).match(post.text, post.lang, post.links, post.hashtags))


def in_utf16(text):
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("a OR b c", "a", True),
        ("a OR b c", "b", False),
        ("(a OR b) c", "a", False),
        ("(a OR b) -c", "a, C", False),
        ('"opt out"', "Opt-out!", True),
        ('"opt out"', "out, opt", False),
        ("soundcloud", "SoundCloud's", True),
        ("soundcloud", "soundclouds", False),
        ("#ai", "#AI_terms", False),
        ("#ai", "see #AI", True),
    ],
)
def test_the_language_is_read_as_x_documents_it(query, text, expected):
    assert finds(query, XPost(text)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "",
        "-a",
        "a OR -b",
        "lang:en",
        "(a",
        "a)",
        "a OR",
        "a and b",
        "a -(b OR c)",
        "t&c",
        '"!"',
        'x"y',
        "train*",
        "a OR()",
    ],
)
def test_the_language_refuses_what_x_refuses(query):
    with pytest.raises(ValueError):
        parse(query)


@some
@given(st.data(), topics(), st.sampled_from([240, RECENT_LIMIT, ARCHIVE_LIMIT]))
def test_whatever_the_matcher_matches_one_of_the_queries_finds(data, topic, limit):
    post = data.draw(posts(topic))
    assume(a_match(topic, post))
    queries = compile_queries(topic, limit)
    assume(not any("longer than" in what for what in queries.unsayable))
    assert any(finds(query, post) for query in queries.strings)


@some
@given(st.lists(topics(), min_size=1, max_size=3), st.data())
def test_whatever_the_matcher_matches_one_of_the_stream_rules_finds(drawn, data):
    named = [topic.model_copy(update={"name": f"topic-{n}"}) for n, topic in enumerate(drawn)]
    topic = data.draw(st.sampled_from(named))
    post = data.draw(posts(topic))
    assume(a_match(topic, post))
    assert any(finds(rule.value, post) for rule in compile_stream(named).rules)


@some
@given(topics(), st.integers(60, ARCHIVE_LIMIT))
def test_every_query_is_one_that_x_takes_within_any_limit(topic, limit):
    queries = compile_queries(topic, limit)
    assert all(in_utf16(query) <= limit and parse(query) for query in queries.strings)
    assert queries == compile_queries(topic, limit)


@some
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5))
def test_no_rule_makes_a_query_that_x_refuses(odd):
    topic = a_topic(phrases=odd, near=(Near(a=odd, b=odd),), hashtags=odd, links=odd)
    queries = compile_queries(topic, RECENT_LIMIT)
    assert all(in_utf16(query) <= RECENT_LIMIT and parse(query) for query in queries.strings)


def test_all_that_a_rule_says_is_joined_into_one_query():
    near = (
        Near(a=("soundcloud", "sound cloud"), b=("ai", "a.i.")),
        Near(a=("soundcloud", "sound cloud"), b=("opt-out", "AI")),
    )
    assert strings(
        phrases=("new clause", "AND", "straße"), near=near, hashtags=("#DeleteSoundCloud",), links=("https://www.a.org/tos/",)
    ) == (
        '(((soundcloud OR "sound cloud") (ai OR "a.i." OR "opt out")) OR "new clause" OR "and" OR straße OR strasse'
        ' OR #deletesoundcloud OR url:"a.org/tos") -is:retweet',
    )  # fmt: skip
    assert strings(phrases=("soundcloud",)) == ("soundcloud -is:retweet",)


def test_reposts_are_not_asked_for():
    (query,) = strings(phrases=("soundcloud", "ai"))
    assert finds(query, XPost("SoundCloud"))
    assert not finds(query, XPost("SoundCloud", is_repost=True))


def test_an_exclusion_is_left_to_the_matcher():
    """It excludes "ai strike", and X would exclude "ai. Strike" with it."""
    post = XPost("soundcloud ai. Strike!")
    topic = a_topic(phrases=("soundcloud",), exclude=("ai strike",))
    assert a_match(topic, post)
    assert finds(compile_queries(topic, RECENT_LIMIT).strings[0], post)


def test_a_number_is_no_hashtag_on_x_and_is_asked_for_as_a_word():
    (query,) = strings(hashtags=("#2025", "Straße"))
    assert query == "(2025 OR #straße OR #strasse) -is:retweet"
    assert finds(query, XPost("see #2025"))


def test_a_stem_is_asked_for_with_some_endings_and_of_two_in_one_phrase_all_words_are():
    (query,) = strings(phrases=("train*", "обуч*", "your model*", "scrap* post*"))
    for text in ("training", "train’s", "обуч", "your models", "trainer", "scraped posts", "scraping the post"):
        assert finds(query, XPost(text))
    for text in ("the trainee", "your new models", "scraped", "обучs"):
        assert not finds(query, XPost(text))


def test_what_x_cannot_say_is_told():
    topic = a_topic(
        phrases=("train*", "!!!", "規約", "x" * 500),
        near=(Near(a=("y" * 300,), b=("z" * 300, "ai")),),
        hashtags=("two words",),
        links=("a.example", "b.example/c", "//"),
        regex=(r"\bSC\b",),
    )
    told = compile_queries(topic, RECENT_LIMIT).unsayable
    of_rule = " (rule 'soundcloud-ai/ai-terms')"
    assert told == (
        r"the regular expression '\\bSC\\b'" + of_rule,
        "train* with endings other than s, e, es, ed, er, ing, ion" + of_rule,
        "'!!!', in which X knows no word" + of_rule,
        "規約 wherever X does not part it from the signs around it" + of_rule,
        "'two words', which is no hashtag on X" + of_rule,
        "hosts below a.example, if X does not part hosts at their dots" + of_rule,
        "a.example behind a shortener of links other than X's own" + of_rule,
        "b.example/c where its last word goes on" + of_rule,
        "b.example/c with a port that the rule does not name" + of_rule,
        "b.example/c behind a shortener of links other than X's own" + of_rule,
        "'//', which is no link" + of_rule,
        f"({'y' * 300} {'z' * 300}), longer than 512 characters" + of_rule,
        f"{'x' * 500}, longer than 512 characters" + of_rule,
        DISGUISES,
    )
    assert not any("longer" in what for what in compile_queries(topic, ARCHIVE_LIMIT).unsayable)


def test_a_link_with_a_port_is_asked_for_with_it_and_without():
    (query,) = strings(links=("http://a.example:8080/tos", "b.example:99"))
    assert query == '(url:"a.example/tos" OR url:"a.example:8080/tos" OR url:"b.example") -is:retweet'
    for link in ("https://a.example/tos", "http://a.example:8080/tos", "https://b.example:1/x"):
        assert finds(query, XPost("read it", links=(link,)))


def test_a_topic_of_regular_expressions_alone_asks_for_nothing():
    assert compile_queries(a_topic(regex=("x",)), RECENT_LIMIT).strings == ()
    assert compile_stream([a_topic(regex=("x",))]).rules == ()


def test_a_near_group_too_long_for_one_query_is_asked_for_in_parts_that_hold_every_pair():
    a, b = [f"alpha{n}" for n in range(70)], [f"beta{n}" for n in range(70)]
    queries = strings(near=(Near(a=a, b=b),))
    assert all(any(finds(query, XPost(f"{x} {y}")) for query in queries) for x in a[::9] for y in b)
    assert len(queries) <= 16  # the pairs need 4 x 4 pieces at least of about 250 characters a side
    assert not any(finds(query, XPost(" ".join(a))) for query in queries)


def test_single_terms_fill_what_near_groups_leave_free():
    near = (Near(a=("soundcloud",), b=[f"word{n:02}" for n in range(41)]),)
    assert len(strings(near=near)) == 1
    assert len(strings(near=near, phrases=("some other phrase",))) == 1


def test_other_languages_are_left_out_only_where_the_matcher_drops_them():
    topic = a_topic(languages=("de", "pt-BR"), phrases=("soundcloud",))
    (query,) = compile_queries(topic, RECENT_LIMIT).strings
    assert query == "soundcloud -is:retweet -lang:en -lang:ja -lang:es -lang:ar -lang:ko -lang:tr -lang:fr"
    for lang in ("de", "pt", "und", "qme", None):
        assert finds(query, XPost("soundcloud", lang))
    assert not finds(query, XPost("soundcloud", "en"))


def test_every_stream_rule_is_tagged_with_its_topic_and_none_stands_twice():
    one, two = a_topic(phrases=("soundcloud",)), a_topic("other", phrases=("soundcloud",))
    longest = a_topic("t" * 60, phrases=("tos",))
    compiled = compile_stream([one, two, longest])
    assert compiled.rules == (
        StreamRule("soundcloud -is:retweet", TAG_PREFIX + "soundcloud-ai"),
        StreamRule("tos -is:retweet", TAG_PREFIX + "t" * 60),
    )
    assert all(0 < len(rule.tag) <= 100 for rule in compiled.rules)
    assert compiled.unsayable == (DISGUISES,)


def test_more_rules_than_x_takes_are_refused_with_their_number():
    phrases = [f"{n:04} {'x' * 490}" for n in range(2 * MOST_RULES + 1)]
    assert len(compile_stream([a_topic(phrases=phrases[:-1])]).rules) == MOST_RULES
    with pytest.raises(ConfigError, match="1,001 rules"):
        compile_stream([a_topic(phrases=phrases)])


tags = st.sampled_from([TAG_PREFIX + "one", TAG_PREFIX + "two", "", "somebody else's"])
values = st.sampled_from("abcdefgh")
present_rules = st.dictionaries(values, tags).map(
    lambda rules: [PresentRule(f"id-{value}", value, tag) for value, tag in rules.items()]
)
wanted_rules = st.dictionaries(values, tags.filter(lambda tag: tag.startswith(TAG_PREFIX))).map(
    lambda rules: [StreamRule(value, tag) for value, tag in rules.items()]
)


def applied(changes, present):
    left = [rule for rule in present if rule.id not in changes.delete]
    assert not {rule.value for rule in left} & {rule.value for rule in changes.add}  # X would refuse these
    return left + [PresentRule(f"new-{rule.value}", rule.value, rule.tag) for rule in changes.add]


@given(wanted_rules, present_rules)
def test_reconciling_reaches_what_is_wanted_and_touches_nothing_else(wanted, present):
    changes = reconcile(wanted, present)
    after = applied(changes, present)
    foreign = [rule for rule in present if not rule.tag.startswith(TAG_PREFIX)]
    assert [rule for rule in after if not rule.tag.startswith(TAG_PREFIX)] == foreign
    ours = {StreamRule(rule.value, rule.tag) for rule in after} - {StreamRule(r.value, r.tag) for r in foreign}
    assert ours == {rule for rule in wanted if rule.value not in {r.value for r in foreign}}
    kept = [rule for rule in present if StreamRule(rule.value, rule.tag) in wanted]
    assert all(rule in after for rule in kept)
    again = reconcile(wanted, after)
    assert (again.add, again.delete) == ((), ())


def test_a_rule_that_is_present_twice_is_kept_once():
    rule = StreamRule("a", TAG_PREFIX + "one")
    changes = reconcile([rule], [PresentRule("1", rule.value, rule.tag), PresentRule("2", rule.value, rule.tag)])
    assert (changes.add, changes.delete) == ((), ("2",))


def test_the_example_fits_into_three_stream_rules_that_find_what_it_is_about():
    rules = compile_stream(EXAMPLE).rules
    assert len(rules) == 3
    assert all(in_utf16(rule.value) <= STREAM_LIMIT for rule in rules)
    for text in (
        "SoundCloud's new terms: opt-out of AI?", "leaving sound cloud, they scrape it", "bye #DeleteSoundCloud",
        "“inform, train, develop or serve as input”", "SoundCloud t&cs", "サンクラ の 規約",
    ):  # fmt: skip
        assert a_match(EXAMPLE[0], XPost(text))
        assert any(finds(rule.value, XPost(text)) for rule in rules), text
    assert not any(finds(rule.value, XPost("my new track on SoundCloud")) for rule in rules)
