"""Signatures of Hyperliquid's L1 actions: EIP-712 over a "phantom agent" that carries the hash of the action.

The hash is keccak-256 of: the msgpack of the action (in its key order), the nonce as 8 bytes, the vault (one zero byte,
or 1 and its 20 bytes), and, where the action expires, a zero byte and the expiry as 8 bytes (all big-endian). The agent
``{source: "a" on mainnet, "b" elsewhere, connectionId: hash}`` is signed in the domain Exchange/1/chain 1337.

Source: ``hyperliquid/utils/signing.py`` of the official hyperliquid-python-sdk. The signature is deterministic
(RFC 6979), so one action, nonce and key have one signature.
"""

from collections.abc import Mapping
from functools import lru_cache

import coincurve
import msgspec
from Crypto.Hash import keccak


class Signature(msgspec.Struct, frozen=True):
    """A recoverable secp256k1 signature as a request body has it: ``r`` and ``s`` 0x-hex integers, ``v`` 27 or 28."""

    r: str
    s: str
    v: int


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum has it (not SHA3-256)."""
    return keccak.new(digest_bits=256, data=data).digest()


_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_DOMAIN_SEPARATOR = keccak256(
    keccak256(_DOMAIN_TYPE) + keccak256(b"Exchange") + keccak256(b"1") + (1337).to_bytes(32, "big") + bytes(32)
)
_AGENT_TYPE_HASH = keccak256(b"Agent(string source,bytes32 connectionId)")
_MAINNET_SOURCE = keccak256(b"a")
_TESTNET_SOURCE = keccak256(b"b")

_encode_msgpack = msgspec.msgpack.Encoder().encode


def _hex_bytes(text: str, length: int, what: str) -> bytes:
    """The bytes of 0x-hex of an exact length; the error never quotes the text, which may be a private key."""
    digits = text.removeprefix("0x").removeprefix("0X")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    if len(digits) != 2 * length or len(value) != length:
        raise ValueError(f"{what} must be {length} bytes in hexadecimal")
    return value


def action_hash(
    action: Mapping[str, object], nonce: int, vault: str | None = None, expires_after: int | None = None
) -> bytes:
    """The 32-byte hash that a signature binds. ``nonce`` and ``expires_after`` are in milliseconds.

    The order of the keys in ``action`` is part of it. Raises ValueError for a malformed vault address, OverflowError
    for a nonce or expiry outside 64 bits.
    """
    data = _encode_msgpack(action) + nonce.to_bytes(8, "big")
    data += b"\x00" if vault is None else b"\x01" + _hex_bytes(vault, 20, "the vault address")
    if expires_after is not None:
        data += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak256(data)


def agent_digest(connection_id: bytes, *, is_mainnet: bool) -> bytes:
    """The EIP-712 digest of the phantom agent that carries ``connection_id`` (the action hash)."""
    source = _MAINNET_SOURCE if is_mainnet else _TESTNET_SOURCE
    return keccak256(b"\x19\x01" + _DOMAIN_SEPARATOR + keccak256(_AGENT_TYPE_HASH + source + connection_id))


@lru_cache(maxsize=8)
def _private_key(secret: str) -> coincurve.PrivateKey:
    """Deriving the public point costs as much as a signature, and one process signs with one or two keys."""
    return coincurve.PrivateKey(_hex_bytes(secret, 32, "the private key"))


def _address(key: coincurve.PublicKey) -> str:
    return "0x" + keccak256(key.format(compressed=False)[1:])[-20:].hex()


def address_of(secret: str) -> str:
    """The lower-case 0x-address of a private key. Raises ValueError, without quoting it, for what is no key."""
    return _address(_private_key(secret).public_key)


def sign_l1_action(
    secret: str,
    action: Mapping[str, object],
    nonce: int,
    vault: str | None = None,
    expires_after: int | None = None,
    *,
    is_mainnet: bool,
) -> Signature:
    """Sign an action with a private key (hex, with or without 0x). Raises ValueError for what is no key or vault."""
    digest = agent_digest(action_hash(action, nonce, vault, expires_after), is_mainnet=is_mainnet)
    raw = _private_key(secret).sign_recoverable(digest, hasher=None)
    return Signature(r=hex(int.from_bytes(raw[:32], "big")), s=hex(int.from_bytes(raw[32:64], "big")), v=27 + raw[64])


def recover(
    signature: Signature,
    action: Mapping[str, object],
    nonce: int,
    vault: str | None = None,
    expires_after: int | None = None,
    *,
    is_mainnet: bool,
) -> str:
    """The lower-case address that made ``signature`` over exactly these values.

    A tampered action does not fail: it recovers another address, so the caller compares. Raises ValueError for a
    signature that no key can have made.
    """
    digest = agent_digest(action_hash(action, nonce, vault, expires_after), is_mainnet=is_mainnet)
    if signature.v not in {27, 28}:
        raise ValueError("v of a signature is 27 or 28")
    try:
        numbers = int(signature.r, 16).to_bytes(32, "big") + int(signature.s, 16).to_bytes(32, "big")
        key = coincurve.PublicKey.from_signature_and_message(numbers + bytes([signature.v - 27]), digest, hasher=None)
    except (ValueError, OverflowError) as error:
        raise ValueError("not a signature of secp256k1") from error
    return _address(key)
