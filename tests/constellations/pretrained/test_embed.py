"""Embedding a folder of images: a tiny SigLIP with random weights end to end, stores, stand-ins and bad input."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from constellations import pretrained
from constellations.pretrained import __main__ as command

NAMES = {"n01": "sea urchin", "n02": "dog", "n03": "red fox", "n04": "great white shark"}
SIDE, DIM = 16, 32


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A SigLIP of two small layers with a tokenizer trained on a few words, in a folder."""
    import sentencepiece
    import transformers

    transformers.logging.set_verbosity_error()
    folder, pieces = tmp_path_factory.mktemp("model"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a photo of a", *NAMES.values()] * 20), model_writer=pieces, vocab_size=40,
        hard_vocab_limit=False, pad_id=1, unk_id=2, eos_id=3, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    (folder / "spiece.model").write_bytes(pieces.getvalue())
    tokenizer = transformers.SiglipTokenizer(str(folder / "spiece.model"), model_max_length=12)
    image_processor = transformers.SiglipImageProcessor(size={"height": SIDE, "width": SIDE})
    transformers.SiglipProcessor(image_processor, tokenizer).save_pretrained(folder)
    layers = {"hidden_size": DIM, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    network = transformers.SiglipModel(
        transformers.SiglipConfig(
            text_config=layers | {"vocab_size": 64, "max_position_embeddings": 12, "projection_size": DIM},
            vision_config=layers | {"image_size": SIDE, "patch_size": 4},
        )
    )
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    network.logit_scale.data.fill_(np.log(117.8))
    network.logit_bias.data.fill_(-12.9)
    network.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Four classes of noisy one-coloured images of different sizes and formats."""
    root, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for k, name in enumerate(NAMES):
        (root / name).mkdir()
        for i in range(3 + k):
            pixels = np.clip(rng.normal([60 * k, 255 - 60 * k, 128], 40, (20 + i, 24, 3)), 0, 255)
            suffix = ("png", "jpg", "webp")[i % 3]
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{i}.{suffix}")
    return root


@pytest.fixture(scope="module")
def names_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "names.json"
    path.write_text(json.dumps(NAMES))
    return path


@pytest.fixture(scope="module")
def store(model, images, names_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores") / "tiny"
    scanned = pretrained.scan_folder(images, class_names=names_file)
    pretrained.embed(pretrained.load_encoder(model, device="cpu"), scanned, folder, batch_size=4, shard_size=7)
    return folder


@torch.inference_mode()
def one_by_one(model, images):
    """Embeddings by the model's own parts and our own preprocessing, one input at a time."""
    import transformers

    network = transformers.SiglipModel.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    rows, labels = [], []
    for label, name in enumerate(NAMES):
        for path in sorted((images / name).iterdir()):
            small = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            pixels = torch.from_numpy(np.asarray(small, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)
            rows.append(network.vision_model(pixel_values=pixels[None]).pooler_output[0])
            labels.append(label)
    texts = []
    for name in NAMES.values():
        ids = tokenizer(name)["input_ids"]
        padded = torch.tensor([ids + [tokenizer.pad_token_id] * (12 - len(ids))])
        texts.append(network.text_model(input_ids=padded).pooler_output[0])
    u, v = (torch.nn.functional.normalize(torch.stack(x), dim=1) for x in (rows, texts))
    return u, v, torch.tensor(labels)


def test_store_equals_one_by_one(store, model, images):
    found = pretrained.read_store(store)
    u, v, labels = one_by_one(model, images)
    torch.testing.assert_close(found.images, u, atol=2e-3, rtol=0)  # resizing differs in the last bit of a byte
    torch.testing.assert_close(found.texts["bare"], v, atol=1e-5, rtol=0)
    assert (found.labels == labels).all()
    assert not torch.allclose(found.texts["photo"], found.texts["bare"], atol=1e-3)
    assert found.manifest["inverse_temperature"] == pytest.approx(117.8, rel=1e-5)
    assert found.manifest["bias"] == pytest.approx(12.9, rel=1e-5)  # the code adds its bias, we subtract ours


def test_the_smallest_batches_shards_and_threads_make_the_same_store(store, model, images, tmp_path):
    scanned = pretrained.scan_folder(images)
    small = {"batch_size": 1, "shard_size": 1, "n_threads": 1}
    pretrained.embed(pretrained.load_encoder(model, device="cpu"), scanned, tmp_path / "x", **small)
    expected, found = (pretrained.read_store(folder).images for folder in (store, tmp_path / "x"))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_measures_equal_brute_force(store, model, images):
    found = pretrained.measure_store(pretrained.read_store(store))
    u, v, labels = one_by_one(model, images)
    s = (u @ v.T).double()
    own = torch.nn.functional.one_hot(labels, len(NAMES)).bool()
    assert found.mean.matching == pytest.approx(s[own].mean().item(), abs=1e-3)
    assert found.mean.non_matching == pytest.approx(s[~own].mean().item(), abs=1e-3)
    assert found.extreme.margin == pytest.approx((s[own].min() - s[~own].max()).item() / 2, abs=2e-3)
    assert found.trimmed.non_matching == pytest.approx(s[~own].quantile(0.95).item(), abs=5e-3)
    x = u - v[labels]
    assert found.xi == pytest.approx((x.square().sum(1).mean() - x.mean(0).square().sum()).item(), abs=1e-3)


def test_confusions_are_the_retrieval_failures(store):
    found = pretrained.read_store(store)
    listed = pretrained.confusions(found, most=1000)
    accuracy = pretrained.measure_store(found).retrieval_accuracy
    assert len(listed) == round((1 - accuracy) * len(found.images)) > 0
    s = found.images @ found.texts["bare"].T
    for entry in listed:
        i = found.files.index(entry.file)
        assert entry.own == NAMES[entry.file[:3]] != entry.taken_for
        rival = found.manifest["names"].index(entry.taken_for)
        assert entry.by == pytest.approx((s[i, rival] - s[i, found.labels[i]]).item(), abs=1e-6)
    assert [c.by for c in listed] == sorted((c.by for c in listed), reverse=True)


class Counting:
    """An encoder that counts its images and is interrupted at one batch."""

    def __init__(self, encoder, *, stop_at=None):
        self.encoder, self.stop_at, self.batches = encoder, stop_at, []

    def __getattr__(self, name):
        return getattr(self.encoder, name)

    def images(self, images):
        if len(self.batches) == self.stop_at:
            raise KeyboardInterrupt
        self.batches.append(len(images))
        return self.encoder.images(images)


def test_interrupted_runs_continue(store, model, images, names_file, tmp_path):
    """Stopped in its second shard, the run leaves one whole shard; the next run makes the others only."""
    scanned = pretrained.scan_folder(images, class_names=names_file)
    loaded = pretrained.load_encoder(model, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        pretrained.embed(Counting(loaded, stop_at=2), scanned, tmp_path / "x", batch_size=4, shard_size=7)
    assert [p.name for p in sorted((tmp_path / "x").glob("images-*"))] == ["images-00000.safetensors"]
    with pytest.raises(ValueError, match="incomplete"):
        pretrained.read_store(tmp_path / "x")
    again = Counting(loaded)
    pretrained.embed(again, scanned, tmp_path / "x", batch_size=4, shard_size=7)
    assert sum(again.batches) == len(scanned.files) - 7
    ours, expected = pretrained.read_store(tmp_path / "x"), pretrained.read_store(store)
    torch.testing.assert_close(ours.images, expected.images, atol=1e-6, rtol=0)


def test_a_store_of_something_else_is_refused(store, model, images, tmp_path):
    copy = shutil.copytree(store, tmp_path / "copy")
    with pytest.raises(ValueError, match=r"different: names"):  # folder names instead of the JSON's
        pretrained.embed(
            pretrained.load_encoder(model, device="cpu"), pretrained.scan_folder(images), copy, shard_size=7
        )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest"),
        (lambda f: (f / "manifest.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "texts.safetensors").unlink(), "incomplete"),
        (lambda f: (f / "images-00000.safetensors").write_bytes(b"torn"), "cannot be read"),
        (lambda f: _rewrite(f / "images-00000.safetensors", lambda x: x[:-1]), "shape"),
        (lambda f: _rewrite(f / "images-00000.safetensors", lambda x: x * torch.nan), "unit vectors"),
    ],
)
def test_damaged_stores_are_not_trusted(store, tmp_path, damage, message):
    copy = shutil.copytree(store, tmp_path / "copy")
    damage(copy)
    with pytest.raises(ValueError, match=message):
        pretrained.read_store(copy)


def _rewrite(path, change):
    save_file({"embeddings": change(load_file(path)["embeddings"]).contiguous()}, path)


def test_wrong_embedding_size_is_refused(store, tmp_path):
    found = pretrained.read_store(store)
    manifest = {key: value for key, value in found.manifest.items() if key != "n_images"}
    target = pretrained.Store(tmp_path / "x", manifest, files=found.files, labels=found.labels.tolist())
    with pytest.raises(ValueError, match=r"shape \(7, 32\), got \(7, 31\)"):
        target.write_images(0, torch.zeros(7, 31))


def test_the_command(model, images, names_file, store, tmp_path, capsys):
    arguments = ["embed", str(images), "--store", str(tmp_path), "--model", model, "--quiet", "--device", "cpu"]
    assert command.main([*arguments, "--class-names", str(names_file), "--dtype", "bfloat16"]) == 0
    (folder,) = pretrained.find_stores(tmp_path)
    assert f"18 images of 4 classes in {folder}" in capsys.readouterr().out
    half = pretrained.read_store(folder)
    assert (half.images * pretrained.read_store(store).images).sum(1).min() > 0.99


def test_unreadable_image_is_named(model, images, tmp_path, capsys):
    copy = shutil.copytree(images, tmp_path / "images")
    (copy / "n02" / "0.png").write_bytes(b"not a picture")
    arguments = ["embed", str(copy), "--store", str(tmp_path / "s"), "--model", model, "--device", "cpu"]
    assert command.main([*arguments, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "n02/0.png cannot be read as an image" in error and "Traceback" not in error


def test_folders(tmp_path, images):
    with pytest.raises(ValueError, match="a folder with one subfolder per class"):
        pretrained.scan_folder(tmp_path / "nothing")
    with pytest.raises(ValueError, match="at least 2 class subfolders"):
        pretrained.scan_folder(tmp_path)
    copy = shutil.copytree(images, tmp_path / "images")
    before = pretrained.scan_folder(copy)
    assert before.files[:4] == ("n01/0.png", "n01/1.jpg", "n01/2.webp", "n02/0.png")
    assert before.names == tuple(NAMES) and before.labels[:4] == (0, 0, 0, 1)
    (copy / "n05").mkdir()
    with pytest.raises(ValueError, match="n05 holds no image"):
        pretrained.scan_folder(copy)
    (copy / "n05" / "x.png").write_bytes(b"x")
    assert pretrained.scan_folder(copy).digest != before.digest
    lines = tmp_path / "names.txt"
    lines.write_text("n01 sea urchin\nn02 dog\n\nn03 red fox\n")
    with pytest.raises(ValueError, match="got none for n04, n05"):
        pretrained.scan_folder(copy, class_names=lines)
    assert pretrained.scan_folder(images, class_names=_add(lines, "n04 shark\n")).names[3] == "shark"
    with pytest.raises(ValueError, match=r"no such file: .*nothing\.json"):
        pretrained.scan_folder(images, class_names=tmp_path / "nothing.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"list\.json cannot be read as class_names, a JSON object"):
        pretrained.scan_folder(images, class_names=tmp_path / "list.json")


def _add(path, text):
    path.write_text(path.read_text() + text)
    return path


def test_models_without_a_sigmoid_head(model, tmp_path):
    import transformers

    layers = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config=layers | {"vocab_size": 64}, vision_config=layers | {"image_size": 8, "patch_size": 4}
    )
    folder = shutil.copytree(model, tmp_path / "clip")
    transformers.CLIPModel(config).save_pretrained(folder)
    with pytest.raises(ValueError, match=r"logit_scale and logit_bias, got .*CLIPModel"):
        pretrained.load_encoder(str(folder))


def test_models_of_the_paper_are_taken_at_their_commits(model):
    """Offline, from the cache of downloads; another commit is not there."""
    from huggingface_hub.constants import HF_HUB_CACHE

    name, commit = "google/siglip-base-patch16-224", "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed"
    shutil.copytree(model, Path(HF_HUB_CACHE) / "models--google--siglip-base-patch16-224" / "snapshots" / commit)
    encoder = pretrained.load_encoder(name, device="cpu")
    assert (encoder.name, encoder.revision) == (name, commit)
    with pytest.raises(ValueError, match=rf"cannot be loaded.*hf download {name} --revision 0123 "):
        pretrained.load_encoder(name, revision="0123")


def test_models_that_cannot_be_had(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be loaded.*hf download nobody/nothing --local-dir"):
        pretrained.load_encoder("nobody/nothing")
    with pytest.raises(ValueError, match="cannot be loaded"):
        pretrained.load_encoder(str(tmp_path))
    with pytest.raises(ValueError, match="dtype"):
        pretrained.load_encoder("x", dtype="float64")


def test_missing_dependencies_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"transformers: pip install --editable \"\.\[pretrained\]\""):
        pretrained.load_encoder("google/siglip-base-patch16-224")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"shard_size": 0}, "shard_size"),
        ({"templates": {"none": "a photo"}}, "templates"),
    ],
)
def test_bad_options_of_embed(model, images, tmp_path, options, message):
    loaded = pretrained.load_encoder(model, device="cpu")
    with pytest.raises(ValueError, match=message):
        pretrained.embed(loaded, pretrained.scan_folder(images), tmp_path / "x", **options)
    assert not (tmp_path / "x").exists()


def test_bad_options_of_measuring(store, tmp_path):
    with pytest.raises(ValueError, match="template must be one of bare, photo"):
        pretrained.measure_store(pretrained.read_store(store), template="poem")
    with pytest.raises(ValueError, match="folder of stores"):
        pretrained.find_stores(tmp_path)
    assert pretrained.find_stores(store) == [store] == pretrained.find_stores(store.parent)


@pytest.mark.notebooks
def test_the_chapter_measures_a_store(store, tmp_path, root):
    """From a model to the chapter's records: live ones, of a model that learned nothing."""
    arguments = ["-p", "embeddings_dir", str(store), "-p", "output_dir", str(tmp_path)]
    name = Path(pretrained.read_store(store).manifest["model"]).name
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR", *arguments,
         "-p", "model", name, "notebooks/12_pretrained_siglip.ipynb", str(tmp_path / "out.ipynb")],
        capture_output=True, text=True, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "results" / "12_pretrained_siglip.json").read_text())
    found = {record["id"]: record for record in content["records"]}
    assert found["figure13/confusions"]["source"] == found["figure3/hyperplane"]["source"] == "live"
    assert not any(record["verdict"] == "not tested here" for record in found.values())


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda"])
def test_devices_that_are_not_here_stop_before_loading(device, tmp_path):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("a GPU is here")
    with pytest.raises(ValueError, match=f"device must be cpu or one that works here, got '{device}'"):
        pretrained.load_encoder(str(tmp_path / "nothing"), device=device)


def _cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])


def _lose(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("text_model.head.weight")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"), [(_cut, r"cannot be loaded \(.+\)"), (_lose, r"its weights lack text_model\.head\.weight")]
)
def test_damaged_weights_are_one_line(damage, message, model, tmp_path):
    copy = Path(shutil.copytree(model, tmp_path / "copy"))
    damage(copy)
    with pytest.raises(ValueError, match=message) as error:
        pretrained.load_encoder(str(copy), device="cpu")
    assert "\n" not in str(error.value)


def test_patches_of_variable_size(model, images, tmp_path):
    """SigLIP 2 NaFlex: masks and shapes of the patches reach the model."""
    import transformers

    layers = {"hidden_size": DIM, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = layers | {"vocab_size": 64, "max_position_embeddings": 12, "projection_size": DIM}
    config = transformers.Siglip2Config(text_config=text, vision_config=layers | {"patch_size": 4, "num_patches": 16})
    folder = Path(shutil.copytree(model, tmp_path / "naflex"))
    torch.manual_seed(0)
    network = transformers.Siglip2Model(config)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    network.save_pretrained(folder)
    processor = transformers.Siglip2ImageProcessor(patch_size=4, max_num_patches=16).to_dict()
    processor |= {"image_processor_type": "Siglip2ImageProcessor"}
    both = json.loads((folder / "processor_config.json").read_text())
    both |= {"processor_class": "Siglip2Processor", "image_processor": processor}
    (folder / "processor_config.json").write_text(json.dumps(both))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    loaded = pretrained.load_encoder(str(folder), device="cpu")
    pictures = [Image.new("RGB", (20, 24), "red"), Image.new("RGB", (40, 10), "blue")]
    together = loaded.images(pictures)
    torch.testing.assert_close(together[1:], loaded.images(pictures[1:]), atol=1e-5, rtol=0)
    assert together.shape == (2, DIM) and not torch.allclose(together[0], together[1], atol=1e-3)


def test_models_of_open_clip(images, tmp_path, monkeypatch):
    """The adapter against a stand-in with open_clip's three functions, and without the package."""
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ValueError, match=r"open_clip:ViT/x needs the package open_clip: pip install open_clip_torch"):
        pretrained.load_encoder("open_clip:ViT/x", device="cpu")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.logit_scale, self.logit_bias = (torch.nn.Parameter(torch.tensor(x)) for x in (np.log(50.0), -8.0))
            self.map = torch.nn.Linear(4, DIM)

        def encode_image(self, pixels):
            return self.map(pixels)

        def encode_text(self, tokens):
            return self.map(tokens.float())

    class OpenClip:
        @staticmethod
        def create_model_from_pretrained(name, pretrained):
            assert (name, pretrained) == ("ViT-B-16-SigLIP", "webli")
            return Model(), lambda image: torch.tensor([*image.size, 1.0, 2.0])

        @staticmethod
        def get_tokenizer(name):
            return lambda texts: torch.tensor([[len(text), 1, 2, 3] for text in texts])

    monkeypatch.setitem(sys.modules, "open_clip", OpenClip)
    loaded = pretrained.load_encoder("open_clip:ViT-B-16-SigLIP/webli", device="cpu")
    assert (loaded.inverse_temperature, loaded.bias) == pytest.approx((50.0, 8.0))
    made = pretrained.embed(loaded, pretrained.scan_folder(images), tmp_path / "x", batch_size=4)
    found = pretrained.read_store(made.folder)
    assert found.images.shape == (18, DIM) and found.model == "ViT-B-16-SigLIP-webli"
    assert loaded.texts(["ab"]).shape == (1, DIM)
