"""One attempt over the wire, by the `openai` client with its own retries off.

The client is imported and built at the first attempt: a run that finds all its answers in the
ledger needs neither the library nor a key.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.addresses import hide_key, is_key, is_loopback
from pipeline.errors import OfflineError, PipelineError
from pipeline.llm.answer import MOST_BYTES
from pipeline.llm.budget import usage_of
from pipeline.llm.chat import BROKEN, Request, parse_chat
from pipeline.llm.rate_limit import retry_after_s
from pipeline.llm.role import Role
from pipeline.llm.transport import AttemptFailedError, Completion

if TYPE_CHECKING:
    import openai

    from pipeline.llm.local_server import LocalServer

# What a server that checks no key is sent; the client insists on one.
NO_KEY = "none"
MAX_DETAIL = 300


class EndpointRefusedError(PipelineError):
    """The endpoint will refuse every call of this run: wrong key, model, or address."""


class OpenAITransport:
    """Sends requests of one role to one endpoint."""

    path = "/chat/completions"

    def __init__(self, role: Role, base_url: str, *, server: LocalServer | None = None) -> None:
        """Take the endpoint of `role`, or a `server` of this machine with its own key."""
        self.role = role
        self.base_url = base_url
        self._server = server
        self._key = server.key if server else read_key(role)
        self._client = self._connect()

    def _connect(self) -> openai.AsyncOpenAI:
        host = urlsplit(self.base_url).hostname or ""
        if os.environ.get("DISTILLERY_OFFLINE") == "1" and not is_loopback(host):
            raise OfflineError(
                f"DISTILLERY_OFFLINE=1 is set and the role's endpoint is {host}\n"
                "Unset it, or use engine embedded or recorded."
            )
        import httpx2
        import openai

        from pipeline.llm.bounded_client import BoundedClient

        # A redirect could carry prompts to a host that nobody named; a proxy has no business
        # between this machine and itself.
        options: dict[str, Any] = {
            "follow_redirects": False,
            "trust_env": not is_loopback(host),
        }
        if self._server is not None:
            options["transport"] = httpx2.AsyncHTTPTransport(uds=str(self._server.socket))
        if options["trust_env"]:
            _check_proxies()
        try:
            http_client = BoundedClient(self.most_bytes, **options)
        except (ValueError, ImportError, httpx2.InvalidURL):
            raise EndpointRefusedError(_BAD_PROXY) from None
        client = openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self._key or NO_KEY,
            max_retries=0,
            timeout=self.role.pace.timeout_s,
            http_client=http_client,
        )
        # It fills these from OPENAI_… variables, which are meant for one provider, and would send
        # them to any. The endpoint gets what the role names.
        client.organization = client.project = client.admin_api_key = client.webhook_secret = None
        client._custom_headers = {}
        return client

    @property
    def most_bytes(self) -> int:
        """The longest answer that is read."""
        return MOST_BYTES

    @property
    def client(self) -> openai.AsyncOpenAI:
        """The client, for the batch API."""
        return self._client

    async def send(self, request: Request) -> Completion:
        """Send one attempt; raises AttemptFailedError, or EndpointRefusedError to end the run."""
        import httpx2
        import openai

        failure: AttemptFailedError | EndpointRefusedError
        try:
            # The client's timeout is per chunk; a slow drip would never meet it.
            async with asyncio.timeout(self.role.pace.timeout_s):
                response = await self._client.post(
                    self.path, cast_to=httpx2.Response, content=request.content
                )
        except (TimeoutError, openai.APITimeoutError):
            failure = AttemptFailedError(
                "timeout", f"no whole answer in {self.role.pace.timeout_s} s", is_overload=True
            )
        except openai.APIStatusError as error:
            failure = self._refused(error)
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            said = self.redacted(_cause(error))[:MAX_DETAIL]
            failure = AttemptFailedError("connection", said)
        else:
            return self.completion(response.text)
        # Raised here, so that no traceback leads to the client's error, which repeats the
        # endpoint's words as they came.
        raise failure

    def completion(self, raw: str) -> Completion:
        """Read an answer's body; raises AttemptFailedError if it is no chat completion."""
        raw = self.redacted(raw)
        try:
            said = parse_chat(raw)
        except ValueError as error:
            raise AttemptFailedError("malformed", raw[:MAX_DETAIL]) from error
        return Completion(said.text, said.finish_reason, usage_of(said.body), raw)

    def _refused(self, error: openai.APIStatusError) -> AttemptFailedError | EndpointRefusedError:
        status = error.status_code
        said = self.redacted(error.response.text)[:MAX_DETAIL]
        outcome = f"http_{status}"
        if status in (401, 403):
            named = f"${self.role.api_key_env}" if self.role.api_key_env else "no key"
            return EndpointRefusedError(
                f"{self.base_url} refused {named} (HTTP {status}): {said}\n"
                "Set api_key_env of the role to the name of a variable that holds a valid key."
            )
        if status == 404 or 300 <= status < 400:
            return EndpointRefusedError(
                f"{self.base_url} has no model {self.role.model} or no such path "
                f"(HTTP {status}): {said}\nCheck base_url (it often ends in /v1) and model."
            )
        if status == 429 or status >= 500 or status in (408, 409):
            headers = error.response.headers
            wait_s = retry_after_s(headers.get("retry-after"), date=headers.get("date"))
            return AttemptFailedError(outcome, said, is_overload=True, wait_s=wait_s)
        return AttemptFailedError(outcome, said, can_retry=False)

    @property
    def batches_at(self) -> str | None:
        """None: nothing goes by batch."""
        return None

    async def resume(self) -> None:
        """Nothing that is sent live can be taken up."""

    @contextmanager
    def refusals(self, what: str, hint: str) -> Iterator[None]:
        """Turn the client's errors into one that ends the run and says `what` could not be done."""
        import httpx2
        import openai

        try:
            yield
        except (openai.APIError, httpx2.HTTPError, AttemptFailedError, *BROKEN) as error:
            # An answer that is too long, no JSON, or not what the client or we expect.
            said = self.redacted(f"{type(error).__name__} {error}")[:MAX_DETAIL]
            raise EndpointRefusedError(f"{self.base_url}: {what}: {said}\n{hint}") from None

    def sent_attempt(self, key: str) -> int | None:
        """Return None: nothing that is sent live outlives its process."""

    def note_attempt(self, key: str, attempt: int) -> None:
        """Live requests need no note."""

    def redacted(self, text: str) -> str:
        """Return `text` without the key, should an endpoint echo it."""
        return hide_key(self._key, text)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


_BAD_PROXY = (
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY of the environment cannot be used\n"
    "A proxy is http://host:port; socks5:// needs the package socksio. Mend it or unset it."
)


def _check_proxies() -> None:
    """Raise EndpointRefusedError for a proxy that the client would take, and fail at, later."""
    proxies = getproxies()
    for scheme in ("http", "https", "all"):
        proxy = proxies.get(scheme) or "http://unset"
        try:
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            is_good = bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good:
            raise EndpointRefusedError(_BAD_PROXY) from None


def _cause(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__} {cause}"


def read_key(role: Role) -> str | None:
    """Return the role's key, None if it needs none; raises PipelineError if it is not set."""
    if role.api_key_env is None:
        return None
    key = os.environ.get(role.api_key_env, "").strip()
    if not key:
        raise EndpointRefusedError(
            f"the environment variable {role.api_key_env} is not set\n"
            f"Put the key of {role.base_url} there; it is never written to any file."
        )
    if not is_key(key):
        raise EndpointRefusedError(
            f"the environment variable {role.api_key_env} holds characters no key can have\n"
            "Copy the key again."
        )
    return key
