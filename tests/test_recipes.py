"""The recipes of ``book/recipes.md`` against the real packages, where they are installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from constellations import sphere
from constellations.losses import SigmoidLoss

PAGE = Path(__file__).parents[1] / "book" / "recipes.md"
WORDS = [f"{size} {animal}" for size in ("small", "large", "old", "young") for animal in ("cat", "dog", "fox", "owl")]


def recipe(package: str, **names: Any) -> dict[str, Any]:
    """The page's example for a package, run with what the reader brings."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (block,) = [block for block in blocks if re.search(rf"^(import|from) {package}\b", block, flags=re.MULTILINE)]
    exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    return names


def test_open_clip() -> None:
    """The same value and gradients where float32 has the digits."""
    package = pytest.importorskip("open_clip.loss")
    u, v = (sphere.random_points(24, 8, seed=0, stream=k).float().requires_grad_() for k in (0, 1))
    made = recipe("open_clip", image_embeddings=u, text_embeddings=v)["ExactSigLipLoss"]()
    scalars = torch.tensor(10.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    ours, theirs = (loss(u, v, *scalars, output_dict=True) for loss in (made, package.SigLipLoss()))
    assert ours.keys() == theirs.keys()
    (one,), (other,) = ours.values(), theirs.values()
    torch.testing.assert_close(one, other)
    inputs = u, v, *scalars
    torch.testing.assert_close(torch.autograd.grad(one, inputs), torch.autograd.grad(other, inputs))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sentence_transformers(tmp_path: Path) -> None:
    """Training by the package's own trainer separates the pairs, moves both scalars and logs what was evaluated."""
    package = pytest.importorskip("sentence_transformers")
    datasets, _ = pytest.importorskip("datasets"), pytest.importorskip("accelerate")
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: k for k, word in enumerate(["?", *{word for pair in WORDS for word in pair.split()}, "a", "the"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    model = package.SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu")
    pairs = {"first": [f"a {pair}" for pair in WORDS], "second": [f"the {pair}" for pair in WORDS]}
    made = recipe("sentence_transformers", sentence_model=model, first_sentences=pairs["first"],
                  second_sentences=pairs["second"])  # fmt: skip
    loss, evaluator = made["SentenceSigmoidLoss"](model), made["MarginEvaluator"](*pairs.values())
    arguments = package.SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), max_steps=60, per_device_train_batch_size=16, learning_rate=0.1, report_to="none",
        eval_strategy="steps", eval_steps=60, save_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    before = evaluator(model)
    trainer = package.SentenceTransformerTrainer(
        model, arguments, train_dataset=datasets.Dataset.from_dict(pairs), loss=loss, evaluator=evaluator
    )
    trainer.train()
    (logged,) = [entry for entry in trainer.state.log_history if "eval_margin" in entry]
    assert logged["eval_retrieval"] >= before["retrieval"] and logged["eval_mean_margin"] > before["mean_margin"]
    assert all(value != start for value, start in zip(loss.loss.to_siglip().values(), (2.302585, -10.0), strict=True))


class Towers(torch.nn.Module):
    """Two linear towers for a Trainer, with their loss inside."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.text, self.loss = torch.nn.Linear(6, 4), torch.nn.Linear(5, 4), SigmoidLoss()

    def forward(self, images: torch.Tensor, texts: torch.Tensor) -> dict[str, torch.Tensor]:
        points = self.image(images), self.text(texts)
        return {"loss": self.loss(*(torch.nn.functional.normalize(x, dim=-1) for x in points))}


def test_transformers(tmp_path: Path) -> None:
    """Every line of the log has the scalars, in the history and for the callbacks that follow."""
    transformers, _ = pytest.importorskip("transformers"), pytest.importorskip("accelerate")

    written = []

    class Writer(transformers.TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            written.append(dict(logs))

    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), max_steps=4, logging_steps=2, per_device_train_batch_size=8, report_to="none",
        save_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    data = [{"images": torch.randn(6), "texts": torch.randn(5)} for _ in range(32)]
    callbacks = [recipe("transformers")["MonitorCallback"](), Writer()]
    trainer = transformers.Trainer(model=Towers(), args=arguments, train_dataset=data, callbacks=callbacks)
    trainer.train()
    for entries in (trainer.state.log_history[:2], written[:2]):
        assert len(entries) == 2 and all(-1 <= entry["margin"] <= 1 and entry["wrong_rows"] <= 1 for entry in entries)
