"""The sandbox from the side of demos, tests and benches: let buyers pay, tell it to go wrong."""

from typing import Any

import httpx
import msgspec


class SandboxControls:
    """The control API of a running sandbox."""

    def __init__(self, base_url: str) -> None:
        """Control the sandbox at `base_url`; it must run on this machine."""
        self.url = base_url
        self._http = httpx.AsyncClient(base_url=base_url, timeout=60.0, trust_env=False, verify=False)  # noqa: S501 only ever plain HTTP on this machine

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def pay(self, reference: str, amount_fen: int | None = None, currency: str = "CNY") -> list[str]:
        """A buyer pays, in time or not; the provider's transaction numbers. Without amount: what is asked."""
        body: dict[str, object] = {"reference": reference, "currency": currency}
        if amount_fen is not None:
            body["amount_fen"] = amount_fen
        paid = await self._post("/control/pay", body)
        return [str(payment["provider_txn"]) for payment in paid["payments"]]

    async def go_wrong(self, *rules: dict[str, object], seed: int | None = None, replace: bool = False) -> list[int]:
        """Put fault rules in force (shape: `sandbox_provider.faults.FaultRule`); their numbers."""
        numbers = await self._post("/control/faults", {"rules": list(rules), "seed": seed, "replace": replace})
        return [int(number) for number in numbers["ids"]]

    async def go_well(self) -> None:
        """Take all fault rules away."""
        (await self._http.delete("/control/faults")).raise_for_status()

    async def settings(self, *, notify_url: str | None = None, clock_offset_ms: int | None = None) -> None:
        """Where to tell what has no other address; how far the sandbox lives from the machine's time."""
        await self._post("/control/settings", {"notify_url": notify_url, "clock_offset_ms": clock_offset_ms})

    async def drain(self, *, hurry: bool = False, timeout_s: float = 50.0) -> int:
        """Wait until all is told; with `hurry` no delay is waited for. How many notifications are left."""
        left = await self._post("/control/drain", {"hurry": hurry, "timeout_ms": int(timeout_s * 1000)})
        return int(left["left"])

    async def top_up(self, account: str, amount_fen: int) -> int:
        """Money from a bank into `platform` or `shop/<account>`; the new balance in fen."""
        return int((await self._post("/control/top-up", {"account": account, "amount_fen": amount_fen}))["balance_fen"])

    async def send_again(self, notice_id: int) -> None:
        """Send a notification once more, whatever became of it."""
        await self._post(f"/control/notices/{notice_id}/send-again", {})

    async def notices(self, about: str | None = None) -> list[dict[str, Any]]:
        """What was told (newest first) with every attempt; `about` an order reference or idempotency key."""
        answer = await self._http.get("/control/notices", params={"about": about} if about else {})
        return list(_read(answer)["notices"])

    async def balances(self) -> dict[str, int]:
        """Fen by account, foreign money as `account currency`. Raises if the sandbox's own book does not add up."""
        book = _read(await self._http.get("/control/book"))
        if book["differences"]:
            msg = f"the sandbox's book is off: {book['differences']}"
            raise AssertionError(msg)
        return {
            row["account"] if row["currency"] == "CNY" else f"{row['account']} {row['currency']}": row["balance_fen"]
            for row in book["balances"]
        }

    async def _post(self, target: str, body: dict[str, object]) -> dict[str, Any]:
        return _read(await self._http.post(target, json=body))


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        msg = f"sandbox control answered {answer.status_code}: {answer.text[:500]}"
        raise httpx.HTTPStatusError(msg, request=answer.request, response=answer)
    return msgspec.json.decode(answer.content, type=dict[str, Any])
