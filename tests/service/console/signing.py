"""What the API says to the key that a page keeps, asked by the tests themselves."""

import base64
import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx
from nacl.signing import SigningKey
from playwright.sync_api import Page

from tests.service.clients.served import PATIENCE, Service


def kept_key(page: Page) -> dict[str, Any]:
    """The key that the page was told to keep."""
    text = page.evaluate("localStorage.getItem('solvent-key')")
    found: dict[str, Any] = json.loads(text)
    return found


def said_to(page: Page, demo: Service, path: str, instruction: str, **fields: str) -> Any:
    """The answer to a signed question."""
    answer = signed(kept_key(page)["secret"], demo, path, instruction, {}, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def signed(
    secret: str,
    demo: Service,
    path: str,
    instruction: str,
    in_path: Mapping[str, str] = MappingProxyType({}),
    **fields: str,
) -> httpx.Response:
    """What is answered to a question that is signed with a secret, base64.

    Fields `in_path` are signed and not sent again.
    """
    key = SigningKey(base64.b64decode(secret))
    said = {**fields, **in_path}
    words = [f"instruction={instruction}", *(f"{name}={said[name]}" for name in sorted(said))]
    stamp = int(time.time() * 1000)
    text = f"{'&'.join(words)}&timestamp={stamp}&window=5000"
    headers = {
        "X-API-Key": base64.b64encode(bytes(key.verify_key)).decode(),
        "X-Signature": base64.b64encode(key.sign(text.encode()).signature).decode(),
        "X-Timestamp": str(stamp),
        "X-Window": "5000",
    }
    return httpx.get(f"{demo.rest}{path}", params=fields, headers=headers, timeout=PATIENCE)
