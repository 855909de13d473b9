"""The commented configuration that ``hedgedesk init --template`` prints. Every setting stands in it."""

TEMPLATE = """\
# hedgedesk configuration. Check it with: hedgedesk check. What holds, and where it comes from: hedgedesk config show.
# A variable HEDGEDESK_THEME=light, or HEDGEDESK_LIMITS__EACH__ORDER_NOTIONAL=500, stands over the profile that starts.
# Secrets never stand here: hedgedesk keys set NAME puts a venue's keys into the system's keyring.

profile = "paper"              # which profile starts; --profile NAME or HEDGEDESK_PROFILE choose another

# ------------------------------------------------------------------ paper: venues of its own, play money

[profiles.paper]
kind = "paper"                 # paper, paper-on-live or venues
# theme = "dark"               # hedgedesk themes lists them
# rising = "red"               # the colour of a rise, and of buying; green where it is not set

# [profiles.paper.paper]
# seed = 7                     # of the random market
# market = "/path/trades.csv"  # recorded trades in its place, with
# ticker = "BTC"               # the base asset that they are of, and
# speed = 10                   # how many times faster than recorded

# ------------------------------------------------------------------ testnet: the venues' own test exchanges

[profiles.testnet]
kind = "venues"
desk = "testnet"

[profiles.testnet.venues.binance]
kind = "binance"               # binance, bybit, hyperliquid or okx
environment = "testnet"        # mainnet, testnet, demo or loopback
keys = "keyring:binance-testnet"

[profiles.testnet.venues.hyperliquid]
kind = "hyperliquid"
environment = "testnet"
keys = "keyring:hyperliquid-testnet"

[profiles.testnet.limits.each]
order_notional = 1000

# ------------------------------------------------------------------ live: real money

[profiles.live]
kind = "venues"
desk = "main"                  # typed to arm the desk; the profile's name where it is not set
# dead_man_s = 60              # seconds without a word from us after which venues cancel our makers, where they can
# readiness = "poll"           # while hedged makers rest: poll (one processor), rehearse (a fifth of one) or none
# journal_folder = "~/desk"    # the user's state folder where it is not set
# theme = "dark"

[profiles.live.venues.binance]
kind = "binance"
environment = "mainnet"
keys = "keyring:binance"       # or env:PREFIX (PREFIX_KEY, PREFIX_SECRET, PREFIX_PASSPHRASE), or file:/path (mode 0600)

[profiles.live.venues.hyperliquid]
kind = "hyperliquid"
environment = "mainnet"
keys = "keyring:hyperliquid"   # key is the account's address, secret the private key of an agent of it
# rest = "http://127.0.0.1:1"  # with environment = "loopback": a venue on this machine
# ws = "ws://127.0.0.1:1/ws"   # one address, or a table of them by name

[profiles.live.arming]
idle_minutes = 15              # disarmed after so long without an act of the operator; 0 never
clock_skew_ms = 1000           # disarmed when our clock and a venue's differ by more; 0 for any difference
on_reconnect = false           # disarmed when a venue's private stream is lost and has to be connected again
confirm_above = 2500           # notional above which an order that raises risk is asked about

# Limits: a number refuses, { soft = 1000, hard = 5000 } asks above the one and refuses above the other. Quantities are
# base units, notionals quote units, without a sign. What is not set is not limited.

[profiles.live.limits]
flatten_slippage_bps = 50      # how far through the market a flatten may trade, basis points
hedgeability = "refuse"        # a maker that surely could not be hedged now: refuse, ask or off

[profiles.live.limits.desk]    # sums over everything
position_notional = { soft = 20_000, hard = 50_000 }
open_orders = 40
orders_per_second = 10         # cancels and hedges are never held back
daily_turnover = 500_000
daily_loss = { soft = 200, hard = 500 }
unhedged_notional = 5000       # not hedged yet, over all hedge books: more stops the makers

[profiles.live.limits.each]    # for each contract
order_notional = { soft = 1000, hard = 5000 }
# order_quantity = 2           # better set for a contract, below
# position_quantity = 10
position_notional = 20_000
open_orders = 10
collar_mid_bps = { soft = 50, hard = 300 }
collar_last_bps = { soft = 100, hard = 500 }
duplicate_s = { hard = 1, soft = 10 }   # the same order again: refused within 1 s, asked about within 10 s
unhedged_notional = 2500       # not hedged yet in one hedge book: more stops its makers
hedge_slippage_bps = { soft = 20, hard = 100 }   # how far hedging all working makers at once may take the hedge's book

[profiles.live.limits.each_base]   # net position of a base asset over all venues
net_notional = 2500
# net_quantity = 1

# [profiles.live.limits.base.BTC]
# net_quantity = "0.05"

# [profiles.live.limits.venue.binance]         # sums over the venue: the settings of desk, but unhedged_notional
# position_notional = 30_000
# leverage = 10                                # hedges may need so many times the free collateral: the account's own
# [profiles.live.limits.venue.binance.each]    # for each of its contracts: the settings of each
# open_orders = 5
# [profiles.live.limits.venue.binance.instrument.BTCUSDT]
# order_quantity = "0.05"

[profiles.live.refresh]        # how often the streams are compared with the venues' own snapshots
orders_s = 30
positions_s = 30
pending_timeout_s = 5          # an order without an answer counts as UNKNOWN after that

[profiles.live.unhedged]       # from what worth and age on a balance that waits is amber, and red, on the console
amber_notional = 25
amber_age_s = 3
red_notional = 250
red_age_s = 15

# [profiles.live.keymap]       # keys by action, in the place of the built-in ones
# mute = "m"

# ------------------------------------------------------------------ paper on live: real markets, play money

# [profiles.shadow]
# kind = "paper-on-live"
# [profiles.shadow.venues.binance]
# kind = "binance"
# environment = "mainnet"
# [profiles.shadow.paper]
# bases = ["BTC", "ETH", "SOL"] # the base assets that are listed
"""
