# Needs: data.h5, the baseline's model, a folder of photographs.
# Makes: tables/own_pictures.csv and figures/own_pictures/sheet.*, only when asked for (`snakemake
# own_pictures`): the pictures are the user's, and not part of the study.

import hashlib


def photographs(_):
    """A digest of the user's folder, so that a new or changed file is seen.

    Not the files as input, whose names Snakemake would read as patterns: `{x}.png`.
    """
    folder = Path(STUDY["own_pictures"]["folder"]).expanduser()
    inner = [folder, *filter(Path.is_dir, folder.iterdir())] if folder.is_dir() else []
    files = sorted(path for place in inner for path in place.iterdir() if path.is_file())
    listed = [(os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


rule classify_own:
    input:
        data=rules.load_data.output.data,
        weights=BASELINE_WEIGHTS,
    output:
        figures=figures("own_pictures", "figure", ["sheet"]),
        table=table("own_pictures"),
    log:
        "<logs>/own_pictures.log",
    benchmark:
        "<benchmarks>/own_pictures.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("pixels"),
        gpu=GPU,
    params:
        **verbatim(STUDY["own_pictures"]),
        **DEVICE,
        **code("own_pictures", *METHODS[""], ARCHITECTURE),
        dpi=STUDY["figures"]["dpi"],
        font=STUDY["figures"]["font"],
        pictures=photographs,
        threshold=STUDY.get("sheets", {}).get("threshold", 0.95),
        architecture=STUDY["model"]["architecture"],
        input_size=STUDY["model"]["input_size"],
        target_layer=STUDY["cam"]["target_layer"],
        method=STUDY["cam"]["method"],
        batch_size=STUDY["cam"]["batch_size"],
    script:
        "../../scripts/own_pictures.py"


REPORT.ask(rules.classify_own.output)
