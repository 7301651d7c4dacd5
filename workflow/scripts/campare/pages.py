"""Pages of HTML: tables of a study, for reading. Each is one file without references to others.

Headings, meanings and formats are those of the data dictionary (`columns`); everything that comes
from a study is text, never markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from campare import columns
from campare.columns import Column

MOST_ROWS = 5000  # of a page, so that it opens at once
LONG = 45  # characters of a text that is broken into lines

# Colours of light and dark mode. `.campare` keeps the rules to our own elements in the report.
STYLE = """
.campare { color-scheme: light dark; color: light-dark(#1a1a1a, #e4e4e4);
  background: light-dark(#fff, #16181c); font: 15px/1.45 system-ui, sans-serif; }
.campare h1 { font-size: 1.4rem; font-weight: 650; line-height: 1.25; margin: 0 0 .4rem; }
.campare h2 { font-size: 1.1rem; font-weight: 650; margin: 1.6rem 0 .4rem; }
.campare p, .campare ul { max-width: 62rem; margin: .4rem 0; }
.campare ul { padding-left: 1.2rem; list-style: disc; }
.campare li { margin: .25rem 0; }
.campare li::marker { color: inherit; }
.campare table { border-collapse: separate; border-spacing: 0; margin: .6rem 0; width: auto;
  font-size: 13.5px; font-variant-numeric: tabular-nums; }
.campare th, .campare td { padding: .28rem .6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid light-dark(#e2e2e2, #33373d); color: inherit; }
.campare thead th { vertical-align: bottom; font-weight: 600; line-height: 1.25;
  border-bottom: 2px solid light-dark(#888, #777); background: light-dark(#f4f5f7, #22262c); }
.campare .number { text-align: right; }
.campare td, .campare tbody th { white-space: nowrap; }
.campare .long { white-space: normal; overflow-wrap: anywhere; min-width: 16em; max-width: 26em; }
.campare th small, .campare td small { display: block; }
.campare small, .campare .quiet { color: light-dark(#595959, #a5a5a5); font-size: .92em;
  font-weight: 400; }
.campare dl { display: grid; grid-template-columns: minmax(9rem, max-content) minmax(0, 46rem);
  gap: .3rem 1rem; font-size: 13.5px; }
.campare dt { font-weight: 600; max-width: 20rem; }
.campare dd { margin: 0; }
.campare h1, .campare h2, .campare b { color: inherit; }
.campare code { font-size: .9em; color: inherit; }
.campare a { color: light-dark(#0b57b0, #8ab4f8); }
"""
_OF_PAGE = """
:root { color-scheme: light dark; background: light-dark(#fff, #16181c); }
body { margin: 0; }
.campare { padding: 1rem 1.2rem 3rem; min-height: 100vh; box-sizing: border-box; }
.sortable thead th { position: sticky; top: 0; z-index: 2; }
.sortable tbody th { position: sticky; left: 0; font-weight: 500; z-index: 1;
  background: light-dark(#fff, #16181c); }
.sortable thead th:first-child { left: 0; z-index: 3; }
.sortable tbody tr:hover > * { background: light-dark(#eef4fb, #1f2a37); }
.sortable button { all: unset; cursor: pointer; display: block; width: 100%; }
.sortable button:focus-visible { outline: 2px solid light-dark(#0b57b0, #8ab4f8); }
.sortable th[aria-sort=ascending] button::after { content: " ↑"; }
.sortable th[aria-sort=descending] button::after { content: " ↓"; }
.tools { display: flex; gap: 1rem; align-items: baseline; margin: .6rem 0; flex-wrap: wrap; }
.tools input { font: inherit; padding: .2rem .5rem; width: 18rem; }
"""
# Sorts by the attribute `data-v`, a number, or by the text of a cell; undefined values are last.
_SCRIPT = """
const table = document.querySelector("table.sortable"), body = table.tBodies[0];
const rows = [...body.rows], shown = document.querySelector(".shown");
const value = (row, place) => row.cells[place].dataset.v ?? row.cells[place].textContent;
table.tHead.addEventListener("click", (event) => {
  const head = event.target.closest("th");
  if (!head) return;
  const place = head.cellIndex, number = head.classList.contains("number");
  const first = number ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === first ? other : first;
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  rows.sort((a, b) => {
    const [x, y] = [value(a, place), value(b, place)];
    if (!number) return sign * x.localeCompare(y, "en", { numeric: true });
    return x === "" || y === "" ? (x === "") - (y === "") : sign * (x - y);
  });
  body.append(...rows);
});
document.querySelector("input").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    count += !row.hidden;
  }
  shown.textContent = count.toLocaleString("en");
});
document.documentElement.dataset.ready = "";
"""


def document(title: str, body: str, style: str = "", script: str = "") -> str:
    """A page with the style of all pages."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_OF_PAGE}{style}</style>\n</head>\n"
        f'<body>\n<div class="campare">\n{body}\n</div>\n'
        f"{f'<script>{script}</script>' if script else ''}\n</body>\n</html>\n"
    )


def table_page(name: str, frame: pd.DataFrame) -> str:
    """A page with a table that can be sorted and filtered, and the meaning of its columns.

    Columns with the same value in all rows are above the table. At most `MOST_ROWS` rows.

    Parameters
    ----------
    name
        Of the table, a key of `columns.TABLES`.
    frame
        The table as in its file.

    Raises
    ------
    CampareError
        A column is missing in the data dictionary.
    """
    about = columns.TABLES[name]
    of_table = {str(each): columns.column(name, str(each)) for each in frame}
    rows = ordered(frame, about.sort)
    constant = _constant(rows, of_table)
    shown = [column for column in _shown(about, of_table) if column not in constant]
    parts = [f"<h1>{escape(about.title)}</h1>", f"<p>{escape(about.about)}</p>"]
    if constant:
        values = {column: cells(rows.head(1), column, of_table)[0] for column in constant}
        same = [
            f"{escape(heading(of_table[column]))}: <b>{value}</b>"
            for column, value in values.items()
            if value != columns.MISSING
        ]
        parts += [f"<p>In all rows: {'; '.join(same)}.</p>"] if same else []
    left_out = len(rows) - MOST_ROWS
    if left_out > 0:
        parts.append(
            f"<p>The first {MOST_ROWS:,} of {len(rows):,} rows; <code>{escape(name)}.csv</code> "
            "has all.</p>"
        )
    rows = rows.head(MOST_ROWS)
    parts += [
        '<div class="tools">'
        '<input type="search" placeholder="Filter rows" aria-label="Filter rows">'
        f'<span><span class="shown">{len(rows):,}</span> rows. Click a heading to sort. '
        f'<a href="#columns">Meaning of the columns</a></span></div>',
        html_table(rows, of_table, shown, sortable=True),
        '<h2 id="columns">Columns</h2>',
        legend(of_table, [*constant, *shown]),
        f'<p class="quiet">File: <code>tables/{escape(name)}.csv</code>, with all digits.</p>',
    ]
    return document(about.title, "\n".join(parts), script=_SCRIPT)


def ordered(frame: pd.DataFrame, sort: Sequence[str]) -> pd.DataFrame:
    """Rows sorted by columns, those with "-" in descending order; equal rows keep their order."""
    for key in reversed(sort):
        name = key.removeprefix("-")
        if name in frame:
            frame = frame.sort_values(name, ascending=name == key, kind="stable")
    return frame


def _constant(rows: pd.DataFrame, of_table: Mapping[str, Column]) -> list[str]:
    """Columns with one value in all of several rows, without ends of intervals and estimates."""
    if len(rows) < 2:
        return []
    return [
        name
        for name, column in of_table.items()
        if not column.end and not column.ends and len(rows[name].unique()) == 1
    ]


def _shown(about: columns.Table, of_table: Mapping[str, Column]) -> list[str]:
    """The columns in the order of reading; ends of intervals are with their estimates."""
    names = [name for name, column in of_table.items() if not column.end]
    first = [name for name in about.first if name in names]
    return first + [name for name in names if name not in first]


def heading(column: Column) -> str:
    """The heading of a column with its unit and interval."""
    unit = column.shown_unit
    unit = f", {unit}" if unit and unit not in column.label else ""
    interval = f" ({column.level} interval)" if column.ends else ""
    return f"{column.label}{unit}{interval}"


def cells(rows: pd.DataFrame, name: str, of_table: Mapping[str, Column]) -> list[str]:
    """The values of a column as HTML, with their intervals in parentheses if they have any."""
    column = of_table[name]
    if not (column.ends and set(column.ends) <= set(rows)):
        return _texts(rows[name], column)
    estimates, low, high = (rows[each].tolist() for each in (name, *column.ends))
    places = [columns.decimals(column, a, b) for a, b in zip(low, high, strict=True)]
    if "metric" not in rows or len(rows["metric"].unique()) == 1:  # one scale
        places = [min((each for each in places if each is not None), default=None)] * len(rows)
    shown = []
    for values, place in zip(zip(estimates, low, high, strict=True), places, strict=True):
        value, *ends = (escape(columns.text(column, each, place)) for each in values)
        interval = "" if columns.MISSING in ends else f" <small>({' to '.join(ends)})</small>"
        shown.append(value + interval)
    return shown


def _texts(values: pd.Series, column: Column) -> list[str]:
    """Values as text; each of several equal names is looked up once."""
    plain = values.tolist()
    if column.numeric:
        return [escape(columns.text(column, value)) for value in plain]
    known = {value: escape(columns.text(column, value)) for value in values.unique().tolist()}
    return [known.get(value, columns.MISSING) for value in plain]


def html_table(
    rows: pd.DataFrame,
    of_table: Mapping[str, Column],
    shown: Sequence[str],
    *,
    sortable: bool = False,
) -> str:
    """Rows as a table of HTML; the first column is its row header."""
    heads, parts = [], []
    for place, name in enumerate(shown):
        column = of_table[name]
        kind = "number" if column.numeric else "text"
        small = [column.shown_unit] if column.shown_unit not in column.label else []
        small += [f"{column.level} interval"] if column.ends else []
        label = escape(column.label)
        label += f" <small>{escape(', '.join(small))}</small>" if small else ""
        inside = f"<button>{label}</button>" if sortable else label
        heads.append(f'<th scope="col" class="{kind}" title="{escape(column.about)}">{inside}</th>')
        tag, scope = ("td", "") if place else ("th", ' scope="row"')
        texts = cells(rows, name, of_table)
        if not column.numeric and max(map(len, texts), default=0) > LONG:
            kind = "long"
        raw = [""] * len(rows)
        if sortable and column.numeric:
            raw = [f' data-v="{"" if pd.isna(x) else x}"' for x in rows[name].tolist()]
        parts.append(
            [
                f'<{tag}{scope} class="{kind}"{value}>{text}</{tag}>'
                for value, text in zip(raw, texts, strict=True)
            ]
        )
    lines = "\n".join(f"<tr>{''.join(row)}</tr>" for row in zip(*parts, strict=True))
    kind = ' class="sortable"' if sortable else ""
    head = f"<thead><tr>{''.join(heads)}</tr></thead>"
    return f"<table{kind}>\n{head}\n<tbody>\n{lines}\n</tbody></table>"


def legend(of_table: Mapping[str, Column], shown: Sequence[str]) -> str:
    """The meaning of columns, a line each."""
    lines = []
    for name in shown:
        column = of_table[name]
        names = ", ".join(f"<code>{escape(each)}</code>" for each in (name, *column.ends))
        ends = f" In parentheses: {column.level} interval." if column.ends else ""
        meaning = f"{escape(column.about)}{escape(ends)}"
        lines.append(f"<dt>{escape(heading(column))}</dt><dd>{meaning} {names}</dd>")
    return f"<dl>{''.join(lines)}</dl>"


def texts(name: str) -> list[str]:
    """Columns of a table that are text, even if their values look like numbers."""
    return [key for key, column in columns.TABLES[name].columns.items() if not column.numeric]
