# Needs: data.h5, the baseline's store.
# Makes: figures/sheets/*, test images under their maps, green if the model is confident, else red.

draw(
    "sheets",
    needs={"data": rules.load_data.output.data, "store": BASELINE_STORE},
    makes=figures("sheets", "sheet", ["classes", "mistakes"]),
    maps="Maps",
    **STUDY["sheets"],
    **SHOWN,
)
