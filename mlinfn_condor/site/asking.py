"""The dozen questions of `mlinfn site new`: what is asked, what an answer must be, which answer is offered."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlinfn_condor.site.first_file import Answers

Convert = Callable[[str], Any]
MODELS_LIKE = "T4=8, A100=2"


def matching(pattern: str, wanted: str) -> Convert:
    """Answers of this form. The converter raises ValueError with what is wanted."""

    def convert(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"wanted is {wanted}")
        return text

    return convert


def words(text: str) -> tuple[str, ...]:
    """Names with commas between. Raises ValueError."""
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found or not all(re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", word) for word in found):
        raise ValueError("wanted are names of small letters, digits, - and _, with commas between")
    return found


def counts(text: str) -> dict[str, int]:
    """`T4=8, A100=2`; nothing for none. Raises ValueError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        model, equals, count = part.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", model.strip()) or not count.strip().isdigit():
            raise ValueError(f"wanted is {MODELS_LIKE}, or nothing")
        found[model.strip()] = int(count)
    return found


@dataclass(frozen=True)
class Question:
    """One field of Answers."""

    field: str
    ask: str
    convert: Convert
    empty: bool = False
    """Whether nothing is an answer too."""

    @property
    def offered(self) -> str:
        """What stands there already."""
        value = getattr(Answers(), self.field)
        if isinstance(value, dict):
            return ", ".join(f"{model}={count}" for model, count in value.items())
        return ", ".join(value) if isinstance(value, tuple) else value

    def answer(self, text: str) -> Any:
        """The answer. Raises ValueError with what is wanted."""
        text = text.strip()
        if not text and not self.empty:
            raise ValueError("an answer is needed")
        return self.convert(text) if text or self.field == "gpus" else text


_HOST = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
QUESTIONS = (
    Question("name", "Short name of the site", matching(r"[a-z][a-z0-9-]{0,15}", "up to 16 small letters, digits, -")),
    Question("public", "Address that users will open", matching(rf"https://{_HOST}(:\d+)?/?", "https:// and a name")),
    Question("domain", "Domain of the pool (stays for ever)", matching(_HOST, "a domain: ml.example.org")),
    Question("projects", "Projects, with commas between", words),
    Question("issuer", "Identity provider (- for none)", matching(r"-|https://\S+", "https://… or -"), empty=True),
    Question("client_id", "What the provider calls this hub", matching(r"\S+", "one word")),
    Question(
        "namespace", "Namespace in Kubernetes", matching(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "small letters, digits, -")
    ),
    Question(
        "storage_class",
        "Storage class (- for the cluster's default)",
        matching(r"-|[a-z0-9.-]+", "its name or -"),
        empty=True,
    ),
    Question(
        "registry",
        "Where the product's images lie",
        matching(r"[a-z0-9][a-z0-9.:/-]*[a-z0-9]", "registry.example.org/mlinfn"),
    ),
    Question("version", "Which version of them", matching(r"\d[A-Za-z0-9._-]*", "a version: 0.1.0")),
    Question(
        "nfs",
        "NFS of the homes: SERVER:/PATH, or a free service address for a server in the cluster",
        matching(r"[A-Za-z0-9.-]+:/\S*|\d{1,3}(\.\d{1,3}){3}", "nfs.example.org:/homes, or 10.96.0.49"),
    ),
    Question("gpus", f"GPUs of one machine of each sort ({MODELS_LIKE})", counts, empty=True),
)


def collect(ask: Callable[[str, str], str], complain: Callable[[str], None]) -> Answers:
    """Ask all of them; who answers otherwise than wanted is told so, and asked again."""
    given: dict[str, Any] = {}
    for question in QUESTIONS:
        while question.field not in given:
            try:
                answer = question.answer(ask(question.ask, question.offered))
            except ValueError as error:
                complain(str(error))
            else:
                given[question.field] = "" if answer == "-" else answer
    return Answers(**given)
