"""The clients of others, by the name of their row. Each is imported only where it is tried."""

from importlib import import_module

from tests.conformance.client import Client

CLIENTS = {
    "ccxt.pro binance": "ccxt_clients:Binance",
    "ccxt.pro bybit": "ccxt_clients:Bybit",
    "ccxt.pro okx": "ccxt_clients:Okx",
    "ccxt.pro hyperliquid": "ccxt_clients:Hyperliquid",
    "python-binance": "python_binance:PythonBinance",
    "binance-sdk": "binance_sdk:BinanceSdk",
    "pybit": "pybit_client:Pybit",
    "python-okx": "python_okx:PythonOkx",
    "hyperliquid-python-sdk": "hyperliquid_sdk:HyperliquidSdk",
}
"""By name, ``module:class`` in this package."""


def client_class(name: str) -> type[Client]:
    """The class of a client. Raises KeyError, and ImportError where its package is not installed."""
    module, _, chosen = CLIENTS[name].partition(":")
    found: type[Client] = getattr(import_module(f"{__name__}.{module}"), chosen)
    return found
