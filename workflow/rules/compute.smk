# `compute`: declares a job of a stage that runs a network or works on maps, as `tabulate` and `draw` of
# common.smk declare tables and figures.

# Params of jobs that map other images with the baseline.
BASELINE_MAPS = {
    **MAPPING,
    "seed": DESIGN.first_seed,
    "architecture": DESIGN.architecture_of("baseline"),
    "target_layer": STUDY["cam"]["target_layer"],
    "method": STUDY["cam"]["method"],
}


def compute(
    name,
    needs,
    makes,
    *,
    kind,
    script_name="",
    gpu=0,
    group=None,
    cores=STUDY["compute"]["threads"],
    entries=(),
    variants=None,
    **settings,
):
    """Make the rule of a job of a stage that runs a network or works on maps.

    Its script has its name, if no `script_name` is given; log and benchmark are named after its first
    output. `kind` is that of its resources (needs.Needs); `cores` are the threads of the rule; `entries`
    are functions that the script finds through the registry; `variants` is a pattern of the wildcard
    {variant}, None for that of all rules; `settings` are the params of the script,
    with `threads` in DEVICE.
    """
    record = report_jobs.paths_of(makes)[0].removeprefix("<results>/").rsplit(".", 1)[0]

    rule:
        name:
            name
        input:
            **needs,
        output:
            **makes,
        log:
            f"<logs>/{record}.log",
        benchmark:
            f"<benchmarks>/{record}.tsv"
        wildcard_constraints:
            **({"variant": variants} if variants else {}),
        group:
            group
        threads: cores
        resources:
            **sized(kind),
            gpu=gpu,
        params:
            **named(**settings),
            **code(script_name or name, *entries),
        script:
            str(ROOT / "workflow" / "scripts" / f"{script_name or name}.py")
