"""Client of Pinot's controller: schemas, tables, segments and health, over HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from stream.pinot import OPEN, PinotAuth, ask, checked, query, request, trouble, unreachable, without_password

PROBE_SECONDS = 5.0


def http_trouble(url: str, pinot_auth: PinotAuth = OPEN) -> str | None:
    """Return why `url` does not respond successfully, or None if it does.

    Raises:
        PinotError: it rejects the credentials.
    """
    try:
        answer = request("GET", url, pinot_auth=pinot_auth, timeout=PROBE_SECONDS)
    except httpx.HTTPError as error:
        return unreachable(url, error)
    return None if answer.is_success else f"{without_password(url)} returned {answer.status_code}"


def query_trouble(
    broker: str, table: str, pinot_auth: PinotAuth = OPEN, columns: Iterable[str] = ()
) -> str | None:
    """Return why a query on `table` through `broker` (a URL) fails, or None if it works.

    With `columns` it selects them: an older segment lacks new columns until it is reloaded.

    Raises:
        PinotError: the broker rejects the credentials.
    """
    try:
        what = ", ".join(f'"{column}"' for column in columns) or "count(*)"
        sql = f"select {what} from {table} limit 1"  # noqa: S608 - the names are ours
        found = query(broker, sql, pinot_auth, patience=PROBE_SECONDS)
    except (httpx.HTTPError, ValueError) as error:
        return unreachable(broker, error)
    if not found["exceptions"] and found.get("numSegmentsPrunedInvalid"):
        return f"{found['numSegmentsPrunedInvalid']} of its segments do not have its newest columns yet"
    return trouble(found) or None


class Cluster:
    """The cluster whose controller is at `controller` (a URL).

    Every method raises PinotError if the controller rejects the request or is unreachable.
    """

    def __init__(self, controller: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._controller = controller
        self._auth = pinot_auth

    def schema(self, name: str) -> dict[str, Any] | None:
        """Return Pinot's copy of a schema, or None."""
        return self._get(f"/schemas/{name}")

    def put_schema(self, schema: Mapping[str, Any]) -> None:
        """Create or replace a schema."""
        self._put("/schemas", schema["schemaName"], schema)

    def table(self, name: str) -> dict[str, Any] | None:
        """Return Pinot's copy of a table's config, or None."""
        answer = self._get(f"/tables/{name}") or {}
        return answer.get("REALTIME") or answer.get("OFFLINE")

    def put_table(self, config: Mapping[str, Any]) -> None:
        """Create or replace a table's config."""
        self._put("/tables", config["tableName"], config)

    def delete_table(self, name: str) -> bool:
        """Delete a table with its segments; return whether it existed. Servers drop segments later."""
        return self._delete(f"/tables/{name}", retention="0d")

    def delete_schema(self, name: str) -> bool:
        """Delete a schema; return whether it existed."""
        return self._delete(f"/schemas/{name}")

    def traces(self, table: str) -> str | None:
        """Return what remains of a deleted table, or None."""
        if self.table(table) is not None:
            return "its config still exists"
        view = self._get(f"/tables/{table}/externalview") or {}
        return "servers still have its segments" if any(kind is not None for kind in view.values()) else None

    def reload(self, table: str) -> None:
        """Reload the existing segments with the newest schema and config."""
        self._send("POST", f"/segments/{table}/reload")

    def consumers(self, table: str) -> dict[str, list[dict[str, Any]]]:
        """Return the consumers' states on each server, by consuming segment of a REALTIME table."""
        answer = self._read(f"/tables/{table}/consumingSegmentsInfo")
        found: dict[str, list[dict[str, Any]]] = answer["_segmentToConsumingInfoMap"]
        return found

    def contents(self, table: str) -> dict[str, dict[str, Any]]:
        """Return each segment's metadata on the servers: `totalDocs`, and offsets (strings) if committed."""
        return self._read(f"/segments/{table}/metadata")

    def segment(self, table: str, segment: str) -> dict[str, str]:
        """Return the controller's metadata of a segment, with status and start offset."""
        return self._read(f"/segments/{table}/{segment}/metadata")

    def begin_new_segments(self, table: str) -> None:
        """Commit a REALTIME table's consuming segments and start new ones; this takes a while."""
        self._send("POST", f"/tables/{table}/forceCommit")

    def segments(self, table: str) -> list[str]:
        """Return the names of the table's segments."""
        answer = self._send("GET", f"/segments/{table}").json()
        return [name for kind in answer for names in kind.values() for name in names]

    def delete_segment(self, table: str, segment: str) -> None:
        """Delete a segment of an OFFLINE table."""
        self._send("DELETE", f"/segments/{table}/{segment}", params={"type": "OFFLINE"})

    def _put(self, path: str, name: str, content: Mapping[str, Any]) -> None:
        if self._get(f"{path}/{name}"):
            self._send("PUT", f"{path}/{name}", json=content)
        else:
            self._send("POST", path, json=content)

    def _delete(self, path: str, **parameters: str) -> bool:
        answer = self._ask("DELETE", path, params=parameters)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        checked(answer)
        return True

    def _get(self, path: str) -> dict[str, Any] | None:
        answer = self._ask("GET", path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, Any] = checked(answer).json()
        return found

    def _read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._send("GET", path).json()
        return found

    def _send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return checked(self._ask(method, path, **rest))

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        return ask(method, self._controller, path, pinot_auth=self._auth, **rest)
