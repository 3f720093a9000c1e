"""`repgeo.dump` on small models of torch; left out where torch is not installed."""

import numpy as np
import pytest

import repgeo

torch = pytest.importorskip("torch", reason="torch is not installed: dump was not tested")


class Encoder(torch.nn.Module):
    """Two layers over tokens, with hidden states as Hugging Face's models give them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(50, 8)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh())

    def forward(self, input_ids, attention_mask=None, output_hidden_states=False):
        first = self.words(input_ids)
        second = self.mlp(first)

        class Output:
            hidden_states = (first, second) if output_hidden_states else None

        return Output()


def batches(lengths=((5, 3), (4, 4), (7, 2))):
    random = np.random.default_rng(1)
    for pair in lengths:
        ids = torch.zeros(len(pair), max(pair), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, length in enumerate(pair):
            ids[row, :length] = torch.tensor(random.integers(1, 50, length))
            mask[row, :length] = 1
        yield {"input_ids": ids, "attention_mask": mask}


def read(path):
    """The arrays of a safetensors file, by numpy alone."""
    import json

    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    fields = json.loads(content[8 : 8 + size])
    fields.pop("__metadata__")
    types = {"F32": "<f4", "I64": "<i8"}
    return {
        name: np.frombuffer(
            content[8 + size :][one["data_offsets"][0] : one["data_offsets"][1]],
            types[one["dtype"]],
        ).reshape(one["shape"])
        for name, one in fields.items()
    }


@pytest.mark.parametrize("pool", ["last", "first", "mean"])
def test_rows_are_those_of_the_tokens_shown(tmp_path, pool):
    model, out = Encoder(), tmp_path / "acts.safetensors"
    names = repgeo.dump(model, batches(), pool=pool, out=out, dtype="float32")
    assert names == ["hidden_states.0", "hidden_states.1"]
    found = read(out)["hidden_states.1"]
    expected = []
    for batch in batches():
        with torch.no_grad():
            state = model(**batch, output_hidden_states=True).hidden_states[1]
        for row, length in zip(state, batch["attention_mask"].sum(1)):
            shown = row[:length]
            picked = {"last": shown[-1], "first": shown[0], "mean": shown.mean(0)}[pool]
            expected.append(picked.numpy())
    assert np.abs(found - np.array(expected)).max() < 1e-6
    assert repgeo.run("inspect", out)["layers"][0]["shape"][0] == 6


def test_tokens_stay_with_their_mask(tmp_path):
    out = tmp_path / "tokens.safetensors"
    repgeo.dump(Encoder(), batches(), pool=None, out=out, dtype="float32")
    found = read(out)
    assert found["hidden_states.0"].shape == (6, 7, 8)
    assert found["attention_mask"].sum(1).tolist() == [5, 3, 4, 4, 7, 2]
    assert np.all(found["hidden_states.0"][0, 5:] == 0)


def test_modules_by_name_in_the_order_in_which_they_run(tmp_path):
    out = tmp_path / "acts.safetensors"
    names = repgeo.dump(Encoder(), batches(), layers=["mlp.*", "words"], out=out)
    assert names == ["words", "mlp.0", "mlp.1"]
    assert [one["layer"] for one in repgeo.run("inspect", out)["layers"]] == names


def test_what_cannot_be_dumped_is_said(tmp_path):
    out = tmp_path / "acts.safetensors"
    model = Encoder()
    for change, words in [
        ({"layers": "no_such*"}, "no module"),
        ({"inputs": []}, "no batch"),
        ({"pool": "middle"}, "pool is"),
        ({"dtype": "int8"}, "floating"),
        ({"out": tmp_path / "acts.npz"}, "safetensors"),
        ({"model": torch.nn.Linear(2, 2), "inputs": [torch.zeros(3, 2)]}, "layers="),
    ]:
        call = {"model": model, "inputs": batches(), "out": out, **change}
        with pytest.raises(ValueError, match=words):
            repgeo.dump(**call)
    assert list(tmp_path.iterdir()) == [], "a failed dump leaves nothing behind"
