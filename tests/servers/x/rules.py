"""The rules of the filtered stream: GET and POST /2/tweets/search/stream/rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.servers.x import query
from tests.servers.x.clock import Clock
from tests.servers.x.posts import XPost, iso, snowflake
from tests.servers.x.problem import PROBLEMS, Problem, invalid
from tests.servers.x.search import known

RULES, RULE_LENGTH = 1_000, 1_024


@dataclass(frozen=True, slots=True)
class Rule:
    """A query that the stream is filtered by."""

    id: str
    value: str
    tag: str | None

    def payload(self) -> dict[str, str]:
        return {"id": self.id, "value": self.value} | ({} if self.tag is None else {"tag": self.tag})


class Rules:
    """The rules of the one app; ``most`` and ``longest`` may be changed."""

    def __init__(self, clock: Clock) -> None:
        self.most, self.longest = RULES, RULE_LENGTH
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Rule]:
        with self._lock:
            return list(self._rules.values())

    def put(self, value: str, tag: str | None = None) -> Rule:
        """Set a rule without a request, as an operator did before the test begins."""
        query.parse(value)
        rule = Rule(snowflake(self._clock.now()), value, tag)
        with self._lock:
            self._rules[rule.id] = rule
        return rule

    def matching(self, post: XPost, look_up: Callable[[str], XPost | None]) -> list[Rule]:
        return [r for r in self.all() if query.matches(query.parse(r.value), post, look_up, "stream")]

    def get(self, params: Mapping[str, str]) -> dict[str, Any]:
        known(params, {"ids", "max_results", "pagination_token"})
        wanted = set(params["ids"].split(",")) if "ids" in params else None
        rules = [rule.payload() for rule in self.all() if wanted is None or rule.id in wanted]
        meta = {"sent": iso(self._clock.now()), "result_count": len(rules)}
        return {"data": rules, "meta": meta} if rules else {"meta": meta}

    def change(self, params: Mapping[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        """Add or delete; with ``dry_run`` only tell what would come of it."""
        known(params, {"dry_run"})
        is_dry = params.get("dry_run", "false").lower() == "true"
        if isinstance(body, dict) and isinstance(body.get("add"), list) and body["add"] and body.keys() == {"add"}:
            return 201, self._add(body["add"], is_dry)
        if isinstance(body, dict) and isinstance(body.get("delete"), dict) and body.keys() == {"delete"}:
            return 200, self._delete(body["delete"], is_dry)
        raise invalid("The request must hold one of 'add' and 'delete'.")

    def _add(self, wanted: list[dict[str, str]], is_dry: bool) -> dict[str, Any]:
        with self._lock:
            if len(self._rules) + len(wanted) > self.most:
                raise _too_many(self.most)
            after = dict(self._rules)
            added: list[Rule] = []
            errors: list[dict[str, Any]] = []
            for given in wanted:
                error = self._refusal(given.get("value", ""), after)
                if error is not None:
                    errors.append(error)
                    continue
                rule = Rule(snowflake(self._clock.now()), given["value"], given.get("tag"))
                after[rule.id] = rule
                added.append(rule)
            if not is_dry:
                self._rules = after
        invalid_count = sum(error["title"] == "UnprocessableEntity" for error in errors)
        summary = {"created": len(added), "not_created": len(errors)}
        summary |= {"valid": len(wanted) - invalid_count, "invalid": invalid_count}
        return self._answer(summary, [rule.payload() for rule in added], errors)

    def _refusal(self, value: str, rules: Mapping[str, Rule]) -> dict[str, Any] | None:
        """The error for a rule that cannot be added; rules are the same when their values are, whatever the tags."""
        twin = next((rule for rule in rules.values() if rule.value == value), None)
        if twin is not None:
            return {"value": value, "id": twin.id, "title": "DuplicateRule", "type": f"{PROBLEMS}duplicate-rules"}
        try:
            if len(value) > self.longest:
                raise query.BadQuery(f"Rule is longer than {self.longest} characters")
            query.parse(value)
        except query.BadQuery as error:
            details = {"details": [str(error)], "type": f"{PROBLEMS}invalid-rules"}
            return {"value": value, "title": "UnprocessableEntity"} | details
        return None

    def _delete(self, given: dict[str, list[str]], is_dry: bool) -> dict[str, Any]:
        with self._lock:
            ids = {str(rule_id) for rule_id in given.get("ids", [])}
            ids |= {rule.id for rule in self._rules.values() if rule.value in given.get("values", [])}
            there = ids & self._rules.keys()
            if not is_dry:
                self._rules = {rule_id: rule for rule_id, rule in self._rules.items() if rule_id not in there}
        errors = [_no_such_rule(rule_id) for rule_id in sorted(ids - there)]
        return self._answer({"deleted": len(there), "not_deleted": len(errors)}, [], errors)

    def _answer(self, summary: dict[str, int], data: list[Any], errors: list[Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"meta": {"sent": iso(self._clock.now()), "summary": summary}}
        return body | ({"data": data} if data else {}) | ({"errors": errors} if errors else {})


def _no_such_rule(rule_id: str) -> dict[str, Any]:
    told = invalid("Rule does not exist", id=rule_id)
    return told.body


def _too_many(most: int) -> Problem:
    detail = f"You have reached the maximum number of {most} rules."
    return Problem(422, {"title": "RulesCapExceeded", "detail": detail, "type": f"{PROBLEMS}rule-cap", "status": 422})
