"""`repgeo.run` against the program on files, and what it refuses."""

import json
import subprocess

import numpy as np
import pytest

import repgeo
from repgeo import _arrays
from repgeo._program import program


@pytest.fixture
def acts():
    random = np.random.default_rng(7)
    return {
        "layer_0": random.normal(size=(300, 12)).astype(np.float32),
        "layer_1": random.normal(size=(300, 4)).astype(np.float64),
        "layer_2": random.normal(size=(300, 20)).astype(np.float16),
    }


def on_files(folder, command, acts, *arguments):
    """The same command on a folder of npy files."""
    for name, array in acts.items():
        np.save(folder / f"{name}.npy", array)
    line = [program(), command, str(folder), "--format", "json", "--quiet", *arguments]
    return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)


def test_a_report_is_that_of_the_program_on_files(acts, tmp_path):
    expected = on_files(tmp_path, "id-profile", acts, "--estimator", "gride", "--order", "4")
    report = repgeo.run("id-profile", acts, estimator="gride", order=4)
    assert [one["layer"] for one in report["layers"]] == list(acts)
    for one, other in zip(report["layers"], expected["layers"]):
        assert one["estimates"] == other["estimates"]


def test_layers_keep_the_order_in_which_they_are_given(acts):
    turned = {"norm": acts["layer_2"], "b": acts["layer_0"], "a": acts["layer_1"]}
    report = repgeo.run("id-profile", turned)
    assert [one["layer"] for one in report["layers"]] == ["norm", "b", "a"]


def test_every_way_of_giving_layers_is_the_same(acts):
    same = [array.astype(np.float32) for array in acts.values()]
    by_name = repgeo.run("imbalance", {f"layer_{at}": one for at, one in enumerate(same)})
    by_place = repgeo.run("imbalance", same)
    assert by_name["pairs"] == by_place["pairs"]
    turned = [np.asfortranarray(one) for one in same]
    assert repgeo.run("imbalance", turned)["pairs"] == by_place["pairs"]
    swapped = [one.astype(">f4") for one in same]
    assert repgeo.run("imbalance", swapped)["pairs"] == by_place["pairs"]


def test_arrays_as_options_are_handed_over(acts):
    labels = np.arange(300) % 3
    report = repgeo.run("overlap", acts, labels=labels, k=5)
    assert report["layers"]
    words = np.array(["a", "bc", "d"])[labels]
    assert repgeo.run("overlap", acts, labels=words, k=5)["n"] == report["n"]
    other = repgeo.run("imbalance", acts, against={"other": acts["layer_0"]})
    assert len(other["against"]) == 1


def test_a_table_has_a_row_a_number(acts):
    pytest.importorskip("pandas")
    table = repgeo.run("id-profile", acts).table()
    assert {"layer", "quantity", "value"} <= set(table.columns)
    assert set(table["layer"].dropna()) >= set(acts)


def test_bad_input_raises_the_words_of_the_program(acts):
    with pytest.raises(ValueError, match="beyond the 3"):
        repgeo.run("id-profile", acts, layers=12)
    with pytest.raises(ValueError, match="estimator"):
        repgeo.run("id-profile", acts, estimator="no-such")
    with pytest.raises(ValueError, match="unrecognized|no-such"):
        repgeo.run("no-such", acts)


def test_what_is_no_activation_is_refused_before_the_program_starts():
    for bad, words in [
        ({}, "no layers"),
        ([], "no layers"),
        ([[1.0, 2.0]], "no array"),
        ({"a": np.zeros((3, 2), complex)}, "complex"),
        ({"a": np.array([["x"]])}, "floats"),
        ({3: np.zeros((3, 2))}, "names"),
    ]:
        with pytest.raises(ValueError, match=words):
            repgeo.run("inspect", bad)


def test_a_tensor_is_stored_by_its_bits():
    class Tensor:
        """As much of a torch tensor as is used."""

        dtype = "torch.float32"
        shape = (2, 3)

        def detach(self):
            return self

        cpu = contiguous = detach

        def numpy(self):
            return np.arange(6, dtype=np.float32).reshape(2, 3)

    one = _arrays.stored(Tensor(), "t")
    assert (one.dtype, one.shape) == ("F32", (2, 3))
    assert bytes(one.values) == np.arange(6, dtype="<f4").tobytes()


def test_bfloat16_of_torch_is_stored_as_it_is():
    torch = pytest.importorskip("torch")
    values = torch.linspace(-3, 3, 600, requires_grad=True).reshape(200, 3).to(torch.bfloat16)
    one = _arrays.stored(values, "t")
    assert one.dtype == "BF16"
    report = repgeo.run("inspect", {"t": values})
    assert report["layers"][0]["dtype"] == "bf16"


def test_the_module_is_the_program():
    import sys

    line = [sys.executable, "-m", "repgeo", "--version"]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["repgeo", repgeo.version()]
