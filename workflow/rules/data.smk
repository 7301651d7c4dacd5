# Needs: the data set that the config names.
# Makes: data.h5 (images, labels, class names); split.csv (training, validation and test images), or
# split/<seed>.csv if seeds drive the training images.
# A manifest, which lists the images, is an input of both. Groups are kept whole by a script of their own.
OF_MANIFEST = STUDY["data"]["name"] == "manifest"
MANIFEST = {"manifest": os.path.expanduser(STUDY["data"]["root"])} if OF_MANIFEST else {}
OF_ARRAYS = STUDY["data"]["name"] == "arrays" and "group" in STUDY["split"]
GROUPS = {"root": STUDY["data"]["root"]} if OF_ARRAYS else {}
SPLIT_SCRIPT = "split_groups" if OF_MANIFEST or OF_ARRAYS else "make_split"


# The channels that figures show do not decide the data; `shown_as` is for captions.
READING = {key: value for key, value in STUDY["data"].items() if key != "shown"}
SHOWN = (
    {"shown": STUDY["data"]["shown"], "shown_as": multichannel.caption(STUDY["data"]["shown"])}
    if "shown" in STUDY["data"]
    else {}
)

# A param of the files of images, if they are a folder of images, arrays or Parquet files.
LISTINGS = {"image_folder": image_listing, "arrays": array_listing, "parquet": array_listing}
IMAGE_FILES = (
    {
        "files": lambda _: LISTINGS[STUDY["data"]["name"]](
            STUDY["data"]["root"] or "data",
            Path(str(rules.load_data.output.data)).with_name(".data_listing"),
        )
    }
    if STUDY["data"]["name"] in LISTINGS
    else {}
)


# The shape of the networks' input, if it is not a square.
SHAPE = sizes.shape(STUDY["model"]["input_size"])
INPUT_SHAPE = {} if SHAPE == "square" else {"input_shape": SHAPE}


rule load_data:
    input:
        **MANIFEST,
    output:
        data="<results>/data.h5",
    log:
        "<logs>/load_data.log",
    benchmark:
        "<benchmarks>/load_data.tsv"
    group:
        "prepare"
    resources:
        **sized("load"),
    params:
        **named(**READING, **IMAGE_FILES, **INPUT_SHAPE),
        **code("load_data", *registry.functions(registry.DATASETS, [STUDY["data"]["name"]])),
    script:
        "../scripts/load_data.py"


rule make_split:
    input:
        **MANIFEST,
        data=rules.load_data.output.data,
    output:
        split=f"<results>/{SPLIT}.csv",
    log:
        f"<logs>/make_{SPLIT}.log",
    benchmark:
        f"<benchmarks>/make_{SPLIT}.tsv"
    group:
        "prepare"
    resources:
        **sized("split_data"),
    params:
        **named(
            **STUDY["split"],
            **GROUPS,
            training_seed=lambda wildcards: (
                int(wildcards.seed) if "seed" in wildcards.keys() else None
            ),
        ),
        **code(SPLIT_SCRIPT),
    script:
        f"../scripts/{SPLIT_SCRIPT}.py"
