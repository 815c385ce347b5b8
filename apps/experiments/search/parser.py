"""Recursive descent over the tokens of a filter.

What the protocol's own server takes keeps its meaning: comparisons joined by AND, which may also lead, trail or be
left out. On top of that come OR, NOT and brackets, with the usual precedence.
"""

from __future__ import annotations

from apps.core.errors import InvalidInput
from apps.experiments.search.grammars import Grammar
from apps.experiments.search.nodes import And, Comparison, Node, Not, Op, Or
from apps.experiments.search.tokens import Sort, Token, invalid_clause, tokenize

MAX_COMPARISONS = 200
MAX_DEPTH = 30
MAX_LIST = 5_000

# `NOT LIKE` and a few more are read as operators only to be refused in the protocol's words.
_WORD_OPERATORS = ("LIKE", "ILIKE", "RLIKE", "REGEXP", "IN")


def parse_filter(text: str, grammar: Grammar) -> Node | None:
    """The tree of a filter; None for an empty one, which matches everything. Raises `InvalidInput`."""
    if not text:
        return None
    if not text.strip():
        raise InvalidInput(f"Invalid filter '{text}'. Could not be parsed.")
    if ";" in text and any(part.strip() for part in _unquoted_parts(text)[1:]):
        raise InvalidInput(
            f"Search filter contained multiple expression '{text[:500]}'. Provide AND-ed expression list."
        )
    return _Parser(tokenize(text), grammar).whole()


class _Parser:
    def __init__(self, tokens: list[Token], grammar: Grammar) -> None:
        self.tokens = tokens
        self.grammar = grammar
        self.position = 0
        self.depth = 0
        self.count = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.now
        self.position += token.sort is not Sort.END
        return token

    def whole(self) -> Node:
        node = self.either()
        if self.now.sort is not Sort.END:
            raise invalid_clause(self.now.text)
        return node

    def either(self) -> Node:
        parts = [self.all_of()]
        while self.now.is_word("OR"):
            self.take()
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self) -> Node:
        parts: list[Node] = []
        while True:
            while self.now.is_word("AND"):
                self.take()
            if self.now.sort is Sort.END or self.now.text == ")" or self.now.is_word("OR"):
                break
            parts.append(self.negated())
        if not parts:
            raise invalid_clause(self.now.text or "AND")
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negated(self) -> Node:
        if self.now.is_word("NOT"):
            self.take()
            self.deeper()
            node: Node = Not(self.negated())
            self.depth -= 1
            return node
        return self.bracketed() if self.now.text == "(" else self.comparison()

    def bracketed(self) -> Node:
        self.take()
        self.deeper()
        node = self.either()
        if self.take().text != ")":
            raise InvalidInput("Invalid filter string: a bracket is not closed.")
        self.depth -= 1
        return node

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidInput(f"Invalid filter string: nested more than {MAX_DEPTH} deep.")

    def comparison(self) -> Comparison:
        self.count += 1
        if self.count > MAX_COMPARISONS:
            raise InvalidInput(f"Invalid filter string: more than {MAX_COMPARISONS} comparisons.")
        left = self.take()
        operator = self.operator(left)
        if left.sort is not Sort.WORD:
            raise InvalidInput(f"Invalid comparison clause. Expected 'Identifier' found '{left.text[:100]}'")
        if operator in (Op.IS_NULL, Op.IS_NOT_NULL):
            return self.grammar.null_check(left.text, Op(operator))
        if self.now.text == "(":
            return self.grammar.list_comparison(left.text, operator, self.list_of_texts())
        return self.grammar.comparison(left.text, operator, self.value(left, operator))

    def value(self, left: Token, operator: str) -> Token:
        token = self.take()
        if token.sort not in (Sort.TEXT, Sort.NUMBER, Sort.WORD) or operator in (Op.IN, Op.NOT_IN):
            raise invalid_clause(left.text, operator, token.text)
        return token

    def operator(self, left: Token) -> str:
        token = self.take()
        if token.sort is Sort.OPERATOR:
            return token.text
        if token.is_word("IS"):
            return self.null_operator()
        prefix = ""
        if token.is_word("NOT"):
            prefix, token = "NOT ", self.take()
        if not token.is_word(*_WORD_OPERATORS):
            raise invalid_clause(left.text, token.text)
        return prefix + token.text.upper()

    def null_operator(self) -> str:
        negated = self.now.is_word("NOT")
        if negated:
            self.take()
        if not self.take().is_word("NULL"):
            raise InvalidInput("Invalid comparison clause. Expected 'NULL' or 'NOT NULL' after 'IS'")
        return Op.IS_NOT_NULL if negated else Op.IS_NULL

    def list_of_texts(self) -> list[Token]:
        self.take()
        items: list[Token] = []
        while self.now.text != ")":
            items.append(self.take())
            if items[-1].sort not in (Sort.TEXT, Sort.NUMBER, Sort.WORD) or len(items) > MAX_LIST:
                raise InvalidInput(f"Invalid list in filter string: expected at most {MAX_LIST} quoted values")
            if self.now.text == ",":
                self.take()
            elif self.now.text != ")":
                raise InvalidInput("Invalid list in filter string: expected a comma or a closing bracket")
        self.take()
        return items


def _unquoted_parts(text: str) -> list[str]:
    """The text cut at the semicolons that stand outside of quotes."""
    parts, quote = [""], ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == ";":
            parts.append("")
            continue
        parts[-1] += character
    return parts
