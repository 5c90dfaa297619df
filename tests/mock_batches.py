"""The batch endpoints of the mock: files and batches, with answers in shuffled order."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.mock_answers import Endpoint


class Batches:
    """Files and batches held in memory."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.created = threading.Event()

    def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Answer one request of the batch API."""
        path = path.partition("?")[0].removeprefix("/v1")
        if method == "POST" and path == "/files":
            return self.upload(headers, body)
        if method == "GET" and path.startswith("/files/") and path.endswith("/content"):
            return 200, self.files[path.split("/")[2]]
        if method == "POST" and path == "/batches":
            return self.create(json.loads(body))
        if method == "GET" and path == "/batches":
            data = list(self.batches.values())
            return 200, json.dumps({"object": "list", "data": data, "has_more": False}).encode()
        if method == "GET" and path.startswith("/batches/"):
            return self.poll(path.split("/")[2])
        return 404, b'{"error": {"message": "no such path"}}'

    def upload(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        boundary = headers["content-type"].partition("boundary=")[2].encode()
        for part in body.split(b"--" + boundary):
            head, _, content = part.partition(b"\r\n\r\n")
            if b'name="file"' in head:
                name = f"file-{len(self.files)}"
                self.files[name] = content.removesuffix(b"\r\n")
                return 200, json.dumps(
                    {
                        "id": name,
                        "object": "file",
                        "bytes": len(content),
                        "created_at": 1,
                        "filename": "batch.jsonl",
                        "purpose": "batch",
                        "status": "processed",
                    }
                ).encode()
        return 400, b"{}"

    def create(self, request: dict[str, Any]) -> tuple[int, bytes]:
        name = f"batch_{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": request["endpoint"],
            "input_file_id": request["input_file_id"],
            "completion_window": "24h",
            "created_at": 1,
            "status": "in_progress",
            "metadata": request.get("metadata"),
            "output_file_id": None,
            "error_file_id": None,
        }
        self.polls[name] = 0
        self.created.set()
        return 200, json.dumps(self.batches[name]).encode()

    def poll(self, name: str) -> tuple[int, bytes]:
        batch = self.batches[name]
        self.polls[name] += 1
        if batch["status"] == "in_progress" and (
            self.polls[name] > self.endpoint.behaviour.batch_polls
        ):
            self.finish(name)
        return 200, json.dumps(batch).encode()

    def finish(self, name: str) -> None:
        """Answer the lines, in another order than they were asked in."""
        behaviour = self.endpoint.behaviour
        batch = self.batches[name]
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        draw = random.Random(name)
        draw.shuffle(lines)
        good, bad = [], []
        for line in lines:
            if draw.random() < behaviour.batch_lost_share:
                continue
            body = json.dumps(line["body"]).encode()
            tally = self.endpoint.tally
            tally.calls += 1
            tally.by_content[hashlib.sha256(body).hexdigest()[:16]] += 1
            if draw.random() < behaviour.batch_error_share:
                error = {"error": {"message": "try again"}}
                bad.append(_line(line["custom_id"], 500, error))
                continue
            tally.answered += 1
            good.append(_line(line["custom_id"], 200, json.loads(self.endpoint.completion(body))))
        batch["status"] = "expired" if behaviour.batch_lost_share else "completed"
        for field, rows in (("output_file_id", good), ("error_file_id", bad)):
            if rows:
                batch[field] = f"file-{len(self.files)}"
                self.files[batch[field]] = "\n".join(json.dumps(row) for row in rows).encode()


def _line(custom_id: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"req_{custom_id[:8]}",
        "custom_id": custom_id,
        "response": {"status_code": status, "request_id": "r", "body": body},
        "error": None,
    }
