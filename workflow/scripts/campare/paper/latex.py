"""Text as LaTeX: escaped characters, and Markdown of the methods and the checklist."""

from __future__ import annotations

import re

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
}
_MATHS = {
    "−": "-",
    "×": r"\times",
    "±": r"\pm",
    "√": r"\surd",
    "≤": r"\leq",
    "≥": r"\geq",
    "·": r"\cdot",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "↓": r"\downarrow",
    "↑": r"\uparrow",
    "≈": r"\approx",
    "≠": r"\neq",
    "∞": r"\infty",
    "½": r"\frac{1}{2}",
    "ε": r"\varepsilon",
    "σ": r"\sigma",
    "μ": r"\mu",
    "α": r"\alpha",
    "κ": r"\kappa",
    "Σ": r"\Sigma",
    "°": r"^{\circ}",
} | {
    raised: f"^{{{plain}}}"
    for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", [*"0123456789", "-"], strict=True)
}
_TEXT = {"–": "--", "—": "---", "…": r"\ldots{}", "’": "'", "‘": "`", "“": "``", "”": "''",
         "\u00a0": "~", "✓": r"$\surd$", "✗": r"$\times$"}  # fmt: skip
# Characters of the T1 encoding besides ASCII: Latin letters of western and central Europe.
_LATIN = re.compile(r"[¡-ÿĀ-ſ]")


def escape(text: str) -> str:
    """A text as LaTeX that prints the same characters; white space becomes single spaces.

    Characters that pdfLaTeX cannot print, such as Chinese ones, are printed by LuaLaTeX and XeLaTeX
    if the font has them, by pdfLaTeX as their code: [U+4E2D].
    """
    plain = re.sub(r"[ \t\r\n]+", " ", text).strip(" ").replace(" %", "\u00a0%")
    found = "".join(map(_escaped, plain))
    # Neighbouring formulas as one: $10$$^{-}$$^{5}$ would have spaces of their own.
    return re.sub(r"\}\$\$\^\{", "", found).replace("$$", "")


def _escaped(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if char in _MATHS:
        return f"${_MATHS[char]}$"
    if char in _TEXT:
        return _TEXT[char]
    if (char.isascii() and char.isprintable()) or _LATIN.fullmatch(char):
        return char
    code = rf"\texttt{{[U+{ord(char):04X}]}}"
    return rf"\ifdefined\Umathchar {char}\else {code}\fi{{}}" if char.isprintable() else code


def from_markdown(text: str) -> str:
    """Markdown as LaTeX: headings, paragraphs, lists, bold, code, and pandoc's citations."""
    blocks = []
    for block in text.strip().split("\n\n"):
        if block.startswith("- "):
            items = "".join(f"\\item {_inline(line[2:])}\n" for line in block.split("\n"))
            blocks.append(f"\\begin{{itemize}}\n{items}\\end{{itemize}}")
        elif heading := re.match(r"(#+) (.*)", block):
            level = {1: "section", 2: "subsection", 3: "subsubsection"}[len(heading[1])]
            blocks.append(f"\\{level}*{{{_inline(heading[2])}}}")
        else:
            blocks.append(_inline(block))
    return "\n\n".join(blocks) + "\n"


_INLINE = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`| ?\[(?P<cited>@[^\]]+)\]"
    r"|(?P<letter>\b[a-z])_(?P<index>[A-Z]{2}\b)"  # s_AB
)


def _inline(text: str) -> str:
    parts, start = [], 0
    for match in _INLINE.finditer(text):
        parts.append(escape_part(text[start : match.start()]))
        if match["bold"]:
            parts.append(rf"\textbf{{{_inline(match['bold'])}}}")
        elif match["code"]:
            parts.append(rf"\texttt{{{escape(match['code'])}}}")
        elif match["letter"]:
            parts.append(rf"${match['letter']}_{{\mathrm{{{match['index']}}}}}$")
        else:
            keys = re.findall(r"@([\w-]+)", match["cited"])
            parts.append(rf"~\cite{{{','.join(keys)}}}")
        start = match.end()
    return "".join([*parts, escape_part(text[start:])])


def escape_part(text: str) -> str:
    """`escape` of a part of a text, with the white space at its ends."""
    before, after = text[:1].isspace(), text[-1:].isspace()
    return f"{' ' * before}{escape(text)}{' ' * (after and bool(text.strip()))}"
