"""The pages' texts by language; every language has every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.pages.translations import en, zh

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {"zh": zh.TEXTS, "en": en.TEXTS}
DEFAULT = "zh"


class Texts:
    """Texts in one language: `texts("key", name=value)`; under the policy general the wording `key.general`, if any."""

    def __init__(self, language: str, policy: str = "licence") -> None:
        self.language = language if language in LANGUAGES else DEFAULT
        self.other = "en" if self.language == "zh" else "zh"
        own = LANGUAGES[self.language]
        general = {key: own[f"{key}.general"] for key in own if f"{key}.general" in own}
        self._texts = {**own, **general} if policy == "general" else own

    def __call__(self, key: str, **values: object) -> str:
        """Return the text with its places filled; values are put in once and never read as templates."""
        text = self._texts[key]
        return text.format_map(values) if values else text

    def joined(self, *sentences: str) -> str:
        """Return sentences one after the other, empty ones left out."""
        return ("" if self.language == "zh" else " ").join(filter(None, sentences))


_ALL = {
    (language, policy): Texts(language, policy) for language in LANGUAGES for policy in ("licence", "general")
}


def texts_in(language: str, policy: str) -> Texts:
    """Return the texts in a language, or in the default one if it is none of ours."""
    return _ALL[language if language in LANGUAGES else DEFAULT, policy]
