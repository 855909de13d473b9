"""The clients of others, by the name of their row. Each is imported only where it is tried."""

from importlib import import_module

from tests.conformance.client import Client

CLIENTS = {
    "ccxt.pro binance": "ccxt_clients:Binance",
    "ccxt.pro binance (ws)": "ccxt_clients:BinanceWs",
    "ccxt.pro bybit": "ccxt_clients:Bybit",
    "ccxt.pro bybit (ws)": "ccxt_clients:BybitWs",
    "ccxt.pro okx": "ccxt_clients:Okx",
    "ccxt.pro okx (ws)": "ccxt_clients:OkxWs",
    "ccxt.pro hyperliquid": "ccxt_clients:Hyperliquid",
    "ccxt.pro hyperliquid (ws)": "ccxt_clients:HyperliquidWs",
    "python-binance": "python_binance:PythonBinance",
    "binance-sdk": "binance_sdk:BinanceSdk",
    "binance-sdk (ws)": "binance_sdk:BinanceSdkWs",
    "pybit": "pybit_client:Pybit",
    "pybit (ws)": "pybit_client:PybitWs",
    "python-okx": "python_okx:PythonOkx",
    "python-okx (ws)": "python_okx:PythonOkxWs",
    "hyperliquid-python-sdk": "hyperliquid_sdk:HyperliquidSdk",
}
"""By name, ``module:class`` in this package. ``(ws)``: the same client with its orders by websocket."""

PACKAGES = (
    "ccxt",
    "python-binance",
    "binance-sdk-derivatives-trading-usds-futures",
    "pybit",
    "python-okx",
    "hyperliquid-python-sdk",
)
"""What they are installed as."""


def client_class(name: str) -> type[Client]:
    """The class of a client. Raises KeyError, and ImportError where its package is not installed."""
    module, _, chosen = CLIENTS[name].partition(":")
    found: type[Client] = getattr(import_module(f"{__name__}.{module}"), chosen)
    return found
