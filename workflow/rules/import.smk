# Needs: data.h5, split.csv, the files that the config lists under `trained` or `maps`.
# Makes: models/<arm>/<number>.safetensors, for `trained`; cams/<arm>/<number>.h5, for `maps`.

ARMS = "|".join(["baseline", *DESIGN.augmentations])


def imported_file(wildcards):
    """Return the file of a model or of its maps."""
    return str(Path(DESIGN.imported[model_of(wildcards)]).expanduser())


def of_arm(key):
    """Return a param function: a setting of the arm of a model."""
    return lambda wildcards: STUDY["trained"][wildcards.augmentation][key]


def parameters_of(wildcards):
    """Return `model.parameters`, which are of the function of `model.architecture` alone."""
    own = architecture_of(wildcards) == STUDY["model"]["architecture"]
    return STUDY["model"]["parameters"] if own else None


if "trained" in STUDY:

    rule import_model:
        input:
            data=rules.load_data.output.data,
            split=rules.make_split.output.split,
            file=imported_file,
        output:
            weights=WEIGHTS,
        log:
            "<logs>/import/{augmentation}/{seed}.log",
        benchmark:
            "<benchmarks>/import/{augmentation}/{seed}.tsv"
        wildcard_constraints:
            augmentation=ARMS,
        resources:
            **sized("map_other"),
        params:
            **named(
                architecture=of_arm("architecture"),
                normalise=of_arm("normalise"),
                override=of_arm("override"),
                input_size=STUDY["model"]["input_size"],
                classes=STUDY.get("classes"),
                **(
                    {"architecture_parameters": parameters_of}
                    if STUDY["model"].get("parameters")
                    else {}
                ),
            ),
            **code("import_model", *ARCHITECTURES),
        script:
            "../scripts/import_model.py"


if "maps" in STUDY:

    rule import_maps:
        input:
            data=rules.load_data.output.data,
            split=rules.make_split.output.split,
            file=imported_file,
        output:
            store=CAMS,
        log:
            "<logs>/{variant}cams/{augmentation}/{seed}.log",
        benchmark:
            "<benchmarks>/{variant}cams/{augmentation}/{seed}.tsv"
        wildcard_constraints:
            augmentation=ARMS,
        resources:
            **sized("pixels"),
        params:
            **named(
                study=STUDY["study"],
                augmentation=lambda wildcards: wildcards.augmentation,
                seed=lambda wildcards: int(wildcards.seed),
                input_size=STUDY["model"]["input_size"],
            ),
            **code("import_maps"),
        script:
            "../scripts/import_maps.py"
