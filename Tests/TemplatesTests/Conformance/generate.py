#!/usr/bin/env python3
"""Writes ConformanceTable.swift: templates, and what Django (5.2) makes of each.

    pip install 'django==5.2.*' && python3 generate.py > ../ConformanceTable.swift

The variables are those of ConformanceContext.swift; the two must be kept the same. `nil` means that Django refuses the
template or fails to render it.
"""
import datetime, json, os
import django
from django.conf import settings
from django.template import Context, Engine, defaulttags
from django.urls import path
from django.utils.safestring import mark_safe

utc = datetime.timezone.utc
NOW = datetime.datetime(2024, 2, 29, 13, 5, 9, 123456, tzinfo=utc)


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


defaulttags.datetime = FixedClock
urlpatterns = [
    path("polls/", lambda r: None, name="index"),
    path("polls/<int:id>/", lambda r, id: None, name="detail"),
    path("find/<str:word>/", lambda r, word: None, name="find"),
]
settings.configure(
    USE_TZ=True, TIME_ZONE="UTC", ROOT_URLCONF=__name__, STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.staticfiles", "django.contrib.humanize"])
django.setup()


class Question:
    pk = 1
    question_text = "What's up <doc>?"
    tags = ["x", "y"]

    def __str__(self):
        return "Q&A"


CONTEXT = {
    "n": 3, "one": 1, "zero": 0, "neg": -7, "big": 1234567890, "f": 34.23234, "half": 2.5, "f0": 34.0, "fexp": 1e20,
    "tiny": 1e-7, "t": True, "none": None, "s": "hello world", "html": "<b>\"Tom\" & 'Jerry'</b>",
    "safe": mark_safe("<i>x & y</i>"), "empty": "", "words": "Joel is a slug", "digits": "42",
    "title": "they're bill's friends from the UK 3rd o'neill", "list": [1, 2, 3], "strs": ["a", "<b>", "c'"],
    "mixed": [1, 2.5, "x", None, True, ["y"]], "elist": [], "pairs": [["a", 1], ["b", 2]],
    "d": {"name": "Ann", "age": 30, "tags": ["x", "y"]},
    "people": [{"name": "Cy", "age": 30}, {"name": "Al", "age": 20}, {"name": "Bo", "age": 30}],
    "q": Question(), "questions": [Question(), Question()], "date": NOW,
    "midnight": datetime.datetime(2023, 9, 1, tzinfo=utc), "noon": datetime.datetime(2021, 1, 3, 12, 0, tzinfo=utc),
    "day": datetime.date(2024, 12, 30), "earlier": datetime.datetime(2022, 12, 25, 3, 0, tzinfo=utc),
    "lines": "one\r\ntwo <\n\nthree\n\n\nfour", "address": "/a b/?q=\u00fc&x=1", "unicode": "\u00dcn\u00efc\u00f6d\u00e9 stra\u00dfe \u2013 ok",
    "js": "</script>'\"\\\n\u2028-;", "tagged": "<p class='a>b'>Hi <!-- c > --><b>there</b> 1 < 2 &amp; x</p>",
    "parent": "base.html", "csrf_token": "t&k", "cell": [["a", [["b"]]], "c"], "tree": ["A", ["B", ["C"], "D<"], "E"],
}

TEMPLATES = {
    "base.html": "<{% block title %}base{% endblock %}|{% block body %}{% block inner %}in{% endblock %}!{% endblock %}>",
    "mid.html": "{% extends 'base.html' %}{% block title %}mid-{{ block.super }}{% endblock %}",
    "part.html": "[{{ s }}/{{ x }}/{{ forloop.counter }}]",
    "loop.html": "{% for i in list %}{{ forloop.counter }}{{ forloop.parentloop.counter }}{% endfor %}",
    "cyc.html": "{% cycle 'a' 'b' %}",
    "chg.html": "{% ifchanged p.age %}{{ p.age }}{% endifchanged %}",
    "set.html": "{% with s='inner' %}{{ s }}{% endwith %}{% include 'part.html' %}",
    "autoblock.html": "{% block a %}{% autoescape off %}{{ html }}{% endautoescape %}{% endblock %}",
}

exec(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.py"), encoding="utf-8").read())


def swift(text):
    if text is None:
        return "nil"
    out = []
    for c in text:
        if c in "\\\"":
            out.append("\\" + c)
        elif c == "\n":
            out.append("\\n")
        elif c == "\r":
            out.append("\\r")
        elif c == "\t":
            out.append("\\t")
        elif ord(c) < 32 or ord(c) in (0xA0, 0x2028, 0x2029):
            out.append("\\u{%x}" % ord(c))
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


engine = Engine(
    loaders=[("django.template.loaders.locmem.Loader", TEMPLATES)],
    libraries={"static": "django.templatetags.static", "humanize": "django.contrib.humanize.templatetags.humanize"},
    builtins=["django.templatetags.static", "django.contrib.humanize.templatetags.humanize",
              "django.template.defaulttags", "django.template.defaultfilters", "django.template.loader_tags"])


def expected(source):
    try:
        return engine.from_string(source).render(Context(dict(CONTEXT)))
    except Exception:
        return None


print("// Written by Conformance/generate.py from Django's own output. Do not edit.")
print("// swift-format-ignore-file")
print("\nenum ConformanceTable {")
print("    static let templates: [String: String] = [")
for name, source in TEMPLATES.items():
    print("        %s: %s," % (swift(name), swift(source)))
print("    ]\n")
print("    /// A template, and the page Django makes of it.")
for number, start in enumerate(range(0, len(CASES), 60)):
    print("    static let part%d: [(template: String, page: String?)] = [" % number)
    for source in CASES[start:start + 60]:
        print("        (%s, %s)," % (swift(source), swift(expected(source))))
    print("    ]\n")
parts = " + ".join("part%d" % n for n in range((len(CASES) + 59) // 60))
print("    static let cases = " + parts)
print("}")
