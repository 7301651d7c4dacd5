"""Text as LaTeX: any names, and Markdown of the methods."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from campare.paper import latex

NAMES = [
    r"100 % <b> a_b & c# {x} $y$ ~ ^ \cmd",
    'quotes " and ` and |',
    "naïve Größe, Łódź, São",
    "−0.5 ± 0.1 × 10⁻¹³ ≤ ½ · √2 → ε σ",
    "✓ right ✗ wrong – and — so…",
    "中文 мышь 🐭",
    "tab\tand\nline\x07",
]


def balanced(text: str) -> bool:
    plain = re.sub(r"\\[\\{}]", "", text)
    depth = 0
    for char in plain:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize("name", NAMES)
def test_special_characters_are_escaped(name: str) -> None:
    text = latex.escape(name)
    assert balanced(text)
    bare = re.sub(r"\\[&%$#_{}]|\\textasciitilde|\\ldots", "", text)
    assert not re.search(r"(?<!~)[&%#]", bare.replace("~%", ""))
    assert bare.count("$") % 2 == 0
    assert "\n" not in text and "\t" not in text and "\x07" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50~\%"),
        ("p < 0.05", r"p \textless{} 0.05"),
        ("10⁻¹³", "10$^{-13}$"),
        ("−0.1 ± 0.2", r"$-$0.1 $\pm$ 0.2"),
        ("$x$ {y}", r"\$x\$ \{y\}"),
        ("中", r"\ifdefined\Umathchar 中\else \texttt{[U+4E2D]}\fi{}"),
    ],
)
def test_escaped_texts(text: str, expected: str) -> None:
    assert latex.escape(text) == expected


def test_markdown_becomes_latex() -> None:
    markdown = (
        "# Methods\n\n## A & B\n\nWe used `x_1` [@he2016; @holm1979], **bold [@he2016]**, s_AB.\n\n"
        "- first\n- second 5 %"
    )
    assert latex.from_markdown(markdown) == (
        "\\section*{Methods}\n\n\\subsection*{A \\& B}\n\n"
        "We used \\texttt{x\\_1}~\\cite{he2016,holm1979}, \\textbf{bold~\\cite{he2016}}, "
        "$s_{\\mathrm{AB}}$.\n\n"
        "\\begin{itemize}\n\\item first\n\\item second 5~\\%\n\\end{itemize}\n"
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_compiles_every_name(tmp_path: Path) -> None:
    body = "\n\n".join(map(latex.escape, NAMES))
    source = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage[utf8]{inputenc}"
        f"\\usepackage{{textcomp}}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "names.tex").write_text(source, encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "names.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stdout[-2000:]
