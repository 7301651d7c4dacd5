# Needs: features/<classifier>.h5, features or pixels of all images (stages hybrid, masking).
# Makes: classifiers/<classifier>.safetensors, an SVM; .csv, its cross-validation; .parquet, its
# predictions for the test images.


wildcard_constraints:
    classifier="[a-z-]+",


compute(
    "fit_svm",
    needs={"vectors": "<results>/features/{classifier}.h5"},
    makes={
        "classifier": "<results>/classifiers/{classifier}.safetensors",
        "search": "<results>/classifiers/{classifier}.csv",
        "predictions": "<results>/classifiers/{classifier}.parquet",
    },
    kind="fit_svm",
    cores=1,
    classifier=lambda wildcards: wildcards.classifier,
    settings=lambda wildcards: feasibility.svm_settings(STUDY, config, wildcards.classifier),
    key=lambda wildcards: feasibility.svm_stage(wildcards.classifier) + ".svm",
)


def compare_classifiers(stage, predictions, reference):
    """Declare tables and figures of the scores and confusions of classifiers.

    Parameters
    ----------
    stage
        Start of their names.
    predictions
        Classifier → file of its predictions; "cnn" is the baseline.
    reference
        The classifier with which the others are compared.
    """
    tabulate(
        stage,
        script="tabulate_scores",
        needs={"data": rules.load_data.output.data, "predictions": [*predictions.values()]},
        makes={
            "scores": table(f"{stage}_scores"),
            "classes": table(f"{stage}_classes"),
            "confusion": table(f"{stage}_confusion"),
        },
        models=[*predictions],
        reference=reference,
    )
    draw(
        f"{stage}_scores",
        script="plot_scores",
        needs={"scores": f"<results>/tables/{stage}_scores.csv"},
        makes=figures("scores", "models", [stage]),
    )
    draw(
        f"{stage}_confusion",
        script="plot_svm_confusion",
        needs={"confusion": f"<results>/tables/{stage}_confusion.csv"},
        makes=figures("svm_confusion", "model", [name for name in predictions if name != "cnn"]),
    )
