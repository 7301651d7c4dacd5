# Needs: data.h5, the baseline's model, a folder of photographs.
# Makes: tables/own_images.csv and figures/own_images/sheet.*, only on request (`snakemake own_images`),
# because the photographs are the user's own and not part of the study.

OWN_TABLE, OWN_FIGURES = table("own_images"), figures("own_images", "figure", ["sheet"])

compute(
    "classify_own",
    script_name="own_images",
    needs={"data": rules.load_data.output.data, "weights": BASELINE_WEIGHTS},
    makes={"table": OWN_TABLE, "figures": OWN_FIGURES},
    kind="pixels",
    gpu=GPU,
    entries=[*METHODS[""], *ARCHITECTURES],
    **STUDY["own_images"],
    **DEVICE,
    dpi=STUDY["figures"]["dpi"],
    font=STUDY["figures"]["font"],
    files=lambda _: folder_digest(STUDY["own_images"]["folder"]),
    threshold=STUDY.get("sheets", {}).get("threshold", 0.95),
    architecture=DESIGN.architecture_of("baseline"),
    input_size=STUDY["model"]["input_size"],
    target_layer=STUDY["cam"]["target_layer"],
    method=STUDY["cam"]["method"],
    batch_size=STUDY["cam"]["batch_size"],
)
REPORT.add([OWN_TABLE, *OWN_FIGURES])
