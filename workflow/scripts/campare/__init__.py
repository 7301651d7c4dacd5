"""campare: how does data augmentation change what a CNN image classifier looks at?

One module per concept, in the order of the pipeline:

    registry  config                  what a study may name, and what it says
    data  split                       pictures as arrays, and who trains on which
    seeding  augment  models  train   one network per (augmentation, seed)
    maps  cams  store                 class activation maps, and the file that keeps them
    performance  similarity           how right a model is; how far apart two maps are
    analysis  plots                   tables and figures

Nothing here knows of Snakemake: the scripts one folder up read and write the files.
"""
