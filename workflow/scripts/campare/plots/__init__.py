"""Figures: one function per kind. They read tables and arrays, and compute nothing new.

Every function returns a `Figure` made without pyplot, so that nothing outside it changes, and
`saving.save` writes it as PNG, SVG or PDF with the same bytes each time. Sizes are inches of a
printed page: 7 in is the width of a two-column page, and figures of many augmentations grow instead
of shrinking their text below 7 pt. None is taller than four fifths of its width: viewers that fit
figures to their width, as that of `snakemake --report`, would cut off its top.

Names that users give are shown as they are, never as mathematics, and cut where they have no room,
so that they stay different. What has no room at all is left out by a rule that the figure states.

An augmentation has one colour in all figures of a study (`style.colours`), from a palette safe for
colour-blind readers; it never has to be told by its colour alone, for its row or panel is named.

Figures, by what they are about:

    training                what networks learn: scores, confusions, curves, architectures
    metrics                 a metric over the images, by segment, against accuracy
    relations               augmentations against each other
    answer                  the whole study on one page
    truth                   where maps lie, and whether they are faithful
    stages                  SVMs, two models' agreement, covered patches
    pictures  views         pictures alone, and under the maps of models

What they are made of:

    style  saving           colours, fonts and names; files
    fitting                 what has room, and what is cut or left out
    charts  matrix  canvas  named rows and panels, square heat maps, pictures laid on a page
"""
