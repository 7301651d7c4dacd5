# Needs: the tables and figures that the rule files before this one declare (report_jobs.py).
# Makes: a rule for each of them, and one for each target: tables, figures, architectures and the
# stages of the study.

for job in REPORT.jobs:

    rule:
        name:
            job.name
        input:
            **job.needs,
        output:
            **job.makes,
        log:
            f"<logs>/{job.folder}{job.name}.log",
        benchmark:
            f"<benchmarks>/{job.folder}{job.name}.tsv"
        group:
            "report"
        resources:
            **sized(job.kind),
        params:
            **named(**job.params),
            **job.compared,
            script=job.script,
        script:
            "../scripts/{params.script}.py"


for target in TARGETS:

    rule:
        name:
            target
        input:
            REPORT.results(target),
        localrule: True


# Resources used by every job of a finished study; only on request, because no two runs agree.
rule efficiency:
    input:
        REPORT.results("tables"),
        REPORT.results("figures"),
    output:
        efficiency="<benchmarks>/efficiency.csv",
    log:
        "<logs>/efficiency.log",
    localrule: True
    script:
        "../scripts/tabulate_efficiency.py"
