"""Signatures of L1 actions, against values known to anyone who knows Ethereum, and against themselves."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.hyperliquid.signing import Signature, action_hash, address_of, keccak256, recover, sign_l1_action

SECRET = "0x" + "00" * 31 + "01"
ADDRESS = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
VAULT = "0x" + "ab" * 20

ACTION: dict[str, Any] = {
    "type": "order",
    "orders": [{"a": 3, "b": True, "p": "12.5", "s": "2", "r": False, "t": {"limit": {"tif": "Alo"}}}],
    "grouping": "na",
}

order_actions = st.fixed_dictionaries(
    {
        "type": st.just("order"),
        "orders": st.lists(
            st.fixed_dictionaries(
                {"a": st.integers(0, 2**32), "b": st.booleans(), "p": st.text(max_size=20), "s": st.text(max_size=8)}
            ),
            max_size=3,
        ),
        "grouping": st.just("na"),
    }
)


def test_keccak_is_not_sha3() -> None:
    """The digest of nothing is Ethereum's, whose padding differs from the standardized SHA3."""
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("0x"), SECRET.upper().replace("0X", "0x")])
def test_address_of_the_first_key(secret: str) -> None:
    """The private key 1 has its well-known address, however its hexadecimal is written."""
    assert address_of(secret) == ADDRESS


@pytest.mark.parametrize("secret", ["", "0x", "0x12", "zz" * 32, "0x" + "0" * 64, "f" * 64, "0x" + "1" * 66, " " * 64])
def test_what_is_no_key_is_refused_without_being_quoted(secret: str) -> None:
    """An error about a private key never shows it."""
    with pytest.raises(ValueError, match=r"private key|Secret scalar") as caught:
        address_of(secret)
    assert not secret.strip() or secret not in str(caught.value)


def test_the_hash_binds_every_part() -> None:
    """Nonce, vault, expiry and the order of the keys each change the hash; mainnet changes the signature."""
    reordered = dict(reversed(ACTION.items()))
    hashes = {
        action_hash(ACTION, 1),
        action_hash(ACTION, 2),
        action_hash(reordered, 1),
        action_hash(ACTION, 1, VAULT),
        action_hash(ACTION, 1, None, 5),
        action_hash(ACTION, 1, None, 6),
        action_hash(ACTION, 1, VAULT, 5),
    }
    assert len(hashes) == 7
    main = sign_l1_action(SECRET, ACTION, 1, is_mainnet=True)
    assert main != sign_l1_action(SECRET, ACTION, 1, is_mainnet=False)
    assert recover(main, ACTION, 1, is_mainnet=False) != ADDRESS


def test_the_hash_is_made_of_the_documented_bytes() -> None:
    """It is keccak over msgpack, nonce, vault mark and expiry, in that order, big-endian."""
    packed = msgspec.msgpack.encode(ACTION)
    expected = packed + (7).to_bytes(8, "big") + b"\x01" + bytes.fromhex("ab" * 20) + b"\x00" + (9).to_bytes(8, "big")
    assert action_hash(ACTION, 7, VAULT, 9) == keccak256(expected)


@pytest.mark.parametrize("vault", ["0x12", "ab" * 21, "0x" + "zz" * 20])
def test_a_malformed_vault_is_refused(vault: str) -> None:
    """A vault address of the wrong length or alphabet is never hashed as something else."""
    with pytest.raises(ValueError, match="vault"):
        action_hash(ACTION, 1, vault)


@settings(deadline=None)
@given(
    action=order_actions,
    nonce=st.integers(0, 2**63),
    expires_after=st.none() | st.integers(0, 2**63),
    vault=st.none() | st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    key=st.integers(1, 2**255),
    is_mainnet=st.booleans(),
)
def test_the_signer_is_recovered(
    *, action: dict[str, Any], nonce: int, expires_after: int | None, vault: str | None, key: int, is_mainnet: bool
) -> None:
    """Whatever is signed, the signer's address comes back from the signature, also after JSON has carried it."""
    secret = f"{key:064x}"
    signature = sign_l1_action(secret, action, nonce, vault, expires_after, is_mainnet=is_mainnet)
    assert signature == sign_l1_action(secret, action, nonce, vault, expires_after, is_mainnet=is_mainnet)
    carried = msgspec.json.decode(msgspec.json.encode({"action": action, "signature": signature}))
    again = msgspec.convert(carried["signature"], Signature)
    assert recover(again, carried["action"], nonce, vault, expires_after, is_mainnet=is_mainnet) == address_of(secret)


def test_a_tampered_action_recovers_another_address() -> None:
    """A changed size, nonce or expiry does not verify."""
    signature = sign_l1_action(SECRET, ACTION, 1, None, 5, is_mainnet=False)
    assert recover(signature, ACTION, 1, None, 5, is_mainnet=False) == ADDRESS
    larger = {**ACTION, "orders": [{**ACTION["orders"][0], "s": "20"}]}
    assert recover(signature, larger, 1, None, 5, is_mainnet=False) != ADDRESS
    assert recover(signature, ACTION, 2, None, 5, is_mainnet=False) != ADDRESS
    assert recover(signature, ACTION, 1, None, 6, is_mainnet=False) != ADDRESS


@pytest.mark.parametrize(
    "signature",
    [
        Signature("0x0", "0x0", 27),
        Signature("zz", "0x1", 27),
        Signature("-0x1", "0x1", 27),
        Signature("0x" + "f" * 65, "0x1", 27),
        Signature("0x1", "0x" + "f" * 64, 28),
        Signature("0x1", "0x1", 29),
        Signature("0x1", "0x1", 0),
    ],
)
def test_an_impossible_signature_is_a_value_error(signature: Signature) -> None:
    """A server can hand anything to ``recover``: it answers with an address or a ValueError."""
    with pytest.raises(ValueError, match="signature"):
        recover(signature, ACTION, 1, is_mainnet=False)
