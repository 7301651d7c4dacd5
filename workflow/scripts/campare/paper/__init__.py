"""Files for a paper about a study: tables, methods, references, a reviewer's checklist, a document.

    facts        what the files of a study record: images, epochs, versions, hardware, hours
    methods      a methods section in Markdown, written from the config and the facts
    references   the bibliography of exactly what the study used
    tables       tables of results with labels, intervals and captions, as LaTeX and Markdown
    latex        escaping, and Markdown as LaTeX
    checklist    the NeurIPS reproducibility questions, answered where the study can answer them
    document     a LaTeX document with everything, to look at

Figures are drawn by `plots` at the width of a column or of a page (`plots.style.printed_at`).
"""
