# The templates of the conformance table; executed by generate.py.
CASES = []


def shows(*expressions):
    CASES.extend("{{ %s }}" % e for e in expressions)


def tags(*templates):
    CASES.extend(templates)


# Variables, literals, lookups.
shows("n", "neg", "big", "f", "f0", "fexp", "tiny", "t", "none", "s", "html", "safe", "empty", "missing", "missing.a.b",
      "list", "strs", "mixed", "d", "q", "date", "midnight", "noon", "day", "d.name", "d.tags.1", "d.nope", "list.0",
      "list.9", "s.0", "q.question_text", "q.tags.0", "q.nope", "questions.1.pk", "date.year", "date.month", "pairs.1.0",
      "'<lit>'", '"a\\"b"', "'it\\'s'", "12", "-3", "+4", "1.50", "1e3", ".5", "True", "False", "None", "_('text <')",
      "'%}'", "n.real.nope", "5.", "_private", "d._x", "n|", "|lower", "n lower", "'open", "s|nope",
      "s|default:", "s|default: 'a'", "s | upper", "s|upper|", "s|lower:3", "s|default", "", "s|default:missing",
      "3|add:4", "f|f", "a.", ".a", "1.2.3", "s|cut:' '|upper|lower|title", "parent|upper")
tags("{{", "}}", "{% %}", "{%%}", "{{}}", "a{b}c", "{ { n } }", "{{ n\n }}", "{% if\nt %}", "{#c#}x", "{# a\nb #}",
     "{# {% if %} #}", "{{n}}{{ n}}", "{% raw %}", "100%{", "{%", "{#", "{{ '}}' }}", "é{{ n }}ü")

# Escaping.
tags("{% autoescape off %}{{ html }}{% endautoescape %}", "{% autoescape on %}{{ html }}{{ html|safe }}{% endautoescape %}",
     "{% autoescape off %}{{ html|escape }}{{ html|force_escape }}{{ strs|join:'&' }}{% endautoescape %}",
     "{% autoescape maybe %}{% endautoescape %}", "{% autoescape off %}{% autoescape on %}{{ html }}{% endautoescape %}{{ html }}{% endautoescape %}")
for value in ("html", "safe"):
    shows(*(value + "|" + f for f in (
        "safe", "escape", "force_escape", "escape|escape", "force_escape|force_escape", "lower", "upper", "title", "capfirst",
        "addslashes", "truncatechars:6", "truncatewords:2", "slice:':4'", "cut:'x'", "cut:';'", "default:'d'", "center:30",
        "ljust:25", "rjust:25", "striptags", "linebreaks", "linebreaksbr", "urlencode", "escapejs", "first", "last",
        "length", "wordcount", "slugify", "add:'<'", "stringformat:'s'", "yesno:'<a>,b'", "join:'-'", "json_script:'i<d'",
        "make_list", "linenumbers", "wordwrap:5", "floatformat", "iriencode", "divisibleby:2", "dictsort:'a'",
        "pluralize", "intcomma", "default_if_none:'<'", "escape|upper", "safe|upper|safe", "lower|safe", "pprint")))

# Text filters.
shows("s|capfirst", "empty|capfirst", "unicode|capfirst", "unicode|upper", "unicode|lower", "unicode|title", "title|title",
      "title|slugify", "unicode|slugify", "'  --A_b  c--d!! '|slugify", "'\u00e9\u00d8\u00df\u0142 x'|slugify", "n|slugify",
      "words|truncatewords:2", "words|truncatewords:4", "words|truncatewords:9", "words|truncatewords:0",
      "words|truncatewords:'x'", "words|truncatewords:-1", "words|truncatechars:7", "words|truncatechars:14",
      "words|truncatechars:13", "words|truncatechars:0", "words|truncatechars:1", "words|truncatechars:-3",
      "words|truncatechars:'a'", "words|truncatechars:none", "n|truncatechars:5", "unicode|truncatechars:4", "words|wordcount", "empty|wordcount",
      "'  a  b '|wordcount", "s|center:15", "s|center:14", "'ab'|center:5", "'abc'|center:6", "s|center:3", "s|ljust:15", "s|rjust:15",
      "n|rjust:4", "s|center:'x'", "title|addslashes", "js|addslashes", "js|escapejs", "js", "words|cut:' '", "words|cut:''",
      "words|wordwrap:5", "words|wordwrap:100", "lines|wordwrap:6", "n|make_list", "s|make_list", "unicode|length",
      "missing|upper", "missing|length", "none|upper", "none|lower", "t|lower", "list|upper", "none|capfirst", "'a b'|title",
      "''|title", "'1st x2y o\u2019neil'|title", "'\u01c6x'|title")
shows(*("%s|stringformat:'%s'" % c for c in (
    ("n", "d"), ("n", "03d"), ("n", "+d"), ("n", "-5d"), ("n", "5d"), ("f", ".2f"), ("f", "d"), ("f", "08.3f"), ("f", "e"), ("f", ".3g"),
    ("f", "s"), ("n", "x"), ("big", "X"), ("big", "o"), ("n", "c"), ("s", "s"), ("s", "20s"), ("s", ".3s"), ("s", "d"),
    ("s", "r"), ("list", "s"), ("none", "s"), ("none", "d"), ("n", "f"), ("n", "%"), ("n", ""), ("n", "z"), ("n", " d"), ("neg", "05d"), ("f", "+.1e"),
    ("t", "d"), ("n", "s!"), ("html", "s"), ("fexp", "f"), ("f", "i"), ("f", "x"), ("n", ".3d"), ("n", "-05d"), ("s", "05s"))))

# HTML filters.
shows("lines|linebreaks", "lines|linebreaksbr", "empty|linebreaks", "'a\n'|linebreaks", "'\n\na'|linebreaks", "s|linebreaks", "n|linebreaksbr",
      "tagged|striptags", "'<'|striptags", "'a<b'|striptags", "'<<b>x'|striptags", "'<b'|striptags", "'a > b < c'|striptags",
      "'<scr<b>ipt>x'|striptags", "n|striptags", "address|urlencode", "address|urlencode:''", "s|urlencode", "n|urlencode", "'a/b?c=d&e~.-_'|urlencode",
      "address|iriencode", "d|json_script:'x'", "d|json_script", "html|json_script:'x'", "unicode|json_script:'u'", "mixed|json_script:'m'", "date|json_script:'d'",
      "none|json_script:'n'", "f|json_script:'f'", "lines|linenumbers", "strs|safeseq|join:', '", "strs|escapeseq|join:', '", "tree|unordered_list", "strs|unordered_list")

# Lists.
shows("list|length", "d|length", "none|length", "n|length", "s|length", "list|first", "elist|first", "s|first", "list|last", "elist|last", "s|last",
      "empty|first", "n|first", "list|join:', '", "strs|join:'<br>'", "strs|join:html", "n|join:','", "elist|join:','", "s|join:'-'", "list|slice:':2'",
      "list|slice:'1:'", "list|slice:'-2:'", "list|slice:':-1'", "list|slice:'::-1'", "list|slice:'::2'", "list|slice:'9:'", "list|slice:'a'", "list|slice:2",
      "list|slice:'1'", "list|slice:'2:0:-1'", "list|slice:':'", "s|slice:'1:4'", "s|slice:'::-1'", "n|slice:':1'", "list|slice:'::0'", "list|slice:'1:2:3:4'",
      "d|slice:':1'", "people|dictsort:'age'", "people|dictsort:'name'", "people|dictsortreversed:'age'", "people|dictsort:'nope'", "pairs|dictsort:0",
      "pairs|dictsortreversed:1", "n|dictsort:'a'", "mixed|dictsort:'a'", "questions|dictsort:'pk'|length", "elist|dictsort:'a'", "list|pprint", "missing|first", "missing|join:','")

# Numbers.
shows("n|add:2", "n|add:'2'", "n|add:'x'", "s|add:'!'", "list|add:list", "list|add:n", "f|add:1", "half|add:half", "digits|add:1", "n|add:-5", "none|add:1",
      "html|add:safe", "safe|add:safe", "n|add:none", "t|add:1", "'a'|add:1", "missing|add:1", "n|divisibleby:3", "n|divisibleby:2", "n|divisibleby:0", "neg|divisibleby:7",
      "digits|divisibleby:'2'", "s|divisibleby:2", "n|get_digit:1", "big|get_digit:2", "n|get_digit:9", "s|get_digit:1", "n|get_digit:0", "neg|get_digit:1", "neg|get_digit:2")
shows(*("%s|floatformat%s" % (v, a) for v in ("f", "f0", "half", "n", "neg", "digits", "s", "none", "empty", "big", "tiny", "fexp", "t", "'34.26'", "'-0.04'", "'abc'", "0.05", "1.005", "-0.0", "999.999", "'1e5'", "' 3.5 '", "missing")
        for a in ("", ":3", ":0", ":-3", ":'2'", ":'2g'", ":'x'", ":'g'")))
shows("f|floatformat:'-2g'", "big|floatformat:'2g'", "big|floatformat:'2u'", "big|floatformat:'2gu'", "f|floatformat:none", "f|floatformat:''", "big|intcomma", "neg|intcomma", "n|intcomma",
      "1234|intcomma", "1234567.891|intcomma", "'12345'|intcomma", "'-12345.5'|intcomma", "s|intcomma", "none|intcomma", "t|intcomma", "f|intcomma", "100|intcomma", "1000|intcomma", "fexp|intcomma",
      "n|filesizeformat", "one|filesizeformat", "1023|filesizeformat", "1024|filesizeformat", "1500|filesizeformat", "big|filesizeformat", "neg|filesizeformat", "s|filesizeformat",
      "1234567890123456|filesizeformat", "1048575|filesizeformat")
shows(*("%s|pluralize%s" % (v, a) for v in ("zero", "one", "n", "list", "elist", "s", "'1'", "'2'", "f", "none", "1.0", "missing", "d", "half", "t", "q", "'x'", "strs") for a in ("", ":'es'", ":'y,ies'", ":'a,b,c'")))

# Choices.
shows(*("%s|%s" % (v, f) for v in ("t", "False", "none", "n", "zero", "empty", "missing", "elist", "s", "f0", "q")
        for f in ("default:'<d>'", "default:html", "default_if_none:'<d>'", "yesno", "yesno:'a,b,c'", "yesno:'a,b'", "yesno:'a'", "yesno:'a,b,c,d'", "yesno:html")))

# Dates.
for value in ("date", "midnight", "noon", "day", "earlier"):
    shows(*("%s|date:'%s'" % (value, c) for c in "aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTuUwWyYzZqkvx"))
    shows(value + "|date", value + "|time", value + "|date:'N j, Y'", value + "|date:'DATE_FORMAT'", value + "|date:'SHORT_DATETIME_FORMAT'", value + "|date:'DATETIME_FORMAT'",
          value + "|date:'\\\\j\\\\S jS \\\\o\\\\f F'", value + "|date:''", value + "|time:'H:i'", value + "|time:'TIME_FORMAT'", value + "|date:'D d M Y'", value + "|time:'P'",
          value + "|timesince:date", value + "|timeuntil:date", value + "|date:'F j, Y, P'", value + "|time:'j'")
shows("date|timesince:earlier", "earlier|timesince:midnight", "noon|timesince:earlier", "noon|timesince:noon", "noon|timeuntil:earlier", "none|date", "s|date", "n|date:'Y'", "missing|date", "empty|date",
      "none|time", "s|time:'H'", "s|timesince", "none|timesince", "empty|timeuntil")
tags("{% now 'Y-m-d H:i' %}", "{% now 'jS F' as x %}[{{ x }}]", "{% now %}", "{% now \"N j, Y\" %}", "{% now 'DATE_FORMAT' %}")

# if.
CONDITIONS = (
    "t", "zero", "none", "missing", "not missing", "not t", "not not t", "t and zero", "t or zero", "zero or none or s", "t and not zero", "n == 3", "n == 3.0", "n == '3'", "s == 'hello world'",
    "s != 'x'", "n < 4", "n > 4", "n <= 3", "n >= 4", "n < 's'", "'a' < 'b'", "list < list", "n in list", "9 in list", "9 not in list", "'ell' in s", "'x' not in s", "'name' in d", "n in n", "n not in n",
    "none is None", "n is None", "n is not None", "t is True", "one is True", "one == True", "missing is None", "missing == None", "missing == missing", "missing != none", "zero == False", "none == False",
    "t or t and zero", "zero and zero or t", "not zero and zero", "not zero or zero", "not n == 4", "not n in list", "n == 3 and s == 'x' or t", "n < 4 < 5", "5 > 4 > 3", "n == 3 == True", "s|length > 5", "list|length == n",
    "s|upper == 'HELLO WORLD'", "missing|default:'x' == 'x'", "s|default:missing", "not s|default:missing", "elist", "d", "q", "q == q", "'<' in html", "date > earlier", "day > date", "safe == '<i>x & y</i>'", "d.age >= 30", "d.nope > 1",
    "none < 1", "none > 1", "none >= 1", "none in list", "missing in list", "missing not in list", "n in missing", "n not in missing", "n is 3", "1.0", "0.0", "-1", "''", "' '", "f > n", "empty or 0", "t == not zero", "elist == list", "pairs.0 == pairs.0", "n is not missing",
    # And what is none.
    "", "and", "t and", "t or or t", "n = 3", "t zero", "not", "n ==", "in list", "(t)", "t & t", "n in", "is", "n not 3", "t and (zero)", "!t", "n === 3", "n <> 3", "s|nope", "not in list", "n is not", "t is not in list",
)
tags(*("{%% if %s %%}yes{%% else %%}no{%% endif %%}" % c for c in CONDITIONS))
tags("{% if zero %}a{% elif n == 3 %}b{% else %}c{% endif %}", "{% if zero %}a{% elif none %}b{% elif zero %}c{% endif %}x", "{% if zero %}a{% elif none %}b{% else %}c{% endif %}", "{% if t %}", "{% if t %}{% else %}", "{% endif %}", "{% else %}",
     "{% if t %}a{% else %}b{% else %}c{% endif %}", "{% if t %}a{% else %}b{% elif t %}c{% endif %}", "{% if t %}{% for x in list %}{% endif %}{% endfor %}", "{% if t %}{% if zero %}a{% else %}b{% endif %}{% endif %}", "{% if t %}a{% elif %}b{% endif %}",
     "{% if t %}a{% else x %}b{% endif %}", "{% if t %}a{% endif x %}", "{% IF t %}a{% endif %}")

# for.
tags("{% for x in list %}{{ x }}{% endfor %}", "{% for x in list reversed %}{{ x }}{% endfor %}", "{% for x in elist %}{{ x }}{% empty %}none{% endfor %}", "{% for x in missing %}{{ x }}{% empty %}none{% endfor %}",
     "{% for x in none %}a{% empty %}b{% endfor %}", "{% for x in s %}{{ x }}.{% endfor %}", "{% for k, v in pairs %}{{ k }}={{ v }};{% endfor %}", "{% for k,v in d.items %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for k in d.keys %}{{ k }}{% endfor %}",
     "{% for v in d.values %}{{ v }}{% endfor %}", "{% for a , b in pairs %}{{ a }}{{ b }}{% endfor %}", "{% for a,b,c in pairs %}{{ a }}{% endfor %}", "{% for a,b in list %}{{ a }}{% endfor %}", "{% for x in n %}a{% endfor %}", "{% for x in q %}a{% endfor %}",
     "{% for x in list %}{{ forloop.counter }}{{ forloop.counter0 }}{{ forloop.revcounter }}{{ forloop.revcounter0 }}{{ forloop.first }}{{ forloop.last }} {% endfor %}",
     "{% for x in strs %}{% for y in list %}{{ forloop.parentloop.counter }}{{ forloop.counter }}{{ forloop.parentloop.parentloop.counter }} {% endfor %}{% endfor %}", "{{ forloop.counter }}", "{% for x in list %}{% endfor %}{{ x }}{{ forloop }}",
     "{% for x in list %}{{ forloop.nope }}{{ forloop.counter.x }}{% endfor %}", "{% for x in list %}{{ forloop.parentloop }}{% endfor %}", "{% for x in list|slice:':2' %}{{ x }}{% endfor %}", "{% for x in 'ab' %}{{ x }}{% endfor %}", "{% for x in list %}{% with o=forloop %}{% for y in 'ab' %}{{ o.counter }}{% endfor %}{% endwith %}{% endfor %}",
     "{% for x in list %}{% if forloop.first %}F{% elif forloop.last %}L{% else %}M{% endif %}{% endfor %}", "{% for x in %}{% endfor %}", "{% for in list %}{% endfor %}", "{% for x of list %}{% endfor %}", "{% for %}{% endfor %}", "{% for x in list %}", "{% for x,, y in pairs %}{% endfor %}", "{% for x| in list %}{% endfor %}", "{% for x in list backwards %}{% endfor %}",
     "{% for x in list reversed %}{{ forloop.counter }}{{ x }}{% endfor %}", "{% for x in pairs %}{{ x.0 }}{{ x }}{% endfor %}", "{% for p in people %}{{ p.name }}{% if not forloop.last %}, {% endif %}{% endfor %}", "{% for x in list %}{% cycle 'a' 'b' as c %}{% endfor %}{{ c }}", "{% for x.y in list %}{{ x.y }}{% endfor %}", "{% for a,b in strs %}{{ a }}{% endfor %}", "{% for a,b in 'xy' %}{{ a }}{% endfor %}",
     "{% for x in list %}{% empty %}{% empty %}{% endfor %}", "{% for reversed in list %}{{ reversed }}{% endfor %}", "{% for x in list %}{{ forloop.first|yesno }}{% endfor %}")

# Inheritance and include.
tags("{% extends 'base.html' %}{% block title %}T{% endblock %}", "{% extends 'mid.html' %}{% block title %}T-{{ block.super }}{% endblock %}", "{% extends 'mid.html' %}", "{% extends parent %}{% block inner %}X{{ block.super }}{% endblock %}", "text {% extends 'base.html' %} more {{ n }}{% block body %}B{% endblock body %}",
     "{% extends 'base.html' %}{% block body %}{{ block.super }}{{ block.super }}{% endblock %}{% block inner %}({{ block.super }}){% endblock %}", "{% extends 'nope.html' %}", "{% extends missing %}", "{% extends %}", "{{ n }}{% extends 'base.html' %}", "{% load static %}{% extends 'base.html' %}", "{% comment %}{% endcomment %}{% extends 'base.html' %}",
     "{# c #}{% extends 'base.html' %}", "{% extends 'base.html' %}{% extends 'base.html' %}", "{% if t %}{% extends 'base.html' %}{% endif %}", "{% block a %}1{% endblock %}{% block a %}2{% endblock %}", "{% block a %}1{% endblock b %}", "{% block a %}1", "{% block %}{% endblock %}", "{% block a b %}{% endblock %}", "{% block a %}{{ block.super }}1{% endblock a %}", "{% block a %}{{ block.name }}{% endblock %}", "{% endblock %}", "{{ block.super }}",
     "{% extends 'autoblock.html' %}{% block a %}{{ block.super }}{{ html }}{% endblock %}", "{% extends 'base.html' %}{% block title %}{% include 'mid.html' %}{% endblock %}", "{% extends 'base.html' %}{% block nope %}{{ missing.x|default:y }}{% endblock %}", "{% extends 'base.html' %}{% with x=1 %}{% block title %}{{ x }}{% endblock %}{% endwith %}", "{% extends 'base.html' %}{% if zero %}{% block title %}cond{% endblock %}{% endif %}",
     "{% extends 'mid.html' %}{% block body %}<{% block inner %}{{ block.super }}{% endblock %}>{% endblock %}", "{% extends 'base.html' %}{% block title %}{{ block.super|upper }}{% endblock %}", "{% extends \"base.html\" %}{% block title %}{% if block.super == 'base' %}same{% endif %}{% endblock %}",
     "{% include 'part.html' %}", "{% include 'part.html' with x=1 %}", "{% include 'part.html' with x=1 only %}", "{% include 'part.html' only %}", "{% include 'part.html' with x=n s=html %}", "{% include 'part.html' only with x=2 %}", "{% for i in list %}{% include 'part.html' %}{% endfor %}", "{% for i in list %}{% include 'part.html' only %}{% endfor %}", "{% for i in list %}{% include 'loop.html' %}{% endfor %}",
     "{% for i in list %}{% include 'cyc.html' %}{% endfor %}", "{% for p in people %}{% include 'chg.html' %}{% endfor %}", "{% include 'set.html' %}{{ s }}", "{% include 'base.html' %}", "{% include 'mid.html' %}", "{% include 'nope.html' %}", "{% include missing %}", "{% include %}", "{% include 'part.html' with %}", "{% include 'part.html' with x %}", "{% include 'part.html' foo %}", "{% include parent %}", "{% include 'part.html' with x=1 y=2 only only %}",
     "{% autoescape off %}{% include 'part.html' with x=html %}{% endautoescape %}", "{% block s %}{% include 'mid.html' %}{% endblock %}")

# The other tags.
tags("{% with x=1 y=n %}{{ x }}{{ y }}{% endwith %}{{ x }}", "{% with n as x %}{{ x }}{% endwith %}", "{% with x=1 y=x %}{{ y }}{% endwith %}", "{% with %}{% endwith %}", "{% with x %}{% endwith %}", "{% with x=1 foo %}{% endwith %}", "{% with x=missing %}[{{ x }}]{% if x is None %}N{% endif %}{% endwith %}", "{% with x=s|upper %}{{ x }}{% endwith %}", "{% with x='a b' %}{{ x }}{% endwith %}", "{% with x=1 %}",
     "{% with a.b=1 %}{{ a.b }}{% endwith %}", "{% with x = 1 %}{{ x }}{% endwith %}", "{% with html as x %}{{ x }}{% endwith %}",
     "{% url 'index' %}", "{% url 'detail' 5 %}", "{% url 'detail' id=5 %}", "{% url 'detail' n %}", "{% url 'detail' 'x' %}", "{% url 'nope' %}", "{% url 'nope' as u %}[{{ u }}]", "{% url 'detail' 5 as u %}[{{ u }}]", "{% url %}", "{% url 'find' html %}", "{% url 'find' s as u %}{{ u }}", "{% url missing %}", "{% url 'index' missing %}", "{% url 'detail' id=5 x=1 %}",
     "{% static 'a/b.css' %}", "{% static s %}", "{% static 'a&b.css' as u %}{{ u }}", "{% static %}", "{% static 'a&b.css' %}", "{% csrf_token %}", "{{ csrf_token }}", "{% comment %}a{{ x|nope }}{% if %}{% endcomment %}b", "{% comment 'why' %}a{% endcomment %}b", "{% comment %}", "{% comment %}{% comment %}{% endcomment %}a",
     "{% verbatim %}{{ x }}{% if %}{% endverbatim %}", "{% verbatim block %}{% endverbatim %}{{ n }}{% endverbatim block %}{{ n }}", "{% verbatim %}", "{% verbatim %}{# a #}{% comment %}{% endverbatim %}", "{% verbatim a %}{% endverbatim %}", "{% verbatimx %}",
     "{% spaceless %} <p> <a href='x'> y </a> </p>\n <b> </b> {% endspaceless %}", "{% spaceless %}a > < b{% endspaceless %}", "{% spaceless %}<p> {{ html }} </p>{% endspaceless %}", "{% spaceless %}",
     "{% firstof missing none zero 'x<' %}", "{% firstof missing html %}", "{% firstof safe %}", "{% firstof missing zero %}", "{% firstof %}", "{% firstof n s as x %}[{{ x }}]", "{% firstof missing as x %}[{{ x }}]", "{% firstof s|upper %}", "{% firstof as x %}",
     "{% for x in list %}{% cycle 'a' 'b' %}{% endfor %}", "{% for x in list %}{% cycle 'a' html safe %}{% endfor %}", "{% cycle 'a' 'b' as c %}{{ c }}{% cycle c %}{{ c }}", "{% cycle 'a' 'b' as c silent %}{{ c }}{% cycle c %}{{ c }}", "{% for x in list %}{% cycle 'a' 'b' as c silent %}{{ c }}{% endfor %}", "{% cycle 'a' %}", "{% cycle %}", "{% cycle nope %}",
     "{% for x in list %}{% cycle 'a' 'b' 'c' as k %}{% if x == 2 %}{% resetcycle k %}{% endif %}{% endfor %}", "{% for x in list %}{% cycle 'a' 'b' %}{% resetcycle %}{% endfor %}", "{% resetcycle %}", "{% for y in 'ab' %}{% for x in list %}{% cycle 'a' 'b' %}{% endfor %}{% endfor %}", "{% cycle 'a' 'b' as c nope %}", "{% autoescape off %}{% cycle html 'b' %}{% endautoescape %}",
     "{% for p in people %}{% ifchanged p.age %}{{ p.age }}{% else %}-{% endifchanged %}{% endfor %}", "{% for p in people|dictsort:'age' %}{% ifchanged %}{{ p.age }},{% endifchanged %}{% endfor %}", "{% for p in people %}{% ifchanged p.age p.name %}c{% endifchanged %}{% endfor %}", "{% for y in 'ab' %}{% for x in 'cc' %}{% ifchanged x %}{{ x }}{% endifchanged %}{% endfor %}{% endfor %}", "{% ifchanged n %}a{% endifchanged %}",
     "{% for x in list %}{% ifchanged %}same{% else %}again{% endifchanged %}{% endfor %}", "{% for x in 'aab' %}{% ifchanged x %}{{ forloop.counter }}{% endifchanged %}{% endfor %}", "{% templatetag openblock %}{% templatetag closeblock %}{% templatetag openvariable %}{% templatetag closevariable %}{% templatetag openbrace %}{% templatetag closebrace %}{% templatetag opencomment %}{% templatetag closecomment %}", "{% templatetag nope %}", "{% templatetag %}",
     "{% widthratio n 10 100 %}", "{% widthratio n 0 100 %}", "{% widthratio s 10 100 %}", "{% widthratio n 10 s %}", "{% widthratio half 5 3 %}", "{% widthratio 5 2 1 %}", "{% widthratio 7 2 1 %}", "{% widthratio n 10 100 as w %}[{{ w }}]", "{% widthratio n 10 %}", "{% widthratio missing 10 100 %}", "{% widthratio n none 100 %}", "{% widthratio neg 10 100 %}", "{% widthratio n 10 '50' %}", "{% widthratio n 10 2.7 %}",
     "{% load static %}x", "{% load static humanize %}x", "{% load nope %}", "{% load intcomma from humanize %}{{ big|intcomma }}", "{% load nope from humanize %}", "{% load %}x", "{% filter upper %}a{{ html }}{% endfilter %}", "{% filter force_escape|lower %}<A>{{ html }}{% endfilter %}", "{% filter escape %}{% endfilter %}", "{% filter nope %}{% endfilter %}", "{% filter %}{% endfilter %}", "{% filter cut:' ' %}a b c{% endfilter %}", "{% filter title|cut:'a' %}b a{% endfilter %}", "{% filter truncatewords:2 %}a b c{% endfilter %}",
     "{% nope %}", "{% endfor %}", "{% endcomment %}", "{% if t %}{% endfor %}{% endif %}", "{% autoescape on %}", "{% autoescape %}{% endautoescape %}")
