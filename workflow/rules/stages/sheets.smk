# Needs: data.h5, the baseline's store.
# Makes: figures/sheets/*, test images under their maps, green where the model is sure, else red.

draw(
    "sheets",
    needs={"data": rules.load_data.output.data, "store": BASELINE_STORE},
    makes=figures("sheets", "sheet", ["classes", "mistakes"]),
    **STUDY["sheets"],
)
