"""What a desk has put away."""


def orders_away(oms):
    """Every order that is in the archive and not in memory."""
    rows = oms.journal.archive.all(oms.store.upto) if oms.store.upto else ()
    return [each for each in rows if oms.store.peek(each.key) is None]
