"""Who may act for which account on the Hyperliquid paper venue: signatures, agents, nonces. Pure.

An L1 action is signed by the account or by an agent that it approved; an approval is signed by the account itself. The
server knows a signer only by recovering an address, so a wrong signature is an unknown wallet, and says so.

Sources: the "Nonces and API wallets" page (the 100 highest nonces of a signer are kept, a new one must be over the
lowest of them and unused, and within two days behind and one day ahead of the clock); "Exchange endpoint" (approval
of agents); ``sign_user_signed_action`` of the official Python SDK.
"""

import heapq
from collections.abc import Mapping

import coincurve

from gateways.hyperliquid.signing import Signature, address_of, keccak256, recover
from gateways.paper.hyperliquid.actions import ApproveAgent, ExchangeRequest, UserSignedAction, signed_form

DAY_MS = 86_400_000
NONCES_KEPT = 100
ZERO_ADDRESS = "0x" + "00" * 20


class ActionRefused(Exception):
    """The whole request is refused with HTTP 200 and ``{"status": "err", "response": text}``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Signers:
    """The accounts, their agents and the nonces that each signer used."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        """Know ``accounts``: address to private key; a key of another address makes that one an agent."""
        self.accounts = frozenset(address.lower() for address in accounts)
        self._agents: dict[str, dict[str, str]] = {account: {} for account in self.accounts}
        self._nonces: dict[str, list[int]] = {}
        for account, secret in accounts.items():
            signer = address_of(secret) if secret else account.lower()
            if signer != account.lower():
                self._agents[account.lower()]["paper"] = signer

    def agents(self, account: str) -> dict[str, str]:
        """An account's agents by name; the unnamed one's name is empty."""
        return dict(self._agents.get(account, {}))

    def principal(self, signer: str) -> str | None:
        """The account that ``signer`` acts for: itself, or whose agent it is; None for nobody's."""
        if signer in self.accounts:
            return signer
        return next((account for account, agents in self._agents.items() if signer in agents.values()), None)

    def authorise(self, request: ExchangeRequest, now_ms: int) -> str:
        """The account that a request acts for; its nonce is then used. Raises ActionRefused."""
        _check_window(request.nonce, now_ms)
        action, signature = request.action, _signature(request)
        if isinstance(action, UserSignedAction) and action.nonce != request.nonce:
            raise ActionRefused("Nonce mismatch.")
        try:
            if isinstance(action, UserSignedAction):
                signer = recover_user_signed(action, signature)
                account = signer if signer in self.accounts else None
                unknown = f"Must deposit before performing actions. User: {signer}"
            else:
                signer, account = self._l1_signer(request, signature)
                unknown = f"User or API Wallet {signer} does not exist."
        except ValueError:
            raise ActionRefused("Unable to recover signer.") from None
        if account is None:
            raise ActionRefused(unknown)
        if request.vault_address is not None:
            raise ActionRefused(f"Vault not registered: {request.vault_address.lower()}")
        if request.expires_after is not None and request.expires_after < now_ms:
            raise ActionRefused("Action already expired")
        self._use_nonce(signer, request.nonce)
        return account

    def approve(self, account: str, approval: ApproveAgent) -> None:
        """Take an agent under its name in the place of the one before; the zero address only takes that one away."""
        name, agent = approval.agent_name or "", approval.agent_address.lower()
        if agent in self.accounts or (agent != ZERO_ADDRESS and self.principal(agent) is not None):
            raise ActionRefused("Extra agent already used.")
        self._agents[account].pop(name, None)
        if agent != ZERO_ADDRESS:
            self._agents[account][name] = agent

    def _l1_signer(self, request: ExchangeRequest, signature: Signature) -> tuple[str, str | None]:
        """The signer and whom it acts for, signed as on the test network or as on the main one."""
        if isinstance(request.action, UserSignedAction):
            raise TypeError("a user-signed action is not an L1 action")
        form = signed_form(request.action)
        vault = request.vault_address.lower() if request.vault_address is not None else None
        signer = ""
        for is_mainnet in (True, False):
            signer = recover(signature, form, request.nonce, vault, request.expires_after, is_mainnet=is_mainnet)
            account = self.principal(signer)
            if account is not None:
                return signer, account
        return signer, None

    def _use_nonce(self, signer: str, nonce: int) -> None:
        used = self._nonces.setdefault(signer, [])
        if nonce in used:
            raise ActionRefused(f"Invalid nonce: duplicate nonce {nonce}")
        if len(used) == NONCES_KEPT:
            if nonce < used[0]:
                raise ActionRefused(f"Invalid nonce: nonce too low {nonce} < {used[0]}")
            heapq.heapreplace(used, nonce)
        else:
            heapq.heappush(used, nonce)


def _check_window(nonce: int, now_ms: int) -> None:
    oldest, newest = now_ms - 2 * DAY_MS, now_ms + DAY_MS
    if nonce <= oldest:
        raise ActionRefused(f"Invalid nonce: nonce too low {nonce} < {oldest}")
    if nonce >= newest:
        raise ActionRefused(f"Invalid nonce: nonce too high {nonce} > {newest}")


def _signature(request: ExchangeRequest) -> Signature:
    return Signature(r=request.signature.r, s=request.signature.s, v=request.signature.v)


# ------------------------------------------------------- actions signed by users

_DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_AGENT_TYPE = keccak256(
    b"HyperliquidTransaction:ApproveAgent(string hyperliquidChain,address agentAddress,string agentName,uint64 nonce)"
)
_BUILDER_TYPE = keccak256(
    b"HyperliquidTransaction:ApproveBuilderFee(string hyperliquidChain,string maxFeeRate,address builder,uint64 nonce)"
)


def _string(text: str) -> bytes:
    return keccak256(text.encode())


def _address(text: str) -> bytes:
    return bytes(12) + bytes.fromhex(text[2:])


def user_signed_digest(action: UserSignedAction) -> bytes:
    """The EIP-712 digest of an approval, in the domain HyperliquidSignTransaction of the chain that it names."""
    chain, nonce = _string(action.hyperliquid_chain), action.nonce.to_bytes(32, "big")
    if isinstance(action, ApproveAgent):
        struct = _AGENT_TYPE + chain + _address(action.agent_address) + _string(action.agent_name or "") + nonce
    else:
        struct = _BUILDER_TYPE + chain + _string(action.max_fee_rate) + _address(action.builder) + nonce
    chain_id = int(action.signature_chain_id, 16).to_bytes(32, "big")
    domain = keccak256(_DOMAIN_TYPE + _string("HyperliquidSignTransaction") + _string("1") + chain_id + bytes(32))
    return keccak256(b"\x19\x01" + domain + keccak256(struct))


def recover_user_signed(action: UserSignedAction, signature: Signature) -> str:
    """The lower-case address that signed an approval. Raises ValueError for what is no signature."""
    if signature.v not in {27, 28}:
        raise ValueError("v of a signature is 27 or 28")
    raw = int(signature.r, 16).to_bytes(32, "big") + int(signature.s, 16).to_bytes(32, "big")
    key = coincurve.PublicKey.from_signature_and_message(
        raw + bytes([signature.v - 27]), user_signed_digest(action), hasher=None
    )
    return "0x" + keccak256(key.format(compressed=False)[1:])[-20:].hex()
