import pytest

from stream.text_files import TextError, decode

NAMES = "bib;name\n1;Ann\n2;Jürgen Müller\n3;José Núñez\n4;François Bjørn\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_unicode_is_certain(encoding: str) -> None:
    """Unicode is read with and without a byte order mark, without a warning."""
    assert decode(NAMES.encode(encoding)) == (NAMES, "")


@pytest.mark.parametrize(
    ("encoding", "title", "text"),
    [
        ("cp1252", "Windows-1252", NAMES),
        ("mac_roman", "Mac Roman", NAMES),
        ("cp850", "code page 850", NAMES),
        ("cp1250", "Windows-1250", "name\nŁukasz Wałęsa\nJiří Dvořák\n"),
        ("cp1252", "Windows-1252", "name\nO\u2019Neill \u2013 \u201cThe Rock\u201d\nMÜLLER\nD\u2019Été\n"),
    ],
)
def test_other_encodings_are_recognised_by_their_letters(encoding: str, title: str, text: str) -> None:
    """The warning names the encoding, and the first line concerned with its word."""
    decoded = decode(text.encode(encoding))
    first = next(nth for nth, line in enumerate(text.splitlines(), start=1) if not line.isascii())

    assert decoded.text == text
    assert f"was read as {title}" in decoded.warning
    assert f"in line {first}, or save it as CSV UTF-8" in decoded.warning


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp1251", "имя\nЖинн\n"), ("shift_jis", "name\n山田太郎\n"), ("big5", "name\n陳小明\n")],
)
def test_what_cannot_be_recognised_is_rejected(encoding: str, text: str) -> None:
    """Other scripts in old encodings are not guessed."""
    with pytest.raises(TextError, match="encoding that can't be recognised: save it as CSV UTF-8"):
        decode(text.encode(encoding))


def test_a_wrong_byte_in_utf_8_costs_a_letter() -> None:
    """The warning names the line."""
    decoded = decode(NAMES.encode() + b"5;Zo\xc3\n")

    assert decoded.text == NAMES + "5;Zo\ufffd\n"
    assert decoded.warning == "The file is UTF-8 with a wrong byte in line 6: a letter was lost"


def test_utf_16_with_an_error_names_its_line() -> None:
    """Half a character at the end is a file that is cut short."""
    with pytest.raises(TextError, match="is UTF-16-LE with an error in line 3"):
        decode("name\nAnn\nBen".encode("utf-16")[:-1])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04\x14[Content_Types].xml", "an Excel file"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
        (b"PK\x03\x04Index/Document.iwa", "a Numbers file"),
        (b"PK\x03\x04list.csv", "a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel file"),
        (b"%PDF-1.7", "a PDF file"),
        (b"\x1f\x8b\x08", "a gzip file"),
    ],
)
def test_other_files_are_named(data: bytes, words: str) -> None:
    """The message says what the file is and what to do."""
    with pytest.raises(TextError, match=rf"is {words}.*: open it, and save it as CSV UTF-8"):
        decode(data)
