"""The design of a study: its models, which of them are compared, what their seeds drive."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from campare import config, registry
from campare.design import Design, Model, Pair, Variant, transforms
from campare.errors import CampareError

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "similarity": {"metrics": ["pearson", "entropy", "class_kld"]},
    "seeds": [1, 2],
    "augmentations": {"affine": {}, "cutmix": {}, "elastic": {}},
}
NAMES = ["affine", "cutmix", "elastic"]
POLICIES = ("one", "paired", "all", "disjoint", "none")
STREAMS = ("augmentation", "init", "order", "subset")
FURTHER = {"seeds": [11, 12, 13], "vary": ["init", "order"]}


def merged(given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`given` with what `changes` says, all the way down."""
    both = copy.deepcopy(given)
    for key, value in changes.items():
        inside = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if inside else copy.deepcopy(value)
    return both


def design(**changes: Any) -> Design:
    return Design(config.complete(merged(STUDY, changes), "study.yaml"))


def baselines(*seeds: int) -> list[Model]:
    return [("baseline", seed) for seed in seeds]


@cache
def _subsets(of: tuple[str, ...]) -> list[list[str]]:
    return [list(some) for n in range(1, len(of) + 1) for some in combinations(of, n)]


@st.composite
def studies(draw: st.DrawFn, *, alike: bool = False) -> Design:
    """A valid study of any policy, controls and streams.

    alike: further baselines are drawn as the augmented models are.
    """
    policy = draw(st.sampled_from(POLICIES))
    vary = draw(st.sampled_from(_subsets(STREAMS)))
    if policy == "paired" and vary == ["augmentation"]:
        policy = "one"
    most = 3 if policy in ("none", "disjoint") else 2
    number = draw(st.integers(2 if policy == "none" else 1, most))
    seeds = draw(st.lists(st.integers(1, 9), min_size=2, max_size=3, unique=True))
    controls: dict[str, Any] = {}
    drawn = [stream for stream in vary if stream != "augmentation"]
    needed = {"all": 1, "disjoint": number}.get(policy, 0)
    if alike and not drawn:
        # Baselines that seeds drive nothing of are all the same.
        policy, needed = ("none" if number > 1 else "one"), 0
    elif needed or draw(st.booleans()):
        streams = draw(st.sampled_from(_subsets(STREAMS[1:])))
        streams = [stream for stream in streams if stream != "subset"] or ["init"]
        streams += ["subset"] if "subset" in vary else []
        if needed:  # these baselines are compared with models of every seed
            streams = list(dict.fromkeys([*streams, *drawn]))
        further = draw(
            st.lists(st.integers(10, 19), min_size=max(1, needed), max_size=6, unique=True)
        )
        controls["baselines"] = {"seeds": further, "vary": drawn if alike else streams}
    for name in draw(st.sets(st.sampled_from(registry.MATCHED))):
        controls[name] = True
    if controls.keys() - {"baselines"} and draw(st.booleans()):
        # Also seeds that augmented models and further baselines have.
        matched = st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True)
        controls["matched_seeds"] = draw(matched)
    study = {
        "seeds": seeds,
        "vary": vary,
        "reference": policy,
        "augmentations": {name: {} for name in NAMES[:number]},
        "augmenting": {"copies": draw(st.integers(1, 3))},
        "model": {"architecture": "small_cnn", "seed": draw(st.integers(1, 10))},
        **({"controls": controls} if controls else {}),
    }
    try:
        return Design(config.complete({**STUDY, **study}, "study.yaml"))
    except CampareError as refused:
        assert "is model.seed" in str(refused)
        reject()


CHECKED = settings(max_examples=60, deadline=None)


def randomness(of: Design, model: Model) -> dict[str, int]:
    """What decides each stream of randomness in the weights of a model, as it is trained."""
    training = of.training(model)
    streams = {name: training[f"{name}_seed"] for name in ("init", "order")}
    if training["steps"]:
        streams["augmentation"] = training["augmentation_seed"]
    return streams | ({} if of.one_split else {"subset": model[1]})


def differing(of: Design, pair: Pair) -> set[str]:
    """The streams besides the augmentation in which two models differ."""
    a, b = (randomness(of, model) for model in pair)
    return {name for name in a if name != "augmentation" and a[name] != b[name]}


def all_pairs(of: Design) -> list[Pair]:
    return [pair for name in of.with_pairs for pair in of.pairs_of(name)]


# ---- Models --------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["one", "paired", "all", "disjoint"])
def test_baselines_are_those_of_the_policy_then_the_further_ones(policy: str) -> None:
    of = design(reference=policy, vary=["init", "order"], controls={"baselines": FURTHER})
    own = baselines(1, 2) if policy == "paired" else baselines(1)
    assert of.references == own
    assert of.baselines == [*own, *baselines(11, 12, 13)]


def test_models_are_baselines_augmented_and_step_matched_in_turn() -> None:
    of = design(
        vary=["augmentation", "init"],
        controls={"duplicated_originals": True, "longer_training": True},
    )
    assert of.models == [
        *baselines(1),
        *((name, seed) for name in NAMES for seed in (1, 2)),
        *(
            ("duplicated_originals", 1),
            ("duplicated_originals", 2),
            ("longer_training", 1),
            ("longer_training", 2),
        ),
    ]
    assert of.models_of("longer_training") == [("longer_training", 1), ("longer_training", 2)]
    assert of.examples == [*baselines(1), *((name, 1) for name in NAMES)]


def test_step_matched_models_are_off_unless_named() -> None:
    assert design(controls={}).matched_models == []
    assert design().matched_models == []
    assert design(controls={"duplicated_originals": True}).matched == ["duplicated_originals"]


@pytest.mark.parametrize(
    ("vary", "given", "trained"),
    [
        (["augmentation"], None, [1]),  # nothing else is random: all of them were one network
        (["augmentation"], [21, 22], [21]),
        (["init"], None, [1, 2]),
        (["augmentation", "subset"], [21, 22, 23], [21, 22, 23]),
    ],
)
def test_seeds_of_step_matched_models(
    vary: list[str], given: list[int] | None, trained: list[int]
) -> None:
    of = design(vary=vary, controls={"duplicated_originals": True, "matched_seeds": given})
    assert of.matched_models == [("duplicated_originals", seed) for seed in trained]


@CHECKED
@given(studies())
def test_no_two_models_share_a_name_and_all_that_are_compared_are_trained(of: Design) -> None:
    assert len(set(of.models)) == len(of.models)
    compared = {model for pair in all_pairs(of) for model in pair}
    further = [*of.augmented, *of.matched_models]
    references = {b for model in further for b in of.references_of(model)}
    assert compared | references <= set(of.models)
    assert set(of.references) <= set(of.baselines)


# ---- Seeds ---------------------------------------------------------------------------------------


def test_a_seed_drives_the_augmentation_of_augmented_models_alone() -> None:
    of = design(
        vary=["augmentation", "init"],
        controls={"duplicated_originals": True, "baselines": {"seeds": [11], "vary": ["order"]}},
    )
    assert of.streams(("affine", 2)) == {"augmentation", "init"}
    assert of.streams(("duplicated_originals", 2)) == {"init"}
    assert of.streams(("baseline", 1)) == {"init"}
    assert of.streams(("baseline", 11)) == {"order"}


@CHECKED
@given(studies())
def test_a_seed_drives_in_training_what_the_design_says(of: Design) -> None:
    for model in of.models:
        other = copy.deepcopy(dict(of.study))
        seed = max(other["seeds"]) + 100
        renamed = {model[1]: seed}
        for where in (other, other.get("controls", {}), other.get("controls", {}).get("baselines")):
            for key in ("seeds", "matched_seeds"):
                if where and where.get(key):
                    where[key] = [renamed.get(value, value) for value in where[key]]
        before, after = of.training(model), Design(other).training((model[0], seed))
        moved = {
            key.removesuffix("_seed")
            for key in before
            if key.endswith("_seed") and before[key] != after[key]
        }
        if not before["steps"]:
            moved -= {"augmentation"}  # of which there is none
        assert moved == of.streams(model) - {"subset"}


@pytest.mark.parametrize(("vary", "one"), [(["init"], True), (["init", "subset"], False)])
def test_one_split_unless_a_seed_drives_the_subset(vary: list[str], one: bool) -> None:
    assert design(vary=vary).one_split == one


# ---- Which models are compared -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "vary", "compared"),
    [
        ("one", ["augmentation"], {1: [1], 2: [1]}),
        ("one", ["init"], {1: [1], 2: [1]}),
        ("none", ["init"], {1: [1], 2: [1]}),
        ("paired", ["init"], {1: [1], 2: [2]}),
        # The baseline of seed 1 has the initial weights of the models of seed 1.
        ("all", ["augmentation", "init"], {1: [11, 12, 13], 2: [1, 11, 12, 13]}),
        ("all", ["augmentation"], {1: [1, 11, 12, 13], 2: [1, 11, 12, 13]}),
    ],
)
def test_baselines_that_a_model_is_compared_with(
    policy: str, vary: list[str], compared: dict[int, list[int]]
) -> None:
    of = design(reference=policy, vary=vary, controls={"baselines": FURTHER})
    for name in NAMES:
        for seed, expected in compared.items():
            assert of.references_of((name, seed)) == baselines(*expected)
    assert of.most_references == max(map(len, compared.values()))


def test_disjoint_baselines_are_assigned() -> None:
    further = {"seeds": [11, 12, 13, 14, 15], "vary": ["init"]}
    of = design(
        reference="disjoint",
        vary=["augmentation", "init"],
        controls={"baselines": further, "duplicated_originals": True},
    )
    dealt = {"affine": [11, 14], "cutmix": [12, 15], "elastic": [13]}
    for name, seeds in dealt.items():
        for seed in (1, 2):
            assert of.references_of((name, seed)) == baselines(*seeds)
    assert of.references_of(("duplicated_originals", 2)) == baselines(1, 11, 12, 13, 14, 15)
    assert of.references_of(("duplicated_originals", 1)) == baselines(11, 12, 13, 14, 15)


@CHECKED
@given(studies())
def test_every_model_has_a_baseline_and_no_two_augmentations_share_a_disjoint_one(
    of: Design,
) -> None:
    taken = {
        name: {b for seed in of.seeds for b in of.references_of((name, seed))}
        for name in of.augmentations
    }
    assert all(of.references_of(model) for model in of.augmented)
    if of.study["reference"] == "disjoint":
        assert not any(a & b for a, b in combinations(taken.values(), 2))
        assert set.union(*taken.values()) == set(of.baselines) - set(of.references)
    elif of.study["reference"] == "all":
        assert set.union(*taken.values()) == set(of.baselines)


@CHECKED
@given(studies(alike=True))
def test_models_of_a_pair_share_no_randomness_that_seeds_drive(of: Design) -> None:
    driven = set(of.study["vary"])
    pairs = all_pairs(of)
    if of.study["reference"] in ("all", "disjoint"):
        pairs += [(b, model) for model in of.augmented for b in of.references_of(model)]
    for pair in pairs:
        a, b = (randomness(of, model) for model in pair)
        assert not any(a[name] == b[name] for name in a.keys() & b.keys() & driven), pair


@CHECKED
@given(studies())
def test_independent_models_share_no_randomness_that_seeds_decide(of: Design) -> None:
    driven = set(of.study["vary"])
    for pair in combinations(of.models, 2):
        a, b = (randomness(of, model) for model in pair)
        shared = {name for name in a.keys() & b.keys() & driven if a[name] == b[name]}
        assert of.independent(pair) == (not shared), (pair, shared)


def test_a_further_baseline_shares_the_streams_that_its_seed_does_not_drive() -> None:
    further = {"seeds": [11, 12], "vary": ["init"]}
    of = design(vary=["init", "order"], controls={"baselines": further})
    assert not of.independent((("baseline", 11), ("affine", 1)))  # the order is that of seed 1
    assert of.independent((("baseline", 11), ("affine", 2)))
    # Such pairs differ from each other as two baselines do, and are measured beside the floor.
    assert of.pairs_like_floor("affine") == [
        (("baseline", 11), ("affine", 1)),
        (("baseline", 12), ("affine", 1)),
    ]


@CHECKED
@given(studies())
def test_a_model_is_compared_with_independent_baselines_by_the_policies_that_choose_them(
    of: Design,
) -> None:
    if of.study["reference"] in ("all", "disjoint"):
        for model in of.augmented:
            assert all(of.independent((b, model)) for b in of.references_of(model))


@CHECKED
@given(studies())
def test_each_pair_belongs_to_one_arm_and_none_is_left_out(of: Design) -> None:
    counted = Counter(map(frozenset, all_pairs(of)))
    assert set(counted.values()) <= {1}

    def belongs(pair: Pair) -> bool:
        (a, _), (b, _) = pair
        augmented = [name in of.augmentations for name in (a, b)]
        matched = [name in of.matched for name in (a, b)]
        if a == b or not all(augmented):
            return a == b or not all(matched)
        return bool(of.study["reference"] == "none")

    def differ(pair: Pair) -> bool:
        (_, first), (_, second) = pair
        return first != second or not of.streams(pair[0]) & of.streams(pair[1])

    pairs = filter(differ, filter(belongs, combinations(of.models, 2)))
    assert counted.keys() == set(map(frozenset, pairs))


def test_a_pair_puts_the_baseline_first_and_takes_augmentations_in_their_order() -> None:
    of = design(reference="none", vary=["augmentation", "init"])
    assert of.pairs_of("baseline") == []
    assert of.pairs_of("elastic") == [
        (("elastic", 1), ("elastic", 2)),
        (("baseline", 1), ("elastic", 2)),
    ]
    assert (("cutmix", 1), ("elastic", 2)) in of.pairs_of("cutmix")
    assert of.with_pairs == of.arms == NAMES


def test_step_matched_models_stand_beside_augmentations_and_not_beside_each_other() -> None:
    controls = {"duplicated_originals": True, "longer_training": True, "matched_seeds": [21]}
    of = design(vary=["init"], controls=controls)
    assert (("duplicated_originals", 21), ("affine", 1)) in of.pairs_of("affine")
    assert of.pairs_of("duplicated_originals") == [(("baseline", 1), ("duplicated_originals", 21))]
    assert of.pairs_of("longer_training") == [(("baseline", 1), ("longer_training", 21))]
    assert of.with_pairs == of.arms == [*NAMES, "duplicated_originals", "longer_training"]


def test_two_baselines_are_the_floor_and_no_arm() -> None:
    of = design(vary=["init"], controls={"baselines": {"seeds": [11], "vary": ["init"]}})
    assert of.pairs_of("baseline") == [(("baseline", 1), ("baseline", 11))]
    assert of.with_pairs == ["baseline", *NAMES]
    assert of.arms == NAMES


@CHECKED
@given(studies())
def test_pairs_beside_the_floor_differ_in_what_baselines_differ_in(of: Design) -> None:
    first, *others = of.baselines
    for name in of.with_pairs:
        like = of.pairs_like_floor(name)
        of_baselines = [pair for pair in of.pairs_of(name) if pair[0][0] == "baseline"]
        assert set(like) <= set(of_baselines)
        if not others:
            assert like == of_baselines
            continue
        floor = differing(of, (first, others[-1]))
        assert like == [pair for pair in of_baselines if differing(of, pair) == floor]
    if others and not of.incomparable:
        assert of.pairs_like_floor("baseline") == of.pairs_of("baseline")


@pytest.mark.parametrize(
    ("policy", "vary", "further", "differ"),
    [
        ("one", ["augmentation", "init"], None, False),  # one baseline has no distances
        ("paired", ["augmentation", "init"], None, False),
        ("one", ["augmentation", "init", "order"], ["init", "order"], False),
        ("one", ["augmentation"], ["init"], True),
        ("one", ["augmentation", "init", "order"], ["init"], True),
        ("paired", ["init"], ["init", "order"], True),
    ],
)
def test_distances_are_incomparable_where_seeds_of_baselines_drive_other_streams(
    policy: str, vary: list[str], further: list[str] | None, differ: bool
) -> None:
    controls = {"baselines": {"seeds": [11, 12], "vary": further}} if further else {}
    of = design(reference=policy, vary=vary, controls=controls)
    assert bool(of.incomparable) == differ
    assert of.summarised == (not differ and len(of.baselines) > 1)
    if differ:
        theirs = ", ".join(sorted(further or ()))
        ours = ", ".join(sorted(set(vary) - {"augmentation"})) or "nothing"
        assert f"drive {theirs}, those of augmented models {ours} beside" in of.incomparable


@pytest.mark.parametrize(
    ("changes", "compares", "floor", "clusters"),
    [
        ({}, True, False, True),
        ({"controls": {}}, True, False, True),
        ({"controls": {"baselines": FURTHER}}, True, True, True),
        ({"controls": {"duplicated_originals": True}}, True, True, True),
        ({"controls": {"uninformative": True}}, True, False, True),
        ({"reference": "paired", "vary": ["init"]}, True, False, True),  # controls are not named
        ({"reference": "paired", "vary": ["init"], "controls": {}}, True, True, True),
        ({"reference": "none", "controls": {"baselines": FURTHER}}, False, False, False),
    ],
)
def test_what_a_study_compares(
    changes: dict[str, Any], compares: bool, floor: bool, clusters: bool
) -> None:
    of = design(**changes)
    assert (of.compares, of.has_floor, of.clusters) == (compares, floor, clusters)


def test_a_study_of_one_augmentation_clusters_nothing_and_of_none_compares_nothing() -> None:
    one = Design(config.complete(STUDY | {"augmentations": {"affine": {}}}, "study.yaml"))
    assert one.compares
    assert not one.clusters
    none = Design(config.complete(STUDY | {"augmentations": {}}, "study.yaml"))
    assert not none.compares
    assert none.models == none.baselines == baselines(1)
    assert none.most_references == 1
    assert not none.with_pairs


def test_metrics_of_one_map_are_no_distances() -> None:
    of = design()
    assert of.metrics == ["pearson", "entropy", "class_kld"]
    assert of.distances == ["pearson", "class_kld"]


# ---- Training ------------------------------------------------------------------------------------


def test_training_of_each_kind_of_model() -> None:
    controls = {"duplicated_originals": True, "longer_training": True}
    augmenting = {"copies": 2, "at": "input", "seed": 5}
    of = design(augmenting=augmenting, controls=controls, training={"epochs": 4, "seed": 7})
    base, long, twice, bent = (
        of.training((name, 2))
        for name in ("baseline", "longer_training", "duplicated_originals", "affine")
    )
    assert base == long | {"epochs": 4}
    assert long["epochs"] == 12  # as many steps as with two copies
    assert (base["copies"], base["steps"]) == (0, [])
    assert (twice["copies"], twice["steps"], twice["epochs"]) == (2, [], 4)
    assert (bent["copies"], bent["augment_at"], bent["epochs"]) == (2, "input", 4)
    assert transforms(bent["steps"]) == ["affine"]
    assert (bent["order_seed"], bent["init_seed"], bent["augmentation_seed"]) == (7, 0, 2)
    assert design(augmenting=augmenting, vary=["init"]).training(("affine", 2)) == bent | {
        "init_seed": 2,
        "augmentation_seed": 5,
        "epochs": 30,
        "order_seed": 0,
    }


def test_in_place_every_model_takes_the_steps_of_the_baseline() -> None:
    augmenting = {"mode": "in_place", "probability": 0.5, "resample": "once", "at": "input"}
    further = {"seeds": [11, 12], "vary": ["order"]}
    changes = {"vary": ["augmentation", "order"], "controls": {"baselines": further}}
    of, added = design(augmenting=augmenting, **changes), design(**changes)
    bent, copied = (one.training(("affine", 2)) for one in (of, added))
    own = {"copies": 0, "probability": 0.5, "resample": "once", "augment_at": "input"}
    assert bent == copied | own
    assert "probability" not in copied
    # The mode of augmenting is no setting of a baseline.
    for baseline in of.baselines:
        assert of.training(baseline) == added.training(baseline)
    assert (of.copies_of("affine"), of.epochs_of("affine")) == (0, 30)
    assert not of.matched_models
    assert of.has_floor
    assert of.summarised
    assert of.references_of(("affine", 2)) == added.references_of(("affine", 2))
    assert of.models == added.models
    assert of.arms == NAMES


def test_a_further_baseline_is_the_first_but_for_the_streams_of_vary() -> None:
    further = {"seeds": [11], "vary": ["init"]}
    of = design(vary=["augmentation", "init", "order"], controls={"baselines": further})
    first, other = (of.training(model) for model in of.baselines)
    assert first["order_seed"] == 1
    assert other == first | {"init_seed": 11}


def test_a_batch_size_or_steps_of_an_epoch_stand_in_the_settings_and_never_both() -> None:
    assert "steps_per_epoch" not in design().training(("affine", 1))
    training = design(training={"steps_per_epoch": 10}).training(("affine", 1))
    assert training["steps_per_epoch"] == 10
    assert "batch_size" not in training


CONTROLLED = {
    "vary": ["init", "order"],
    "controls": {"baselines": FURTHER, "duplicated_originals": True, "longer_training": True},
}


NO_MATCHED = {"duplicated_originals": False, "longer_training": False}


def retrained(before: Design, after: Design) -> set[str]:
    """The names of models that an edit trains again."""
    both = [model for model in before.models if model in after.models]
    return {m[0] for m in both if before.training(m) != after.training(m)}


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        ({"augmenting": {"at": "input"}}, {*NAMES, "duplicated_originals"}),
        ({"augmenting": {"resample": "once"}}, {*NAMES, "duplicated_originals"}),
        ({"augmenting": {"seed": 9}}, set(NAMES)),
        ({"augmenting": {"mode": "in_place"}, "controls": NO_MATCHED}, set(NAMES)),
        # As many steps as with copies, so more epochs with more of them.
        ({"augmenting": {"copies": 2}}, {*NAMES, "duplicated_originals", "longer_training"}),
        ({"augmentations": {"affine": {"degrees": 5}}}, {"affine"}),
        ({"augmentations": {"gaussian_blur": {}}}, set()),
        ({"similarity": {"metrics": ["mad"]}, "figures": {"dpi": 100}}, set()),
        ({"cam": {"method": "layercam"}, "analysis": {"top_pairs": 1}}, set()),
        (
            {"training": {"epochs": 3}},
            {"baseline", *NAMES, "duplicated_originals", "longer_training"},
        ),
        (
            {"model": {"input_size": 64}},
            {"baseline", *NAMES, "duplicated_originals", "longer_training"},
        ),
        ({"model": {"seed": 5}}, set()),  # seeds drive the initial weights
    ],
)
def test_models_that_an_edit_trains_again(edit: dict[str, Any], names: set[str]) -> None:
    assert retrained(design(**CONTROLLED), design(**merged(CONTROLLED, edit))) == names


@CHECKED
@given(
    studies(),
    st.fixed_dictionaries(
        {
            "at": st.sampled_from(["native", "input"]),
            "copies": st.integers(1, 5),
            "mode": st.just("added"),
            "probability": st.just(1),
            "resample": st.sampled_from(["each_epoch", "once"]),
            "seed": st.integers(0, 99),
        }
    ),
)
def test_an_edit_of_augmenting_never_trains_a_baseline_again(
    before: Design, augmenting: dict[str, Any]
) -> None:
    after = Design({**before.study, "augmenting": augmenting})
    assert "baseline" not in retrained(before, after)


@CHECKED
@given(studies(), st.data())
def test_an_edit_of_an_augmentation_trains_its_own_models_again_and_no_others(
    before: Design, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(before.augmentations))
    steps = {**before.study["augmentations"], name: [["equalize", {"probability": 0.1}]]}
    assert retrained(before, Design({**before.study, "augmentations": steps})) == {name}


@CHECKED
@given(studies())
def test_no_two_models_are_one_network(of: Design) -> None:
    def weights(model: Model) -> str:
        training = of.training(model)
        unused = [] if training["steps"] else ["augmentation_seed"]
        return repr(({k: v for k, v in training.items() if k not in unused}, randomness(of, model)))

    others = [model for model in of.models if model[0] not in of.augmentations]
    assert len({weights(model) for model in others}) == len(others)


# ---- Maps ----------------------------------------------------------------------------------------


def test_a_variant_takes_from_the_study_what_it_leaves_out() -> None:
    variants = {"hires": {"method": "hirescam"}, "right": {"class": "true"}}
    of = design(cam={"method": "layercam", "target_layer": "0.1", "variants": variants})
    assert of.variants == {
        "": Variant("layercam", "predicted", "0.1"),
        "variants/hires/": Variant("hirescam", "predicted", "0.1"),
        "variants/right/": Variant("layercam", "true", "0.1"),
    }
    assert next(iter(of.variants)) == ""


@pytest.mark.parametrize(
    ("model", "one", "paired"),
    [
        (("affine", 1), baselines(1), baselines(1)),
        (("affine", 2), baselines(1), baselines(2)),
        (("duplicated_originals", 2), baselines(1), baselines(2)),
        (("duplicated_originals", 21), baselines(1), baselines(1)),
        (("baseline", 1), [], []),
        (("baseline", 2), baselines(1), []),  # a model of the second study alone
        (("baseline", 11), baselines(1), baselines(1)),
        (("untrained", 1), baselines(1), baselines(1)),
    ],
)
def test_baseline_whose_predicted_class_a_map_explains(
    model: Model, one: list[Model], paired: list[Model]
) -> None:
    for policy, expected in (("one", one), ("paired", paired)):
        of = design(
            reference=policy,
            vary=["init", "order"],
            controls={"baselines": FURTHER, "duplicated_originals": True, "matched_seeds": [2, 21]},
            cam={"variants": {"same": {"class": "baseline"}}},
        )
        assert of.explained_by(model, "variants/same/") == expected
        assert of.explained_by(model, "") == []


def test_weights_and_normalisation_are_settings_only_if_they_are_not_the_defaults() -> None:
    base = design()
    model = base.models[0]
    plain = base.training(model)
    assert not {"weights", "normalise", "batch_norm_momentum"} & set(plain)
    changes = {"weights": "published", "normalise": "imagenet", "batch_norm_momentum": 0.5}
    changed = design(model={"architecture": "resnet18", **changes}).training(model)
    assert changed == {**plain, "architecture": "resnet18", **changes}


@pytest.mark.parametrize(
    ("weights", "architecture", "kept"),
    [
        ("published", "resnet18", True),
        ("published", "densenet121", True),
        ("published", "timm:convnext_pico", True),
        ("published", "small_cnn", False),
        (__file__, "resnet18", True),
        (__file__, "densenet121", False),
    ],
)
def test_candidates_start_with_weights_of_their_own(
    weights: str, architecture: str, kept: bool
) -> None:
    complete = design(model={"architecture": "resnet18"}).study
    study = Design({**complete, "model": {**complete["model"], "weights": weights}})
    settings = study.candidate(architecture)
    assert settings.get("weights") == (weights if kept else None)
    assert (settings["architecture"], settings["evaluate"]) == (
        architecture,
        ["validation", "test"],
    )


def test_names_of_frozen_layers_are_of_the_studys_own_network() -> None:
    def frozen(freeze: Any, architecture: str) -> Any:
        study = design(model={"architecture": "small_cnn", "freeze": freeze})
        return study.candidate(architecture).get("freeze", "none")

    assert frozen(["features"], "small_cnn") == ["features"]
    assert frozen(["features"], "resnet18") == "none"
    assert frozen("all_but_head", "resnet18") == "all_but_head"


@pytest.mark.parametrize("method", registry.CAM_METHODS)
@pytest.mark.parametrize("class_policy", ["predicted", "true", "baseline"])
def test_variants_have_short_titles_of_their_own(method: str, class_policy: str) -> None:
    title = Variant(method, class_policy, "blocks.1").title
    assert title.endswith(", layer blocks.1") == (registry.CAM_METHODS[method].of == "layer")
    assert "(" not in title and len(title) < 90
    others = [
        Variant(m, c, "blocks.1").title
        for m in registry.CAM_METHODS
        for c in ("predicted", "true", "baseline")
        if (m, c) != (method, class_policy)
    ]
    assert title not in others


def test_the_title_of_a_users_method_is_its_function() -> None:
    assert Variant("mine.py:my_cam", "true", None).title == (
        "my_cam, true class, last convolutional block"
    )
