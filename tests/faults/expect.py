"""One expectation of a proof."""


class Wrong(Exception):
    """Something is not as documented."""


def expect(what, found, wanted, matters=True):
    """`wanted` is a value, or the set of those that may be."""
    if matters and not (found in wanted if isinstance(wanted, set) else found == wanted):
        raise Wrong(f"{what}: found {found!r}, expected {wanted!r}")
