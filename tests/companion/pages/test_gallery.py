"""The figures as files: every figure of the book is found, has its links and its words."""

import nbformat
import pytest
from PIL import Image

from companion.pages import gallery, pairs, profiles

OPTIONS = {
    "figure": {"name": "fig-x", "caption": "A $b_{rel}$. (Figure 5 of the paper). More.\n"},
    "image": {"alt": "A\nb"},
}


def cell(source='run.show(figure, "mine", note="x")', options=OPTIONS):
    return nbformat.v4.new_code_cell(source, metadata={"mystnb": {key: dict(value) for key, value in options.items()}})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "book").mkdir()
    Image.new("RGB", (2000, 1000)).save(tmp_path / "figures" / "03_mine.png")
    (tmp_path / "figures" / "03_mine.npz").write_bytes(b"")
    return tmp_path / "figures"


def test_a_figure_gets_links_to_the_files_it_has(folder):
    notebook = nbformat.v4.new_notebook(cells=[cell(), cell("run.say('x')"), cell(options={})])
    (figure,) = gallery.figures_of("03_x", notebook, folder)
    assert (figure["stem"], figure["label"], figure["paper"]) == ("03_mine", "fig-x", "Figure 5")
    assert (figure["caption"], figure["alt"]) == ("A $b_{rel}$", "A b")
    caption = notebook.cells[0].metadata["mystnb"]["figure"]["caption"]
    assert (
        'href="../_static/figures/03_mine.png">PNG<' in caption
        and 'href="../_static/figures/03_mine.npz">data<' in caption
    )
    assert "svg" not in caption


@pytest.mark.parametrize(("caption", "shown", "paper"), [
    ("The rate of Theorem 3.2. Left: a curve.", "The rate of Theorem 3.2", ""),
    ("Pairs after training (compare the paper's Figures 7 and 8). More.", None, "compare Figures 7 and 8"),
    ("Ends in the plane of Figure 2 of the paper. More.", None, ""),
    ("Curves of $b$ at d = 3. $x$ is one.", "Curves of $b$ at d = 3", ""),
])  # fmt: skip
def test_a_card_shows_the_first_sentence_and_the_number_in_the_paper(folder, caption, shown, paper):
    options = {"figure": {"name": "fig-x", "caption": caption}}
    (figure,) = gallery.figures_of("03_x", nbformat.v4.new_notebook(cells=[cell(options=options)]), folder)
    assert figure["caption"] == (shown or caption.removesuffix(". More."))
    assert figure["paper"] == paper


def test_files_are_copied_and_pictures_made_small(folder, tmp_path):
    gallery.copy_files(folder, tmp_path / "book")
    assert (tmp_path / "book" / "_static" / "figures" / "03_mine.npz").exists()
    with Image.open(tmp_path / "book" / "thumbnails" / "03_mine.webp") as small:
        assert small.width <= gallery.THUMBNAIL[0]


def test_every_captioned_figure_of_the_book_is_in_the_gallery(root, tmp_path):
    for name in profiles.notebooks(root):
        notebook = pairs.from_text(root / "notebooks" / f"{name}.md")
        captioned = [cell for cell in notebook.cells if "figure" in cell.metadata.get("mystnb", {})]
        assert len(gallery.figures_of(name, notebook, tmp_path)) == len(captioned), name
