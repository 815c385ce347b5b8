from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from apps.core.errors import InvalidInput

MAX_LENGTH = 200_000


class Sort(Enum):
    """What a token is."""

    WORD = auto()
    NUMBER = auto()
    TEXT = auto()
    OPERATOR = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter. `text` is as written; `value` is what stands between the quotes, for texts."""

    sort: Sort
    text: str
    value: str = ""

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in any case."""
        return self.sort is Sort.WORD and self.text.upper() in words


# A word may hold or end in a quoted part, as in `tags."a b"` and `params`.x: keys with blanks are written so.
_QUOTED = r"`[^`]*`|\"[^\"]*\"|'[^']*'"
_TOKENS = re.compile(
    rf"""\s*(?:
      (?P<TEXT>'(?:''|[^'])*'|"(?:""|[^"])*")
    | (?P<NUMBER>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<WORD>(?:`[^`]*`|[^\W\d]\w*)(?:\.(?:{_QUOTED}|[^\s=<>!()'"`,;]+))?|\w+)
    | (?P<OPERATOR><=|>=|!=|<>|==|=|<|>)
    | (?P<MARK>[(),])
    | (?P<END>\Z)
    )""",
    re.VERBOSE,
)


def tokenize(text: str) -> list[Token]:
    """The tokens of a filter, closed by an `END`. Raises `InvalidInput` for what can't be one."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"The filter is too long: at most {MAX_LENGTH} characters are taken.")
    tokens: list[Token] = []
    position = 0
    while not tokens or tokens[-1].sort is not Sort.END:
        match = _TOKENS.match(text, position)
        if match is None:
            raise invalid_clause(text[position : position + 40].strip())
        tokens.append(_token(match))
        position = match.end()
    return tokens


def invalid_clause(*clauses: str) -> InvalidInput:
    """The protocol's error for text that is no comparison."""
    return InvalidInput("Invalid clause(s) in filter string: " + ", ".join(f"'{clause[:100]}'" for clause in clauses))


def _token(match: re.Match[str]) -> Token:
    name = match.lastgroup or "END"
    text = match[name]
    quote = text[:1]
    value = text[1:-1].replace(quote * 2, quote) if name == "TEXT" else ""
    return Token(Sort[name], text, value)
