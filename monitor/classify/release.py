"""A release on disk: adapters and heads in fp16, and a card that says what they were made of and for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.classify.base import Base, base_folder, digest, load_base
from monitor.codebook import codebook
from monitor.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from monitor.classify.model import Classifier

RELEASE = Path(__file__).parent / "weights" / "release"
WEIGHTS, CARD = "model.safetensors", "card.json"
_AGAIN = "Install the package again, or train a release: monitor train"


def find(name: str = "") -> Path:
    """The folder of a release: the shipped one, a folder, or one fetched from the hub.

    Raises:
        ModelError: neither a folder nor a repository of the hub that can be reached.
    """
    folder = Path(name) if name else RELEASE
    if not name or folder.exists():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=[WEIGHTS, CARD]))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise ModelError(
            f"There is no folder '{name}', and the hub gave none: {error}", "Check [classifier] model and the network."
        ) from None


def read_card(folder: Path = RELEASE) -> dict[str, Any]:
    """The card of a release, checked against the codebook of this program.

    Raises:
        ModelError: no card, or made for another codebook.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
        made_for = card["codebook"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"An encoder without heads cannot score; train some on it with monitor train --base. {_AGAIN}"
        raise ModelError(f"{folder} holds no release of a classifier: {error!r}", hint) from None
    if made_for != codebook().version:
        raise ModelError(f"{folder} was trained for codebook {made_for}, this program has {codebook().version}", _AGAIN)
    return card


def load_release(folder: Path = RELEASE) -> tuple[Classifier, Base, dict[str, Any]]:
    """The network, merged and ready to score, with its base and card.

    Raises:
        ModelError: files are missing or damaged, or made for another codebook or base.
    """
    card = read_card(folder)
    base = load_base(card["base"]["name"])
    if base.digest != card["base"]["digest"]:
        raise ModelError(f"{folder} was trained on another base than the one installed", _AGAIN)
    return load_weights(folder, base, card), base, card


def check_base(folder: Path, card: dict[str, Any]) -> None:
    """Refuse a release of another base than the one installed; one that comes from the hub is taken as it is.

    Raises:
        ModelError: the base is missing, or is another one.
    """
    place = base_folder(card["base"]["name"])
    if place is not None and digest(place) != card["base"]["digest"]:
        raise ModelError(f"{folder} was trained on another base than the one installed", _AGAIN)


def load_weights(folder: Path, base: Base, card: dict[str, Any]) -> Classifier:
    """Adapters and heads of a release on a base that was loaded already."""
    from monitor.classify.model import Classifier, merge

    model, weights = Classifier(base, card["recipe"]["rank"]), read_weights(folder)
    needed = {name for name, value in model.named_parameters() if value.requires_grad}
    try:
        if set(weights) != needed:
            raise ValueError(f"{len(set(weights) ^ needed)} tensors are missing or unknown")
        model.load_state_dict(weights, strict=False)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged: {error}", _AGAIN) from None
    merge(model)
    return model.eval()


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Adapters and heads as they lie on disk.

    Raises:
        ModelError: the file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / WEIGHTS)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged: {error}", _AGAIN) from None


def save_weights(model: Classifier, folder: Path) -> None:
    """Write adapters and heads; the model must not be merged yet."""
    from safetensors.torch import save_file

    from monitor.classify.model import trained

    folder.mkdir(parents=True, exist_ok=True)
    save_file(trained(model), folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone


def save_card(folder: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Write the card, with the id that every score of this release carries."""
    weights = hashlib.sha256((folder / WEIGHTS).read_bytes())
    weights.update(json.dumps([card["base"]["digest"], card["temperatures"]]).encode())
    whole = {"model_id": f"{card['name']}-{weights.hexdigest()[:12]}"} | card
    (folder / CARD).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return whole
