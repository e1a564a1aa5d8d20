"""What is wrong with a value: pydantic's errors as one plain sentence that names the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError

from dream_gym.errors import hint, plain, shown

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument", "union_tag_not_found")

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "callable_type": "a function",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "mapping_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dataclass_type": "a mapping of keys",
    "dataclass_exact_type": "a mapping of keys",
    "none_required": "nothing",
    "literal_error": "{expected}",
    "union_tag_invalid": "one of {expected_tags}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "text of {min_length} characters or more",
    "string_too_long": "text of {max_length} characters or fewer",
}
_MANY = 100
_LENGTHS = {
    "too_short": "expected at least {min_length}, got {actual_length}",
    "too_long": "expected at most {max_length}, got more",
}


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault that was found, as ``models.0.rate: expected a number, got nothing``.

    Args:
        error: What pydantic raised.
        model: The class that did not accept the value.
    """
    found = error.errors(include_url=False)[:_MANY]
    first = found[0]
    schema = _Schema(model)
    for item in found:  # a misspelt key is also a missing one, but the former tells the user more
        if item["type"] in _UNKNOWN_KEY and item["loc"][:-1] == first["loc"][:-1]:
            place, known = schema.follow(item["loc"][:-1])
            key = str(item["loc"][-1])
            if key in known:  # of another member of a union
                return f"{_join([*place, key])}: does not go with the other keys there"
            return f"{_join([*place, key])}: no such key; {hint(key, known)}"
    place, _ = schema.follow(first["loc"])
    # A union has an error for each of its members.
    alike = [item for item in found if schema.follow(item["loc"])[0] == place]
    return ": ".join(filter(None, (_join(_full(place, first)), _problem(alike))))


def _problem(alike: list[Any]) -> str:
    first = alike[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind in _MISSING:
        return "is missing"
    if kind in _LENGTHS:
        return _LENGTHS[kind].format(**context)
    if kind not in _EXPECTED:
        return str(first["msg"]).removeprefix("Value error, ")
    known = [item for item in alike if item["type"] in _EXPECTED]
    wanted = [_EXPECTED[item["type"]].format(**item.get("ctx", {})) for item in known]
    value = first["input"]
    if kind == "union_tag_invalid":
        return f"expected {wanted[0]}, got {shown(context['tag'])}"
    text = "the text " if isinstance(value, str) and kind.endswith("_type") else ""
    return f"expected {' or '.join(dict.fromkeys(wanted))}, got {text}{shown(value)}"


def _full(place: list[str | int], error: Any) -> list[str | int]:
    """The place of the field itself, even where pydantic names the place of its parent."""
    kind = error["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return [*place, error["ctx"]["discriminator"].strip("'")]
    return place


def _join(place: list[str | int]) -> str:
    return ".".join(plain(str(part)) for part in place)


class _Schema:
    """The JSON Schema of a class, in which pydantic's places are looked up.

    A place also holds names of members of unions, which no user has written: they are left out.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        try:
            self._root: dict[str, Any] = model.model_json_schema()
        except PydanticUserError:  # something in it has no schema
            self._root = {}

    def follow(self, place: tuple[str | int, ...]) -> tuple[list[str | int], list[str]]:
        """A place as a user sees it, and the keys that are known in it."""
        at: list[dict[str, Any]] = list(self._leaves(self._root))
        seen: list[str | int] = []
        for part in place:
            inner = [found for leaf in at if (found := _inner(leaf, part)) is not None]
            if inner:
                at = [leaf for schema in inner for leaf in self._leaves(schema)]
                seen.append(part)
        return seen, list(dict.fromkeys(name for leaf in at for name in leaf.get("properties", {})))

    def _leaves(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What a schema may stand for."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            yield from self._leaves(self._root["$defs"][name])
        for key in ("anyOf", "oneOf", "allOf"):
            for member in schema.get(key, ()):
                yield from self._leaves(member)
        yield schema


def _inner(schema: dict[str, Any], part: str | int) -> dict[str, Any] | None:
    """The schema of a part; None if there is no such part."""
    if not schema:
        return {}  # anything may be there
    if isinstance(part, int):
        return schema.get("items")
    if part in schema.get("properties", {}):
        return dict(schema["properties"][part])
    others = schema.get("additionalProperties")
    return others if isinstance(others, dict) and part != "[key]" else None
