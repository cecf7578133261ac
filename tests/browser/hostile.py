"""Names that do harm wherever a page takes them for more than text, and names that a page easily spoils.

It knows nothing of pages: what is done with them is in test_hostile. What would run calls `alert` or sets
`harm` on its window; what would be fetched is on a host that isn't this machine.
"""

# ruff: noqa: RUF001 (characters that look like others are among what is tried)

import unicodedata
from typing import NamedTuple


class Hostile(NamedTuple):
    """A name, what kind of attack or accident it is, and why it is tried."""

    kind: str
    text: str
    why: str

    @property
    def is_printable(self) -> bool:
        """Whether the API takes it for a race's name."""
        return self.text.isprintable()

    @property
    def has_a_look(self) -> bool:
        """False if it has control characters: there is no right way to show those."""
        return all(unicodedata.category(each) != "Cc" for each in self.text)

    @property
    def in_a_course_file(self) -> str:
        """What the simulator makes of it as a name in a course file: runs of white space become a space."""
        return " ".join(self.text.split())


HOSTILE = (
    # JavaScript's and the templates' own ways to put a value into a text.
    Hostile("template literal", "${alert(1)}", "Folium writes tooltips into template literals"),
    Hostile("template literal", "`${alert(1)}` `x`", "the backtick ends the literal first"),
    Hostile("template literal", "`;harm=1;//", "a statement after the literal's end"),
    Hostile("template literal", "\\`${harm=1}", "a backslash that undoes an escaping of backticks"),
    Hostile("template literal", "${`${alert(1)}`}", "a literal in a literal"),
    Hostile("script text", "');alert(1);//", "ends a string in single quotes"),
    Hostile("script text", '");alert(1);//', "ends a string in double quotes"),
    Hostile("script text", "\\');alert(1);//", "a backslash that undoes an escaping of quotes"),
    Hostile("script text", "\\u0027;alert(1)//\\x3cb\\x3e", "JavaScript's escapes, to be left as they are"),
    Hostile("script text", "*/harm=1/*", "ends a comment"),
    Hostile("script text", "<!--<script>", "a script element swallows what follows this"),
    Hostile("Jinja", "{{ 7 * 7 }} {% raw %} {# gone #}", "Folium's templates are Jinja's"),
    Hostile("Jinja", "{{ this.get_name() }}{{ cycler.__init__.__globals__ }}", "reaches into Python"),
    Hostile("format string", "{0} {name!r} {} {{}} %s %d %(name)s %n %%", "Python's and printf's places"),
    Hostile("format string", "$1 $& $` $' \\1 \\g<0>", "a replacement text of JavaScript's or Python's"),
    # Elements.
    Hostile("closing tag", "</script><script>alert(1)</script>", "ends a script wherever it stands in it"),
    Hostile("closing tag", "</style><script>alert(1)</script>", "ends a style sheet"),
    Hostile("closing tag", "</title><script>alert(1)</script>", "ends the page's title"),
    Hostile("closing tag", "</textarea><img src=x onerror=alert(1)>", "ends a text field"),
    Hostile("closing tag", "</option></select><svg onload=harm=1>", "ends a list of choices"),
    Hostile("closing tag", "</div></body></html><script>harm=1</script>", "ends the page"),
    Hostile("closing tag", "</ScRiPt ><sCrIpT>harm=1</sCrIpT >", "tags in any case, with spaces"),
    Hostile("closing tag", "--><script>alert(1)</script><!--", "ends a comment"),
    Hostile("closing tag", "]]><script>alert(1)</script>", "ends a CDATA section"),
    Hostile("event handler", "<img src=x onerror=alert(1)>", "runs without a script element"),
    Hostile("event handler", "'\"><svg/onload=alert(1)>", "ends an attribute first"),
    Hostile("event handler", '" onmouseover="alert(1)" x="', "a handler within the element that is there"),
    Hostile("event handler", "' autofocus onfocus='harm=1", "a handler that the browser calls by itself"),
    Hostile("event handler", "<details open ontoggle=harm=1>", "an element that calls by itself"),
    Hostile("event handler", "<input autofocus onfocus=alert(1)>", "another one"),
    Hostile("event handler", "<video><source onerror=harm=1></video>", "a handler deeper in"),
    Hostile(
        "event handler",
        "<style>@keyframes x{}</style><b style=animation-name:x onanimationend=harm=1>",
        "CSS",
    ),
    Hostile("svg", "<svg><script>alert&#40;1&#41;</script></svg>", "references count in a script of SVG's"),
    Hostile("svg", "<math><mtext></form><mglyph><style></math><img src=x onerror=harm=1>", "mutation XSS"),
    Hostile("frame", "<iframe srcdoc='<script>top.harm=1</script>'></iframe>", "a page of its own"),
    Hostile("frame", "<object data=data:text/html,<script>alert(1)</script>>", "another one"),
    Hostile("address", "<a href=javascript:alert(1)>click</a>", "runs when it is clicked"),
    Hostile("address", "javascript:alert(1)//http://harm.example", "a text that may become a link"),
    Hostile("address", "data:text/html,<script>alert(1)</script>", "another scheme that runs"),
    Hostile("address", "http://harm.example/ www.harm.example", "bare addresses, which Markdown makes links"),
    Hostile("address", "<link rel=stylesheet href=//harm.example/x.css>", "fetches from another host"),
    Hostile("address", "<base href=//harm.example/><meta http-equiv=refresh content=0>", "moves the page"),
    Hostile("entities", "&lt;b&gt; &amp;amp; &#60;i&#62; &#x3c;u&#x3e; &copy &nbsp;", "must not be decoded"),
    Hostile("entities", "&lt;img src=x onerror=alert(1)&gt;", "harmless unless it is decoded twice"),
    Hostile("CSS", "};*{display:none}body{background:url(//harm.example/x)}", "a rule of its own"),
    Hostile("CSS", "red;background:url(http://harm.example/x)", "a declaration of its own"),
    Hostile("CSS", "@import '//harm.example/x.css';", "fetches from another host"),
    # What Streamlit, the maps and the charts read in texts.
    Hostile("Markdown", "![x](http://harm.example/x.png) [link](javascript:alert(1))", "fetches an image"),
    Hostile("Markdown", "**bold** _it_ ~~gone~~ `code`", "loses its marks"),
    Hostile("Markdown", "# Heading", "becomes a heading"),
    Hostile("Markdown", "1. one", "becomes a list"),
    Hostile("Markdown", "- [ ] task", "becomes a list with a box"),
    Hostile("Markdown", "> quoted", "becomes a quotation"),
    Hostile("Markdown", "| a | b | |---|---|", "becomes a table"),
    Hostile("Markdown", "<!-- gone -->", "disappears as a comment"),
    Hostile("Markdown", "---", "becomes a line"),
    Hostile("LaTeX", "$x^2$ $$\\frac{1}{0}$$ \\href{javascript:alert(1)}{x}", "becomes a formula"),
    Hostile("Streamlit", ":red[no] :blue-background[b] :small[s]", "becomes a colour"),
    Hostile("Streamlit", ":material/home: :streamlit: :smile:", "becomes an icon"),
    Hostile(
        "streamlit-folium", "map_0123456789abcdef0123456789abcdef.remove()", "it renames maps in scripts"
    ),
    Hostile("streamlit-folium", "feature_group_0123456789abcdef0123456789abcdef", "and groups"),
    Hostile("streamlit-folium", "window.map; drawnItems; L.map('map')", "words of its own scripts"),
    Hostile("Vega", "{{datum.x}} datum['x'] datum.value", "fields of a template"),
    Hostile("Vega", "[0].constructor.constructor('harm=1')()", "an expression, and a path to a field"),
    Hostile("Vega", "a.b[c]\\.d", "marks with a meaning in the names of fields"),
    # Other readers of names: queries, files, spreadsheets, JSON.
    Hostile("SQL", "'; DROP TABLE races; --", "ends a query"),
    Hostile("SQL", "%' OR 1=1 /*", "a pattern and a condition"),
    Hostile("path", "../../etc/passwd", "a file elsewhere"),
    Hostile("path", "C:\\new\\table\\NUL", "backslashes that look like escapes"),
    Hostile("formula", '=HYPERLINK("http://harm.example","x")', "a spreadsheet calculates it"),
    Hostile("formula", "@SUM(1+1)*cmd|' /C calc'!A0", "another one"),
    Hostile("JSON", '{"name":"x","__proto__":{"harm":1}}', "an object instead of a text"),
    Hostile("JSON", '"],"name":["x', "ends a text and a list"),
    Hostile("word", "__proto__", "a key that every object of JavaScript has"),
    Hostile("word", "constructor", "another one"),
    Hostile("word", "null", "is a text, not nothing"),
    Hostile("word", "undefined", "another one"),
    Hostile("word", "NaN", "pandas reads it as missing"),
    Hostile("word", "true", "is a text, not a truth"),
    Hostile("number", "0042", "loses its zeros as a number"),
    Hostile("number", "1e999", "is infinite as a number"),
    Hostile("number", "0x1F", "another number system"),
    # Characters.
    Hostile("quotes", "\"'`´‘’“”„«»‹›＂＇", "quotes of all kinds"),
    Hostile("quotes", "O'Brien & D\"Arcy <3", "a name as people have it"),
    Hostile("spaces", "  two before,  two between, two after  ", "HTML makes one of many spaces"),
    Hostile("spaces", "no-break\u00a0space \u2003em space", "other spaces stay the ones they are"),
    Hostile("lines", "first\nsecond\tthird\r\nlast", "a name of several lines"),
    Hostile("control characters", "\x00\x1b[31m\x07\x7f\x85", "what no font has"),
    Hostile("control characters", "␀␛␡", "looks like them but is text"),
    Hostile("invisible", "zero\u200bwidth\u200c\ufeff\u2060", "characters that can't be seen"),
    Hostile("direction", "right \u202eto left\u202c and \u2066isolated\u2069", "turns the text around"),
    Hostile("direction", "שלום (עולם) 123", "runs from right to left"),
    Hostile("emoji", "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇬🇧", "several characters are one glyph"),
    Hostile("combining", "Z̸̡͔̈́a̷̻͛l̴̗̔ǵ̷̙o̶̗͝ é", "marks that stand above each other"),
    Hostile("long", "W" * 120, "as long as names get, without a place to break"),
    Hostile("long", "<" * 120, "six times as long when it is escaped"),
    Hostile("confusables", "＜script＞alert(1)＜/script＞", "normalisation makes tags of it"),
)
