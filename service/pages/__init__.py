"""Pages for people: the verify page, its result, and the state page a licence's QR code leads to."""

from service.pages.views import pages

__all__ = ["pages"]
