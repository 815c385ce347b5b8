from __future__ import annotations

from apps.experiments.search.nodes import Comparison, Kind, Node, Op, requirements
from apps.registry.names import PROMPT_TAG


def wants_prompts(node: Node | None) -> bool:
    """Whether a filter is about prompts: the tag decides, as with the protocol's server. Else it is about models."""
    named = [one for one in requirements(node) if is_about_prompts(one)]
    return any((one.op is Op.EQ) == (str(one.value).lower() == "true") for one in named[:1])


def is_about_prompts(one: Comparison) -> bool:
    """Whether a comparison asks for prompts, or for what is none."""
    return one.field.kind is Kind.TAG and one.field.key == PROMPT_TAG and one.op in (Op.EQ, Op.NE)
