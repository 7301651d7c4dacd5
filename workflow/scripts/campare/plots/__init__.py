"""Figures: one function per kind. They draw tables and arrays and compute no new results.

Each function returns a `Figure` made without pyplot, so that no global state changes, and
`saving.save` writes it as PNG, SVG or PDF, always with the same bytes. Sizes are inches on a
printed page: 7 in is the width of a two-column page. Figures of many augmentations become larger;
their text is never smaller than 7 pt. No figure is taller than four fifths of its width, because
viewers that fit figures to their width, such as that of `snakemake --report`, would cut off its
top.

Names from the user are printed literally, never as mathematics. Names that are too long are
shortened such that they stay different. If not everything fits, a rule decides what is left out,
and the figure states the rule.

An augmentation has one colour in all figures of a study (`style.colours`), from sixteen that
colour-blind readers can distinguish. Colour is never the only cue: every row and panel is named,
and points have markers.

If a study makes maps in several ways, a line above each figure of maps says which it shows
(`saving.captioned`; `design.Variant.title`).

Figures, by what they are about:

    summary                 the main results of a study: accuracy change and map shift
    training                scores, confusion matrices, training curves, architectures
    metrics                 a metric over the test images, by segment, and against accuracy
    relations               comparisons between augmentations
    truth                   localisation and faithfulness of maps, reliance on a spurious cue
    stages                  SVMs, agreement of two models, occlusion
    images  views           images alone, and images with the maps of models

Shared modules:

    style  saving           sizes, colours, fonts and names; files
    fitting                 how much fits into a figure, and what is shortened or left out
    charts  matrix  canvas  named rows and panels, square heat maps, images on a canvas
"""
